"""From a column of a contract, its rules."""

from collections.abc import Iterator
from typing import Any

from pipelines.quality.identifiers import IDENTIFIERS, UPRN_COLUMNS, postcode_of
from pipelines.quality.parts import CRITICAL, GAZETTEER, WARNING, parameter, severity_of, table_rule, tolerance_of
from pipelines.quality.steadiness import steady_column_rules
from pipelines.quality.thresholds import thresholds
from pipelines.sources.contracts import Column, Contract, Range, Table
from quality_checks.principles import Principle
from quality_checks.rules import Rule

_KINDS = {"date": "a date", "decimal": "a number", "integer": "a whole number", "bigint": "a whole number"}


def column_rules(contract: Contract, table: Table, column: Column) -> Iterator[Rule]:
    """Rules of one column: filled, readable, of the agreed form, within bounds, pointing somewhere, genuine, steady."""
    yield from _complete(table, column)
    yield from _valid(table, column)
    yield from _within_bounds(table, column)
    yield from _pointing(table, column)
    yield from _birth_date(table, column)
    yield from _genuine(contract, table, column)
    yield from steady_column_rules(table, column)


def _complete(table: Table, column: Column) -> Iterator[Rule]:
    name, here, complete = column.staged, f"{table.name}.{column.staged}", Principle.COMPLETE
    if column.required:
        yield table_rule(table, "filled", complete, CRITICAL, f"{here} is filled in every row.", "filled", name)
    elif column.min_fill:
        says = f"{here} is filled in at least {column.min_fill:.0%} of rows."
        severity = severity_of(column, complete)
        yield table_rule(table, "fill_rate", complete, severity, says, "filled", name, tolerance=1 - column.min_fill)
    if column.every:
        says = f"Every {here} that the last extract held in {thresholds().small_cell} rows or more is there again."
        lost = parameter(table.name, name, "lost")
        severity = severity_of(column, complete)
        yield table_rule(table, "every", complete, severity, says, "measured", name, sql=lost)


def _valid(table: Table, column: Column) -> Iterator[Rule]:
    name, here, valid, limits = column.staged, f"{table.name}.{column.staged}", Principle.VALID, thresholds()
    severity = severity_of(column, valid)
    if column.type != "text":
        says = f"Every value of {here} can be read as {_KINDS[column.type]}."
        faults: dict[str, Any] = {"tolerance": limits.value_faults, "sql": parameter(table.name, name, "value_faults")}
        yield table_rule(table, "readable", valid, severity, says, "measured", name, **faults)
    if column.pattern is not None:
        says = f"{here} has the agreed form."
        share = tolerance_of(column, valid, limits.pattern)
        yield table_rule(table, "form", valid, severity, says, "pattern", name, share, regex=column.pattern)
    if column.codes is not None:
        says = f"{here} holds only codes that the contract lists."
        share = tolerance_of(column, valid, limits.codes)
        yield table_rule(table, "codes", valid, severity, says, "codes", name, share, values=sorted(column.codes))


def _within_bounds(table: Table, column: Column) -> Iterator[Rule]:
    if column.range is None:
        return
    accurate = Principle.ACCURATE
    says = f"{table.name}.{column.staged} is {_in_words(column.range)}."
    share = tolerance_of(column, accurate, thresholds().range)
    bounds: dict[str, Any] = {"min": _bound(column.range.min), "max": _bound(column.range.max)}
    severity = severity_of(column, accurate)
    yield table_rule(table, "range", accurate, severity, says, "between", column.staged, share, **bounds)


def _pointing(table: Table, column: Column) -> Iterator[Rule]:
    if column.references is None:
        return
    name, reliable = column.staged, Principle.RELIABLE
    says = f"Each {table.name}.{name} is found in {column.references}."
    share = tolerance_of(column, reliable, thresholds().references)
    sql, severity = parameter(table.name, name, "dangling"), severity_of(column, reliable)
    yield table_rule(table, "reference", reliable, severity, says, "measured", name, share, sql=sql)


def _birth_date(table: Table, column: Column) -> Iterator[Rule]:
    if column.personal != "birth_date" or column.type != "date":
        return
    name, here, accurate, limits = column.staged, f"{table.name}.{column.staged}", Principle.ACCURATE, thresholds()
    says = f"{here} is no placeholder such as 1 January 1900."
    dummies: dict[str, Any] = {"tolerance": limits.dummy_share, "values": list(limits.dummy_dates)}
    yield table_rule(table, "placeholder", accurate, WARNING, says, "not_among", name, **dummies)
    says = f"At most {limits.first_of_january:.0%} of {here} fall on 1 January (of births, 0.3 % do)."
    spike: dict[str, Any] = {"tolerance": limits.first_of_january, "sql": parameter(table.name, name, "new_year")}
    yield table_rule(table, "first_of_january", accurate, WARNING, says, "measured", name, **spike)


def _genuine(contract: Contract, table: Table, column: Column) -> Iterator[Rule]:
    name, here, accurate, limits = column.staged, f"{table.name}.{column.staged}", Principle.ACCURATE, thresholds()
    if name in IDENTIFIERS and column.type == "text":
        known = IDENTIFIERS[name]
        says = f"Each {known.title} in {here} {known.sentence}."
        issued: dict[str, Any] = {"tolerance": limits.check_digit, "condition": known.condition.format(f'"{name}"')}
        yield table_rule(table, "genuine", accurate, WARNING, says, "holds", name, **issued)
    if name in UPRN_COLUMNS and contract.name != GAZETTEER:
        says = f"Each UPRN in {here} is in the gazetteer."
        found: dict[str, Any] = {"tolerance": limits.uprn_unknown, "sql": parameter(table.name, name, "unknown_uprn")}
        yield table_rule(table, "known_uprn", accurate, WARNING, says, "measured", name, **found)
        if postcode := postcode_of(table):
            says = f"{table.name}.{postcode} is the postcode that the gazetteer gives for the UPRN."
            same: dict[str, Any] = {"tolerance": limits.postcode, "sql": parameter(table.name, name, "other_postcode")}
            yield table_rule(table, "uprn_postcode", accurate, WARNING, says, "measured", name, **same)


def _bound(value: Any) -> Any:
    return parameter("extract", "date") if value == "extract_date" else value


def _in_words(bounds: Range) -> str:
    low, high = ("the date of the extract" if end == "extract_date" else end for end in (bounds.min, bounds.max))
    ends = [f"not below {low}" if low is not None else "", f"not above {high}" if high is not None else ""]
    return " and ".join(filter(None, ends))
