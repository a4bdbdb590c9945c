"""Whom the links serve worse: the groups of people and records by which an evaluation is told.

Nothing here is read by the linkage itself. Ethnic group and tenure come from the truth of an invented borough only.
"""

from datetime import date
from pathlib import Path

import duckdb

AGE_BANDS = (
    (0, "0 to 4"),
    (5, "5 to 15"),
    (16, "16 to 24"),
    (25, "25 to 44"),
    (45, "45 to 64"),
    (65, "65 to 84"),
    (85, "85 and over"),
)
GROUPINGS = ("age band", "sex", "ethnic group", "ward", "tenure", "identifiers recorded")


def write_groups(
    con: duckdb.DuckDBPyConnection, truth: Path, records: str, properties: str | None, day: date, target: str
) -> None:
    """Write the temporary table `target` (record_id, grouping, name) over truth_record (record_id, person_id).

    Age on `day`, or at death. Ward and tenure are those of the last home in the borough. `records` is the table
    of person records; `properties` the gazetteer (uprn, ward), None where there is none. "Identifiers recorded" is of
    the record, the others of the person.
    """
    folder = str(truth).replace("'", "''")
    cases = " ".join(f"WHEN years >= {least} THEN '{words}'" for least, words in reversed(AGE_BANDS))
    ward, gazetteer = ("p.ward", f"LEFT JOIN {properties} p ON p.uprn = s.uprn") if properties else ("NULL", "")
    con.execute(
        f"""-- one row per person of the truth, with its groups
        CREATE OR REPLACE TEMP TABLE person_group AS
        WITH home AS (
            SELECT s.person_id, {ward} AS ward, h.tenure
            FROM read_parquet('{folder}/residence.parquet') s
            LEFT JOIN read_parquet('{folder}/households.parquet') h USING (household_id) {gazetteer}
            QUALIFY row_number() OVER (
                PARTITION BY s.person_id
                ORDER BY s.uprn IS NULL, s.to_date DESC NULLS FIRST, s.from_date DESC NULLS LAST, s.household_id) = 1
        ), aged AS (
            SELECT *, date_sub('year', birth_date, least(coalesce(death_date, DATE '{day}'), DATE '{day}')) AS years
            FROM read_parquet('{folder}/persons.parquet')
        )
        SELECT person_id, CASE {cases} END AS "age band", sex, ethnic_group AS "ethnic group", ward, tenure
        FROM aged LEFT JOIN home USING (person_id)"""
    )
    # one UNPIVOT would need one type; all are text
    parts = [
        f"SELECT record_id, '{grouping}' AS grouping,"
        f" coalesce(replace(\"{grouping}\"::VARCHAR, '_', ' '), 'not known') AS name"
        " FROM truth_record JOIN person_group USING (person_id)"
        for grouping in GROUPINGS[:-1]
        if properties or grouping != "ward"
    ]
    parts.append(
        f"""SELECT record_id, '{GROUPINGS[-1]}', concat(
            CASE WHEN length(forename) > 1 THEN 'forename' ELSE 'initial at most' END,
            CASE WHEN birth_date IS NOT NULL THEN ', birth date' END,
            CASE WHEN nino IS NOT NULL OR nhs_number IS NOT NULL THEN ', number' END)
        FROM {records} JOIN truth_record USING (record_id)"""
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE {target} AS {' UNION ALL '.join(parts)}")
    con.execute("DROP TABLE person_group")
