"""The kinds of row that a report is made of: counts only, each class says its grain."""

from dataclasses import dataclass
from datetime import date

#: Clusters of this many records or more are counted together.
LARGEST_SIZE = 8
#: Bits of match weight in one band of the histogram; the ends gather everything beyond them.
BAND_WIDTH, LOWEST_BAND, HIGHEST_BAND = 4, -8, 40


@dataclass(frozen=True)
class SourceTable:
    """One table of the newest accepted extract of a source; rows set aside are not among its records."""

    source: str
    table: str
    extract_date: date
    records: int
    set_aside: int


@dataclass(frozen=True)
class Refusal:
    """An extract that was not taken in, and why."""

    source: str
    extract_date: date | None
    reason: str


@dataclass(frozen=True)
class Remark:
    """Something that intake noted of an extract in this run: rows left out on purpose, a delivery that waits."""

    source: str
    extract_date: date | None
    says: str


@dataclass(frozen=True)
class Fault:
    """Rows (`kind` row) or values (`kind` value) set aside for one reason, in the newest accepted extract."""

    source: str
    table: str
    column: str | None
    kind: str
    reason: str
    count: int


@dataclass(frozen=True)
class Score:
    """One source under one principle: rules judged and failed, a score from 0 to 100, the worst faults in words."""

    source: str
    principle: str
    rules: int
    critical: int
    warnings: int
    state: str
    score: float | None
    faults: tuple[str, ...]


@dataclass(frozen=True)
class AddressMatch:
    """Addresses of one source by the method that settled their UPRN, or did not."""

    source: str
    method: str
    addresses: int


@dataclass(frozen=True)
class LinkBand:
    """Scored pairs of records of one tier, with a match weight in [lowest, lowest + BAND_WIDTH)."""

    tier: str
    lowest: int
    links: int


@dataclass(frozen=True)
class View:
    """What one purpose view makes of its records."""

    view: str
    records: int
    persons: int
    households: int


@dataclass(frozen=True)
class Residents:
    """Persons of one view in one class: resident, probably, left, dead, counted twice, unknown."""

    view: str
    residence: str
    persons: int


@dataclass(frozen=True)
class Ward:
    """Residents of a ward: the known population, persons counted, and counts reconciled by age and sex, and by ward."""

    ward: str
    known: int
    counted: float
    by_age_and_sex: float
    reconciled: float


@dataclass(frozen=True)
class SeenPopulation:
    """The known population beside the residents that a view counts, and the ward that is farthest off: as counted, and
    weighted by age and sex alone, as shares."""

    view: str
    known: int
    counted: float
    farthest: float
    farthest_by_age_and_sex: float


@dataclass(frozen=True)
class ClusterSize:
    """Persons of a view made of `size` records (LARGEST_SIZE stands for that many or more)."""

    view: str
    size: int
    persons: int


@dataclass(frozen=True)
class Coverage:
    """How much of the picture one source sees, in the widest view."""

    source: str
    records: int
    persons: int
    share: float


@dataclass(frozen=True)
class Overlap:
    """Persons seen in both of two sources, in the widest view; the diagonal is a source with itself."""

    source: str
    other: str
    persons: int


@dataclass(frozen=True)
class FlaggedPairs:
    """Pairs worth an officer's look, by rule and strength; `expected` is in pounds kept by the council."""

    rule: str
    strength: str
    pairs: int
    expected: float


@dataclass(frozen=True)
class ReviewItems:
    """Items that wait for a reviewer, by reason."""

    reason: str
    items: int


@dataclass(frozen=True)
class RiskTier:
    """Persons of the scored population by tier, and their share of it (0 to 1)."""

    tier: str
    persons: int
    share: float


@dataclass(frozen=True)
class Backtest:
    """The scorecard a year ago against what followed: AUC beside the least it must reach, who the top 5 % held."""

    scorecard: str
    persons: int
    outcomes: int
    auc: float | None
    bar: float
    recall_top_5_percent: float | None
    hit_rate_top_5_percent: float | None


@dataclass(frozen=True)
class Release:
    """A data set made to leave; `k_measured` is the smallest group that shares its banded fields."""

    release: str
    purpose: str
    rows: int
    rows_left_out: int
    k_asked: int
    k_measured: int


@dataclass(frozen=True)
class LeftOut:
    """Something that this run does not serve, and why."""

    what: str
    why: str


@dataclass(frozen=True)
class Step:
    """Wall and processor seconds of a step, and the highest memory of the process while it ran (bytes)."""

    step: str
    seconds: float
    cpu_seconds: float
    peak_memory: int
