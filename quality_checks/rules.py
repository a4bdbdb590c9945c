"""A rule: one thing that must hold of one table, said in plain English, tagged with a principle.

The kinds, and what their parameters mean (every value may be `{"$PARAMETER": name}`, given when the rules run;
a parameter that is Missing, or None, means that there is nothing to compare with yet: the rule is not judged):

| kind       | holds when                                           | parameters                      |
|------------|------------------------------------------------------|---------------------------------|
| filled     | the column has a value                               |                                 |
| pattern    | the whole value matches a regular expression         | regex                           |
| codes      | the value is one of a list                           | values                          |
| not_among  | the value is none of a list                          | values                          |
| between    | min <= value <= max                                  | min, max (either may be absent) |
| unique     | no two rows share the columns                        | columns                         |
| not_before | the column is not before another, where both are set | other                           |
| holds      | a SQL condition on the row is true, where the column is set | condition, columns       |
| columns    | the table has these columns and no other             | columns                         |
| row_count  | min <= number of rows <= max                         | min, max                        |
| newest     | min <= the largest value of the column <= max        | min, max                        |
| measured   | SQL that gives one row (rows, failures) finds no failure | sql                         |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quality_checks.principles import Dimension, Principle, Severity

#: Kinds that judge a table as a whole; the others of NEEDED judge each row.
TABLE_KINDS = frozenset({"columns", "row_count", "newest"})
#: Every kind of rule, and the parameters that it can't do without.
NEEDED = {
    "filled": (),
    "pattern": ("regex",),
    "codes": ("values",),
    "not_among": ("values",),
    "between": (),
    "unique": ("columns",),
    "not_before": ("other",),
    "holds": ("condition",),
    "columns": ("columns",),
    "row_count": (),
    "newest": (),
    "measured": ("sql",),
}


class Missing(str):
    """Stands for a parameter that can't be given yet, and says why in words."""


NOTHING_YET = Missing("nothing to compare with yet")


class RuleError(ValueError):
    """A rule that can't stand as it is written; the text names the rule and the fault."""


@dataclass(frozen=True)
class Rule:
    """One check of one table; `tolerance` is the share of judged rows (0 to 1) that may fail."""

    name: str
    source: str
    table: str
    principle: Principle
    severity: Severity
    sentence: str
    kind: str
    column: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float = 0.0
    dimension: Dimension | None = None
    owner: str = ""

    def __post_init__(self) -> None:
        if self.kind not in NEEDED:
            raise RuleError(f"rule {self.name}: there is no kind of rule called {self.kind!r}")
        missing = [name for name in NEEDED[self.kind] if name not in self.parameters]
        if missing:
            raise RuleError(f"rule {self.name} ({self.kind}) lacks {', '.join(missing)}")
        if self.column is None and self.kind not in {"unique", "columns", "row_count", "measured"}:
            raise RuleError(f"rule {self.name} ({self.kind}) names no column")
        if not 0 <= self.tolerance < 1:
            raise RuleError(f"rule {self.name}: a tolerance is a share from 0 to below 1")
        if not self.sentence.strip():
            raise RuleError(f"rule {self.name} has no sentence")

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns without which the rule can't be judged."""
        if self.kind == "columns":
            return ()
        named = (self.column, *self.parameters.get("columns", ()), self.parameters.get("other"))
        return tuple(dict.fromkeys(name for name in named if name))


def fault_in_words(sentence: str, rows: int, failures: int, reason: str | None) -> str:
    """What is wrong where a rule does not hold: what should be so, and why it is not or in how many rows."""
    if reason:
        return f"{sentence} Not so: {reason.rstrip('.')}."
    if rows > 1 and failures:
        return f"{sentence} Not so in {failures:,} of {rows:,} rows."
    return f"{sentence} Not so."


@dataclass(frozen=True)
class RuleResult:
    """What came of a rule: counts only, never a value. `reason` says why when the counts don't."""

    rule: Rule
    rows: int
    failures: int
    passed: bool
    judged: bool = True
    reason: str = ""

    @property
    def share(self) -> float:
        """Failing share of the judged rows, 0 to 1."""
        if self.rows:
            return self.failures / self.rows
        return 0.0 if self.passed else 1.0

    @property
    def in_words(self) -> str:
        return fault_in_words(self.rule.sentence, self.rows, self.failures, self.reason)

    @property
    def severity(self) -> Severity:
        return self.rule.severity

    @property
    def principle(self) -> Principle:
        return self.rule.principle
