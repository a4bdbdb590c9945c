"""Judge clusters against the truth: pairs, B-cubed, whole clusters, source pairs; a yardstick beside them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from linkage_models.clustering import Edges, components


@dataclass(frozen=True)
class Rates:
    """Precision and recall; F1 is their harmonic mean."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        return (
            2 * self.precision * self.recall / (self.precision + self.recall) if self.precision + self.recall else 0.0
        )


@dataclass(frozen=True)
class Evaluation:
    """`by_source_pair` is (source, source, true pairs, found pairs, right pairs); `mixed` the share of clusters with
    more than
    one true person; `largest` the records, `most_persons` the true persons of the worst cluster."""

    records: int
    pairs: Rates
    b_cubed: Rates
    clusters: Rates
    largest: int
    most_persons: int
    mixed: float
    by_source_pair: list[tuple[str, str, int, int, int]] = field(default_factory=list)


def evaluate(
    con: duckdb.DuckDBPyConnection, truth: Path, view: str = "data_quality", catalog: str = "published"
) -> dict[str, Any]:
    """The persons of a view in `catalog` against `truth`/records.parquet, with the yardstick on the same edges.

    pairs, b_cubed, clusters: precision, recall, f1. by_source_pair and yardstick: rows.
    """
    con.execute(
        f"""-- one row per record of which the truth is known
        CREATE OR REPLACE TEMP TABLE truth_record AS
        SELECT r.record_id, r.source, t.person_id
        FROM {catalog}.people.record r JOIN read_parquet('{str(truth / "records.parquet").replace("'", "''")}') t
            USING (source, source_key)"""
    )
    con.execute("CREATE OR REPLACE TEMP TABLE found_cluster AS SELECT record_id, person_id AS cluster FROM "
                f"{catalog}.linkage.membership WHERE view = ?", [view])  # fmt: skip
    ours = measure(con, "found_cluster", "truth_record", "truth_record")
    yardstick = [{"clustering": "ours", **_row(ours)}]
    for probability in (0.5, 0.99):
        _components_of_edges(con, catalog, probability)
        stock = measure(con, "stock_cluster", "truth_record", "truth_record")
        yardstick.append({"clustering": f"connected components at {probability}", **_row(stock)})
    found: dict[str, Any] = {name: _rates(getattr(ours, name)) for name in ("pairs", "b_cubed", "clusters")}
    found |= {
        "records": ours.records,
        "largest cluster": ours.largest,
        "most persons in a cluster": ours.most_persons,
        "share of clusters with more than one person": round(ours.mixed, 5),
        "yardstick": yardstick,
        "by_source_pair": [
            {
                "source": a,
                "with": b,
                "true pairs": real,
                "precision": _share(right, linked),
                "recall": _share(right, real),
            }
            for a, b, real, linked, right in ours.by_source_pair
        ],
    }
    for table in ("truth_record", "found_cluster", "stock_cluster"):
        con.execute(f"DROP TABLE {table}")
    return found


