"""Precision and recall of any clustering of records: of pairs, of records (B-cubed), of whole clusters; by group.

A pair of records counts half for each of its two, so that groups of records add up to the whole. Intervals take the
true person as the unit that was drawn (all of a person's records err together): Taylor linearisation gives a ratio's
variance, its effective sample size goes into the Clopper-Pearson interval (Korn and Graubard, Survey Methodology 1998).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import duckdb
from scipy.special import betaincinv

from linkage_models.thresholds import INTERVAL_LEVEL


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

    def as_dict(self) -> dict[str, float]:
        return asdict(self) | {"f1": self.f1}


@dataclass(frozen=True)
class Evaluation:
    """Of all records. `mixed` is the share of clusters with more than one true person; `largest` the records,
    `most_persons` the true persons of the worst cluster."""

    records: int
    pairs: Rates
    b_cubed: Rates
    clusters: Rates
    largest: int
    most_persons: int
    mixed: float


@dataclass(frozen=True)
class Share:
    """A ratio with the ends of its interval (INTERVAL_LEVEL); all None where nothing was counted."""

    value: float | None
    low: float | None
    high: float | None

    @staticmethod
    def of(part: float, whole: float, squares: tuple[float, float, float], units: int) -> "Share":
        """part / whole, each a sum over `units`; `squares`: the sums of part², part · whole and whole² over these."""
        if whole <= 0:
            return Share(None, None, None)
        value = min(part / whole, 1.0)
        residual = max(squares[0] - 2 * value * squares[1] + value**2 * squares[2], 0.0)
        variance = residual / whole**2 * units / max(units - 1, 1)
        # without an error among them, the units are what was seen
        effective = min(value * (1 - value) / variance, whole) if variance > 0 and 0 < value < 1 else float(units)
        right, tail = value * effective, (1 - INTERVAL_LEVEL) / 2
        low = float(betaincinv(right, effective - right + 1, tail)) if right > 0 else 0.0
        high = float(betaincinv(right + 1, effective - right, 1 - tail)) if right < effective else 1.0
        return Share(value, low, high)


@dataclass(frozen=True)
class GroupRates:
    """One group of records. `whole_precision` is of the clusters that touch it, `whole_recall` of its persons."""

    group: str
    records: int
    true_pairs: float
    pair_precision: Share
    pair_recall: Share
    b_cubed_precision: Share
    b_cubed_recall: Share
    whole_precision: Share
    whole_recall: Share

    @property
    def f1(self) -> float:
        return Rates(self.pair_precision.value or 0.0, self.pair_recall.value or 0.0).f1

    def as_row(self, name: str = "group") -> dict[str, Any]:
        shares = {
            "pair precision": self.pair_precision,
            "pair recall": self.pair_recall,
            "B-cubed precision": self.b_cubed_precision,
            "B-cubed recall": self.b_cubed_recall,
            "whole precision": self.whole_precision,
            "whole recall": self.whole_recall,
        }
        row: dict[str, Any] = {name: self.group, "records": self.records, "true pairs": round(self.true_pairs)}
        for title, share in shares.items():
            row[title] = share.value
            row[f"{title} interval"] = [share.low, share.high]
        return row


def judge(con: duckdb.DuckDBPyConnection, found: str, truth: str, record: str, target: str = "judged") -> None:
    """Write the temporary table `target`, one row per record that all three tables know.

    `found` is (record_id, cluster), `truth` (record_id, person_id), `record` (record_id, source). Columns: record_id,
    source, cluster, person, in_cluster, of_person, in_both: the records of its cluster, of its person, and of both.
    """
    con.execute(
        f"""-- one row per record known to all
        CREATE OR REPLACE TEMP TABLE {target} AS
        WITH known AS (
            SELECT f.record_id, r.source, f.cluster, t.person_id AS person
            FROM {found} f JOIN {truth} t USING (record_id) JOIN {record} r USING (record_id)
        ), cell AS (SELECT cluster, person, count(*) AS in_both FROM known GROUP BY ALL),
        sized AS (
            SELECT *, sum(in_both) OVER (PARTITION BY cluster)::BIGINT AS in_cluster,
                sum(in_both) OVER (PARTITION BY person)::BIGINT AS of_person
            FROM cell)
        SELECT record_id, source, cluster, person, in_cluster, of_person, in_both
        FROM known JOIN sized USING (cluster, person)"""
    )


def overall(con: duckdb.DuckDBPyConnection, judged: str = "judged") -> Evaluation:
    """The rates of all records of a table that `judge` wrote."""
    (row,) = con.execute(
        f"""SELECT count(*), coalesce(sum(in_both - 1), 0), coalesce(sum(in_cluster - 1), 0),
            coalesce(sum(of_person - 1), 0),
            coalesce(avg(in_both / in_cluster), 0), coalesce(avg(in_both / of_person), 0),
            count(DISTINCT cluster) FILTER (in_both = in_cluster AND in_both = of_person),
            count(DISTINCT cluster), count(DISTINCT person), coalesce(max(in_cluster), 0),
            count(DISTINCT cluster) FILTER (in_both < in_cluster)
        FROM {judged}"""
    ).fetchall()
    records, right, linked, true, cubed_precision, cubed_recall, whole, clusters, persons, largest, mixed = row
    ((most,),) = con.execute(
        f"SELECT coalesce(max(n), 0) FROM (SELECT count(DISTINCT person) AS n FROM {judged} GROUP BY cluster)"
    ).fetchall()
    return Evaluation(
        int(records),
        Rates(_share(right, linked), _share(right, true)),
        Rates(float(cubed_precision), float(cubed_recall)),
        Rates(_share(whole, clusters), _share(whole, persons)),
        int(largest),
        int(most),
        _share(mixed, clusters),
    )


def measure(con: duckdb.DuckDBPyConnection, found: str, truth: str, record: str) -> Evaluation:
    """The rates of a clustering against a truth, tables as for `judge`."""
    judge(con, found, truth, record, "judged_once")
    measured = overall(con, "judged_once")
    con.execute("DROP TABLE judged_once")
    return measured


_SQUARES = "sum(p * p), sum(p * w), sum(w * w)"


def by_group(con: duckdb.DuckDBPyConnection, judged: str, groups: str) -> dict[str, list[GroupRates]]:
    """Rates by every grouping of `groups` (record_id, grouping, name); a record may stand in several groups."""
    con.execute(
        f"""-- one row per grouping, group and person: sums over the records
        CREATE OR REPLACE TEMP TABLE group_person AS
        SELECT grouping, name, person, count(*) AS records, sum(in_both - 1) / 2 AS right_pairs,
            sum(in_cluster - 1) / 2 AS found_pairs, sum(of_person - 1) / 2 AS true_pairs,
            sum(in_both / in_cluster) AS cubed_precision, sum(in_both / of_person) AS cubed_recall,
            bool_and(in_both = in_cluster AND in_both = of_person)::INTEGER AS whole
        FROM {judged} JOIN {groups} USING (record_id) GROUP BY ALL"""
    )
    ratios = {
        "pair_precision": ("right_pairs", "found_pairs"),
        "pair_recall": ("right_pairs", "true_pairs"),
        "b_cubed_precision": ("cubed_precision", "records"),
        "b_cubed_recall": ("cubed_recall", "records"),
        "whole_recall": ("whole", "1"),
    }
    shares = {name: _ratios(con, "group_person", part, whole) for name, (part, whole) in ratios.items()}
    con.execute(
        f"""-- one row per grouping, group and cluster that touches it
        CREATE OR REPLACE TEMP TABLE group_cluster AS
        SELECT DISTINCT grouping, name, cluster, (in_both = in_cluster AND in_both = of_person)::INTEGER AS whole
        FROM {judged} JOIN {groups} USING (record_id)"""
    )
    shares["whole_precision"] = _ratios(con, "group_cluster", "whole", "1")
    sizes = con.execute(
        """-- one row per group, bands by their first number
        SELECT grouping, name, sum(records), sum(true_pairs) FROM group_person GROUP BY grouping, name
        ORDER BY grouping, try_cast(regexp_extract(name, '^[0-9]+') AS INTEGER) NULLS FIRST, name"""
    ).fetchall()
    for table in ("group_person", "group_cluster"):
        con.execute(f"DROP TABLE {table}")
    told: dict[str, list[GroupRates]] = {}
    for grouping, name, records, pairs in sizes:
        ours = {each: found[grouping, name] for each, found in shares.items()}
        told.setdefault(grouping, []).append(GroupRates(name, int(records), float(pairs), **ours))
    return told


def _ratios(con: duckdb.DuckDBPyConnection, table: str, part: str, whole: str) -> dict[tuple[str, str], Share]:
    rows = con.execute(
        f"""SELECT grouping, name, sum(p), sum(w), {_SQUARES}, count(*) FILTER (w > 0)
        FROM (SELECT grouping, name, ({part})::DOUBLE AS p, ({whole})::DOUBLE AS w FROM {table}) GROUP BY ALL"""
    ).fetchall()
    return {(g, n): Share.of(p, w, (pp, pw, ww), units) for g, n, p, w, pp, pw, ww, units in rows}


def by_source_pair(con: duckdb.DuckDBPyConnection, judged: str) -> list[tuple[str, str, int, Share, Share]]:
    """(source, source, true pairs, precision, recall) of every unordered pair of sources that has a true pair."""
    pairs = "CASE WHEN a.source = b.source THEN a.n * (a.n - 1) / 2 ELSE a.n * b.n END"
    con.execute(
        f"""-- one row per pair of sources and person: right, found (half for each side) and true pairs
        CREATE OR REPLACE TEMP TABLE pair_person AS
        WITH cell AS (SELECT cluster, person, source, count(*) AS n FROM {judged} GROUP BY ALL),
        in_cluster AS (SELECT cluster, source, sum(n) AS n FROM cell GROUP BY ALL),
        of_person AS (SELECT person, source, sum(n) AS n FROM cell GROUP BY ALL),
        counted AS (
            SELECT a.person, least(a.source, b.source) AS x, greatest(a.source, b.source) AS y,
                0 AS right_pairs, a.n * (b.n - (a.source = b.source)::INTEGER) / 2 AS found_pairs, 0 AS true_pairs
            FROM cell a JOIN in_cluster b USING (cluster)
            UNION ALL
            SELECT a.person, a.source, b.source, {pairs}, 0, 0
            FROM cell a JOIN cell b USING (cluster, person) WHERE a.source <= b.source
            UNION ALL
            SELECT a.person, a.source, b.source, 0, 0, {pairs}
            FROM of_person a JOIN of_person b USING (person) WHERE a.source <= b.source
        )
        SELECT x AS grouping, y AS name, person, sum(right_pairs) AS right_pairs, sum(found_pairs) AS found_pairs,
            sum(true_pairs) AS true_pairs
        FROM counted GROUP BY ALL"""
    )
    precision = _ratios(con, "pair_person", "right_pairs", "found_pairs")
    recall = _ratios(con, "pair_person", "right_pairs", "true_pairs")
    rows = con.execute(
        "SELECT grouping, name, sum(true_pairs)::BIGINT FROM pair_person"
        " GROUP BY ALL HAVING sum(true_pairs) > 0 ORDER BY ALL"
    ).fetchall()
    con.execute("DROP TABLE pair_person")
    return [(a, b, true, precision[a, b], recall[a, b]) for a, b, true in rows]


def worst(groups: Sequence[GroupRates], least_pairs: int) -> GroupRates | None:
    """The group with the lowest pair F1 among those with enough true pairs to tell; None if there is no choice."""
    enough = [each for each in groups if each.true_pairs >= least_pairs]
    return min(enough, key=lambda each: (each.f1, each.group)) if len(enough) > 1 else None


def rows_of(groups: Mapping[str, Sequence[GroupRates]]) -> list[dict[str, Any]]:
    """Every group as a row: grouping, group, sizes, rates, intervals."""
    return [{"grouping": grouping} | each.as_row() for grouping, found in groups.items() for each in found]


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0
