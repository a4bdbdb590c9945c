"""What one extract brings with it, against which its rules are judged: dates, counts of intake, rows of the last one.

A value of None says that there is nothing to compare with: a first load, or a source that has never come in.
"""

from datetime import timedelta
from string import Template
from typing import Any

from pipelines.quality.identifiers import UPRN_COLUMNS, postcode_of
from pipelines.quality.parts import GAZETTEER
from pipelines.quality.profiles import Profile, history
from pipelines.quality.steadiness import steadiness
from pipelines.quality.thresholds import thresholds
from pipelines.sources.contracts import Column, Table
from pipelines.sources.intake import Candidate
from pipelines.warehouse import Warehouse

Evidence = dict[str, Any]


def evidence(wh: Warehouse, candidate: Candidate, now: Profile) -> Evidence:
    """A value for every {"$PARAMETER": name} of `rules_of(candidate.contract)`; SQL gives one row (rows, failures).

    `now` is the profile of the candidate.
    """
    found = _of_extract(wh, candidate)
    found |= steadiness(candidate.contract, now, _earlier(wh, candidate))
    for table in candidate.contract.tables:
        found |= _of_table(candidate, table)
        for column in table.kept:
            found |= _of_column(wh, candidate, table, column)
    for check in candidate.contract.checks:
        found[f"check.{check.name}"] = _filled_in(wh, candidate, check.sql.read_text(encoding="utf-8"))
    return found


def _earlier(wh: Warehouse, candidate: Candidate) -> list[Profile]:
    """Profiles of earlier extracts, of the tables that may be compared: not where the sender announced a break."""
    compared = {table for table, rows in candidate.previous.items() if rows is not None}
    return [
        {key: counts for key, counts in profile.items() if key[0] in compared}
        for profile in history(wh, candidate.contract, candidate.extract_date)
    ]


def _of_extract(wh: Warehouse, candidate: Candidate) -> Evidence:
    contract, dated = candidate.contract, candidate.extract_date
    expired = sum(basis.expires < wh.as_of for basis in contract.purposes.values())
    return {
        "extract.date": dated,
        "extract.late": _counted(1, dated < wh.as_of - timedelta(days=contract.refresh_days)),
        "extract.future": _counted(1, dated > wh.as_of),
        "extract.past_retention": _counted(1, dated < wh.as_of - timedelta(days=contract.retention_days)),
        "extract.expired_purposes": _counted(len(contract.purposes), expired),
    }


def _of_table(candidate: Candidate, table: Table) -> Evidence:
    limits, here = thresholds(), candidate.tables[table.name]
    before = candidate.previous.get(table.name)
    without_purpose = sum(not column.why.strip() for column in table.columns)
    found: Evidence = {
        f"{table.name}.without_purpose": _counted(len(table.columns), without_purpose),
        f"{table.name}.set_aside": _counted(here.rows + here.set_aside, here.set_aside),
    }
    for severity, share in (("warning", limits.rows_warn), ("critical", limits.rows_refuse)):
        low = high = None
        if before:
            room = max(int(before * share), limits.rows_slack)
            low, high = max(before - room, 0), before + room
        found |= {f"{table.name}.{severity}.low": low, f"{table.name}.{severity}.high": high}
    return found


def _of_column(wh: Warehouse, candidate: Candidate, table: Table, column: Column) -> Evidence:
    here = candidate.tables[table.name]
    place = f"{table.name}.{column.staged}"
    found: Evidence = {}
    if column.type != "text":
        found[f"{place}.value_faults"] = _counted(here.rows, here.value_faults.get(column.staged, 0))
    if column.references is not None:
        other, key = column.references.split(".", 1)
        found[f"{place}.dangling"] = _dangling(here.name, column.staged, candidate.tables[other].name, key)
    if column.staged in UPRN_COLUMNS and candidate.contract.name != GAZETTEER:
        gazetteer = _current(wh, f"{GAZETTEER}__blpu")
        found[f"{place}.unknown_uprn"] = gazetteer and _dangling(here.name, column.staged, gazetteer, "uprn", "BIGINT")
        if postcode := postcode_of(table):
            found[f"{place}.other_postcode"] = gazetteer and _elsewhere(here.name, column.staged, postcode, gazetteer)
    if column.every:
        staged = candidate.contract.staged(table.name)
        held = candidate.previous.get(table.name) is not None and _current(wh, staged.removeprefix("identity.staged."))
        found[f"{place}.lost"] = _lost(here.name, column.staged, held) if held else None
    return found


def _elsewhere(table: str, uprn: str, postcode: str, gazetteer: str) -> str:
    """SQL: rows with a postcode and a UPRN that has one, rows in which they differ."""
    plain = "upper(replace({}, ' ', ''))"
    return f"""
        SELECT count(*) AS rows, count(*) FILTER (WHERE {plain.format("here.postcode")} <> {plain.format("b.postcode")})
        FROM (SELECT TRY_CAST("{uprn}" AS BIGINT) AS uprn, "{postcode}" AS postcode FROM {table}) AS here
        JOIN (SELECT uprn, postcode_locator AS postcode FROM {gazetteer} AS g) AS b USING (uprn)
        WHERE here.postcode IS NOT NULL AND b.postcode IS NOT NULL
    """


def _lost(table: str, column: str, last: str) -> str:
    """SQL: values that the last extract held in many rows, those of them that are in no row now."""
    return f"""
        SELECT count(*) AS rows, count(*) FILTER (WHERE now.part IS NULL) AS failures
        FROM (SELECT "{column}" AS part FROM {last} AS l WHERE "{column}" IS NOT NULL
              GROUP BY ALL HAVING count(*) >= {thresholds().small_cell}) AS was
        LEFT JOIN (SELECT DISTINCT "{column}" AS part FROM {table}) AS now USING (part)
    """


def _counted(rows: int, failures: int | bool) -> str:
    return f"SELECT {int(rows)} AS rows, {int(failures)} AS failures"


def _dangling(table: str, column: str, other: str, key: str, kind: str = "VARCHAR") -> str:
    """SQL: rows that point somewhere, rows that point at nothing."""
    return f"""
        SELECT count(*) AS rows, count(*) FILTER (found.key IS NULL) AS failures
        FROM (SELECT TRY_CAST("{column}" AS {kind}) AS key FROM {table} WHERE "{column}" IS NOT NULL) AS here
        LEFT JOIN (SELECT DISTINCT TRY_CAST("{key}" AS {kind}) AS key FROM {other} AS o) AS found USING (key)
    """


def _filled_in(wh: Warehouse, candidate: Candidate, text: str) -> str | None:
    """The SQL of a check with ${table} as the candidate's table and ${source__table} as that source's current rows."""
    template = Template(text)
    names: dict[str, str] = {}
    for name in template.get_identifiers():
        filling = candidate.tables[name].name if name in candidate.tables else _current(wh, name)
        if filling is None:
            return None
        names[name] = filling
    return template.substitute(names)


def _current(wh: Warehouse, table: str) -> str | None:
    """The rows of another source that stand now; None if it has never been loaded."""
    name = f"identity.staged.{table}"
    return f"(SELECT * FROM {name} WHERE valid_to IS NULL)" if wh.exists(name) else None
