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
    """Write the temporary tables chance (a pair of clusters), chance_pair (a pair of their records), chance_inside (a
    pair of records inside one of them) and chance_record (their records, as in `records`).

    `records` is (record_id, cluster, one_person_key, ...), `edges` is (record_l, record_r, match_weight,
    match_probability, gamma_*). `chance`: x < y, edges, pairs (of their records), weight (sum over all pairs, those not
    compared at the weight of a missing pair), probability.
    """
    con.execute(
        f"""-- one row per pair of clusters with a scored pair between them that is not improbable
        CREATE OR REPLACE TEMP TABLE chance_seed AS
        SELECT least(a.cluster, b.cluster) AS x, greatest(a.cluster, b.cluster) AS y,
            max(e.match_probability) AS probability
        FROM (SELECT record_l, record_r, match_probability FROM {edges}
              WHERE match_probability >= {LEAST_PROBABILITY}) e
        JOIN {records} a ON a.record_id = e.record_l JOIN {records} b ON b.record_id = e.record_r
        WHERE a.cluster <> b.cluster GROUP BY ALL"""
    )
    con.execute(
        f"""-- one row per record of these clusters
        CREATE OR REPLACE TEMP TABLE chance_record AS
        SELECT * FROM {records} WHERE cluster IN (SELECT x FROM chance_seed UNION SELECT y FROM chance_seed)"""
    )
    con.execute(
        f"""-- one row per scored pair of them
        CREATE OR REPLACE TEMP TABLE chance_edge AS
        SELECT a.cluster AS cluster_l, b.cluster AS cluster_r, e.record_l, e.record_r, e.match_weight,
            COLUMNS('^gamma_')
        FROM {edges} e JOIN chance_record a ON a.record_id = e.record_l
        JOIN chance_record b ON b.record_id = e.record_r"""
    )
    con.execute(
        f"""-- one row per pair of clusters that may be one person
        CREATE OR REPLACE TEMP TABLE chance AS
        WITH sized AS (SELECT cluster, count(*) AS n FROM chance_record GROUP BY cluster),
        counted AS (
            SELECT x, y, any_value(probability) AS probability, count(*) AS edges,
                sum({capped("match_weight")}) AS total
            FROM chance_edge JOIN chance_seed ON x = least(cluster_l, cluster_r) AND y = greatest(cluster_l, cluster_r)
            GROUP BY x, y
        ), forbidden AS (
            SELECT DISTINCT c.x, c.y FROM counted c JOIN chance_record a ON a.cluster = c.x
            JOIN chance_record b ON b.cluster = c.y AND b.one_person_key = a.one_person_key
        )
        SELECT x, y, edges, a.n * b.n AS pairs, probability,
            total + (a.n * b.n - edges) * {missing_weight()!r} AS weight
        FROM counted JOIN sized a ON a.cluster = x JOIN sized b ON b.cluster = y ANTI JOIN forbidden USING (x, y)"""
    )
    con.execute(
        """-- one row per pair of records of such clusters
        CREATE OR REPLACE TEMP TABLE chance_pair AS
        SELECT c.x, c.y, a.record_id AS record_l, b.record_id AS record_r, c.probability,
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
