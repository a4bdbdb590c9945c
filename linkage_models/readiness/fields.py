"""The fields that a source can mend, and what each is worth to a pair of records that both hold it."""

import math
from dataclasses import dataclass
from typing import Any

from linkage_models.models import Model
from linkage_models.thresholds import WEIGHT_CAP

SAME_HOME = "same home"


@dataclass(frozen=True)
class Field:
    """`lacking` is a condition on a record of people.record (r): it does not hold the field in a usable form.

    `comparison` is the one that falls silent without it; `best` how its best level begins, in words.
    """

    name: str
    words: str
    comparison: str
    lacking: str
    best: str


FIELDS = (
    Field("birth_date", "full date of birth", "birth_date", "r.birth_date IS NULL OR r.weak_birth_date", "same birth"),
    Field("forename", "full forename", "forename", "r.forename IS NULL OR length(r.forename) = 1", "same forename"),
    Field(
        "home",
        "address that the gazetteer knows",
        "home",
        "r.home_key IS NULL OR starts_with(r.home_key, '~')",
        "same surname, same home",
    ),
    Field("nino", "National Insurance number", "nino", "r.nino IS NULL AND NOT r.is_child", "same national"),
    Field("nhs_number", "NHS number", "nhs_number", "r.nhs_number IS NULL", "same NHS"),
    Field(
        "contact",
        "phone number or e-mail address",
        "contact",
        "r.phone IS NULL AND r.email IS NULL",
        "same e-mail or mobile",
    ),
    Field("sex", "sex", "sex", "r.sex IS NULL", "same sex"),
)


@dataclass(frozen=True)
class Worth:
    """What a field says in a model. `outcomes` are the levels that two records of one person reach once both hold it,
    as (share of such pairs, bits), `top` the bits where they agree. `now` is SQL over a scored pair: the bits that it
    has on the field already, and `beside`, what agreement takes away elsewhere; both 0 for a pair not compared. Where
    the SQL `stays` holds, the pair is no other, whatever is filled in."""

    field: Field
    top: float
    outcomes: tuple[tuple[float, float], ...]
    now: str
    beside: str = "0"
    stays: str = "false"


def levels_of(model: Model, comparison: str) -> list[dict[str, Any]]:
    """The levels of a comparison as Splink numbers them: the place in the list is gamma."""
    (found,) = (each for each in model.settings["comparisons"] if each["output_column_name"] == comparison)
    return [level for level in reversed(found["comparison_levels"]) if not level.get("is_null_level")]


def bits(level: dict[str, Any]) -> float:
    """The match weight of a level, at the frequency of the average value."""
    return math.log2(level["m_probability"] / level["u_probability"])


# Levels that so small a share of true pairs reach change no forecast.
_LEAST_SHARE = 0.002
# Follows from one birth date and what the other record does.
_CHILD = ("one is a child", "one was a child")
# A forename says the sex with it: where forenames agree, the model does not ask for the sex.
_SAYS_SEX = ("same forename", "forenames of one root")


def worth(model: Model, field: Field) -> Worth | None:
    """What the field is worth in the model; None if the model does not compare it."""
    if field.comparison not in model.comparisons:
        return None
    levels = levels_of(model, field.comparison)
    best = next((level for level in reversed(levels) if level["label_for_charts"].startswith(field.best)), None)
    if best is None:
        return None
    if field.name == "home":
        return _home(field, levels)
    told = [level for level in levels if level["m_probability"] >= _LEAST_SHARE]
    if not told:
        return None
    whole = sum(level["m_probability"] for level in told)
    outcomes = tuple((level["m_probability"] / whole, bits(level)) for level in told)
    beside = _twins(model) if field.name == "birth_date" else "0"
    now = by_gamma(field.comparison, dict(enumerate(map(bits, levels))))
    stays = _at(model, field.comparison, *_CHILD)
    if field.name == "sex":
        stays = f"{stays} OR {_at(model, 'forename', *_SAYS_SEX)}"
    return Worth(field, bits(best), outcomes, now, beside, stays)


def _home(field: Field, levels: list[dict[str, Any]]) -> Worth:
    """A home tells by itself and by the surname beside it: a pair moves up to the level of its surnames in one home,
    as often as records of one person share a home."""
    words = [level["label_for_charts"] for level in levels]
    same = sum(level["m_probability"] for level in levels if SAME_HOME in level["label_for_charts"])

    def won(gamma: int) -> float:
        said = words[gamma]
        begins = next(
            (each for each in ("surnames alike", "different surnames") if said.startswith(each)), "same surname"
        )
        up = next((level for level in levels if level["label_for_charts"] == f"{begins}, {SAME_HOME}"), levels[gamma])
        return max(bits(up) - bits(levels[gamma]), 0.0)

    now = by_gamma(field.comparison, {gamma: -won(gamma) for gamma in range(len(levels))})
    return Worth(field, 0.0, ((same, 0.0), (1 - same, -WEIGHT_CAP)), now)


def _twins(model: Model) -> str:
    """SQL: one birth date in one home speaks for twins where forenames differ, and takes back what it gives."""
    if not {"home", "forename"} <= set(model.comparisons):
        return "0"
    names = levels_of(model, "forename")
    twin = next((bits(level) for level in names if "as twins have" in level["label_for_charts"]), None)
    homes = [gamma for gamma, level in enumerate(levels_of(model, "home")) if SAME_HOME in level["label_for_charts"]]
    apart = (
        {g: twin - bits(level) for g, level in enumerate(names) if "different forenames" in level["label_for_charts"]}
        if (twin is not None)
        else {}
    )
    if not apart or not homes:
        return "0"
    return f"CASE WHEN gamma_home IN ({', '.join(map(str, homes))}) THEN {by_gamma('forename', apart)} ELSE 0 END"


def _at(model: Model, comparison: str, *begins: str) -> str:
    """SQL: the pair stands at a level whose words begin so."""
    if comparison not in model.comparisons:
        return "false"
    levels = levels_of(model, comparison)
    found = [str(gamma) for gamma, level in enumerate(levels) if level["label_for_charts"].startswith(begins)]
    return f"coalesce(gamma_{comparison} IN ({', '.join(found)}), false)" if found else "false"


def by_gamma(comparison: str, values: dict[int, float]) -> str:
    """SQL over a scored pair: the value of its level, 0 at any other."""
    cases = " ".join(f"WHEN {gamma} THEN {value!r}" for gamma, value in values.items())
    return f"CASE gamma_{comparison} {cases} ELSE 0 END"
