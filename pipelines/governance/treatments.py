"""How a column may pass: a closed list of treatments, each with its SQL."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: What a treatment needs after its name: a whole number, a word of these, or nothing.
_ARGUMENT: dict[str, tuple[str, ...] | type[int] | None] = {
    "drop": None,
    "pseudonymise": None,
    "keep": None,
    "band": int,
    "truncate": ("sector", "district", "month", "year"),
    "to_lsoa": None,
    "to_ward": None,
    "round": int,
    "top_code": int,
    "flag": None,
}
#: Classes of contracts whose values say, alone or with little beside them, who a person is.
TELLING = ("identifier", "name", "birth_date", "contact", "address", "free_text")
_NUMBERS = ("INTEGER", "BIGINT", "DECIMAL", "DOUBLE")
_DATE = ("year", "month")
_POSTCODE: dict[int | str | None, str] = {
    "sector": "^([A-Z0-9]+ ?[0-9])[A-Z][A-Z]$",
    "district": "^([A-Z0-9]+?) ?[0-9][A-Z][A-Z]$",
}


@dataclass(frozen=True)
class Treatment:
    """One treatment as it is written: a name and perhaps an argument, such as `band 5` or `truncate sector`."""

    name: str
    argument: int | str | None = None

    @classmethod
    def read(cls, text: str) -> "Treatment":
        """Raises ValueError, saying what is expected."""
        name, _, rest = text.strip().partition(" ")
        if name not in _ARGUMENT:
            raise ValueError(f"`{text}` is no treatment; one of {', '.join(_ARGUMENT)} is expected")
        wanted = _ARGUMENT[name]
        if wanted is None:
            if rest:
                raise ValueError(f"`{name}` stands alone; take `{rest}` away")
            return cls(name)
        if wanted is int:
            if not re.fullmatch(r"[1-9]\d{0,5}", rest):
                raise ValueError(f"`{name}` needs a whole number, such as `{name} 10`")
            return cls(name, int(rest))
        assert isinstance(wanted, tuple)
        if rest not in wanted:
            raise ValueError(f"`{name}` needs one of {', '.join(wanted)}")
        return cls(name, rest)

    def __str__(self) -> str:
        return self.name if self.argument is None else f"{self.name} {self.argument}"

    def hides(self, personal: str) -> bool:
        """Whether a column of this class may pass so where nobody may be known by it."""
        if personal not in TELLING:
            return True
        fit = {
            "identifier": ("drop", "pseudonymise", "flag"),
            "name": ("drop", "flag"),
            "birth_date": ("drop", "band", "truncate", "flag"),
            "contact": ("drop", "flag"),
            "address": ("drop", "to_lsoa", "to_ward", "truncate", "flag"),
            "free_text": ("drop",),
        }
        return self.name in fit[personal]

    def sql(self, column: str, kind: str) -> str:
        """The SQL of a value of a DuckDB type as it passes, of that same type; NULL where the treatment doesn't fit it.

        A band passes as its lower end, what is above a top code as the top code; `flag` as true, 1 or `yes`. A birth
        date's band is that of an age (`age_sql`), a place passes by how fine it is (`shows_place`).
        """
        by, number = self.argument, kind.startswith(_NUMBERS)
        postcode, shortened = _POSTCODE.get(by) if kind == "VARCHAR" else None, kind == "DATE" and by in _DATE
        fits = {
            ("keep", True): column,
            ("band", number): f"(floor({column} / {by}) * {by})::{kind}",
            ("round", number): f"(round({column} / {by}) * {by})::{kind}",
            ("top_code", number): f"(CASE WHEN {column} >= {by} THEN {by} ELSE {column} END)::{kind}",
            ("flag", number): f"CASE WHEN {column} IS NOT NULL THEN 1::{kind} END",
            ("flag", kind == "BOOLEAN"): f"CASE WHEN {column} IS NOT NULL THEN true END",
            ("flag", kind == "VARCHAR"): f"CASE WHEN {column} IS NOT NULL THEN 'yes' END",
            ("truncate", shortened): f"date_trunc('{by}', {column})::DATE",
            ("truncate", bool(postcode)): f"regexp_extract(upper({column}), '{postcode}', 1)",
        }
        return fits.get((self.name, True), f"NULL::{kind}")

    def shows_place(self, fineness: str) -> bool:
        """Whether an address passes as its `lsoa`, its `ward`, or the `rank` of its small area."""
        return self.name in ("keep", "to_lsoa") or (self.name == "to_ward" and fineness != "lsoa")


def passing_sql(column: str, kind: str, treatments: Iterable[Treatment], pseudonym: str | None = None) -> str:
    """SQL of a value made of columns that are treated so, one treatment after another: each holds of the whole value.

    `pseudonym` is the SQL of what a number passes as; without it a number doesn't pass.
    """
    for how in sorted(set(treatments), key=str):
        if how.name == "pseudonymise":
            column = pseudonym if pseudonym and kind == "VARCHAR" else f"NULL::{kind}"
        else:
            column = how.sql(column, kind)
    return column


def age_sql(birth_date: str, today: str, treatments: Iterable[Treatment]) -> str:
    """SQL of the age in years, where a birth date is treated so: by the widest band, else of a shortened date."""
    told = set(treatments)
    if band := widest_band(told):
        return f"(date_sub('year', {birth_date}, {today}) // {band} * {band})"
    if told - {Treatment("keep"), *(Treatment("truncate", short) for short in _DATE)}:
        return "NULL::BIGINT"
    for short in _DATE:
        if Treatment("truncate", short) in told:
            return f"date_sub('year', date_trunc('{short}', {birth_date})::DATE, {today})"
    return f"date_sub('year', {birth_date}, {today})"


def widest_band(treatments: Iterable[Treatment]) -> int | None:
    """Years of the age band in which birth dates pass; None where they are not banded, or one of them doesn't pass."""
    told = set(treatments)
    if any(how.name in ("drop", "flag") for how in told):
        return None
    return max((int(how.argument or 1) for how in told if how.name == "band"), default=None)


def age_words(age_from: str, years: int) -> str:
    """SQL that says an age band in words: from 90 on all are together."""
    return (
        f"CASE WHEN {age_from} >= 90 THEN '90+' WHEN {age_from} IS NOT NULL "
        f"THEN printf('%02d-%02d', {age_from}, {age_from} + {years - 1}) ELSE 'not known' END"
    )
