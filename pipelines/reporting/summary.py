"""What the parts add up to: the headline figures that page and terminal share."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from pipelines.reporting.figures import WIDEST_VIEW, Figures
from pipelines.reporting.rows import AddressMatch, View

#: Methods that leave an address without a UPRN.
UNSETTLED = frozenset({"building", "ambiguous", "unmatched", "no_address"})


@dataclass(frozen=True)
class SourceTotal:
    """A source over its tables."""

    source: str
    extract_date: date
    tables: int
    records: int
    set_aside: int
    value_faults: int


@dataclass(frozen=True)
class AddressTotal:
    """Addresses of a source; those with only a postcode can't be matched and are counted apart."""

    source: str
    matched: int
    with_address: int
    postcode_only: int


def source_totals(figures: Figures) -> list[SourceTotal]:
    """Sources by name, each with the date of its newest extract."""
    values: dict[str, int] = defaultdict(int)
    for fault in figures.faults.rows:
        values[fault.source] += fault.count if fault.kind == "value" else 0
    found = []
    for source in sorted({table.source for table in figures.sources.rows}):
        tables = [table for table in figures.sources.rows if table.source == source]
        newest = max(table.extract_date for table in tables)
        records = sum(table.records for table in tables)
        aside = sum(table.set_aside for table in tables)
        found.append(SourceTotal(source, newest, len(tables), records, aside, values[source]))
    return found


def address_totals(figures: Figures) -> list[AddressTotal]:
    found = []
    for source in sorted({match.source for match in figures.addresses.rows}):
        rows = [match for match in figures.addresses.rows if match.source == source]
        only = sum(match.addresses for match in rows if match.method == "no_address")
        found.append(AddressTotal(source, _settled(rows), sum(match.addresses for match in rows) - only, only))
    return found


def widest(figures: Figures) -> View | None:
    """The view that reads every source, or else the one with the most records."""
    by_size = sorted(figures.views.rows, key=lambda view: (view.view != WIDEST_VIEW, -view.records, view.view))
    return by_size[0] if by_size else None


def links(figures: Figures) -> int:
    return sum(band.links for band in figures.links.rows)


def flagged(figures: Figures) -> tuple[int, float]:
    """Flagged pairs and the pounds that looking at them may keep; explained ones are not flagged."""
    pairs = [pair for pair in figures.flagged.rows if pair.strength != "explained"]
    return sum(pair.pairs for pair in pairs), sum(pair.expected for pair in pairs)


def _settled(rows: list[AddressMatch]) -> int:
    return sum(match.addresses for match in rows if match.method not in UNSETTLED)
