"""Judges rules on an open DuckDB connection: the rules of one table in one validation, counts only."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import duckdb

from quality_checks.rules import NOTHING_YET, TABLE_KINDS, Missing, Rule, RuleResult


class CheckBroken(Exception):
    """A check could not be carried out. The fault is in the check, not in the data; no value is named."""


def run_rules(
    con: duckdb.DuckDBPyConnection,
    rules: Sequence[Rule],
    tables: Mapping[str, str],
    parameters: Mapping[str, Any] | None = None,
) -> list[RuleResult]:
    """One result a rule, in the order of the rules.

    `tables` gives the SQL name of each rule's table (committed and not temporary: the rules run on a cursor beside
    `con`); `parameters` the values that rules refer to by {"$PARAMETER": name}. Raises CheckBroken.
    """
    given = dict(parameters or {})
    results: dict[str, RuleResult] = {}
    for table, of_table in groupby(sorted(rules, key=lambda rule: rule.table), key=lambda rule: rule.table):
        if table not in tables:
            raise CheckBroken(f"The rules of table {table} can't run: there is no such table at hand.")
        results |= {result.rule.name: result for result in _of_table(con, list(of_table), tables[table], given)}
    return [results[rule.name] for rule in rules]


def _of_table(
    con: duckdb.DuckDBPyConnection, rules: list[Rule], table: str, given: Mapping[str, Any]
) -> Iterator[RuleResult]:
    """Results of the rules of one table; those that can't be asked of it are answered without asking."""
    columns, rows = _shape(con, table)
    asked = []
    for rule in rules:
        unknown = [name for name in _parameter_names(rule) if name not in given]
        if unknown:
            raise CheckBroken(f"Check {rule.name} is broken: nobody gave it {', '.join(unknown)}.")
        absent = [name for name in rule.needs if name not in columns]
        if missing := _missing(rule, given):
            yield RuleResult(rule, 0, 0, passed=True, judged=False, reason=str(missing))
        elif absent:
            yield RuleResult(rule, rows, rows, passed=False, reason=f"column {', '.join(absent)} is not there")
        else:
            asked.append(_resolved(rule, given))
    if asked:
        yield from _judge(con, asked, table, rows)


def _judge(con: duckdb.DuckDBPyConnection, rules: list[Rule], table: str, rows: int) -> Iterator[RuleResult]:
    from quality_checks import datasource  # Great Expectations takes seconds to import: only when a gate runs

    by_name = {rule.name: rule for rule in rules}
    if len(by_name) < len(rules):
        raise CheckBroken(f"Two rules of table {table} share a name.")
    with datasource.batch_of(con, table) as batch:
        found = datasource.validate(batch, [_expectation(rule, datasource) for rule in rules])
        for outcome in found:
            rule = by_name[outcome.expectation_config.meta["rule"]]
            if _is_broken(outcome) and len(rules) > 1:
                # One broken check takes those with it that shared its query: ask each again by itself.
                outcome = datasource.validate(batch, [_expectation(rule, datasource)])[0]
            if _is_broken(outcome):
                raise CheckBroken(f"Check {rule.name} is broken: it could not be carried out ({_fault(outcome)}).")
            yield _result(rule, outcome, rows)


