"""XML as systems write it: elements in order, empty ones left out."""

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape, quoteattr

from synthetic_data.extracts.delivery import ExtractFile


def element(name: str, fields: Mapping[str, object], inner: str = "", **attributes: str) -> str:
    """One element: its fields as child elements, then what `inner` holds; a field without a value is left out."""
    stated = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    held = "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in fields.items() if value not in (None, ""))
    return f"<{name}{stated}>{held}{inner}</{name}>"


def xml_file(name: str, root: str, header: str, rows: Iterable[str], count: int) -> ExtractFile:
    """A whole document: declaration, root, header, one row element a line; `count` says the rows of all its tables."""
    text = "\n".join(['<?xml version="1.0" encoding="utf-8"?>', f"<{root}>", header, *rows, f"</{root}>", ""])
    return ExtractFile(name, text.encode("utf-8"), count)
