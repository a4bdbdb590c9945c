"""What a table of a source about properties, streets or areas must keep to: such a source names nobody."""

from collections.abc import Iterator

from pipelines.sources.contracts import Table

#: What tells of a person; a column of such a class stands in no feed about places, unless it is read over.
_OF_PEOPLE = ("identifier", "name", "birth_date", "contact", "sensitive", "free_text")
_TYPES = {"uprn": ("bigint",), "usrn": ("integer", "bigint"), "area": ("text",)}


def place_mistakes(table: Table, level: str) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where in the table, and what is wrong, in words."""
    if level == "person":
        if table.place is not None:
            yield ("place",), "is for sources about properties, streets or areas; state that `level`, or leave it out"
        return
    if table.slot is not None or table.maps is not None:
        yield ("slot" if table.maps is None else "maps",), f"names persons, but the source is of the level {level}"
    for number, column in enumerate(table.columns):
        if column.keep and column.personal in _OF_PEOPLE:
            said = f"is a {column.personal.replace('_', ' ')}, but a source of the level {level} names nobody"
            yield ("columns", number), f"{said}; leave it out, or state `keep: false`"
    if table.place is None:
        return
    scheme, name = table.place.scheme, table.place.column
    held = next((column for column in table.columns if column.staged == name and column.keep), None)
    if held is None:
        yield ("place", scheme), f"names `{name}`, which is no kept column of the table; use the names after `as:`"
        return
    if name not in table.key:
        yield ("place", scheme), f"names `{name}`, which is not in the `key`: the table is keyed on its place"
    if held.type not in _TYPES[scheme]:
        yield ("place", scheme), f"names `{name}` of type {held.type}; it must be {' or '.join(_TYPES[scheme])}"
