"""Which rows of a source do not meet a rule: their references in the source system, never a value.

A reference is the key of the row, from columns that the contract says are identifiers or not personal; of a check
written beside the contract, the key that its SQL gives; of agreement with other sources, the key of the record. Rules
of counts over a whole table name no row.
"""

from typing import Any

from pipelines.faults import BoroughlinkError
from pipelines.quality.agreement import agreement_rules, disagreeing
from pipelines.quality.evidence import check_rows, current_rows, written
from pipelines.quality.identifiers import postcode_of
from pipelines.quality.key_columns import comes_from
from pipelines.quality.parts import GAZETTEER
from pipelines.quality.suites import rules_of
from pipelines.sources.contracts import Contract, CrossCheck, Table
from pipelines.warehouse import Warehouse
from quality_checks.rules import Missing, Rule

HEAD = ("source", "table", "row (key in the source system)", "column", "what does not hold", "extract")
_SHOWN = ("none", "identifier")


def failing_rows(wh: Warehouse, contract: Contract, name: str) -> list[tuple[Any, ...]]:
    """Rows as HEAD, of what stands of the source now. Raises BoroughlinkError for a rule that names no row."""
    rule = next((rule for rule in (*rules_of(contract), *agreement_rules(contract)) if rule.name == name), None)
    if rule is None:
        raise BoroughlinkError(
            f"{contract.name} has no rule of that name: `boroughlink quality export` and the page name them."
        )
    if rule.name.startswith("agreement."):
        field = str(rule.column)
        return [
            (contract.name, "", key, field, rule.sentence, day) for key, day in disagreeing(wh, contract.name, field)
        ]
    table = contract.table(rule.table)
    staged = contract.staged(table.name)
    if not wh.exists(staged):
        raise BoroughlinkError(f"No extract of {contract.name} has been taken in.")
    for check in contract.checks:
        if rule.name == f"check.{check.name}":
            return _of_check(wh, contract, check, rule)
    if rule.name.endswith(".readable"):
        return _unread(wh, contract, table, rule)
    reference, (condition, params) = _reference(table), _condition(wh, contract, table, rule)
    found = wh.rows(
        f"""-- one row per row of the newest extract that does not meet the rule
        SELECT {reference}, extract_date FROM {staged}
        WHERE valid_to IS NULL AND ({condition}) {_unprotected(wh, staged)} ORDER BY 1""",
        params,
    )
    return [(contract.name, table.name, key, rule.column or "", rule.sentence, day) for key, day in found]


def _of_check(wh: Warehouse, contract: Contract, check: CrossCheck, rule: Rule) -> list[tuple[Any, ...]]:
    """What fails a check, by the columns that its SQL gives beside `fails`."""
    tables = [table for table in contract.tables if wh.exists(contract.staged(table.name))]
    here = {table.name: f"(SELECT * FROM {contract.staged(table.name)} WHERE valid_to IS NULL)" for table in tables}
    judged = check_rows(wh, check, here)
    if isinstance(judged, Missing):
        raise BoroughlinkError(f"The check can't be asked: {judged}.")
    keys = [name for name in (each[0] for each in wh.rows(f"DESCRIBE {judged}")) if name != "fails"]
    plain, read = written(check)
    columns = {name: wh.columns(f"identity.staged.{name}" if "__" in name else contract.staged(name)) for name in read}
    parts = [comes_from(plain, columns, name) for name in keys]
    if not keys or not all(part and all(_shown(contract, *each) for each in part) for part in parts):
        raise BoroughlinkError("That check gives no key that may be shown: look at the source's own report.")
    guards = [
        f"AND NOT EXISTS (SELECT 1 FROM {here[table.name]} AS own WHERE {same} {guard})"
        for table in tables
        if (shared := [name for name in keys if name in table.staged_columns])
        and (guard := _protected(wh, contract.staged(table.name), "own."))
        and (same := " AND ".join(f'own."{name}" = judged."{name}"' for name in shared))
    ]
    found = wh.rows(
        f"""-- one row per thing that fails the check, without those of protected people
        SELECT DISTINCT {_named(keys)}, (SELECT max(extract_date) FROM {contract.staged(rule.table)})
        FROM ({judged}) AS judged WHERE fails {" ".join(guards)} ORDER BY 1"""
    )
    return [(contract.name, "", key, "", rule.sentence, day) for key, day in found]


def _shown(contract: Contract, table: str, column: str) -> bool:
    return any(
        each.name == table and column in each.staged_columns and each.column(column).personal in _SHOWN
        for each in contract.tables
    )


def _unprotected(wh: Warehouse, staged: str) -> str:
    """SQL: records of protected people are in no export, not even by reference."""
    guard = _protected(wh, staged, "")
    return guard and f"AND NOT (true {guard})"


def _protected(wh: Warehouse, staged: str, alias: str) -> str:
    told = [name for name in ("identity.facts.person_record", "identity.people.record") if wh.exists(name)]
    if "record_id" not in wh.columns(staged) or not told:
        return ""
    # the second holds the flags that reach further than the record that bears them
    flagged = " UNION ALL ".join(f"SELECT record_id FROM {name} WHERE sensitivity IS NOT NULL" for name in told)
    return f"AND {alias}record_id IN ({flagged})"


