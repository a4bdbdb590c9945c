"""From a contract, the rules of its source: what holds of the extract as a whole, and of each table.

The rules are the same for every extract. What belongs to one extract (its date, the rows of the last one, what intake
set aside) is referred to as {"$PARAMETER": name} and supplied by `evidence`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipelines.quality.columns import column_rules
from pipelines.quality.parts import CRITICAL, WARNING, parameter, table_rule
from pipelines.quality.steadiness import steady_table_rules
from pipelines.quality.thresholds import thresholds
from pipelines.sources.contracts import Contract, Table
from quality_checks.principles import Dimension, Principle, Severity
from quality_checks.rules import Rule

_DIMENSIONS = {
    Principle.ACCURATE: Dimension.ACCURACY,
    Principle.VALID: Dimension.VALIDITY,
    Principle.RELIABLE: Dimension.CONSISTENCY,
    Principle.TIMELY: Dimension.TIMELINESS,
    Principle.RELEVANT: None,
    Principle.COMPLETE: Dimension.COMPLETENESS,
}
_ENDS = (("from", "to"), ("start", "end"), ("birth", "death"))  # words by which columns name a period's ends


def rules_of(contract: Contract) -> list[Rule]:
    """Every rule of a source, in the order of its contract."""
    rules = [*_extract_rules(contract)]
    for table in contract.tables:
        rules += _table_rules(table)
        rules += _period_rules(table)
        rules += steady_table_rules(table)
        for column in table.kept:
            rules += column_rules(contract, table, column)
    rules += _cross_rules(contract)
    return [_of_source(contract, rule) for rule in rules]


def _of_source(contract: Contract, rule: Rule) -> Rule:
    dimension = rule.dimension or _DIMENSIONS[rule.principle]
    return replace(rule, source=contract.name, owner=contract.owner, dimension=dimension)


def _extract_rules(contract: Contract) -> Iterator[Rule]:
    """What holds of the extract as a whole; judged with its first table."""
    first = contract.tables[0]

    def rule(name: str, principle: Principle, severity: Severity, sentence: str) -> Rule:
        return table_rule(first, name, principle, severity, sentence, "measured", sql=parameter("extract", name))

    yield rule(
        "late",
        Principle.TIMELY,
        WARNING,
        f"The extract is at most {contract.refresh_days} days old, as the source promised.",
    )
    yield rule("future", Principle.TIMELY, CRITICAL, "The extract is not dated after today.")
    yield rule(
        "past_retention",
        Principle.RELEVANT,
        CRITICAL,
        f"The extract is not older than the {contract.retention_days} days for which it may be kept.",
    )
    yield rule(
        "expired_purposes",
        Principle.RELEVANT,
        WARNING,
        "No agreement on a purpose that the source serves has run out.",
    )


def _table_rules(table: Table) -> Iterator[Rule]:
    limits, here = thresholds(), table.name
    says = f"{here} has the columns of its contract and no other."
    columns = (*table.staged_columns, "_record")
    yield table_rule(table, "columns", Principle.RELEVANT, CRITICAL, says, "columns", columns=columns)
    says = f"Every column of {here} has a stated purpose."
    stated = parameter(here, "without_purpose")
    yield table_rule(table, "purpose", Principle.RELEVANT, WARNING, says, "measured", sql=stated)

    for severity, share in ((WARNING, limits.set_aside_warn), (CRITICAL, limits.set_aside_refuse)):
        says = f"Of the rows delivered for {here}, at most {share:.0%} had to be set aside."
        kept: dict[str, Any] = {"tolerance": share, "sql": parameter(here, f"set_aside_{severity}")}
        yield table_rule(table, f"usable_{severity}", Principle.COMPLETE, severity, says, "measured", **kept)
    spans = ((WARNING, limits.rows_warn, limits.rows_warn), (CRITICAL, limits.rows_refuse, limits.rows_refuse_more))
    for severity, fewer, more in spans:
        says = f"{here} has as many rows as in the last extract or as its growth foretells: up to {fewer:.0%} fewer or "
        says += f"{more:.0%} more."
        if "rows" in table.seasonal:
            says = (
                f"{here} has as many rows as in the last extract, up to {fewer:.0%} fewer or {more:.0%} more, or as in "
            )
            says += f"the same season a year ago, give or take {limits.rows_refuse:.0%}."
        bounds: dict[str, Any] = {"min": parameter(here, severity, "low"), "max": parameter(here, severity, "high")}
        yield table_rule(table, f"row_count_{severity}", Principle.RELIABLE, severity, says, "row_count", **bounds)

    at_least = max(table.min_rows or 0, 0 if table.may_be_empty else 1)
    if at_least:
        says = f"{here} has at least {at_least:,} row{'s' if at_least > 1 else ''}."
        yield table_rule(table, "rows", Principle.COMPLETE, CRITICAL, says, "row_count", min=at_least)
    for together in filter(None, (table.key, *table.unique)):
        severity = CRITICAL if together == table.key else WARNING
        says = f"No two rows of {here} share {' and '.join(together)}."
        name = f"unique_{'_'.join(together)}"
        rule = table_rule(table, name, Principle.RELIABLE, severity, says, "unique", columns=together)
        yield replace(rule, dimension=Dimension.UNIQUENESS)


def _period_rules(table: Table) -> Iterator[Rule]:
    """Dates of one table that name a period's two ends, such as from_date and to_date, stand in order."""
    dates = [column.staged for column in table.kept if column.type == "date"]
    for first in dates:
        for start, end in _ENDS:
            last = "_".join(end if word == start else word for word in first.split("_"))
            if last != first and last in dates:
                says = f"{table.name}.{last} is not before {first}."
                order: dict[str, Any] = {"column": last, "tolerance": thresholds().periods, "other": first}
                yield table_rule(table, f"after_{first}", Principle.RELIABLE, WARNING, says, "not_before", **order)


def _cross_rules(contract: Contract) -> Iterator[Rule]:
    """Checks over several tables, written as SQL beside the contract."""
    first = contract.tables[0]
    for check in contract.checks:
        principle, severity = Principle(check.principle), Severity(check.severity)
        sql = parameter("check", check.name)
        rule = table_rule(
            first, check.name, principle, severity, check.says, "measured", tolerance=check.limit, sql=sql
        )
        yield replace(rule, name=f"check.{check.name}")