def _expectation(rule: Rule, datasource: Any) -> Any:
    given = rule.parameters
    common = {"meta": {"rule": rule.name, "principle": str(rule.principle)}, "severity": str(rule.severity)}
    row = common | {"column": rule.column, "mostly": 1 - rule.tolerance}
    bounds = {"min_value": given.get("min"), "max_value": given.get("max")}
    makers: dict[str, Callable[[], Any]] = {
        "filled": lambda: datasource.ExpectFilled(**row),
        "pattern": lambda: datasource.ExpectMatch(regex=given["regex"], **row),
        "codes": lambda: datasource.ExpectAmong(value_set=given["values"], **row),
        "not_among": lambda: datasource.ExpectNotAmong(value_set=given["values"], **row),
        "between": lambda: datasource.ExpectBetween(**bounds, **row),
        "holds": lambda: datasource.ExpectHolds(condition=given["condition"], **row),
        "unique": lambda: _unique(rule, common, datasource),
        "not_before": lambda: datasource.ExpectNotBefore(
            column_A=rule.column,
            column_B=given["other"],
            or_equal=True,
            ignore_row_if="either_value_is_missing",
            mostly=1 - rule.tolerance,
            **common,
        ),
        "columns": lambda: datasource.ExpectTheseColumns(column_set=list(given["columns"]), exact_match=True, **common),
        "row_count": lambda: datasource.ExpectRowCount(**bounds, **common),
        "newest": lambda: datasource.ExpectNewest(column=rule.column, **bounds, **common),
        "measured": lambda: datasource.ExpectMeasured(
            unexpected_rows_query=given["sql"], allowed=rule.tolerance, **common
        ),
    }
    return makers[rule.kind]()


def _unique(rule: Rule, common: dict[str, Any], datasource: Any) -> Any:
    columns = list(rule.parameters["columns"])
    if len(columns) == 1:
        return datasource.ExpectUnique(column=columns[0], mostly=1 - rule.tolerance, **common)
    return datasource.ExpectUniqueTogether(
        column_list=columns, ignore_row_if="any_value_is_missing", mostly=1 - rule.tolerance, **common
    )


def _result(rule: Rule, outcome: Any, rows: int) -> RuleResult:
    """Counts of one outcome; of a table-wide rule the table is the one thing judged."""
    if rule.kind in TABLE_KINDS:
        reason = f"there are {rows:,}" if rule.kind == "row_count" and not outcome.success else ""
        return RuleResult(rule, 1, 0 if outcome.success else 1, passed=bool(outcome.success), reason=reason)
    judged = int(outcome.result["element_count"]) - int(outcome.result.get("missing_count") or 0)
    failures = int(outcome.result["unexpected_count"] or 0)  # none is counted in an empty table
    return RuleResult(rule, judged, failures, passed=bool(outcome.success))


def _is_broken(outcome: Any) -> bool:
    """Great Expectations reports a check that raised as a failure with an empty result."""
    return not outcome.result or bool(_raised(outcome))


def _raised(outcome: Any) -> list[str]:
    info = outcome.exception_info or {}
    parts = [info] if "raised_exception" in info else list(info.values())
    return [str(part.get("exception_message")) for part in parts if part.get("raised_exception")]


def _fault(outcome: Any) -> str:
    """The class of error that DuckDB named, without its text, which may quote values."""
    for message in _raised(outcome):
        for name in ("Binder", "Catalog", "Parser", "Conversion", "Invalid Input", "Out of Range", "Out of Memory"):
            if f"{name} Error" in message:
                return f"{name} Error"
    return "no result came back"


def _shape(con: duckdb.DuckDBPyConnection, table: str) -> tuple[set[str], int]:
    try:
        described = con.execute(f"SELECT * FROM {table} LIMIT 0").description or []
        rows = con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    except duckdb.Error as fault:
        raise CheckBroken(f"The rules of {table} can't run: it can't be read ({type(fault).__name__}).") from None
    return {column[0] for column in described}, int(rows)


def _named(value: Any) -> str | None:
    """The name in {"$PARAMETER": name}; None for a value that stands for itself."""
    return value.get("$PARAMETER") if isinstance(value, Mapping) else None


def _parameter_names(rule: Rule) -> list[str]:
    return [name for name in map(_named, rule.parameters.values()) if name is not None]


def _resolved(rule: Rule, given: Mapping[str, Any]) -> Rule:
    """The rule with the values of this extract in place of their names."""
    stated = {key: given[name] if (name := _named(value)) else value for key, value in rule.parameters.items()}
    return replace(rule, parameters=stated)


def _missing(rule: Rule, given: Mapping[str, Any]) -> Missing | None:
    values = [NOTHING_YET if given[name] is None else given[name] for name in _parameter_names(rule)]
    return next((value for value in values if isinstance(value, Missing)), None)
