"""What the readiness section shows, apart from how: typed, JSON-able, counts and words only."""

from dataclasses import dataclass

from linkage_models.readiness.fields import FIELDS
from pipelines.linkage.certainty import calibration_of
from pipelines.readiness.thresholds import FEW_LINKS
from pipelines.warehouse import Warehouse

WORDS = {field.name: field.words for field in FIELDS}


@dataclass(frozen=True)
class SourceReadiness:
    """`recall` is the expected share of the source's true pairs that are linked, `compared` of those that blocking
    compares, `filled` the share of records that hold each field: all 0 to 1. `twins` and `collisions` count records."""

    source: str
    records: int
    persons: int
    unlinkable: int
    linked: int
    missed: float
    recall: float | None
    compared: float | None
    addresses: int | None
    placed: int | None
    twins: int
    collisions: int
    filled: dict[str, float]


@dataclass(frozen=True)
class PairReadiness:
    """`recall` lies nine times in ten between `low` and `high`: chance, and how far forecasts were off."""

    source_l: str
    source_r: str
    linked: int
    missed: float
    recall: float
    low: float | None = None  # a run of before ranges were told has none
    high: float | None = None


@dataclass(frozen=True)
class GroupReadiness:
    grouping: str
    group: str
    records: int
    unlinkable: int
    missed: float
    recall: float | None


@dataclass(frozen=True)
class Mend:
    """Filling in `field` in `rows` named rows of a source is foretold to win `links`, nine times in ten `low` to
    `high`; `lacking` rows lack it in all."""

    rank: int
    rank_in_source: int
    source: str
    field: str
    held: int
    lacking: int
    rows: int
    links: float
    low: float | None  # a run of before ranges were told has none
    high: float | None

    @property
    def words(self) -> str:
        return WORDS[self.field]

    @property
    def links_in_words(self) -> str:
        """About how many; of few, a range alone."""
        if not self.rows:
            return "0"
        if self.low is None or self.high is None:
            return f"{round(self.links):,}"
        low, high = round(self.low), max(round(self.high), 1)
        return f"{low:,} to {high:,}" if self.links < FEW_LINKS else f"{round(self.links):,} ({low:,} to {high:,})"


@dataclass(frozen=True)
class BlockingRule:
    rule: str
    pairs: int
    largest_block: int
    note: str | None


@dataclass(frozen=True)
class ReadinessData:
    """Empty where nothing was linked. `calibrated` says whether the model's weights were ever held against a truth: if
    not, recall and links are an order of what is worse and what comes first, not shares."""

    recall: float | None = None
    compared: float | None = None
    sources: tuple[SourceReadiness, ...] = ()
    pairs: tuple[PairReadiness, ...] = ()
    groups: tuple[GroupReadiness, ...] = ()
    mends: tuple[Mend, ...] = ()
    rules: tuple[BlockingRule, ...] = ()
    calibrated: bool = True

    @property
    def largest_block(self) -> BlockingRule | None:
        return max(self.rules, key=lambda rule: (rule.largest_block, rule.rule), default=None)

    def least_linkable(self, few: int = 3) -> list[GroupReadiness]:
        """Of each grouping, the groups of which most links are missed, if others fare better."""
        found = []
        for grouping in dict.fromkeys(each.grouping for each in self.groups):
            told = [each for each in self.groups if each.grouping == grouping and each.recall is not None]
            if len(told) > 1:
                found += sorted(told, key=lambda each: (each.recall or 0.0, each.group))[:few]
        return found


def readiness_data(wh: Warehouse, catalog: str = "published") -> ReadinessData:
    """The readiness of a snapshot."""
    quality = f"{catalog}.quality.readiness"
    if not wh.exists(f"{quality}_source"):
        return ReadinessData()
    compared = dict(wh.rows(f"SELECT source, compared FROM {quality}_blocking"))
    columns = "source, records, persons, unlinkable, linked, missed, recall, addresses, placed, twins, collisions"
    sources = tuple(
        SourceReadiness(*row[:7], compared.get(row[0]), *row[7:11], dict(zip(WORDS, row[11:], strict=True)))  # type: ignore[call-arg]
        for row in wh.rows(f"SELECT {columns}, {', '.join(WORDS)} FROM {quality}_source ORDER BY source")
    )
    pairs = tuple(PairReadiness(*row) for row in wh.rows(f"FROM {quality}_pair ORDER BY source_l, source_r"))
    groups = "SELECT grouping, name, records, unlinkable, missed, recall"
    rule, rules = "SELECT rule, pairs, largest_block, note", f"{catalog}.linkage.blocking_rule"
    ranges = "low, high" if "low" in wh.columns(f"{quality}_mend") else "NULL, NULL"
    linked, missed = sum(pair.linked for pair in pairs), sum(pair.missed for pair in pairs)
    return ReadinessData(
        linked / (linked + missed) if linked + missed else None,
        compared.get(""),
        sources,
        pairs,
        tuple(GroupReadiness(*row) for row in wh.rows(f"{groups} FROM {quality}_group ORDER BY ALL")),
        tuple(
            Mend(*row)
            for row in wh.rows(
                f"SELECT rank, rank_in_source, source, field, held, lacking, rows, links, {ranges}"
                f" FROM {quality}_mend ORDER BY rank"
            )
        ),
        tuple(BlockingRule(*row) for row in wh.rows(f"{rule} FROM {rules} ORDER BY rule")) if wh.exists(rules) else (),
        calibration_of(wh, catalog).labels > 0,
    )
