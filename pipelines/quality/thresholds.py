"""The numbers of thresholds.yaml, typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Thresholds:
    """Shares are 0 to 1; slack, small cells and what stalls are in rows, history in extracts."""

    rows_warn: float
    rows_refuse: float
    rows_refuse_more: float
    rows_refuse_unknown_season: float
    rows_slack: int
    set_aside_warn: float
    set_aside_refuse: float
    value_faults: float
    pattern: float
    codes: float
    range: float
    references: float
    periods: float
    uprn_unknown: float
    postcode: float
    check_digit: float
    dummy_dates: tuple[date, ...]
    dummy_share: float
    first_of_january: float
    disagreement: float
    agreement_least: int
    season_days: int
    small_cell: int
    drift_floors: Mapping[str, float]
    drift_usual: float
    drift_deviations: float
    drift_nearest: int
    drift_history: int
    misplaced_share: float
    misplaced_columns: int
    stalled_least: int
    stalled_share: float


@cache
def thresholds() -> Thresholds:
    """Read once a process."""
    read = yaml.safe_load((Path(__file__).parent / "thresholds.yaml").read_text(encoding="utf-8"))
    nested = ("row_count", "set_aside", "dummy_birth_dates", "drift", "misplaced", "stalled")
    return Thresholds(
        rows_warn=read["row_count"]["warn"],
        rows_refuse=read["row_count"]["refuse"],
        rows_refuse_more=read["row_count"]["refuse_more"],
        rows_refuse_unknown_season=read["row_count"]["refuse_unknown_season"],
        rows_slack=read["row_count"]["slack"],
        set_aside_warn=read["set_aside"]["warn"],
        set_aside_refuse=read["set_aside"]["refuse"],
        dummy_dates=tuple(date.fromisoformat(day) for day in read["dummy_birth_dates"]["dates"]),
        dummy_share=read["dummy_birth_dates"]["share"],
        **{f"drift_{name}": value for name, value in read["drift"].items()},
        **{f"misplaced_{name}": value for name, value in read["misplaced"].items()},
        **{f"stalled_{name}": value for name, value in read["stalled"].items()},
        **{name: share for name, share in read.items() if name not in nested},
    )
