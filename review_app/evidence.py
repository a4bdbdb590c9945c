"""Why two records were linked or not, as a running total: from what scoring noted and the run's own model."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linkage_models import thresholds as policy
from linkage_models.models import Model
from linkage_models.person.agreements import agreement, warily_in_words

TITLES = {
    "nino": "National Insurance number",
    "nhs_number": "NHS number",
    "person_number": "Number",
    "birth_date": "Birth date",
    "joint": "Billed together",
    "move": "Moved house",
    "contact": "Phone or email",
}


#: Up to so many records every two are drawn.
GRID = 14


@dataclass(frozen=True)
class Pair:
    """A scored pair of records; `levels` are comparison -> level, as the model numbers them. `clustered` is what
    clustering took it to weigh, `warily` says why that is not its weight."""

    left: str
    right: str
    weight: float
    probability: float | None
    rule: str | None
    tier: str | None
    model_weight: float | None
    levels: Mapping[str, int]
    clustered: float | None = None
    warily: str = ""

    def holds(self, record_id: str) -> bool:
        return record_id in (self.left, self.right)

    def other(self, record_id: str) -> str:
        return self.right if record_id == self.left else self.left


@dataclass(frozen=True)
class Step:
    """A piece of evidence in bits, and the running total after it."""

    name: str
    what: str
    bits: float
    total: float

    @property
    def before(self) -> float:
        return self.total - self.bits


def steps(pair: Pair, model: Model) -> list[Step]:
    """From the odds of any two records to the weight of this pair; what is not known of both weighs nothing and is
    left out. What the levels do not explain is how rare the names are."""
    prior = math.log2(model.prior / (1 - model.prior))
    pieces = [("Before looking", "the odds that any two records are one person", prior)]
    explained = prior
    for name, level in pair.levels.items():
        bits = level_weight(model, name, level)
        explained += bits
        pieces.append((title(name), model.level_words(name, level), bits))
    own = pair.weight if pair.model_weight is None else pair.model_weight
    rarity = own - explained
    if abs(rarity) >= 0.05:
        rare = "rarer than most" if rarity > 0 else "common"
        pieces.append(("How common the values are", f"the names they share are {rare}", rarity))
    base = own
    if pair.tier == "deterministic" and own < policy.DETERMINISTIC_WEIGHT:
        base = policy.DETERMINISTIC_WEIGHT
        pieces.append(("A certain rule", f"they agree on {rule_words(pair.rule)}", base - own))
    if abs(pair.weight - base) >= 0.05:
        pieces.append(("Company", "others who lived with this person moved along", pair.weight - base))
    total, told = 0.0, []
    for name, what, bits in pieces:
        total += bits
        told.append(Step(name, what, bits, total))
    return told


def grid(records: Sequence[str], pairs: Iterable[Pair]) -> list[list[Pair | None]]:
    """Row n: the pairs of record n with each record before it, None where the two were never compared; nothing for two
    records, or more than can be read."""
    if not 2 < len(records) <= GRID:
        return []
    known = {frozenset((pair.left, pair.right)): pair for pair in pairs}
    return [[known.get(frozenset((one, other))) for other in records[:place]] for place, one in enumerate(records)]


def level_weight(model: Model, name: str, level: int) -> float:
    """Bits of a comparison's level; 0 where nothing is known (level -1)."""
    if level < 0:
        return 0.0
    comparison = next(each for each in model.settings["comparisons"] if each["output_column_name"] == name)
    levels = [each for each in comparison["comparison_levels"] if not each.get("is_null_level")]
    found = levels[len(levels) - 1 - level]
    return math.log2(found["m_probability"] / found["u_probability"])


def title(name: str) -> str:
    return TITLES.get(name, name.replace("_", " ").capitalize())


def rule_words(rule: str | None) -> str:
    try:
        return agreement(rule) if rule else "something else"
    except KeyError:
        return rule.replace("_", " ") if rule else "something else"


def odds(weight: float) -> str:
    """`about 16 to 1 for`, `about 4 to 1 against`, `even`."""
    if abs(weight) < 0.5:
        return "about even"
    ratio = 2 ** min(abs(weight), 40)
    told = "more than a million" if ratio > 1e6 else f"about {_rounded(ratio):,}"
    return f"{told} to 1 {'for' if weight > 0 else 'against'} one person"


def chance(probability: float) -> str:
    """`76 %`; nothing is ever wholly sure."""
    share = round(probability * 100)
    return "over 99 %" if share > 99 else "under 1 %" if share < 1 else f"{share} %"


def _rounded(ratio: float) -> int:
    digits = max(len(str(int(ratio))) - 2, 0)
    return max(int(round(ratio, -digits)), 1)


#: Geometry of the drawing, in units of its own view box.
LABEL, WIDTH, ROW, TOP = 190, 720, 26, 22


def drawing(told: list[Step]) -> dict[str, Any]:
    """The waterfall as places to draw at: bars from one running total to the next, and where even odds lie."""
    totals = [0.0] + [step.total for step in told]
    low, high = min(totals), max(totals)
    scale = (WIDTH - LABEL - 70) / ((high - low) or 1.0)

    def x(value: float) -> float:
        return round(LABEL + (value - low) * scale, 1)

    bars = [
        {
            "name": step.name,
            "bits": f"{step.bits:+.1f}",
            "for": step.bits >= 0,
            "x": min(x(step.before), x(step.total)),
            "width": max(round(abs(x(step.total) - x(step.before)), 1), 1.5),
            "y": TOP + ROW * place,
            "end": x(step.total),
            "text": max(x(step.before), x(step.total)) + 6,
        }
        for place, step in enumerate(told)
    ]
    total = told[-1].total
    bars.append(
        {
            "name": "Together",
            "bits": f"{total:+.1f}",
            "for": total >= 0,
            "x": min(x(0.0), x(total)),
            "width": max(round(abs(x(total) - x(0.0)), 1), 1.5),
            "y": TOP + ROW * len(bars) + 6,
            "end": x(total),
            "text": max(x(0.0), x(total)) + 6,
        }
    )
    bottom = TOP + ROW * len(bars) + 6
    return {
        "bars": bars,
        "zero": x(0.0),
        "height": bottom + 30,
        "bottom": bottom,
        "width": WIDTH,
        "total": x(totals[-1]),
    }


def of_row(row: Mapping[str, Any]) -> Pair:
    """A pair of review.pair or linkage.edge."""
    levels = {
        name.removeprefix("gamma_"): int(value)
        for name, value in row.items()
        if name.startswith("gamma_") and value is not None and value >= 0
    }
    return Pair(
        row["record_l"],
        row["record_r"],
        float(row["match_weight"]),
        row.get("match_probability"),
        row.get("match_key"),
        row.get("tier"),
        row.get("model_weight"),
        levels,
        row.get("clustered_weight"),
        warily_in_words(row["wary_bits"], row["wary_bar"], row["wary_rivals"])
        if row.get("wary_bar") is not None
        else "",
    )
