"""Pairs of clusters that may be one person, though the evidence at hand does not join them.

Of two clusters with a scored pair between them, all pairs of records are of one person or none is; the probability is
taken as that of their strongest pair. Clusters that share what one person can't have twice are left out: no repair of a
field joins them.
"""

import duckdb

from linkage_models.clustering import missing_weight
from linkage_models.thresholds import WEIGHT_CAP

# Pairs of clusters less probable than this add nothing that can be seen in a forecast.
LEAST_PROBABILITY = 0.001


def capped(weight: str) -> str:
    """SQL: a weight as the clustering sees it, null as it is (least and greatest pass over nulls)."""
    return (
        f"CASE WHEN {weight} > {WEIGHT_CAP} THEN {WEIGHT_CAP} WHEN {weight} < {-WEIGHT_CAP} THEN {-WEIGHT_CAP}"
        f" ELSE {weight} END"
    )


def write_chances(con: duckdb.DuckDBPyConnection, records: str, edges: str) -> None:
    """Write the temporary tables chance_edge (a scored pair between two clusters) and chance (a pair of clusters).

    `records` is (record_id, cluster, one_person_key, ...), `edges` is (record_l, record_r, match_weight,
    match_probability, gamma_*). `chance`: x < y, edges, pairs (of their records),
    weight (sum over all pairs, those not compared at the weight of a missing pair), probability.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE chance_size AS SELECT cluster, count(*) AS n FROM {records} GROUP BY ALL"
    )
    con.execute(
        f"""-- one row per scored pair between two clusters
        CREATE OR REPLACE TEMP TABLE chance_edge AS
        SELECT least(a.cluster, b.cluster) AS x, greatest(a.cluster, b.cluster) AS y, e.*
        FROM {edges} e JOIN {records} a ON a.record_id = e.record_l JOIN {records} b ON b.record_id = e.record_r
        WHERE a.cluster <> b.cluster
        QUALIFY max(e.match_probability) OVER (PARTITION BY least(a.cluster, b.cluster), greatest(a.cluster, b.cluster))
            >= {LEAST_PROBABILITY}"""
    )
    con.execute(
        f"""-- one row per pair of clusters that may be one person
        CREATE OR REPLACE TEMP TABLE chance AS
        WITH counted AS (
            SELECT x, y, count(*) AS edges, sum({capped("match_weight")}) AS total,
                max(match_probability) AS probability
            FROM chance_edge GROUP BY ALL
        ), forbidden AS (
            SELECT DISTINCT c.x, c.y FROM counted c JOIN {records} a ON a.cluster = c.x
            JOIN {records} b ON b.cluster = c.y AND b.one_person_key = a.one_person_key
        )
        SELECT x, y, edges, a.n * b.n AS pairs, probability,
            total + (a.n * b.n - edges) * {missing_weight()!r} AS weight
        FROM counted JOIN chance_size a ON a.cluster = x JOIN chance_size b ON b.cluster = y
        ANTI JOIN forbidden USING (x, y)"""
    )
    con.execute(
        f"""-- one row per pair of records of such clusters
        CREATE OR REPLACE TEMP TABLE chance_pair AS
        SELECT c.x, c.y, a.record_id AS record_l, b.record_id AS record_r, c.probability,
            e.* EXCLUDE (x, y, record_l, record_r, match_probability)
        FROM chance c JOIN {records} a ON a.cluster = c.x JOIN {records} b ON b.cluster = c.y
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
        FROM asked JOIN {records} a USING (cluster)
        JOIN {records} b ON b.cluster = a.cluster AND a.record_id < b.record_id
        LEFT JOIN {edges} e ON e.record_l = a.record_id AND e.record_r = b.record_id"""
    )


def drop_chances(con: duckdb.DuckDBPyConnection) -> None:
    """Drop what write_chances wrote."""
    for table in ("chance_inside", "chance_pair", "chance", "chance_edge", "chance_size"):
        con.execute(f"DROP TABLE {table}")
