"""Pairs of clusters that may be one person, though the evidence at hand does not join them.

Of two clusters with a scored pair between them, all pairs of records are of one person or none is; `probability` is
that of their strongest pair. That the clustering left them apart says more: `apart` is how probable it is that they are
one person all the same. Clusters that share what one person can't have twice are left out: no repair of a field joins
them.
"""

import math

import duckdb

from linkage_models.clustering import missing_weight
from linkage_models.thresholds import WEIGHT_CAP

# Pairs of clusters less probable than this add nothing that can be seen in a forecast.
LEAST_PROBABILITY = 0.001
# `apart`: its log odds, by a logistic regression over the pairs of clusters of four invented boroughs, three of 15,000
# people and one of 180,688 that counts a quarter (seeds 4201 to 4204, `benchmarks/apart.py`), each weighed by the root
# of its pairs of records.
APART = {
    "by itself": 1.57,
    "log odds of the strongest pair": 0.74,
    "bits of a pair on average": 0.13,
    "log of the pairs of records": -1.11,
    "one of them a single record": 1.77,
    "each source that has a record in both": -2.19,
}
# Beyond these the strongest pair and the average say no more.
_MOST_ODDS, _LEAST_BITS = 8.0, -20.0


def apart_terms() -> dict[str, str]:
    """SQL of each term of APART, over a pair of clusters: probability, weight, pairs, n_x, n_y, shared."""
    odds = f"ln(probability / greatest(1 - probability, {math.exp(-_MOST_ODDS)!r}))"
    return {
        "by itself": "1.0",
        "log odds of the strongest pair": f"least({odds}, {_MOST_ODDS!r})",
        "bits of a pair on average": f"greatest(weight / pairs, {_LEAST_BITS!r})",
        "log of the pairs of records": "ln(pairs)",
        "one of them a single record": "(least(n_x, n_y) = 1)::INTEGER",
        "each source that has a record in both": "shared",
    }


def capped(weight: str) -> str:
    """SQL: a weight as the clustering sees it, null as it is (least and greatest pass over nulls)."""
    return (
        f"CASE WHEN {weight} > {WEIGHT_CAP} THEN {WEIGHT_CAP} WHEN {weight} < {-WEIGHT_CAP} THEN {-WEIGHT_CAP}"
        f" ELSE {weight} END"
    )


def least_mean(stop: float, lone: float, alone: str, best: str) -> str:
    """SQL: the mean weight above which two groups merge, as clustering.cluster has it: `lone` bits less where one of
    them is a record alone and the other is not, and their strongest pair lies above `stop`."""
    return f"({stop!r} - CASE WHEN {alone} AND {best} > {stop!r} THEN {lone!r} ELSE 0 END)"


