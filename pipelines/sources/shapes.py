"""What a column of text looks like: the type that its values fit, never a value of it."""

from dataclasses import dataclass
from typing import Literal

from pipelines.sources.thresholds import SHAPE_FIT, YEARS_ALONE
from pipelines.warehouse import Warehouse

#: Ways of writing a date that extracts use, the British ones first; where several fit, the first does.
DATE_FORMATS = (
    "%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%Y%m%d", "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y", "%d/%m/%y", "%Y/%m/%d",
    "%Y.%m.%d", "%Y年%m月%d日", "%m-%d-%Y",
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """A type that fits the values, and for dates how they are written, some as `years` alone; `filled` of `rows` hold
    one."""

    type: Literal["text", "integer", "bigint", "decimal", "date"]
    date_format: str | None
    rows: int
    filled: int
    distinct: int
    longest: int
    years: bool = False

    @property
    def words(self) -> str:
        if self.type == "date":
            return f"dates written {self.date_format}" + (" or as a year alone" if self.years else "")
        return {"integer": "whole numbers", "bigint": "whole numbers", "decimal": "numbers"}.get(self.type, "text")


def shape_of(wh: Warehouse, table: str, column: str) -> Shape:
    """The shape of a text column of a raw table."""
    values = f"""FROM (SELECT nullif(trim("{column}"), '') AS v FROM {table})"""
    rows, filled, distinct, longest, whole, wide, zeros, number, like_dates, years = wh.rows(
        f"""-- one row: how many values of the column fit each type
        SELECT count(*), count(v), count(DISTINCT v), coalesce(max(length(v)), 0),
               count(*) FILTER (regexp_full_match(v, '[+-]?[0-9]{{1,18}}')),
               count(*) FILTER (regexp_full_match(v, '[+-]?[0-9]{{10,18}}')),
               count(*) FILTER (regexp_full_match(v, '[+-]?0[0-9]+')),
               count(*) FILTER (regexp_full_match(v, '[+-]?[0-9]*\\.?[0-9]+')),
               count(*) FILTER (regexp_matches(v, '^[0-9]{{1,4}}[-/. 年]|^[0-9]{{8}}$')),
               count(*) FILTER (regexp_full_match(v, '1[5-9][0-9]{{2}}|20[0-9]{{2}}')) {values}"""
    )[0]
    found = (rows, filled, distinct, longest)
    enough = SHAPE_FIT * filled
    if filled and like_dates + years >= enough and like_dates >= years:  # seldom: every form costs ten times the rest
        dated = _dated(wh, values)
        best = max(range(len(dated)), key=lambda at: (dated[at], -at))
        if dated[best] + years >= enough and dated[best] >= years:
            return Shape("date", DATE_FORMATS[best], *found, years=years >= YEARS_ALONE * filled)
    if filled and whole >= enough and not zeros:
        return Shape("bigint" if wide else "integer", None, *found)
    if filled and number >= enough and not zeros:
        return Shape("decimal", None, *found)
    return Shape("text", None, *found)


def _dated(wh: Warehouse, values: str) -> tuple[int, ...]:
    """How many of the values are dates of each form."""
    counts = ", ".join(
        f"count(*) FILTER (regexp_full_match(v, '{_form(form)}') AND try_strptime(v, '{form}') IS NOT NULL)"
        for form in DATE_FORMATS
    )
    ((*found,),) = wh.rows(f"-- one row: how many values are dates of each form\nSELECT {counts} {values}")
    return tuple(found)


def _form(form: str) -> str:
    """A date format as a pattern of its digits: strptime alone takes 2-digit years for 4."""
    parts = {"%Y": "[0-9]{4}", "%y": "[0-9]{2}", "%b": "[A-Za-z]{3}", "%B": "[A-Za-z]+"}
    for sign, pattern in parts.items():
        form = form.replace(sign, pattern)
    for sign in ("%d", "%m", "%H", "%M", "%S"):
        form = form.replace(sign, "[0-9]{1,2}")
    return form.replace(".", "[.]")
