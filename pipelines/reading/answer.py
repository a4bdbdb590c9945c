"""What a reading command says, and how it is shown: tables for people, plain data for scripts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Title, columns, rows.
Table = tuple[str, Sequence[str], Sequence[Sequence[Any]]]
#: Characters up to which the first column of a table is never folded.
LONGEST_NAME = 24


@dataclass(frozen=True)
class Answer:
    """What a reading command says: a sentence or two, tables, and what scripts get beside them."""

    said: Sequence[str] = ()
    tables: Sequence[Table] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        named = {title: [dict(zip(columns, row, strict=True)) for row in rows] for title, columns, rows in self.tables}
        return {"said": list(self.said)} | dict(self.data) | named

    def print(self) -> None:
        from rich.console import Console
        from rich.table import Table

        console = Console(highlight=False, width=None if Console().is_terminal else 140)
        for line in self.said:
            console.print(line, markup=False)
        for title, columns, rows in self.tables:
            table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
            for place, column in enumerate(columns):
                numeric = bool(rows) and all(isinstance(row[place], int | float) for row in rows)
                # what a row is called stays whole, where it is short enough
                least = min(max(len(_text(row[0])) for row in rows), LONGEST_NAME) if rows and place == 0 else None
                table.add_column(column, justify="right" if numeric else "left", overflow="fold", min_width=least)
            for row in rows:
                table.add_row(*(_text(value) for value in row))
            console.print()
            console.print(table)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "" if value is None else str(value)
