"""Who lives together: households by kind and tenure, their members' roles, sexes and ages, ethnic groups."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synthetic_data.frames import texts
from synthetic_data.randomness import apportion, stream, weighted, weighted_rows

Numbers = NDArray[np.float64]
CHILDREN = [0.42, 0.41, 0.12, 0.04, 0.01]  # one to five at home; ONS families and households 2023
LONE_CHILDREN = [0.54, 0.32, 0.10, 0.04]
HEAD_AGE_BY_KIND = {  # mean, spread, least, most; None = by tenure alone
    "couple_children": (39.5, 7.5, 20, 58),
    "couple_adult_children": (56, 7, 42, 84),
    "lone_parent": (37, 8, 18, 58),
    "lone_parent_adult": (60, 10, 42, 93),
    "sharers": (29, 6, 19, 60),
    "students": (20.4, 1.2, 18.2, 25),
    "multi_family": (43, 9, 25, 70),
    "company_let": (38, 9, 22, 62),
}
LONE_LATE = 0.20  # share of single owners and social tenants beyond their tenure's age curve: widowed


@dataclass(frozen=True)
class Population:
    """households: one row a household (its place is its index); members: one row a person, in household order."""

    households: pl.DataFrame
    members: pl.DataFrame


def compose(homes: pl.DataFrame, facts: dict[str, Any], rng: np.random.Generator) -> Population:
    """A household for each home (columns uprn, tenure, ward_code, is_flat)."""
    table = facts["household_kinds"]
    kinds = np.array(table["kinds"], dtype=object)
    tenure = homes["tenure"].to_numpy()
    factor = np.where(homes["is_flat"].to_numpy()[:, None], table["flat_factor"], table["house_factor"])
    weights = np.array([table[t] for t in tenure]).reshape(len(homes), len(kinds)) * factor
    pick = kinds[weighted_rows(rng, weights)] if len(homes) else kinds[:0]
    return people_of(homes, pick, facts, rng)


def head_ages(
    kind: NDArray[np.object_], tenure: NDArray[np.object_], facts: dict[str, Any], rng: np.random.Generator
) -> Numbers:
    mean_spread = np.array([facts["head_age"][t] for t in tenure], dtype=float).reshape(len(tenure), 2)
    age = rng.normal(mean_spread[:, 0], mean_spread[:, 1])
    widowed = (
        (kind == "single")
        & np.isin(tenure, ["owned", "council", "housing_association"])
        & (rng.random(len(kind)) < LONE_LATE)
    )
    age = np.where(widowed, rng.normal(80, 7, len(kind)), age)
    for name, (mean, spread, least, most) in HEAD_AGE_BY_KIND.items():
        mine = kind == name
        age[mine] = np.clip(rng.normal(mean, spread, int(mine.sum())), least, most)
    low = age < 19
    age[low] = rng.uniform(18.2, 30, int(low.sum()))
    return np.clip(age, 18.05, 101)


def people_of(
    homes: pl.DataFrame, kind: NDArray[np.object_], facts: dict[str, Any], rng: np.random.Generator
) -> Population:
    """The members of households of the given kinds."""
    n = len(homes)
    tenure = homes["tenure"].to_numpy()
    head_age = head_ages(kind, tenure, facts, rng)
    coupled = np.isin(kind, ["couple", "couple_children", "couple_adult_children", "multi_family"])
    lone = np.isin(kind, ["lone_parent", "lone_parent_adult"])
    female = np.where(coupled, 0.38, np.where(lone, 0.87, np.where(head_age > 65, 0.64, 0.43)))
    head_woman = rng.random(n) < female
    partner_woman = np.where(rng.random(n) < 0.025, head_woman, ~head_woman)
    partner_age = np.clip(head_age + np.where(head_woman, 2.0, -2.0) + rng.normal(0, 3.4, n), 18.1, 101)
    mother_age = np.where(head_woman, head_age, np.where(coupled, partner_age, head_age - 2))
    mother_age = np.maximum(mother_age, 18.0)
    children = np.zeros(n, dtype=np.int64)
    for kinds, shares in (((["couple_children"]), CHILDREN), (["lone_parent"], LONE_CHILDREN)):
        mine = np.isin(kind, kinds)
        children[mine] = 1 + weighted(rng, shares, int(mine.sum()))
    children[kind == "multi_family"] = rng.integers(0, 4, int((kind == "multi_family").sum()))
    children[kind == "couple_adult_children"] = rng.random(int((kind == "couple_adult_children").sum())) < 0.25
    adult_children = np.where(
        np.isin(kind, ["couple_adult_children", "lone_parent_adult"]), 1 + weighted(rng, [0.73, 0.23, 0.04], n), 0
    )
    parents = np.where(kind == "multi_family", 1 + (rng.random(n) < 0.4), 0)
    mates = np.where(
        kind == "sharers",
        1 + weighted(rng, [0.55, 0.25, 0.15, 0.05], n),
        np.where(kind == "students", rng.integers(2, 5, n), 0),
    )
    mates = np.where((kind == "company_let"), rng.integers(0, 3, n), mates)
    at = np.arange(n)
    blocks: list[pl.DataFrame] = []

    def add(
        role: NDArray[np.object_] | str,
        household: NDArray[np.int64],
        age: Numbers,
        woman: NDArray[np.bool_],
        order: NDArray[np.int64] | int,
    ) -> None:
        size = len(household)
        roles = texts(role) if not isinstance(role, str) else pl.Series([role] * size, dtype=pl.String)
        blocks.append(
            pl.DataFrame(
                {
                    "household": household,
                    "role": roles,
                    "age": age,
                    "woman": woman,
                    "order": np.broadcast_to(order, size),
                },
                schema_overrides={"order": pl.Int64},
            )
        )

    add(
        np.where(kind == "students", "student", np.where(kind == "company_let", "tenant", "head")).astype(object),
        at,
        head_age,
        head_woman,
        0,
    )
    add("partner", at[coupled], partner_age[coupled], partner_woman[coupled], 1)
    for count, role, first in (
        (children, "child", 20),
        (adult_children, "adult_child", 10),
        (parents, "parent", 5),
        (mates, "sharer", 2),
    ):
        household = np.repeat(at, count)
        place = np.arange(len(household)) - np.repeat(np.cumsum(count) - count, count)
        size = len(household)
        woman = rng.random(size) < 0.49
        mother = mother_age[household]
        if role == "child":
            eldest = (mother_age - rng.normal(28.8, 5.2, n))[household]
            age = eldest - 2.6 * place - np.abs(rng.normal(0, 0.9, size))
            wrong = (age < 0) | (age >= 18)
            age[wrong] = rng.uniform(0, np.clip(mother[wrong] - 16.5, 1.0, 17.99))
        elif role == "adult_child":
            age = mother - rng.normal(28.5, 4.5, size) - 2.2 * place
            wrong = (age < 18.1) | (age > 40)
            age[wrong] = rng.uniform(18.1, np.clip(mother[wrong] - 17, 18.4, 31))
        elif role == "parent":
            age = np.clip(head_age[household] + rng.normal(27, 4, size), 50, 99)
        else:
            student = kind[household] == "students"
            age = np.clip(head_age[household] + rng.normal(0, np.where(student, 0.9, 4.5)), 18.1, 66)
        roles: NDArray[np.object_] | str = role
        if role == "sharer":
            roles = np.where(
                kind[household] == "students",
                "student",
                np.where(
                    kind[household] == "company_let",
                    "tenant",
                    np.where((tenure[household] != "private_rent") | (rng.random(size) < 0.1), "lodger", "sharer"),
                ),
            ).astype(object)
        add(roles, household, age, woman, first + place)
    members = pl.concat(blocks).sort("household", "order", maintain_order=True)
    plain = np.where(
        np.isin(kind, ["couple_adult_children"]),
        "couple_children",
        np.where(kind == "lone_parent_adult", "lone_parent", kind),
    )
    return Population(homes.with_columns(kind=texts(plain)), members)


def ethnic_groups(wards: pl.Series, facts: dict[str, Any], rng: np.random.Generator) -> NDArray[np.object_]:
    """A census group for each household, by the ward's share of people who are not White."""
    shares = np.array(list(facts["ethnic_groups"].values()))
    names = np.array(list(facts["ethnic_groups"]), dtype=object)
    borough = 1 - shares[:2].sum()
    rows = {}
    for code, row in facts["wards"].items():
        other = row[7] / 100 * borough / 0.124
        white_other = shares[1] * (0.55 + 0.45 * row[6] / 26)
        rows[code] = np.concatenate([[1 - other - white_other, white_other], shares[2:] / borough * other])
    table = np.array([rows[code] for code in wards]).reshape(len(wards), len(shares))
    return names[weighted_rows(rng, table)]


