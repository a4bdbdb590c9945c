"""The scorecard: for each source and principle a score, its failing rules and the worst faults in words."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.warehouse import Warehouse, sql_file

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Score:
    """`score` is the mean, over the rules judged, of the share of rows that meet the rule, in per cent (0 to 100)."""

    source: str
    extract_date: date
    run_id: str
    principle: str
    owner: str
    rules: int
    critical: int
    warnings: int
    score: float | None
    faults: tuple[str, ...]

    @property
    def state(self) -> str:
        """fails, warns, holds, or not judged."""
        if self.critical:
            return "fails"
        if self.warnings:
            return "warns"
        return "holds" if self.rules else "not judged"


@dataclass(frozen=True)
class Fault:
    """A rule that failed: words and counts, never a value."""

    source: str
    extract_date: date
    principle: str
    severity: str
    rule: str
    sentence: str
    rows: int
    failures: int
    owner: str


def scorecard(wh: Warehouse, catalog: str = "identity") -> list[Score]:
    """One score a source and principle, of the extract judged last; empty before the first gate."""
    if not wh.exists(f"{catalog}.quality.result"):
        return []
    rows = wh.rows(sql_file(_HERE / "scorecard.sql", catalog=catalog))
    return [Score(*(*row[:-1], tuple(row[-1]))) for row in rows]


def faults(wh: Warehouse, catalog: str = "identity") -> list[Fault]:
    """Every failing rule of the extracts judged last, by source, the gravest first."""
    if not wh.exists(f"{catalog}.quality.result"):
        return []
    return [Fault(*row) for row in wh.rows(sql_file(_HERE / "faults.sql", catalog=catalog))]
