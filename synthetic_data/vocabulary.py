"""Which names exist, and how often: pools by group, sex and year of birth.

British surnames: Faker's 500 carry about 40 % of people (their weights are per cent), the rest is a long tail whose
frequencies fall as one over the rank, which gives a most common name near 1.2 % and many thousand rare ones.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from synthetic_data.randomness import stream, weighted

Text = NDArray[np.object_]

FORENAME_SLOPE = 0.62  # falls like this power of the rank: the top British name of a cohort stays near 5 %
FORENAME_TAIL = 0.16  # share of British births outside the cohort's own list
TAIL_START = 0.00030  # share of the first surname beyond Faker's, about rank 500 in Britain
FAKER_SURNAMES = {
    "polish": "pl_PL.unisex_last_names",
    "czech": "cs_CZ.last_names_male",
    "indian": "en_IN.last_names",
    "african": "yo_NG.last_names tw_GH.last_names",
    "european": "it_IT.last_names ro_RO.last_names pt_PT.last_names",
}
FAKER_FORENAMES = {
    "polish": "pl_PL",
    "czech": "cs_CZ",
    "indian": "en_IN",
    "european": "ro_RO it_IT",
    "british": "en_GB en_IE",
}


@dataclass(frozen=True)
class Pool:
    """Words with weights."""

    words: Text
    weights: NDArray[np.float64]

    def draw(self, rng: np.random.Generator, size: int) -> Text:
        return self.words[weighted(rng, self.weights, size)]


@cache
def names() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "names.yaml").read_text(encoding="utf-8"))
    return loaded


def faker_list(locale: str, attribute: str) -> list[str]:
    """A Faker provider's vocabulary in its own order, without titles or other scripts."""
    provider = import_module(f"faker.providers.person.{locale}").Provider
    words = getattr(provider, attribute, ())
    return [word for word in dict.fromkeys(words) if re.fullmatch(r"[A-Za-zÀ-ž' -]{2,20}", word) and " " not in word]


def rank_weights(count: int, slope: float) -> NDArray[np.float64]:
    weights: NDArray[np.float64] = np.arange(1, count + 1, dtype=float) ** -slope
    return weights / weights.sum()


def headed(head: list[str], tail: list[str], slope: float, tail_share: float) -> Pool:
    """A ranked list that carries most of the weight, and a tail that shares the rest."""
    head = list(dict.fromkeys(head))
    tail = [word for word in dict.fromkeys(tail) if word not in set(head)]
    share = tail_share if tail else 0.0
    weights = rank_weights(len(head), slope) * (1 - share)
    if tail:
        weights = np.concatenate([weights, rank_weights(len(tail), 0.5) * share])
    return Pool(np.array(head + tail, dtype=object), weights)


@cache
def british_surnames() -> Pool:
    from faker.providers.person.en_GB import Provider

    common = {word: float(weight) / 100 for word, weight in sorted(Provider.last_names.items())}
    parts = names()["surname_morphemes"]
    joined = [a + b for a in parts["first"].split() for b in parts["last"].split() if a[-1].lower() != b[0]]
    irish = [p + s for p in names()["irish_prefixes"] for s in names()["irish_stems"].split()]
    irish = list(dict.fromkeys(irish + faker_list("en_IE", "last_names")))
    tail = [word for word in dict.fromkeys(irish + joined) if word not in common]
    place = stream(0, "surname tail").random(len(tail)) * np.where(np.arange(len(tail)) < len(irish), 0.6, 1.0)
    tail = [tail[i] for i in np.argsort(place, kind="stable")]
    weights = TAIL_START * 500 / (500 + np.arange(len(tail), dtype=float))
    weights *= (1 - sum(common.values())) / weights.sum()
    return Pool(np.array(list(common) + tail, dtype=object), np.concatenate([np.array(list(common.values())), weights]))


@cache
def surname_pool(pool: str) -> Pool:
    """Surnames of one pool; masculine form where the form depends on sex."""
    if pool == "british":
        return british_surnames()
    own = names()["pools"][pool]["surnames"].split()
    tail: list[str] = []
    for source in FAKER_SURNAMES.get(pool, "").split():
        tail += faker_list(*source.split("."))
    return headed(own, tail, 0.6, 0.55 if tail else 0.0)


@cache
def forename_pool(pool: str, sex: str, cohort: int) -> Pool:
    """Forenames of one pool and sex; British ones by cohort (the year that it starts)."""
    attribute = "first_names_male" if sex == "M" else "first_names_female"
    tail = [word for locale in FAKER_FORENAMES.get(pool, "").split() for word in faker_list(locale, attribute)]
    if pool != "british":
        return headed(names()["pools"][pool][sex].split(), tail, 0.45, 0.15 if tail else 0.0)
    rare = names()["british_tail"][sex].split()
    others = [word for era in names()["british"].values() for word in era[sex].split()]
    accented = names()["british_tail"]["accented"][sex].split()
    return headed(
        names()["british"][cohort][sex].split(), rare + others + accented + tail, FORENAME_SLOPE, FORENAME_TAIL
    )


@cache
def cohorts() -> NDArray[np.int64]:
    return np.array(sorted(names()["british"]), dtype=np.int64)


def draw_forenames(rng: np.random.Generator, pools: Text, sex: Text, birth_year: NDArray[np.int64]) -> Text:
    """A forename for each person."""
    out = np.empty(len(pools), dtype=object)
    starts = cohorts()
    cohort = starts[np.clip(np.searchsorted(starts, birth_year, side="right") - 1, 0, len(starts) - 1)]
    for pool in sorted(set(pools)):
        in_pool = pools == pool
        for each_sex in ("M", "F"):
            in_sex = in_pool & (sex == each_sex)
            for start in starts if pool == "british" else starts[:1]:
                chosen = np.flatnonzero(in_sex & (cohort == start) if pool == "british" else in_sex)
                out[chosen] = forename_pool(pool, each_sex, int(start)).draw(rng, len(chosen))
    return out


def draw_surnames(rng: np.random.Generator, pools: Text) -> Text:
    """A family name (masculine form) for each family."""
    out = np.empty(len(pools), dtype=object)
    for pool in sorted(set(pools)):
        chosen = np.flatnonzero(pools == pool)
        out[chosen] = surname_pool(pool).draw(rng, len(chosen))
    return out


def draw_pools(rng: np.random.Generator, groups: Text) -> Text:
    """The name pool of each family, by its census group."""
    out = np.empty(len(groups), dtype=object)
    for group in sorted(set(groups)):
        chosen = np.flatnonzero(groups == group)
        shares = names()["group_pools"][group]
        out[chosen] = np.array(list(shares), dtype=object)[weighted(rng, list(shares.values()), len(chosen))]
    return out


def feminine(surname: str, pool: str) -> str:
    """The form that a daughter or wife bears."""
    if pool == "polish" and surname.endswith(("ski", "cki", "dzki")):
        return surname[:-1] + "a"
    if pool == "czech" and not surname.endswith("í"):
        if surname.endswith("ý"):
            return surname[:-1] + "á"
        return (
            surname[:-2] + "k" if surname.endswith("ek") else surname[:-1] if surname.endswith("a") else surname
        ) + "ová"
    return surname