def with_groups(population: Population, facts: dict[str, Any], rng: np.random.Generator) -> Population:
    """Members' groups: couples mostly alike, children of two groups mixed, sharers each their own."""
    wards = population.households["ward_code"]
    base = ethnic_groups(wards, facts, rng)
    household = population.members["household"].to_numpy()
    role = population.members["role"].to_numpy()
    own = ethnic_groups(wards.gather(household), facts, rng)
    other_partner = rng.random(len(base)) < 0.13
    partner = np.where(other_partner, ethnic_groups(wards, facts, rng), base)
    has_partner = np.zeros(len(base), dtype=bool)
    has_partner[household[role == "partner"]] = True
    child = np.where(
        has_partner & (partner != base),
        np.where(
            np.isin(base, ["white_british", "white_other"]) & np.isin(partner, ["white_british", "white_other"]),
            "white_british",
            "mixed",
        ),
        base,
    )
    group = base[household]
    group = np.where(role == "partner", partner[household], group)
    group = np.where(np.isin(role, ["child", "adult_child"]), child[household], group)
    group = np.where(np.isin(role, ["sharer", "student", "tenant", "lodger", "resident"]), own, group)
    return Population(population.households, population.members.with_columns(group=texts(group)))


def with_twins(members: pl.DataFrame, share: float, rng: np.random.Generator) -> pl.DataFrame:
    """Makes some siblings who follow each other twins: `twin` is the row of the elder, two in three of the same sex."""
    child = pl.col("role").is_in(["child", "adult_child"])
    members = (
        members.with_row_index("row")
        .cast({"row": pl.Int64})
        .with_columns(roll=pl.Series(rng.random(len(members))), same=pl.Series(rng.random(len(members)) < 0.67))
    )
    follows = (
        child & (pl.col("household") == pl.col("household").shift(1)) & (pl.col("role") == pl.col("role").shift(1))
    )
    hit = follows & (pl.col("roll") < share * 1.3)
    second = hit & ~hit.shift(1, fill_value=False)
    return members.with_columns(
        twin=pl.when(second).then(pl.col("row").shift(1)),
        age=pl.when(second).then(pl.col("age").shift(1)).otherwise("age"),
        woman=pl.when(second & pl.col("same")).then(pl.col("woman").shift(1)).otherwise("woman"),
    ).drop("roll", "same", "row")


