"""What one extract brings with it, against which its rules are judged: dates, counts of intake, rows of the last one.

A value of None says that there is nothing to compare with (a first load), a Missing one why: another source whose rows
are asked for has never come in. `reads` names such sources: they are taken in first.
"""

from collections.abc import Mapping
from datetime import timedelta
from string import Template
from typing import Any

from pipelines.quality.identifiers import UPRN_COLUMNS, postcode_of
from pipelines.quality.parts import GAZETTEER
from pipelines.quality.profiles import Profile, history
from pipelines.quality.steadiness import steadiness
from pipelines.quality.thresholds import thresholds
from pipelines.sources.contracts import Column, Contract, CrossCheck, Table
from pipelines.sources.intake import INTAKE, Candidate
from pipelines.sources.thresholds import SET_ASIDE_ALWAYS
from pipelines.warehouse import Warehouse
from quality_checks.rules import Missing

Evidence = dict[str, Any]

_NO_GAZETTEER = Missing(f"no extract of {GAZETTEER} has been taken in yet")


def reads(contract: Contract) -> frozenset[str]:
    """The other sources whose rows its rules are held against."""
    columns = {column.staged for table in contract.tables for column in table.kept}
    named = {name for check in contract.checks for name in _template(check).get_identifiers()}
    own = {table.name for table in contract.tables}
    found = {name.partition("__")[0] for name in named - own} | ({GAZETTEER} if columns & UPRN_COLUMNS else set())
    return frozenset(found - {contract.name})


def evidence(wh: Warehouse, candidate: Candidate, now: Profile) -> Evidence:
    """A value for every {"$PARAMETER": name} of `rules_of(candidate.contract)`; SQL gives one row (rows, failures).

    `now` is the profile of the candidate.
    """
    found = _of_extract(wh, candidate)
    found |= steadiness(candidate.contract, now, *_earlier(wh, candidate))
    growth, late_first = _growth(wh, candidate), _comes_late_and_is_first(wh, candidate)
    for table in candidate.contract.tables:
        found |= _of_table(candidate, table, growth.get(table.name, 0), late_first)
        if "rows" in table.seasonal:
            found |= _of_season(wh, candidate, table, found, late_first)
        for column in table.kept:
            found |= _of_column(wh, candidate, table, column)
    for check in candidate.contract.checks:
        judged = check_rows(wh, check, {name: each.name for name, each in candidate.tables.items()})
        if not isinstance(judged, Missing):
            judged = f"SELECT count(*) AS rows, count(*) FILTER (WHERE fails) AS failures FROM ({judged})"
        found[f"check.{check.name}"] = judged
    return found


def _earlier(wh: Warehouse, candidate: Candidate) -> tuple[list[Profile], list[Profile]]:
    """Profiles of earlier extracts, and of those about a year before; of the tables that may be compared: not where the
    sender announced a break."""
    compared = {table for table, rows in candidate.previous.items() if rows is not None}
    earlier = {
        day: {key: counts for key, counts in profile.items() if key[0] in compared}
        for day, profile in history(wh, candidate.contract, candidate.extract_date).items()
    }
    ago, slack = candidate.extract_date - timedelta(days=365), timedelta(days=thresholds().season_days)
    return list(earlier.values()), [profile for day, profile in earlier.items() if abs(day - ago) <= slack]


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


def _of_table(candidate: Candidate, table: Table, growth: int, late_first: bool) -> Evidence:
    limits, here = thresholds(), candidate.tables[table.name]
    before = candidate.previous.get(table.name)
    without_purpose = sum(not column.why.strip() for column in table.columns)
    found: Evidence = {
        f"{table.name}.without_purpose": _counted(len(table.columns), without_purpose),
        f"{table.name}.set_aside_warning": _counted(here.rows + here.set_aside, here.set_aside),
        f"{table.name}.set_aside_critical": _counted(here.rows + here.set_aside, _beyond_a_handful(here.set_aside)),
    }
    expected = (before or 0) + growth
    shares = {
        "warning": (limits.rows_warn, limits.rows_warn),
        "critical": (limits.rows_refuse, limits.rows_refuse_more),
    }
    for severity, (fewer, more) in shares.items():
        low = high = None
        if (
            before and before >= limits.rows_slack and late_first
        ):  # what may follow it has come: the rule, read backwards
            low = max(min(int(before / (1 + more)), before - limits.rows_slack), 0)
            high = max(int(before / (1 - fewer)), before + limits.rows_slack)
        elif before and before >= limits.rows_slack:  # of so few rows, any number may come next
            low = max(min(before, expected) - max(int(before * fewer), limits.rows_slack), 0)
            high = max(before, expected) + max(int(before * more), limits.rows_slack)
        found |= {f"{table.name}.{severity}.low": low, f"{table.name}.{severity}.high": high}
    return found