def write_chances(con: duckdb.DuckDBPyConnection, records: str, edges: str) -> None:
    """Write the temporary tables chance (a pair of clusters), chance_pair (a pair of their records), chance_inside (a
    pair of records inside one of them), chance_record (their records, as in `records`) and clustered_edge.

    `records` is (record_id, source, cluster, one_person_key, ...), `edges` is (record_l, record_r, match_weight,
    match_probability, gamma_*, ...). `clustered_edge`: an edge, the clusters and sources of its ends. `chance`: x < y,
    edges, pairs (of their records), weight (sum over all pairs, those not compared at the weight of a missing pair),
    best (the strongest), joins_group (one is a single record, the other is not), probability, apart, rivals (so many
    persons a record by itself fits, by which both are divided).
    """
    con.execute(
        f"""-- one row per scored pair of records
        CREATE OR REPLACE TEMP TABLE clustered_edge AS
        SELECT a.cluster AS cluster_l, b.cluster AS cluster_r, a.source AS source_l, b.source AS source_r,
            e.*
        FROM (SELECT COLUMNS('^(record_[lr]|match_weight|match_probability|rules|gamma_.*)$') FROM {edges}) e
        JOIN {records} a ON a.record_id = e.record_l JOIN {records} b ON b.record_id = e.record_r"""
    )
    con.execute(
        f"""-- one row per pair of clusters with a scored pair between them that is not improbable
        CREATE OR REPLACE TEMP TABLE chance_seed AS
        SELECT least(cluster_l, cluster_r) AS x, greatest(cluster_l, cluster_r) AS y,
            max(match_probability) AS probability
        FROM clustered_edge WHERE match_probability >= {LEAST_PROBABILITY} AND cluster_l <> cluster_r GROUP BY ALL"""
    )
    con.execute(
        f"""-- one row per record of these clusters
        CREATE OR REPLACE TEMP TABLE chance_record AS
        SELECT * FROM {records} WHERE cluster IN (SELECT x FROM chance_seed UNION SELECT y FROM chance_seed)"""
    )
    con.execute(
        """-- one row per scored pair of them
        CREATE OR REPLACE TEMP TABLE chance_edge AS
        WITH asked AS (SELECT DISTINCT cluster FROM chance_record)
        SELECT cluster_l, cluster_r, record_l, record_r, match_weight, COLUMNS('^gamma_') FROM clustered_edge
        SEMI JOIN asked a ON a.cluster = cluster_l SEMI JOIN asked b ON b.cluster = cluster_r"""
    )
    odds = " + ".join(f"{APART[term]!r} * {sql}" for term, sql in apart_terms().items())
    con.execute(
        f"""-- one row per pair of clusters that may be one person
        CREATE OR REPLACE TEMP TABLE chance AS
        WITH sized AS (
            SELECT cluster, count(*) AS n, list(DISTINCT source) AS sources FROM chance_record GROUP BY cluster),
        counted AS (
            SELECT x, y, any_value(probability) AS probability, count(*) AS edges,
                sum({capped("match_weight")}) AS total, max(match_weight) AS best
            FROM chance_edge JOIN chance_seed ON x = least(cluster_l, cluster_r) AND y = greatest(cluster_l, cluster_r)
            GROUP BY x, y
        ), forbidden AS (
            SELECT DISTINCT c.x, c.y FROM counted c JOIN chance_record a ON a.cluster = c.x
            JOIN chance_record b ON b.cluster = c.y AND b.one_person_key = a.one_person_key
        ), told AS (
            SELECT *, 1 / (1 + exp(-({odds}))) AS alone FROM (
                SELECT x, y, edges, best, a.n AS n_x, b.n AS n_y, n_x * n_y AS pairs, probability,
                    total + (pairs - edges) * {missing_weight()!r} AS weight,
                    len(list_intersect(a.sources, b.sources)) AS shared
                FROM counted JOIN sized a ON a.cluster = x JOIN sized b ON b.cluster = y
                ANTI JOIN forbidden USING (x, y))
        ), either AS (
            SELECT x AS one, y AS other, n_x AS n, alone FROM told WHERE alone >= {LEAST_PROBABILITY}
            UNION ALL SELECT y, x, n_y, alone FROM told WHERE alone >= {LEAST_PROBABILITY}
        ), rival AS (   -- who fits several that are not one person is one of them at most
            SELECT a.one, a.other, sum(b.alone * (1 - coalesce(t.alone, 0))) AS others
            FROM either a JOIN either b ON b.one = a.one AND b.other <> a.other
            LEFT JOIN either t ON t.one = a.other AND t.other = b.other
            WHERE a.n = 1 GROUP BY ALL
        )
        SELECT x, y, edges, pairs, weight, best, least(n_x, n_y) = 1 AND pairs > 1 AS joins_group,
            probability / rivals AS probability, alone / rivals AS apart, rivals
        FROM (
            SELECT t.*, greatest(1, alone + a.others, alone + b.others) AS rivals
            FROM told t LEFT JOIN rival a ON a.one = x AND a.other = y LEFT JOIN rival b ON b.one = y AND b.other = x)
        WHERE apart >= {LEAST_PROBABILITY}"""
    )
    con.execute(
        """-- one row per pair of records of such clusters
        CREATE OR REPLACE TEMP TABLE chance_pair AS
        SELECT c.x, c.y, a.record_id AS record_l, b.record_id AS record_r, c.probability, c.apart,
            e.* EXCLUDE (cluster_l, cluster_r, record_l, record_r)
        FROM chance c JOIN chance_record a ON a.cluster = c.x JOIN chance_record b ON b.cluster = c.y
        LEFT JOIN (
            SELECT * FROM chance_edge
            UNION ALL BY NAME SELECT * REPLACE (record_r AS record_l, record_l AS record_r) FROM chance_edge
        ) e ON e.record_l = a.record_id AND e.record_r = b.record_id"""
    )
    con.execute(
        f"""-- one row per pair of records inside a cluster that may be one person with another
        CREATE OR REPLACE TEMP TABLE chance_inside AS
        WITH asked AS (SELECT x AS cluster FROM chance UNION SELECT y FROM chance)
        SELECT a.cluster, a.record_id AS record_l, b.record_id AS record_r,
            coalesce({capped("e.match_weight")}, {missing_weight()!r}) AS weight
        FROM asked JOIN chance_record a USING (cluster)
        JOIN chance_record b ON b.cluster = a.cluster AND a.record_id < b.record_id
        LEFT JOIN chance_edge e ON e.record_l = a.record_id AND e.record_r = b.record_id"""
    )


def drop_chances(con: duckdb.DuckDBPyConnection) -> None:
    """Drop what write_chances wrote."""
    for name in ("inside", "pair", "edge", "record", "seed"):
        con.execute(f"DROP TABLE chance_{name}")
    con.execute("DROP TABLE chance")
    con.execute("DROP TABLE clustered_edge")
