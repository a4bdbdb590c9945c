"""Residents of an invented borough against its truth."""

from pathlib import Path
from typing import Any

from pipelines.residents.residents import LIVING
from pipelines.warehouse import Warehouse

#: The largest share that may be wrongly in, and wrongly out; and how far a ward may be off its total.
GOAL_WRONG, GOAL_WARD = 0.03, 0.02


def evaluate_residents(wh: Warehouse, truth: Path, catalog: str = "published") -> dict[str, list[dict[str, Any]]]:
    """By view: people wrongly in and out, and wards beside their known totals; empty where nobody was placed.

    A person of a view stands for the true person of most of its records. Wrongly in: counted, and the true person does
    not live in the borough; counted twice: another person stands for the same true one. Wrongly out: a true resident
    whom a record of the view mentions, and nobody who is counted stands for. Truth says who lived where on the day.
    """
    resident, reconciliation = f"{catalog}.residents.resident", f"{catalog}.residents.reconciliation"
    if not wh.exists(resident):
        return {}
    wh.execute(
        f"""-- one row per true resident on the day
        CREATE OR REPLACE TEMP TABLE true_resident AS
        WITH day AS (SELECT max(on_day) AS today FROM {resident})
        SELECT person_id AS true_id, min(uprn) AS uprn FROM read_parquet(?), day
        WHERE uprn IS NOT NULL AND from_date <= today AND coalesce(to_date > today, true) GROUP BY person_id""",
        [str(truth / "residence.parquet")],
    )
    wh.execute(
        f"""-- one row per person of a view, with the true person it stands for: the lowest of those with most records
        CREATE OR REPLACE TEMP TABLE stands_for AS
        WITH told AS (
            SELECT r.record_id, t.person_id AS true_id FROM {catalog}.people.record r
            JOIN read_parquet(?) t USING (source, source_key)),
        shared AS (
            SELECT m.view, m.person_id, told.true_id, count(*) AS records
            FROM {catalog}.linkage.membership m JOIN told USING (record_id) GROUP BY ALL)
        SELECT view, person_id, arg_max(true_id, (records, -true_id)) AS true_id FROM shared GROUP BY ALL""",
        [str(truth / "records.parquet")],
    )
    people = wh.frame(
        f"""-- one row per view
        WITH judged AS (
            SELECT r.view, s.true_id, r.class IN {LIVING} AS counted, t.true_id IS NOT NULL AS lives,
                r.uprn = t.uprn AS at_home,
                row_number() OVER (PARTITION BY r.view, s.true_id ORDER BY r.class NOT IN {LIVING}, r.person_id) AS turn
            FROM {resident} r JOIN stands_for s USING (view, person_id) LEFT JOIN true_resident t USING (true_id)),
        one AS (SELECT view, true_id, bool_or(counted) AS found FROM judged WHERE lives GROUP BY ALL),
        mention AS (
            SELECT view, count(*) AS mentioned, count(*) FILTER (NOT found) AS missed,
                (SELECT count(*) FROM true_resident) AS residents FROM one GROUP BY view)
        SELECT view, count(*) FILTER (counted) AS counted,
            round(count(*) FILTER (counted AND NOT lives) / count(*) FILTER (counted), 4) AS wrongly_in,
            round(count(*) FILTER (counted AND lives AND turn > 1) / count(*) FILTER (counted), 4) AS counted_twice,
            round(any_value(missed) / any_value(mentioned), 4) AS wrongly_out,
            {GOAL_WRONG}::DOUBLE AS goal,
            round(count(*) FILTER (counted AND at_home) / count(*) FILTER (counted AND lives AND at_home IS NOT NULL),
                4) AS at_the_right_home,
            any_value(residents) AS true_residents,
            round(any_value(mentioned) / any_value(residents), 4) AS mentioned
        FROM judged JOIN mention USING (view) GROUP BY view ORDER BY view"""
    )
    wards = wh.frame(
        f"""-- one row per view
        WITH ward AS (
            SELECT view, ward_code, sum(known) AS known, sum(seen) AS seen, sum(by_age_and_sex) AS by_age_and_sex,
                sum(reconciled) AS reconciled FROM {reconciliation} GROUP BY view, ward_code)
        SELECT view, count(*) AS wards,
            round(max(abs(seen - known) / known), 4) AS largest_gap_as_counted,
            round(max(abs(by_age_and_sex - known) / known), 4) AS largest_gap_reconciled_by_age_and_sex,
            round(max(abs(reconciled - known) / known), 4) AS largest_gap_reconciled_by_ward_too,
            {GOAL_WARD}::DOUBLE AS goal
        FROM ward WHERE known > 0 GROUP BY view ORDER BY view"""
    )
    return {"people": people.to_dicts(), "wards": wards.to_dicts()}