def _comes_late_and_is_first(wh: Warehouse, candidate: Candidate) -> bool:
    """Whether all extracts that have come are later ones, so that what is known as the previous is the next."""
    if not wh.exists(INTAKE):
        return False
    ((earlier, later),) = wh.rows(
        f"SELECT count(*) FILTER (extract_date < $day), count(*) FILTER (extract_date > $day) FROM {INTAKE} "
        "WHERE source = $source AND state = 'accepted' AND supply = 'full'",
        {"day": candidate.extract_date, "source": candidate.contract.name},
    )
    return bool(later and not earlier)


def _beyond_a_handful(rows: int) -> int:
    """A handful of rows set aside doesn't condemn a small extract: intake's own rule."""
    return rows if rows > SET_ASIDE_ALWAYS else 0


def _of_season(wh: Warehouse, candidate: Candidate, table: Table, found: Evidence, late_first: bool) -> Evidence:
    """Bounds of the rows of a table that moves with the year: about those of the season a year ago, or as `found` of
    any table. Until a year is known nothing warns, and it is refused only if more is gone than a year's end takes; of
    an extract before all that have come, if more had to go until the next."""
    limits, before = thresholds(), None
    last = candidate.previous.get(table.name)
    if last is not None and wh.exists(INTAKE):
        ago = candidate.extract_date - timedelta(days=365)
        before = wh.scalar(
            f"SELECT arg_min(rows, abs(extract_date - ?::DATE)) FROM {INTAKE} WHERE source = ? AND table_name = ? "
            "AND state = 'accepted' AND supply = 'full' AND abs(extract_date - ?::DATE) <= ?",
            [ago, candidate.contract.name, table.name, ago, limits.season_days],
        )
    bounds: Evidence = {}
    for severity in ("warning", "critical"):
        low, high = f"{table.name}.{severity}.low", f"{table.name}.{severity}.high"
        if found[low] is None or (before is None and severity == "warning"):
            bounds |= {low: None, high: None}
        elif before is None:
            stays = 1 - limits.rows_refuse_unknown_season
            most = int((last or 0) / stays) if late_first else 0
            bounds |= {low: min(found[low], int((last or 0) * stays)), high: max(found[high], most)}
        else:
            room = max(int(before * limits.rows_refuse), limits.rows_slack)
            bounds |= {low: min(found[low], max(before - room, 0)), high: max(found[high], before + room)}
    return bounds


def _growth(wh: Warehouse, candidate: Candidate) -> dict[str, int]:
    """By table the median of the rows that an extract had more than the one before: what a file that is added to grows
    by. Nothing where there is no history."""
    if not wh.exists(INTAKE):
        return {}
    rows = wh.rows(
        f"""-- one row a table: its usual growth from extract to extract
        SELECT table_name, median(rows - before) FROM (
            SELECT table_name, rows, lag(rows) OVER (PARTITION BY table_name ORDER BY extract_date) AS before
            FROM {INTAKE} WHERE source = ? AND state = 'accepted' AND supply = 'full' AND extract_date < ?
            QUALIFY row_number() OVER (PARTITION BY table_name ORDER BY extract_date DESC) <= ?)
        WHERE before IS NOT NULL GROUP BY table_name""",
        [candidate.contract.name, candidate.extract_date, thresholds().drift_history],
    )
    return {table: round(growth) for table, growth in rows}


