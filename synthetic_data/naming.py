"""What people are called, and how that changed: family names, forenames by cohort, marriages, sons like fathers."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synthetic_data.frames import NOTHING, texts
from synthetic_data.randomness import stream, weighted
from synthetic_data.timeline import OPEN, YEAR, History
from synthetic_data.vocabulary import Text, draw_forenames, draw_pools, draw_surnames, feminine, names

Days = NDArray[np.int64]
TAKES_NAME = {  # share of wives who take the husband's name, by pool; own estimate, British after YouGov 2016
    "british": 0.86,
    "polish": 0.85,
    "czech": 0.85,
    "european": 0.55,
    "african": 0.7,
    "caribbean": 0.75,
    "indian": 0.6,
    "sikh": 0.0,
    "pakistani": 0.25,
    "bangladeshi": 0.0,
    "chinese": 0.08,
    "filipino": 0.75,
    "arab": 0.1,
}
DOUBLE_ON_MARRIAGE = 0.045
DOUBLE_CHILD = 0.05
ANGLO_FORENAME = {"chinese": 0.5, "african": 0.45, "caribbean": 0.75, "european": 0.15, "polish": 0.08, "filipino": 0.1}
MIDDLE = {"british": 0.74, "african": 0.5, "caribbean": 0.6, "european": 0.3, "filipino": 0.7}
MIDDLE_OTHERS = 0.22
SON_LIKE_FATHER, DAUGHTER_LIKE_MOTHER = 0.022, 0.006  # one family with sons in seventy; own estimate
MARRIED_BY_AGE = (
    [18, 25, 30, 35, 45, 60, 75],
    [0.05, 0.18, 0.45, 0.65, 0.76, 0.88, 0.94],
)  # share of couples, ONS 2022
ONCE_MARRIED = ([18, 30, 40, 50, 65, 75], [0.02, 0.12, 0.30, 0.45, 0.65, 0.88])  # women who live without a husband
BACK_TO_BIRTH_NAME = 0.12


@dataclass(frozen=True)
class Named:
    """people: pool, forename, middle, surname, birth_surname, named_after, married; names: dated history."""

    people: pl.DataFrame
    names: pl.DataFrame


def family_names(history: History, pools: Text, seed: int) -> tuple[Text, NDArray[np.int64], NDArray[np.int64]]:
    """(family name of each household, row of the man it comes from or -1, row of the woman or -1)."""
    rng = stream(seed, "family names")
    people = history.people
    household = people["household"].to_numpy()
    count = int(household.max()) + 1
    role, woman = people["role"].to_numpy(), people["woman"].to_numpy()
    man_row, woman_row = np.full(count, -1), np.full(count, -1)
    rows = np.flatnonzero(np.isin(role, ["partner", "head"]))
    for chosen, target in ((rows[~woman[rows]], man_row), (rows[woman[rows]], woman_row)):
        target[household[chosen[::-1]]] = chosen[::-1]
    lead = np.where(man_row >= 0, man_row, np.where(woman_row >= 0, woman_row, 0))
    family = draw_surnames(rng, pools[lead])
    # a separated man keeps the name that his children bear; a grown child keeps the parents' name
    wife = people["former_wife"].to_numpy()
    men = np.flatnonzero(wife >= 0)
    family[household[wife[men]]] = family[household[men]]
    origin = people["family"].to_numpy()
    child = np.flatnonzero((origin >= 0) & (role == "head") & ~woman)
    family[household[child]] = family[origin[child]]
    return family, man_row, woman_row


def name_people(history: History, as_of: int, seed: int) -> Named:
    rng = stream(seed, "naming")
    people = history.people
    n = len(people)
    household, role, woman = people["household"].to_numpy(), people["role"].to_numpy(), people["woman"].to_numpy()
    birth, origin = people["birth"].to_numpy(), people["family"].to_numpy()
    age = (as_of - birth) / YEAR
    group = people["group"].to_numpy()
    sex = np.where(woman, "F", "M").astype(object)
    of_household = draw_pools(
        rng,
        people.group_by("household", maintain_order=True)
        .agg(pl.col("group").first())
        .sort("household", maintain_order=True)["group"]
        .to_numpy(),
    )
    first_group = (
        people.group_by("household", maintain_order=True)
        .agg(pl.col("group").first())
        .sort("household", maintain_order=True)["group"]
        .to_numpy()
    )
    lookup = np.full(int(household.max()) + 1, -1)
    lookup[np.unique(household)] = np.arange(len(first_group))
    same = group == first_group[lookup[household]]
    pools = np.where(same, of_household[lookup[household]], draw_pools(rng, group))
    family, man_row, woman_row = family_names(history, pools, seed)
    own = draw_surnames(rng, pools)
    in_family = np.isin(role, ["head", "partner", "child", "adult_child"]) | (
        (role == "parent") & (rng.random(n) < 0.6)
    )
    surname = np.where(in_family, family[household], own)
    from_home = (origin >= 0) & (role != "head")
    surname = np.where(from_home & ~np.isin(role, ["partner"]), family[np.maximum(origin, 0)], surname)
    birth_surname = surname.copy()
    # marriages
    takes = np.array([TAKES_NAME[p] for p in pools])
    has_man, has_woman = man_row[household] >= 0, woman_row[household] >= 0
    spouse = np.isin(role, ["head", "partner"]) & woman & has_man & has_woman
    married = spouse & (rng.random(n) < np.interp(age, *MARRIED_BY_AGE))
    once = (
        np.isin(role, ["head", "parent", "resident", "lodger"])
        & woman
        & ~spouse
        & (rng.random(n) < np.interp(age, *ONCE_MARRIED))
    )
    took = (married | once) & (rng.random(n) < takes)
    birth_surname = np.where(woman & np.isin(role, ["head", "partner"]) & (spouse | took), own, birth_surname)
    birth_surname = np.where(took & ~spouse, own, birth_surname)
    grown_here = (origin >= 0) & woman & (role == "head")
    birth_surname = np.where(grown_here, family[np.maximum(origin, 0)], birth_surname)
    surname = np.where((spouse | (woman & ~took & np.isin(role, ["head"]))) & ~took, birth_surname, surname)
    surname = np.where(grown_here & ~took, birth_surname, surname)
    double = took & (pools == "british") & (rng.random(n) < DOUBLE_ON_MARRIAGE)
    surname = np.where(double, birth_surname + "-" + surname, surname)
    back = once & took & (rng.random(n) < BACK_TO_BIRTH_NAME)
    # two women or two men: the partner keeps the own name
    alike = np.isin(role, ["partner"]) & ~(has_man & has_woman)
    surname, birth_surname = np.where(alike, own, surname), np.where(alike, own, birth_surname)
    # children: of a couple the father's name, sometimes both or the mother's; of a lone parent often another
    child = np.isin(role, ["child", "adult_child"])
    mother = woman_row[household]
    mother_name = np.where(mother >= 0, birth_surname[np.maximum(mother, 0)], surname)
    style = stream(seed, "child names").random(int(household.max()) + 1)[household]
    both = child & has_man & (mother >= 0) & (pools == "british") & (style < DOUBLE_CHILD)
    after_mother = (
        child & (mother >= 0) & np.where(has_man, (style > 0.95) & ~married[np.maximum(mother, 0)], style > 0.55)
    )
    surname = np.where(
        both, mother_name + "-" + surname, np.where(after_mother, surname[np.maximum(mother, 0)], surname)
    )
    birth_surname = np.where(child, surname, birth_surname)
    surname, birth_surname = gendered(surname, pools, woman), gendered(birth_surname, pools, woman)
    surname, birth_surname, suffix = relational(surname, birth_surname, pools, woman, rng)
    forename, named_after = forenames(history, pools, sex, birth, man_row, woman_row, rng)
    middle = middles(pools, sex, birth, suffix, rng)
    middle = np.where(
        [m is not None and f in m.split() for m, f in zip(middle, forename, strict=True)], NOTHING, middle
    )
    current = np.where(back, birth_surname, surname)
    frame = people.with_columns(
        pool=texts(pools),
        forename=texts(forename),
        middle=texts(middle),
        surname=texts(current),
        birth_surname=texts(birth_surname),
        named_after=pl.Series(np.where(named_after >= 0, named_after + 1, -1)).replace({-1: None}),
        married=pl.Series(married),
    )
    return Named(
        frame,
        name_history(frame, texts(surname), pl.Series(took & (surname != birth_surname)), pl.Series(back), as_of, rng),
    )


def gendered(surname: Text, pools: Text, woman: NDArray[np.bool_]) -> Text:
    rows = np.flatnonzero(np.isin(pools, ["polish", "czech"]) & woman)
    surname = surname.copy()
    surname[rows] = [feminine(surname[i], pools[i]) for i in rows]
    return surname


def relational(
    surname: Text, birth_surname: Text, pools: Text, woman: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Text, Text, Text]:
    """Singh, Kaur, Begum, Khatun: as the last name of some, as the middle name of others (third result)."""
    suffix = np.full(len(surname), None, dtype=object)
    surname, birth_surname = surname.copy(), birth_surname.copy()
    for pool, share in (("sikh", 0.6), ("bangladeshi", 0.75), ("pakistani", 0.35)):
        for sex, letter in ((False, "M"), (True, "F")):
            words = names()["relational"][pool][letter]
            rows = np.flatnonzero((pools == pool) & (woman == sex))
            if not words or not len(rows):
                continue
            word = np.array(words, dtype=object)[weighted(rng, np.ones(len(words)), len(rows))]
            last = rng.random(len(rows)) < share
            surname[rows[last]] = birth_surname[rows[last]] = word[last]
            suffix[rows[~last]] = np.where(rng.random(int((~last).sum())) < 0.6, word[~last], NOTHING)
    return surname, birth_surname, suffix


def forenames(
    history: History, pools: Text, sex: Text, birth: Days, man_row: Days, woman_row: Days, rng: np.random.Generator
) -> tuple[Text, Days]:
    """Forenames, and the row of the parent after whom a child is named (-1 for none)."""
    household, role = history.people["household"].to_numpy(), history.people["role"].to_numpy()
    anglo = rng.random(len(pools)) < np.array([ANGLO_FORENAME.get(p, 0.04) for p in pools])
    pool = np.where(anglo & (birth > (1975 - 1970) * 365), "british", pools)
    pool = np.where(history.people["group"].to_numpy() == "mixed", "british", pool)
    year = 1970 + np.floor(birth / YEAR).astype(np.int64)
    forename = draw_forenames(rng, pool, sex, year)
    child = np.isin(role, ["child", "adult_child"])
    for _ in range(3):  # siblings do not share a forename
        frame = pl.DataFrame({"household": household, "forename": texts(forename), "child": child})
        twice = (pl.int_range(pl.len()).over("household", "forename") > 0) & pl.col("child")
        rows = np.flatnonzero(frame.select(twice.alias("twice"))["twice"].to_numpy())
        forename[rows] = draw_forenames(rng, pool[rows], sex[rows], year[rows])
    father, mother = man_row[household], woman_row[household]
    roll = rng.random(len(pools))
    like_father = child & (sex == "M") & (father >= 0) & (roll < SON_LIKE_FATHER)
    like_mother = child & (sex == "F") & (mother >= 0) & (roll < DAUGHTER_LIKE_MOTHER)
    parent = np.where(like_father, father, np.where(like_mother, mother, -1))
    eldest = (
        pl.DataFrame({"household": household, "hit": parent >= 0})
        .select(pl.col("hit").cum_sum().over("household") == 1)["hit"]
        .to_numpy()
    )
    parent = np.where((parent >= 0) & eldest, parent, -1)
    parent = np.where((parent >= 0) & (birth - birth[np.maximum(parent, 0)] > 16 * 365), parent, -1)
    return np.where(parent >= 0, forename[np.maximum(parent, 0)], forename), parent


def middles(pools: Text, sex: Text, birth: Days, suffix: Text, rng: np.random.Generator) -> Text:
    has = rng.random(len(pools)) < np.array([MIDDLE.get(p, MIDDLE_OTHERS) for p in pools])
    year = 1970 + np.floor(birth / YEAR).astype(np.int64)
    drawn = draw_forenames(rng, pools, sex, year - rng.integers(0, 40, len(pools)))
    second = draw_forenames(rng, pools, sex, year - 20)
    two = rng.random(len(pools)) < 0.06
    drawn = np.where(two, drawn + " " + second, drawn)
    return np.where(suffix == None, np.where(has, drawn, NOTHING), suffix)  # noqa: E711


def name_history(
    people: pl.DataFrame,
    married_name: pl.Series,
    changed: pl.Series,
    back: pl.Series,
    as_of: int,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """One row a person and name: birth to marriage, marriage to divorce, and what is borne now."""
    wed = people["birth"].to_numpy() + ((18.5 + np.maximum(0, rng.normal(11, 6.5, len(people)))) * YEAR).astype(
        np.int64
    )
    ceiling = np.minimum(as_of, np.minimum(people["death"].to_numpy(), as_of)) - 25
    wed = np.where(
        wed > ceiling,
        np.maximum(people["birth"].to_numpy() + int(18.1 * YEAR), ceiling - rng.integers(0, 2500, len(people))),
        wed,
    )
    wed = np.minimum(wed, ceiling)
    apart = np.minimum(wed + (rng.uniform(1, 18, len(people)) * YEAR).astype(np.int64), ceiling)
    base = people.select("person_id", "forename", "middle", "birth_surname", "birth").with_columns(
        married_name=married_name,
        changed=changed,
        back=back & changed,
        wed=pl.Series(wed),
        apart=pl.Series(np.maximum(apart, wed + 10)),
    )
    key = ["person_id", "forename", "middle"]
    born = base.select(
        *key,
        pl.col("birth_surname").alias("surname"),
        pl.col("birth").alias("from"),
        pl.when("changed").then("wed").otherwise(OPEN).alias("to"),
    )
    taken = base.filter("changed").select(
        *key,
        pl.col("married_name").alias("surname"),
        pl.col("wed").alias("from"),
        pl.when("back").then("apart").otherwise(OPEN).alias("to"),
    )
    again = base.filter("back").select(
        *key,
        pl.col("birth_surname").alias("surname"),
        pl.col("apart").alias("from"),
        pl.lit(OPEN).cast(pl.Int64).alias("to"),
    )
    return pl.concat([born, taken, again], how="vertical_relaxed").sort("person_id", "from", maintain_order=True)
