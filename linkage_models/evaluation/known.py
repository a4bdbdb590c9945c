"""One judgement of linked records of any origin against a list of who is who, beside yardsticks on the same records."""

from typing import Any

import duckdb

from linkage_models import yardsticks
from linkage_models.evaluation.judgement import row_of
from linkage_models.evaluation.misses import misses
from linkage_models.evaluation.rates import by_source_pair, judge, measure, overall
from linkage_models.thresholds import LINK_WEIGHT


def evaluate_known(
    con: duckdb.DuckDBPyConnection,
    known: str,
    view: str = "data_quality",
    catalog: str = "published",
    *,
    link: float = LINK_WEIGHT,
    with_stock: bool = False,
) -> dict[str, Any]:
    """The persons of a view in `catalog` against the table `known` (source, source_key, person), one row a record.

    A record of the list that stands in no cluster (no name, or not taken in) counts as a cluster of its own, so that
    what was dropped is missed. pairs, b_cubed, clusters: precision, recall, f1. by_source_pair, misses, yardstick:
    rows.
    """
    records, edges = f"{catalog}.people.record", f"{catalog}.linkage.edge"
    con.execute(
        f"""-- one row per record of the list
        CREATE OR REPLACE TEMP TABLE known_record AS
        SELECT coalesce(r.record_id, k.source || ':' || k.source_key || '#0') AS record_id, k.source,
            k.person AS person_id, r.record_id IS NOT NULL AS taken_in
        FROM {known} k LEFT JOIN {records} r USING (source, source_key)"""
    )
    con.execute(
        f"""-- one row per record of the list: its cluster, itself where it has none
        CREATE OR REPLACE TEMP TABLE found_cluster AS
        SELECT k.record_id, coalesce(m.person_id, k.record_id) AS cluster, m.person_id IS NOT NULL AS linked
        FROM known_record k LEFT JOIN (SELECT record_id, person_id FROM {catalog}.linkage.membership WHERE view = ?) m
        USING (record_id)""",
        [view],
    )
    con.execute(
        f"""-- one row per compared pair inside the view
        CREATE OR REPLACE TEMP TABLE seen_edge AS SELECT e.record_l, e.record_r, e.match_weight FROM {edges} e
        SEMI JOIN found_cluster l ON l.record_id = e.record_l AND l.linked
        SEMI JOIN found_cluster r ON r.record_id = e.record_r AND r.linked"""
    )
    judge(con, "found_cluster", "known_record", "known_record")
    ours = overall(con)
    missed = misses(con, "judged", records, "seen_edge", link)
    ((absent, unlinked),) = con.execute(
        "SELECT count(*) FILTER (NOT taken_in), count(*) FILTER (taken_in AND NOT linked)"
        " FROM known_record JOIN found_cluster USING (record_id)"
    ).fetchall()
    found: dict[str, Any] = {
        "records": ours.records,
        "records not taken in": absent,
        "records without a cluster": unlinked,
        "pairs": ours.pairs.as_dict(),
        "b_cubed": ours.b_cubed.as_dict(),
        "clusters": ours.clusters.as_dict(),
        "largest cluster": ours.largest,
        "most persons in a cluster": ours.most_persons,
        "share of clusters with more than one person": round(ours.mixed, 5),
        "misses": [{"cause": cause, "pairs": pairs} for cause, pairs in missed.causes],
        "by_source_pair": [
            {"source": a, "with": b, "true pairs": pairs, "precision": precision.value, "recall": recall.value}
            for a, b, pairs, precision, recall in by_source_pair(con, "judged")
        ],
    }
    rows = [row_of("ours", ours)]
    for write in (yardsticks.CHEAP | (yardsticks.stock() if with_stock else {})).values():
        for name in write(con, records, "seen_edge", "known_record"):
            rows.append(row_of(name, measure(con, "yardstick_cluster", "known_record", "known_record")))
    found["yardstick"] = rows
    for table in ("known_record", "found_cluster", "seen_edge", "judged"):
        con.execute(f"DROP TABLE {table}")
    con.execute("DROP TABLE IF EXISTS yardstick_cluster")
    return found
