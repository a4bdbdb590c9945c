"""How far a record could get: the weight of a pair with a perfect copy of itself.

A record that stays below the link threshold even so can be linked by nobody: it says too little. (Splink calls such
records unlinkables.)
"""

import math

from linkage_models.models import Model
from linkage_models.readiness.fields import bits, levels_of

# What a record must hold to reach a level, best first: condition on a record r, and how the level begins.
_REACHED: dict[str, tuple[tuple[str, str], ...]] = {
    "forename": (("length(r.forename) > 1", "same forename"), ("r.forename IS NOT NULL", "both give the same initial")),
    "home": (
        ("r.surname_key IS NOT NULL AND r.home_key IS NOT NULL", "same surname, same home"),
        ("r.surname_key IS NOT NULL AND r.postcode IS NOT NULL", "same surname, same postcode"),
        ("r.surname_key IS NOT NULL", "same surname, address of one"),
    ),
    "middle": (("length(r.middle) > 1", "same middle"), ("r.middle IS NOT NULL", "middle names share")),
    "birth_date": (
        ("r.birth_date IS NOT NULL AND NOT r.weak_birth_date", "same birth date"),
        ("r.birth_date IS NOT NULL", "same birth date, 1 January"),
    ),
    "contact": (("r.phone IS NOT NULL OR r.email IS NOT NULL", "same e-mail or mobile"),),
    # a forename says the sex with it
    "sex": (("r.sex IS NOT NULL AND coalesce(length(r.forename), 0) <= 1", "same sex"),),
    "nino": (("r.nino IS NOT NULL", "same"),),
    "nhs_number": (("r.nhs_number IS NOT NULL", "same"),),
}
# Evidence of two records beside each other, which no record has by itself.
_BETWEEN = frozenset({"move", "joint"})


def reach_sql(model: Model, columns: frozenset[str]) -> str:
    """SQL over a record r of people.record: the match weight of a pair with its copy, in bits. `columns` are those of
    people.record; a comparison of another design counts in full where its column of that name is filled."""
    parts = [repr(math.log2(model.prior / (1 - model.prior)))]
    for comparison in model.comparisons:
        if comparison in _BETWEEN:
            continue
        levels = levels_of(model, comparison)
        reached = _REACHED.get(comparison)
        if reached is None:
            reached = ((f"r.{comparison} IS NOT NULL", ""),) if comparison in columns else ()
        cases = ""
        for condition, begins in reached:
            weights = [bits(level) for level in levels if level["label_for_charts"].startswith(begins)]
            cases += f" WHEN {condition} THEN {max(weights, default=max(map(bits, levels)))!r}"
        if cases:
            parts.append(f"CASE{cases} ELSE 0 END")
    return " + ".join(parts)