def _reference(table: Table) -> str:
    shown = [name for name in table.key if table.column(name).personal in _SHOWN]
    if not shown or len(shown) < len(table.key):
        raise BoroughlinkError(f"Rows of {table.name} have no key that may be shown: look at the source's own report.")
    return _named(shown)


def _named(columns: list[str]) -> str:
    """SQL: the reference of a row, each column with its name."""
    return "concat_ws(' / ', " + ", ".join(f"""'{name} ' || "{name}"::VARCHAR""" for name in columns) + ")"


def _condition(wh: Warehouse, contract: Contract, table: Table, rule: Rule) -> tuple[str, list[Any]]:
    """SQL that holds for a row which fails the rule, and its parameters."""
    column, given = f'"{rule.column}"', rule.parameters
    known = f"{column} IS NOT NULL AND "
    if rule.kind == "filled":
        return f"{column} IS NULL", []
    if rule.kind == "pattern":
        return f"{known} NOT regexp_full_match({column}::VARCHAR, ?)", [given["regex"]]
    if rule.kind == "codes":
        return f"{known} NOT list_contains(?::VARCHAR[], {column}::VARCHAR)", [[str(code) for code in given["values"]]]
    if rule.kind == "not_among":
        return f"list_contains(?::VARCHAR[], {column}::VARCHAR)", [[str(value) for value in given["values"]]]
    if rule.kind == "not_before":
        return f'{column} < "{given["other"]}"', []
    if rule.kind == "holds":
        return f"{known} NOT coalesce(({given['condition']}), false)", []
    if rule.kind == "between":
        return _outside(column, given.get("min"), given.get("max"))
    if rule.kind == "unique":
        together = ", ".join(f'"{name}"' for name in given["columns"])
        rows = f"SELECT {together} FROM {contract.staged(table.name)} WHERE valid_to IS NULL"
        same = f"{rows} GROUP BY ALL HAVING count(*) > 1"
        return f"({together}) IN ({same})", []
    if rule.name.endswith(".reference") and rule.column and (points := table.column(rule.column).references):
        other, key = points.split(".", 1)
        there = f'SELECT "{key}"::VARCHAR FROM {contract.staged(other)} WHERE valid_to IS NULL AND "{key}" IS NOT NULL'
        return f"{known} {column}::VARCHAR NOT IN ({there})", []
    if rule.name.endswith((".known_uprn", ".uprn_postcode")):
        return _unlike_the_gazetteer(wh, table, rule), []
    if rule.name.endswith(".first_of_january"):
        return f"month({column}) = 1 AND day({column}) = 1", []
    raise BoroughlinkError("That rule counts over the whole extract: it names no row.")


def _unlike_the_gazetteer(wh: Warehouse, table: Table, rule: Rule) -> str:
    """SQL that holds for a row whose UPRN the gazetteer lacks, or gives another postcode; -1 and 0 stand for none."""
    gazetteer = current_rows(wh, f"{GAZETTEER}__blpu")
    if gazetteer is None:
        raise BoroughlinkError("No gazetteer has been taken in.")
    uprn, plain = f'TRY_CAST("{rule.column}" AS BIGINT)', "upper(replace({}, ' ', ''))"
    if rule.name.endswith(".known_uprn"):
        there = f"SELECT uprn FROM {gazetteer} WHERE uprn IS NOT NULL"
        return f'"{rule.column}" IS NOT NULL AND coalesce({uprn}, 1) > 0 AND coalesce({uprn} NOT IN ({there}), true)'
    there = f"SELECT uprn, {plain.format('postcode_locator')} FROM {gazetteer} WHERE postcode_locator IS NOT NULL"
    postcode = plain.format(f'"{postcode_of(table)}"')
    return f"{uprn} IN (SELECT uprn FROM ({there})) AND ({uprn}, {postcode}) NOT IN ({there})"


def _outside(column: str, low: Any, high: Any) -> tuple[str, list[Any]]:
    parts: list[str] = []
    params: list[Any] = []
    for bound, sign in ((low, "<"), (high, ">")):
        if isinstance(bound, dict):  # the date of the extract
            parts.append(f"{column} {sign} extract_date")
        elif bound is not None:
            parts.append(f"{column} {sign} ?")
            params.append(bound)
    return " OR ".join(parts) or "false", params


def _unread(wh: Warehouse, contract: Contract, table: Table, rule: Rule) -> list[tuple[Any, ...]]:
    """Values that intake could not read: by file and line, since they are empty in the table."""
    return [
        (contract.name, table.name, f"{file}, line {line}", rule.column or "", rule.sentence, day)
        for file, line, day in wh.rows(
            """-- one row per value of the newest extract that could not be read
            SELECT file, line, extract_date FROM identity.meta.fault
            WHERE source = ? AND table_name = ? AND column_name = ? AND kind = 'value'
            QUALIFY delivery = max(delivery) OVER () ORDER BY file, line""",
            [contract.name, table.name, rule.column],
        )
    ]
