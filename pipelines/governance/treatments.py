"""How a column may pass: a closed list of treatments, each with its SQL."""

import re
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

    def sql(self, column: str) -> str | None:
        """The SQL of a treated column; None where it goes (drop) or only a key can treat it (pseudonymise).

        `band`, `round` and `top_code` take a number (an age, an amount); `to_lsoa` and `to_ward` read the columns
        `lsoa` and `ward` beside it.
        """
        by = self.argument
        expressions = {
            "keep": column,
            "band": f"CASE WHEN {column} IS NOT NULL THEN printf('%02d-%02d', {column} // {by} * {by}, "
            f"{column} // {by} * {by} + {by} - 1) END",
            "round": f"(round({column} / {by}) * {by})::BIGINT",
            "top_code": f"CASE WHEN {column} >= {by} THEN '{by}+' ELSE {column}::VARCHAR END",
            "flag": f"({column} IS NOT NULL)",
            "to_lsoa": "lsoa",
            "to_ward": "ward",
        }
        if self.name == "truncate":
            return {
                "sector": f"regexp_extract(upper({column}), '^([A-Z0-9]+ ?[0-9])[A-Z][A-Z]$', 1)",
                "district": f"regexp_extract(upper({column}), '^([A-Z0-9]+?) ?[0-9][A-Z][A-Z]$', 1)",
                "month": f"strftime({column}, '%Y-%m')",
                "year": f"strftime({column}, '%Y')",
            }[str(by)]
        return expressions.get(self.name)
