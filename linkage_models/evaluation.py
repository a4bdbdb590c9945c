"""Judge clusters against the truth: pairs, B-cubed, whole clusters, source pairs; a yardstick beside them.

Tables: `found` (record_id, cluster), `truth` (record_id, person_id), `record` (record_id, source). Records without truth are left out.
"""

from dataclasses import dataclass, field

import duckdb
import numpy as np

from linkage_models.clustering import Edges, components


@dataclass(frozen=True)
class Rates:
    """Precision and recall; F1 is their harmonic mean."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / (self.precision + self.recall) if self.precision + self.recall else 0.0


@dataclass(frozen=True)
class Evaluation:
    """`by_source_pair` is (source, source, true pairs, found pairs, right pairs); `mixed` the share of clusters with more than
    one true person; `largest` the records, `most_persons` the true persons of the worst cluster."""

    records: int
    pairs: Rates
    b_cubed: Rates
    clusters: Rates
    largest: int
    most_persons: int
    mixed: float
    by_source_pair: list[tuple[str, str, int, int, int]] = field(default_factory=list)


def evaluate(con: duckdb.DuckDBPyConnection, found: str, truth: str, record: str) -> Evaluation:
    """Compare the clusters with the truth."""
    con.execute(
        f"""-- one row per record known to both
        CREATE OR REPLACE TEMP TABLE judged AS
        SELECT f.record_id, f.cluster, t.person_id AS person, r.source FROM {found} f JOIN {truth} t USING (record_id) JOIN {record} r USING (record_id)"""
    )
    con.execute("CREATE OR REPLACE TEMP TABLE judged_cell AS SELECT cluster, person, count(*) AS n FROM judged GROUP BY ALL")
    (both, found_pairs, true_pairs) = con.execute(
        """SELECT (SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM judged_cell),
        (SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM (SELECT count(*) AS n FROM judged GROUP BY cluster)),
        (SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM (SELECT count(*) AS n FROM judged GROUP BY person))"""
    ).fetchall()[0]
    (records, cubed_precision, cubed_recall) = con.execute(
        """SELECT sum(n), sum(n * n / in_cluster) / sum(n), sum(n * n / of_person) / sum(n) FROM (
        SELECT *, sum(n) OVER (PARTITION BY cluster) AS in_cluster, sum(n) OVER (PARTITION BY person) AS of_person FROM judged_cell)"""
    ).fetchall()[0]
    (whole, clusters, persons, largest, most, mixed) = con.execute(
        """WITH sized AS (SELECT *, sum(n) OVER (PARTITION BY cluster) AS in_cluster, sum(n) OVER (PARTITION BY person) AS of_person,
            count(*) OVER (PARTITION BY cluster) AS cluster_persons FROM judged_cell)
        SELECT count(*) FILTER (n = in_cluster AND n = of_person), count(DISTINCT cluster), count(DISTINCT person), max(in_cluster), max(cluster_persons),
            count(DISTINCT cluster) FILTER (cluster_persons > 1) / greatest(count(DISTINCT cluster), 1) FROM sized"""
    ).fetchall()[0]
    by_pair = con.execute(
        """-- one row per unordered pair of sources
        WITH counted AS (SELECT source, cluster, person, count(*) AS n FROM judged GROUP BY ALL),
        cell AS (SELECT a.source AS a, b.source AS b, sum(CASE WHEN a.source = b.source THEN a.n * (a.n - 1) / 2 ELSE a.n * b.n END) AS k
            FROM counted a JOIN counted b USING (cluster, person) WHERE a.source <= b.source GROUP BY ALL),
        found AS (SELECT a.source AS a, b.source AS b, sum(CASE WHEN a.source = b.source THEN a.n * (a.n - 1) / 2 ELSE a.n * b.n END) AS k
            FROM (SELECT source, cluster, sum(n) AS n FROM counted GROUP BY ALL) a JOIN (SELECT source, cluster, sum(n) AS n FROM counted GROUP BY ALL) b
            USING (cluster) WHERE a.source <= b.source GROUP BY ALL),
        real AS (SELECT a.source AS a, b.source AS b, sum(CASE WHEN a.source = b.source THEN a.n * (a.n - 1) / 2 ELSE a.n * b.n END) AS k
            FROM (SELECT source, person, sum(n) AS n FROM counted GROUP BY ALL) a JOIN (SELECT source, person, sum(n) AS n FROM counted GROUP BY ALL) b
            USING (person) WHERE a.source <= b.source GROUP BY ALL)
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


def components_at(records: int, edges: Edges, probability: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The yardstick: connected components of all edges at or above a match probability, as stock Splink clusters."""
    chosen = edges.weight >= np.log2(probability / (1 - probability))
    return components(records, edges.left[chosen], edges.right[chosen])


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0