def exact_size(members: pl.DataFrame, wanted: int, rng: np.random.Generator) -> pl.DataFrame:
    """Adds children to families, or takes youngest children of large ones away, until so many people are there."""
    surplus = len(members) - wanted
    if surplus > 0:
        last = members.with_row_index("row").filter(
            pl.col("role").is_in(["child", "adult_child"]) & (pl.col("order") % 10 > 0)
        )
        if len(last) < surplus:
            last = members.with_row_index("row").filter(
                pl.col("role").is_in(["child", "adult_child", "sharer", "lodger", "student"])
            )
        leave = last["row"].to_numpy()[rng.permutation(len(last))[:surplus]]
        return members.with_row_index("row").filter(~pl.col("row").is_in(leave.tolist())).drop("row")
    if surplus < 0:
        family = members.filter((pl.col("role") == "child") & (pl.col("order") == 20))
        chosen = family[np.sort(rng.integers(0, len(family), -surplus)).tolist()].with_columns(
            order=40 + pl.int_range(pl.len()).over("household"),
            age=(pl.col("age") - 2.5 - 1.2 * pl.int_range(pl.len()).over("household")).abs().clip(0.02, 17.9),
        )
        return pl.concat([members, chosen]).sort("household", "order", maintain_order=True)
    return members


def bend_ages(age: Numbers, counts: list[int], floor: float, ceiling: float, rng: np.random.Generator) -> Numbers:
    """Ages mapped by rank onto the borough's age counts between floor and ceiling, keeping who is older than whom."""
    weights = np.array(counts, dtype=float)
    edges = np.append(np.arange(0, 91, 5.0), 102.0)
    fine = np.arange(floor, ceiling + 1e-9, 0.25)
    inside = np.clip(np.searchsorted(edges, fine, side="right") - 1, 0, len(weights) - 1)
    density = weights[inside] / np.diff(edges)[inside] * np.where(fine >= 90, np.exp(-(fine - 90) / 3.0) * 3.2, 1.0)
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    rank = (age.argsort(kind="stable").argsort(kind="stable") + rng.random(len(age))) / max(1, len(age))
    return np.interp(rank, cumulative / cumulative[-1], fine)