def _components_of_edges(con: duckdb.DuckDBPyConnection, catalog: str, probability: float) -> None:
    """Write the temporary table stock_cluster (record_id, cluster)."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE stock_node AS SELECT record_id, row_number() OVER (ORDER BY record_id) - 1"
        " AS node FROM found_cluster"
    )
    edges = con.execute(
        f"""SELECT l.node AS left, r.node AS right, e.match_weight AS weight FROM {catalog}.linkage.edge e
        JOIN stock_node l ON l.record_id = e.record_l JOIN stock_node r ON r.record_id = e.record_r"""
    ).fetchnumpy()
    nodes = con.execute("SELECT count(*) FROM stock_node").fetchall()[0][0]
    labels = components_at(
        nodes, Edges(*(np.asarray(edges[name]) for name in ("left", "right", "weight"))), probability
    )
    con.register("stock_label", pl.DataFrame({"node": np.arange(nodes), "cluster": labels}))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE stock_cluster AS SELECT record_id, cluster FROM stock_node JOIN"
        " stock_label USING (node)"
    )
    con.unregister("stock_label")
    con.execute("DROP TABLE stock_node")


def _rates(rates: Rates) -> dict[str, float]:
    return {"precision": rates.precision, "recall": rates.recall, "f1": rates.f1}


def _row(found: Evaluation) -> dict[str, float]:
    return {
        "pair precision": round(found.pairs.precision, 4),
        "pair recall": round(found.pairs.recall, 4),
        "pair F1": round(found.pairs.f1, 4),
        "B-cubed F1": round(found.b_cubed.f1, 4),
        "largest cluster": found.largest,
    }


def measure(con: duckdb.DuckDBPyConnection, found: str, truth: str, record: str) -> Evaluation:
    """Compare clusters with the truth; records that one of the three tables lacks are left out.

    `found` is (record_id, cluster), `truth` (record_id, person_id), `record` (record_id, source).
    """
    con.execute(
        f"""-- one row per record known to both
        CREATE OR REPLACE TEMP TABLE judged AS
        SELECT f.record_id, f.cluster, t.person_id AS person, r.source FROM {found} f JOIN {truth} t USING
            (record_id) JOIN {record} r USING (record_id)"""
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE judged_cell AS SELECT cluster, person, count(*) AS n FROM judged GROUP BY ALL"
    )
    (both, found_pairs, true_pairs) = con.execute(
        """SELECT (SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM judged_cell),
        (SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM (SELECT count(*) AS n FROM judged GROUP BY cluster)),
        (SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM (SELECT count(*) AS n FROM judged GROUP BY person))"""
    ).fetchall()[0]
    (records, cubed_precision, cubed_recall) = con.execute(
        """SELECT sum(n), sum(n * n / in_cluster) / sum(n), sum(n * n / of_person) / sum(n) FROM (
        SELECT *, sum(n) OVER (PARTITION BY cluster) AS in_cluster, sum(n) OVER (PARTITION BY person) AS of_person
            FROM judged_cell)"""
    ).fetchall()[0]
    (whole, clusters, persons, largest, most, mixed) = con.execute(
        """WITH sized AS (SELECT *, sum(n) OVER (PARTITION BY cluster) AS in_cluster, sum(n) OVER (PARTITION BY
            person) AS of_person,
            count(*) OVER (PARTITION BY cluster) AS cluster_persons FROM judged_cell)
        SELECT count(*) FILTER (n = in_cluster AND n = of_person), count(DISTINCT cluster), count(DISTINCT person),
            max(in_cluster), max(cluster_persons),
            count(DISTINCT cluster) FILTER (cluster_persons > 1) / greatest(count(DISTINCT cluster), 1) FROM sized"""
    ).fetchall()[0]
    by_pair = con.execute(
        f"""-- one row per unordered pair of sources
        WITH real AS ({_pairs_within("person")}),
        found AS ({_pairs_within("cluster")}),
        cell AS ({_pairs_within("cluster, person")})
        SELECT a, b, real.k::BIGINT, coalesce(found.k, 0)::BIGINT, coalesce(cell.k, 0)::BIGINT
        FROM real LEFT JOIN found USING (a, b) LEFT JOIN cell USING (a, b) WHERE real.k > 0 ORDER BY a, b"""
    ).fetchall()
    con.execute("DROP TABLE judged")
    con.execute("DROP TABLE judged_cell")
    return Evaluation(
        int(records or 0),
        Rates(_share(both, found_pairs), _share(both, true_pairs)),
        Rates(float(cubed_precision or 0), float(cubed_recall or 0)),
        Rates(_share(whole, clusters), _share(whole, persons)),
        int(largest or 0),
        int(most or 0),
        float(mixed or 0),
        by_pair,
    )


def _pairs_within(group: str) -> str:
    """SQL: pairs of records of one group, by the sources of the two (a <= b): k."""
    counted = f"SELECT source, {group}, count(*) AS n FROM judged GROUP BY ALL"
    return f"""SELECT a.source AS a, b.source AS b,
            sum(CASE WHEN a.source = b.source THEN a.n * (a.n - 1) / 2 ELSE a.n * b.n END) AS k
        FROM ({counted}) a JOIN ({counted}) b USING ({group}) WHERE a.source <= b.source GROUP BY ALL"""


def components_at(records: int, edges: Edges, probability: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The yardstick: connected components of all edges at or above a match probability, as stock Splink clusters."""
    chosen = edges.weight >= np.log2(probability / (1 - probability))
    return components(records, edges.left[chosen], edges.right[chosen])


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0
