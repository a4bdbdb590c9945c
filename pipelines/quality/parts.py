"""The parts from which rules are put together."""

from typing import Any

from pipelines.sources.contracts import Column, Table
from quality_checks.principles import Dimension, Principle, Severity
from quality_checks.rules import Rule

CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
GAZETTEER = "llpg"


def parameter(*parts: str) -> dict[str, str]:
    """A value that an extract brings with it."""
    return {"$PARAMETER": ".".join(parts)}


def table_rule(
    table: Table,
    name: str,
    principle: Principle,
    severity: Severity,
    sentence: str,
    kind: str,
    column: str | None = None,
    tolerance: float = 0.0,
    dimension: Dimension | None = None,
    **parameters: Any,
) -> Rule:
    """A rule of a table or a column; its source, owner and, unless given, dimension are filled in by `rules_of`."""
    place = f"{table.name}.{column}" if column else table.name
    return Rule(
        name=f"{place}.{name}",
        source="",
        table=table.name,
        principle=principle,
        severity=severity,
        sentence=sentence,
        kind=kind,
        column=column,
        parameters=parameters,
        tolerance=tolerance,
        dimension=dimension,
    )


def severity_of(column: Column, principle: Principle) -> Severity:
    """As the contract says of the column; a warning where it says nothing."""
    return Severity(column.severity.get(principle.value, "warning"))


def tolerance_of(column: Column, principle: Principle, share: float) -> float:
    """A critical rule lets nothing pass; a warning waits for more than the usual handful."""
    return 0.0 if severity_of(column, principle) == CRITICAL else share