def spaced(members: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Siblings under 18 who are not twins are at least ten months apart."""
    family = members.with_row_index("row").filter(pl.col("role") == "child").select("row", "household", "twin", "age")
    for _ in range(5):
        same = pl.col("household") == pl.col("household").shift(1)
        before = pl.col("age").shift(1)
        close = same & pl.col("twin").is_null() & ((pl.col("age") - before).abs() < 0.85)
        younger, older = before - pl.col("step"), pl.max_horizontal("age", before) + pl.col("step")
        moved = pl.when(younger > 0.05).then(younger).otherwise(pl.min_horizontal(older, pl.lit(17.9)))
        family = family.with_columns(step=pl.Series(rng.uniform(1.0, 3.0, len(family)))).with_columns(
            age=pl.when(close).then(moved).otherwise("age")
        )
    age = members["age"].to_numpy().copy()
    age[family["row"].to_numpy()] = family["age"].to_numpy()
    second = np.flatnonzero(members["twin"].is_not_null().to_numpy())
    age[second] = age[members["twin"].drop_nulls().to_numpy()]
    return members.with_columns(age=pl.Series(age))


def communal_sizes(
    homes: pl.DataFrame, people: int, facts: dict[str, Any], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Residents of each care home, hall and shared house, in proportion to the borough's size."""
    kind = homes["kind"].to_numpy()
    rooms = homes["parts"].to_numpy()
    scale = min(1.0, people / 4000)
    size = np.where(
        kind == "hmo",
        np.where(rooms > 0, np.maximum(1, rooms - rng.integers(0, 2, len(rooms))), rng.integers(3, 7, len(rooms))),
        0,
    )
    communal = facts["communal"]
    for name, places, least in (("care_home", communal["care_beds"], 4), ("student_hall", communal["hall_places"], 5)):
        mine = np.flatnonzero(kind == name)
        total = max(least * len(mine), round(len(mine) * places * scale))
        size[mine] = apportion(rng.lognormal(0, 0.4, len(mine)), total) if len(mine) else 0
    return size.astype(np.int64)


def build_population(units: pl.DataFrame, people: int, facts: dict[str, Any], seed: int) -> Population:
    """Exactly `people` residents: private households, then shared houses, care homes and halls."""
    rng = stream(seed, "population")
    shared = units.filter(pl.col("kind").is_in(["hmo", "care_home", "student_hall"]) & (pl.col("logical_status") == 1))
    shared = shared.with_columns(is_flat=pl.lit(False))
    sizes = communal_sizes(shared, people, facts, rng)
    dwellings = units.filter(pl.col("is_dwelling") & (pl.col("kind") != "hmo")).with_columns(
        is_flat=pl.col("kind") != "house"
    )
    wanted = min(len(dwellings), round((people - int(sizes.sum())) / facts["household_size"]))
    loose = np.where(
        dwellings["tenure"].to_numpy() == "council",
        0.25,
        np.where(dwellings["tenure"].to_numpy() == "private_rent", 1.6, 0.9),
    )
    order = np.argsort(rng.exponential(1, len(dwellings)) / loose, kind="stable")
    occupied = np.sort(order[len(dwellings) - wanted :])
    columns = ["uprn", "tenure", "ward_code", "is_flat"]
    private = compose(dwellings[occupied].select(columns), facts, rng)
    members = exact_size(private.members, people - int(sizes.sum()), rng)
    members = with_twins(members, facts["twins_per_birth"], rng)
    place = shared["kind"].to_numpy()
    home = np.repeat(np.arange(len(shared)), sizes)
    where = place[home]
    age = np.where(
        where == "care_home",
        np.clip(rng.normal(84, 8, len(home)), 60, 103),
        np.where(where == "hmo", np.clip(rng.normal(36, 11, len(home)), 18.1, 70), rng.uniform(18.2, 22.5, len(home))),
    )
    woman = rng.random(len(home)) < np.where(where == "care_home", 0.68, np.where(where == "hmo", 0.32, 0.53))
    extra = pl.DataFrame(
        {
            "household": len(private.households) + home,
            "role": texts(np.where(where == "care_home", "resident", np.where(where == "hmo", "tenant", "student"))),
            "age": age,
            "woman": woman,
            "order": np.arange(len(home)),
            "twin": pl.Series([None] * len(home), dtype=pl.Int64),
        },
        schema_overrides={"household": pl.Int64, "order": pl.Int64},
    )
    kinds = shared["kind"].replace({"student_hall": "students"})
    homes = pl.concat(
        [
            private.households,
            shared.select("uprn", pl.lit("care").alias("tenure"), "ward_code", "is_flat").with_columns(
                kind=kinds, tenure=pl.when(kinds == "hmo").then(pl.lit("private_rent")).otherwise("tenure")
            ),
        ]
    )
    everyone = pl.concat([members, extra.select(members.columns)])
    age = everyone["age"].to_numpy().copy()
    bendable = np.arange(len(age)) < len(members)
    twin = everyone["twin"].to_numpy()
    for chosen, floor, ceiling in ((bendable & (age >= 18), 18.0, 102.0), (bendable & (age < 18), 0.0, 18.0)):
        spot = np.flatnonzero(chosen)
        age[spot] = bend_ages(age[spot], facts["ages"], floor, ceiling, rng)
    second = np.flatnonzero(~np.isnan(twin.astype(float)))
    age[second] = age[twin[second].astype(np.int64)]
    everyone = spaced(everyone.with_columns(age=pl.Series(np.minimum(age, 103.0))), rng)
    return with_groups(Population(homes, everyone), facts, rng)
