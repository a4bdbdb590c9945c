"""A second look at what leaves: values that have the shape of an identifier, under whatever name the column goes."""

import polars as pl

from pipelines.releases.sets import ReleaseRefused

_SHAPES = {
    "a postcode": r"(?i)^[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$",
    "a National Insurance number": r"(?i)^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:[0-9]{2} ?){3}[A-D]$",
    "an NHS number": r"^[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}$",
    "a UPRN": r"^[0-9]{11,12}$",
    "an e-mail address": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "a telephone number": r"^(?:\+44|0)[0-9 ]{9,12}$",
    "a date of a day": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}|^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$",
}


def require_no_identifiers(rows: pl.DataFrame) -> None:
    """Raise ReleaseRefused, naming column and shape but no value, if any value looks like an identifier."""
    for name in rows.columns:
        values = rows[name].explode() if isinstance(rows[name].dtype, pl.List) else rows[name]
        if values.dtype in (pl.Date, pl.Datetime):
            raise ReleaseRefused(f"`{name}` holds a date of a day: only months may leave.")
        if values.dtype != pl.String and not values.dtype.is_integer():
            continue
        distinct = values.unique().drop_nulls().cast(pl.String)
        for shape, pattern in _SHAPES.items():
            if distinct.str.contains(pattern).any():
                raise ReleaseRefused(
                    f"`{name}` holds {shape}: nothing like that may leave, whatever the column is called."
                )