def _of_column(wh: Warehouse, candidate: Candidate, table: Table, column: Column) -> Evidence:
    here = candidate.tables[table.name]
    place = f"{table.name}.{column.staged}"
    found: Evidence = {}
    if column.type != "text":
        found[f"{place}.value_faults"] = _counted(here.rows, here.value_faults.get(column.staged, 0))
    if column.personal == "birth_date" and column.type == "date":
        found[f"{place}.new_year"] = _new_year(here.name, column.staged)
    if column.references is not None:
        other, key = column.references.split(".", 1)
        found[f"{place}.dangling"] = _dangling(here.name, column.staged, candidate.tables[other].name, key)
    if column.staged in UPRN_COLUMNS and candidate.contract.name != GAZETTEER:
        gazetteer = current_rows(wh, f"{GAZETTEER}__blpu")
        known = gazetteer and _no_such_uprn(here.name, column.staged, gazetteer)
        found[f"{place}.unknown_uprn"] = known or _NO_GAZETTEER
        if postcode := postcode_of(table):
            same = gazetteer and _elsewhere(here.name, column.staged, postcode, gazetteer)
            found[f"{place}.other_postcode"] = same or _NO_GAZETTEER
    if column.every:
        staged = candidate.contract.staged(table.name)
        held = candidate.previous.get(table.name) is not None and current_rows(
            wh, staged.removeprefix("identity.staged.")
        )
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


def _new_year(table: str, column: str) -> str:
    """SQL: birth dates, and those on 1 January unless they are so few that chance may do it."""
    new_year = f'count(*) FILTER (WHERE month("{column}") = 1 AND day("{column}") = 1)'
    few = thresholds().small_cell
    return f"""
        SELECT count("{column}") AS rows, CASE WHEN {new_year} < {few} THEN 0 ELSE {new_year} END AS failures
        FROM {table}"""


def _no_such_uprn(table: str, column: str, gazetteer: str) -> str:
    """SQL: rows with a UPRN, rows with one that the gazetteer doesn't hold; -1 and 0 stand for none."""
    stated = f'(SELECT * FROM {table} AS t WHERE coalesce(TRY_CAST("{column}" AS BIGINT), 1) > 0)'
    return _dangling(stated, column, gazetteer, "uprn", "BIGINT")


def _dangling(table: str, column: str, other: str, key: str, kind: str = "VARCHAR") -> str:
    """SQL: rows that point somewhere, rows that point at nothing."""
    return f"""
        SELECT count(*) AS rows, count(*) FILTER (found.key IS NULL) AS failures
        FROM (SELECT TRY_CAST("{column}" AS {kind}) AS key FROM {table} AS o WHERE "{column}" IS NOT NULL) AS here
        LEFT JOIN (SELECT DISTINCT TRY_CAST("{key}" AS {kind}) AS key FROM {other} AS o) AS found USING (key)
    """


def check_rows(wh: Warehouse, check: CrossCheck, tables: Mapping[str, str]) -> str | Missing:
    """The SQL of a check, one row a thing judged (its key, `fails`): ${table} is one of `tables`, ${source__table} that
    source's current rows. Missing where one of them has never come."""
    template, names = _template(check), dict[str, str]()
    for name in template.get_identifiers():
        filling = tables.get(name) or current_rows(wh, name)
        if filling is None:
            return Missing(f"no extract of {name.partition('__')[0]} has been taken in yet")
        names[name] = filling
    return template.substitute(names) + "\n"


def written(check: CrossCheck) -> tuple[str, list[str]]:
    """The SQL of a check with its tables by their plain names, and those names."""
    template = _template(check)
    names = template.get_identifiers()
    return template.substitute({name: name for name in names}), names


def _template(check: CrossCheck) -> Template:
    return Template(check.sql.read_text(encoding="utf-8").rstrip().rstrip(";"))


def current_rows(wh: Warehouse, table: str) -> str | None:
    """The rows of another source that stand now; None if it has never been loaded."""
    name = f"identity.staged.{table}"
    return f"(SELECT * FROM {name} WHERE valid_to IS NULL)" if wh.exists(name) else None
