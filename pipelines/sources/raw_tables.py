"""A file's table as it was read: all text, before any type; and which column of the file is which."""

from dataclasses import dataclass

from pipelines.faults import plural
from pipelines.sources.contracts import Table
from pipelines.sources.file_faults import FileRefused, Inspected


@dataclass(frozen=True)
class Broken:
    """A line that doesn't parse into the table's columns; `record` counts data records from 1.

    `text` is the line where the format has lines of its own; `line` its number where the reader knows it.
    """

    record: int
    reason: str
    text: str | None
    line: int | None = None


@dataclass(frozen=True)
class RawTable:
    """A table as text: its name in memory, how to number its records, and the lines left out.

    `line` names the column that holds each row's line in the file, where the reader knows it.
    """

    table: Table
    file: Inspected
    name: str
    record: str
    rows: int
    broken: tuple[Broken, ...]
    notes: tuple[str, ...] = ()
    line: str | None = None


def columns_in_order(table: Table, file: Inspected, header: list[str], line: int = 1) -> list[str]:
    """Staged names in the order of the file. Raises FileRefused unless the header holds the contract's columns."""
    staged = {column.name: column.staged for column in table.columns}
    twice = sorted({name for name in header if header.count(name) > 1 and name in staged})
    missing = [name for name in staged if name not in header]
    extra = len([name for name in header if name not in staged])
    if not (twice or missing or extra):
        return [staged[name] for name in header]
    said = []
    if missing:
        said.append(f"lacks the {_columns(missing)}")
    if twice:
        said.append(f"has the {_columns(twice)} twice")
    if extra:  # their names aren't shown: a file without a header has persons there
        places = [str(at) for at, name in enumerate(header, 1) if name not in staged]
        said.append(f"has {plural(extra, 'column')} that the contract doesn't name (number {', '.join(places[:10])})")
    raise FileRefused(
        file.name, f"{'; '.join(said)}; correct the extract, or the contract if the layout changed", line=line
    )


def _columns(names: list[str]) -> str:
    return f"column{'s' if len(names) > 1 else ''} {', '.join(names)}"
