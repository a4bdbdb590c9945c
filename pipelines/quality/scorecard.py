"""The scorecard: for each source and principle a score, its failing rules and the worst faults in words."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.warehouse import Warehouse

_SCORECARD = Path(__file__).parent / "scorecard.sql"


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


def scorecard(wh: Warehouse, catalog: str = "identity") -> list[Score]:
    """One score a source and principle, of the extract judged last; empty before the first gate."""
    if not wh.exists(f"{catalog}.quality.result"):
        return []
    sql = _SCORECARD.read_text(encoding="utf-8").replace("identity.", f"{catalog}.")
    return [Score(*row[:9], tuple(row[9])) for row in wh.rows(sql)]
