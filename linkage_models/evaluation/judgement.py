"""One judgement of a linked borough: the rates, by whom and by cause, beside yardsticks on the same records."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from linkage_models import yardsticks
from linkage_models.calibration import Calibration, calibration_error, face_value, reliability
from linkage_models.evaluation.blocking import judge_blocking
from linkage_models.evaluation.groups import write_groups
from linkage_models.evaluation.misses import DEFINITION, misses
from linkage_models.evaluation.rates import (
    Evaluation,
    by_group,
    by_source_pair,
    judge,
    measure,
    overall,
    rows_of,
    worst,
)
from linkage_models.person.coverage import coverage
from linkage_models.person.designs import Design
from linkage_models.thresholds import LINK_WEIGHT

# A group with fewer true pairs is shown but not named the worst: its rates are chance.
LEAST_PAIRS_OF_WORST = 100
CALIBRATED_WEIGHTS = (-5.0, 15.0)


def evaluate(
    con: duckdb.DuckDBPyConnection,
    truth: Path,
    view: str = "data_quality",
    catalog: str = "published",
    *,
    day: date,
    link: float = LINK_WEIGHT,
    calibration: Calibration | None = None,
    with_stock: bool = False,
    edges: str | None = None,
    design: Design | None = None,
) -> dict[str, Any]:
    """The persons of a view in `catalog` against the `truth` folder of an invented borough. `edges` are the compared
    pairs with their weights in the view, without it those of linkage.edge. With the `design` that made the pairs,
    blocking is judged too.

    pairs, b_cubed, clusters: precision, recall, f1. by_source_pair, by_group, worst, misses, yardstick, reliability:
    rows. `day` is the day of ages, `link` the weight from which pairs link; `with_stock` adds the yardsticks that train
    a model of their own.
    """
    records, edges = f"{catalog}.people.record", edges or f"{catalog}.linkage.edge"
    folder = str(truth).replace("'", "''")
    con.execute(
        f"""-- one row per record of which the truth is known
        CREATE OR REPLACE TEMP TABLE truth_record AS
        SELECT r.record_id, r.source, t.person_id
        FROM {records} r JOIN read_parquet('{folder}/records.parquet') t USING (source, source_key)"""
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE found_cluster AS SELECT record_id, person_id AS cluster"
        f" FROM {catalog}.linkage.membership WHERE view = ?",
        [view],
    )
    con.execute(
        f"""-- one row per compared pair inside the view
        CREATE OR REPLACE TEMP TABLE seen_edge AS SELECT e.record_l, e.record_r, e.match_weight FROM {edges} e
        SEMI JOIN found_cluster l ON l.record_id = e.record_l SEMI JOIN found_cluster r ON r.record_id = e.record_r"""
    )
    judge(con, "found_cluster", "truth_record", "truth_record")
    ours = overall(con)
    gazetteer = f"{catalog}.places.property"
    write_groups(con, truth, records, gazetteer if _is_there(con, gazetteer) else None, day, "record_group")
    groups = by_group(con, "judged", "record_group")
    missed = misses(con, "judged", records, "seen_edge", link)
    found: dict[str, Any] = {
        "records": ours.records,
        "pairs": ours.pairs.as_dict(),
        "b_cubed": ours.b_cubed.as_dict(),
        "clusters": ours.clusters.as_dict(),
        "largest cluster": ours.largest,
        "most persons in a cluster": ours.most_persons,
        "share of clusters with more than one person": round(ours.mixed, 5),
        "distinguished": {"definition": DEFINITION, "true pairs": missed.distinguished, "recall": missed.recall},
        "misses": [{"cause": cause, "pairs": pairs} for cause, pairs in missed.causes],
        "by_source_pair": [
            {
                "source": a,
                "with": b,
                "true pairs": pairs,
                "precision": precision.value,
                "precision interval": [precision.low, precision.high],
                "recall": recall.value,
                "recall interval": [recall.low, recall.high],
            }
            for a, b, pairs, precision, recall in by_source_pair(con, "judged")
        ],
        "by_group": rows_of(groups),
        "worst": [
            {"grouping": grouping} | low.as_row()
            for grouping, each in groups.items()
            if (low := worst(each, LEAST_PAIRS_OF_WORST)) is not None
        ],
        "calibration": _calibration(con, calibration or face_value()),
    }
    rows = [row_of("ours", ours)]
    for write in (yardsticks.CHEAP | (yardsticks.stock() if with_stock else {})).values():
        for name in write(con, records, "seen_edge", "truth_record"):
            rows.append(row_of(name, measure(con, "yardstick_cluster", "truth_record", "truth_record")))
    found["yardstick"] = rows
    if design:
        made = f"{catalog}.linkage.edge"
        compared, by_rule = judge_blocking(con, made, "judged", list(design.rules))
        found["blocking"] = {"recall": compared, "estimated": coverage(con, made, design).recall, "rules": by_rule}
    for table in ("truth_record", "found_cluster", "seen_edge", "judged", "record_group"):
        con.execute(f"DROP TABLE {table}")
    con.execute("DROP TABLE IF EXISTS yardstick_cluster")
    return found


def _calibration(con: duckdb.DuckDBPyConnection, calibration: Calibration) -> dict[str, Any]:
    """Said beside true probability over pairs with weights in CALIBRATED_WEIGHTS, in 15 bins of equal mass."""
    low, high = CALIBRATED_WEIGHTS
    seen = con.execute(
        f"""SELECT e.match_weight AS weight, (l.person_id = r.person_id)::DOUBLE AS same FROM seen_edge e
        JOIN truth_record l ON l.record_id = e.record_l JOIN truth_record r ON r.record_id = e.record_r
        WHERE e.match_weight BETWEEN {low} AND {high} ORDER BY e.match_weight, e.record_l, e.record_r"""
    ).fetchnumpy()
    bins = reliability(calibration, seen["weight"], seen["same"])
    return {"source": calibration.source, "error": calibration_error(bins), "bins": bins.to_dicts()}


def _is_there(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    catalog, schema, table = name.split(".")
    rows = con.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
        [catalog, schema, table],
    ).fetchall()
    return bool(rows)


def row_of(name: str, found: Evaluation) -> dict[str, Any]:
    """A clustering as a row of the table of yardsticks."""
    return {
        "clustering": name,
        "pair precision": round(found.pairs.precision, 4),
        "pair recall": round(found.pairs.recall, 4),
        "pair F1": round(found.pairs.f1, 4),
        "B-cubed F1": round(found.b_cubed.f1, 4),
        "whole-cluster F1": round(found.clusters.f1, 4),
        "largest cluster": found.largest,
        "most persons": found.most_persons,
    }
