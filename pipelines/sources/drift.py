"""How the columns of a file differ from its contract's: added, gone, renamed, moved, of another type.

A file without a header has persons in its first line: names found there are kept in the encrypted file only, and only
where most of the contract's columns stand beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from pipelines.faults import plural
from pipelines.sources.contracts import Table
from pipelines.sources.file_faults import FileRefused
from pipelines.sources.thresholds import RENAMED_SIMILARITY

Kind = Literal["column_added", "column_gone", "column_renamed", "column_twice", "columns_moved", "type_changed"]


@dataclass(frozen=True)
class Drift:
    """One difference: `column` is the contract's, `position` its place in the file from 1, `found` what is there."""

    kind: Kind
    column: str | None = None
    position: int | None = None
    found: str | None = None


class LayoutRefused(FileRefused):
    """A file whose columns aren't the contract's; `drift` says how."""

    def __init__(self, file: str, problem: str, line: int, table: Table, drift: Sequence[Drift]) -> None:
        super().__init__(file, problem, line)
        self.table, self.drift = table, tuple(drift)


def drift_of(table: Table, header: Sequence[str]) -> list[Drift]:
    """What differs between a header and the contract, in the order of the file; an empty list where nothing does."""
    named = [column.name for column in table.in_file]
    is_header = 2 * sum(name in header for name in named) >= len(named)
    gone = [name for name in named if name not in header]
    added = [(place, name) for place, name in enumerate(header, 1) if name not in named]
    found = [
        Drift("column_twice", name, place)
        for place, name in enumerate(header, 1)
        if name in named and name in header[: place - 1]
    ]
    for place, name in added:
        renamed = _renamed(name, place, gone, named) if is_header else None
        if renamed:
            gone.remove(renamed)
        shown = name[:60] if is_header else None
        found.append(Drift("column_renamed" if renamed else "column_added", renamed, place, shown))
    found += [Drift("column_gone", name) for name in gone]
    if not found and list(header) != named:
        moved = next(place for place, (a, b) in enumerate(zip(header, named, strict=True), 1) if a != b)
        found.append(Drift("columns_moved", header[moved - 1], moved))
    return found


def said(drift: Drift) -> str:
    """A difference in words, without names that only the file has."""
    return {
        "column_added": f"has a column that the contract doesn't name (number {drift.position})",
        "column_gone": f"lacks the column {drift.column}",
        "column_renamed": f"lacks the column {drift.column}, which may be number {drift.position} under another name",
        "column_twice": f"has the column {drift.column} twice",
        "columns_moved": f"has its columns in another order, from number {drift.position} on",
        "type_changed": f"column {drift.column} doesn't hold what it did",
    }[drift.kind]


def in_short(drift: Sequence[Drift]) -> str:
    """All differences in one clause."""
    lacking = [d.column for d in drift if d.kind == "column_gone" and d.column]
    renamed = [said(d) for d in drift if d.kind == "column_renamed"]
    twice = sorted({d.column for d in drift if d.kind == "column_twice" and d.column})
    added = [str(d.position) for d in drift if d.kind == "column_added"]
    parts = []
    if lacking:
        parts.append(f"lacks the {_columns(lacking)}")
    parts += renamed
    if twice:
        parts.append(f"has the {_columns(twice)} twice")
    if added:
        numbered = ", ".join(added[:10])
        parts.append(f"has {plural(len(added), 'column')} that the contract doesn't name (number {numbered})")
    return "; ".join(parts)


def _columns(names: Sequence[str]) -> str:
    return f"column{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _renamed(name: str, place: int, gone: Sequence[str], named: Sequence[str]) -> str | None:
    """The missing column that this may be: alike in name, or in the very place where it stood."""
    alike = [(SequenceMatcher(None, name.lower(), other.lower()).ratio(), other) for other in gone]
    close = max(alike, default=(0.0, ""))
    if close[0] >= RENAMED_SIMILARITY:
        return close[1]
    in_place = named[place - 1] if place <= len(named) else None
    return in_place if in_place in gone else None
