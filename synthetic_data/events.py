"""What happened before the day: moves, leaving home, separations, deaths, and the people who have left the borough.

A chain of moves: a household that moved within the borough left the home that another household entered a few weeks
later, so no home is ever held twice by the truth.
"""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synthetic_data.population import Population, compose, with_groups, with_twins
from synthetic_data.randomness import stream
from synthetic_data.timeline import YEAR, Days, History, assemble, day_number

LEAVERS_YEARS = 4  # people who left the borough are kept this long
COMMUNAL = ["care_home", "hmo"]


def move_in_days(population: Population, as_of: int, facts: dict[str, Any], rng: np.random.Generator) -> Days:
    """When each household came to its present home: long for owners, short for tenants; no head before 18."""
    homes = population.households
    tenure, kind = homes["tenure"].to_numpy(), homes["kind"].to_numpy()
    mean = np.array([facts["years_in_home"][t] for t in tenure])
    years = rng.exponential(mean) + 0.01
    head = (
        population.members.group_by("household", maintain_order=True)
        .first()
        .sort("household", maintain_order=True)["age"]
        .to_numpy()
    )
    years = np.where(
        years < np.maximum(head - 18, 0.05),
        years,
        rng.random(len(years)) * np.maximum(np.minimum(head - 18, mean), 0.05),
    )
    term = rng.choice([0.14, 1.14], size=len(years), p=[0.7, 0.3]) + rng.normal(0, 0.02, len(years))
    years = np.where(
        kind == "students", np.abs(term), np.where(np.isin(kind, COMMUNAL), 14 + 10 * rng.random(len(years)), years)
    )
    return as_of - np.maximum(2, years * YEAR).astype(np.int64)


def current_stays(
    population: Population, came: Days, as_of: int, facts: dict[str, Any], rng: np.random.Generator
) -> tuple[Days, Days]:
    """(birth, from) of each member at the present home; partners, parents and mates may have come later."""
    members = population.members
    household = members["household"].to_numpy()
    role, kind = members["role"].to_numpy(), population.households["kind"].to_numpy()[household]
    count = len(members)
    birth = as_of - np.maximum(3, members["age"].to_numpy() * YEAR).astype(np.int64)
    base = came[household]
    span = as_of - base
    late = np.select(
        [role == "partner", role == "parent", np.isin(role, ["sharer", "lodger", "tenant"])], [0.22, 0.5, 0.45], 0.0
    )
    later = (rng.random(count) < late) & (span > 60)
    start = np.where(later, base + (span * rng.random(count)).astype(np.int64), base)
    own = np.select(
        [kind == "care_home", kind == "hmo"], [facts["years_in_home"]["care"], facts["years_in_home"]["hmo"]], 1.0
    )
    own_days = np.maximum(3, np.minimum(rng.exponential(own) * YEAR, 12 * YEAR)).astype(np.int64)
    communal = np.isin(kind, COMMUNAL)
    start = np.where(communal, as_of - own_days, start)
    grown = np.where(
        np.isin(role, ["partner", "sharer", "tenant", "lodger", "head", "student"]), birth + int(18 * YEAR), birth
    )
    return birth, np.minimum(np.maximum(start, np.where(communal & (role != "tenant"), birth, grown)), as_of - 1)


def chain_of_moves(eligible: Days, came: Days, private: Days) -> tuple[Days, Days]:
    """(movers, vacated): household i left the home that household j entered next; each home is left once."""
    order = private[np.argsort(came[private], kind="stable")]
    shift = max(1, len(order) * 24 // 3650)
    place = np.full(len(came), -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    movers = eligible[place[eligible] + shift < len(order)]
    vacated = order[place[movers] + shift]
    close = (came[vacated] - came[movers] < 150) & (vacated != movers)
    return movers[close], vacated[close]


def parental_homes(
    child_age: NDArray[np.float64],
    child_group: NDArray[Any],
    left: Days,
    parents: pl.DataFrame,
    rng: np.random.Generator,
) -> Days:
    """For each young person a household of the same group whose head could be a parent, or -1."""
    found = np.full(len(child_age), -1, dtype=np.int64)
    for group in sorted(set(child_group)):
        pool = parents.filter(pl.col("group") == group).sort("age", "household", maintain_order=True)
        if pool.is_empty():
            continue
        mine = np.flatnonzero(child_group == group)
        spot = np.searchsorted(pool["age"].to_numpy(), child_age[mine] + rng.normal(29.5, 4.5, len(mine)))
        spot = np.clip(spot + rng.integers(-3, 4, len(mine)), 0, len(pool) - 1)
        gap = pool["age"].to_numpy()[spot] - child_age[mine]
        fits = (gap > 17) & (gap < 45) & (pool["came"].to_numpy()[spot] < left[mine] - 200)
        found[mine] = np.where(fits, pool["household"].to_numpy()[spot], -1)
    return found


def leavers(
    units: pl.DataFrame, vacated_by: pl.DataFrame, facts: dict[str, Any], rng: np.random.Generator
) -> Population:
    """The households who lived where somebody came lately and nobody of the borough had been."""
    homes = vacated_by.join(
        units.select("uprn", "tenure", "ward_code", "kind"), on="uprn", how="left", maintain_order="left"
    )
    homes = homes.with_columns(is_flat=pl.col("kind") != "house").drop("kind")
    found = compose(homes, facts, rng)
    return with_groups(
        Population(found.households, with_twins(found.members, facts["twins_per_birth"], rng)), facts, rng
    )


def build_history(
    population: Population, units: pl.DataFrame, facts: dict[str, Any], seed: int, as_of_day: date
) -> History:
    rng = stream(seed, "events")
    as_of = day_number(as_of_day)
    homes, members = population.households, population.members
    came = move_in_days(population, as_of, facts, rng)
    birth, start = current_stays(population, came, as_of, facts, rng)
    kind, tenure = homes["kind"].to_numpy(), homes["tenure"].to_numpy()
    household, role, age = members["household"].to_numpy(), members["role"].to_numpy(), members["age"].to_numpy()
    group, woman = members["group"].to_numpy(), members["woman"].to_numpy()
    private = np.flatnonzero(~np.isin(kind, [*COMMUNAL, "students", "company_let"]) & (came > as_of - 10 * YEAR))
    # 1. moves within the borough
    willing = private[rng.random(len(private)) < facts["movers"]["within_borough"] / 0.95]
    movers, vacated = chain_of_moves(willing, came, private)
    stay_years = np.maximum(0.3, rng.exponential(5.0, len(movers)))
    before = came[movers] - (stay_years * YEAR).astype(np.int64)
    former = np.full(len(homes), -1, dtype=np.int64)
    former[movers] = np.arange(len(movers))
    # 2. young people who left a home of the borough; 3. separated men whose former home still stands
    settled = np.isin(kind, ["couple", "couple_children", "lone_parent"])
    heads = pl.DataFrame(
        {"household": household, "age": age, "group": group, "came": came[household], "head": role == "head"}
    ).filter(pl.col("head") & pl.Series(settled[household]) & pl.col("age").is_between(38, 75))
    free = former[household] < 0
    young = np.flatnonzero(
        free
        & (age < 32)
        & (age > 18.6)
        & (start > as_of - 10 * YEAR)
        & (start < as_of)
        & np.isin(role, ["head", "sharer", "tenant"])
        & (rng.random(len(age)) < facts["movers"]["left_parents"])
    )
    parent = parental_homes(age[young], group[young], start[young], heads, rng)
    young, parent = young[parent >= 0], parent[parent >= 0]
    family = np.full(len(members), -1, dtype=np.int64)
    family[young] = parent
    men = np.flatnonzero(
        free
        & (family < 0)
        & (role == "head")
        & (kind[household] == "single")
        & ~woman
        & (age > 27)
        & (age < 62)
        & (start > as_of - 9 * YEAR)
        & (rng.random(len(age)) < facts["movers"]["separated"])
    )
    women = np.flatnonzero(
        (role == "head") & (kind[household] == "lone_parent") & woman & (came[household] < as_of - 2 * YEAR)
    )
    pairs = min(len(men), len(women))
    men = np.sort(rng.permutation(men)[:pairs])
    women = np.sort(rng.permutation(women)[:pairs])
    men, women = men[np.argsort(age[men], kind="stable")], women[np.argsort(age[women], kind="stable")]
    fits = (
        (np.abs(age[men] - age[women]) < 10)
        & (came[household[women]] < start[men] - 150)
        & (group[men] == group[women])
    )
    men, women = men[fits], women[fits]
    former_wife = np.full(len(members), -1, dtype=np.int64)
    former_wife[men] = women
    # 4. those who left the borough or died, from homes that changed hands in the last years or stand empty
    uprn = homes["uprn"].to_numpy()
    entered = np.setdiff1d(
        np.flatnonzero(~np.isin(kind, [*COMMUNAL]) & (tenure != "care") & (came > as_of - LEAVERS_YEARS * YEAR)),
        vacated,
    )
    empty = units.filter(pl.col("is_dwelling") & ~pl.col("uprn").is_in(uprn.tolist()))["uprn"].to_numpy()
    empty = empty[rng.random(len(empty)) < facts["movers"]["left_empty"]]
    gap = rng.exponential(26, len(entered)).astype(np.int64)
    gone = np.concatenate([came[entered] - gap, as_of - (8 + rng.exponential(200, len(empty))).astype(np.int64)])
    past = leavers(units, pl.DataFrame({"uprn": np.concatenate([uprn[entered], empty])}), facts, rng)
    was_empty = np.concatenate([np.zeros(len(entered), dtype=bool), np.ones(len(empty), dtype=bool)])
    deaths = round(facts["deaths_per_year"] * len(members) * 2)
    return assemble(
        History(homes, members, pl.DataFrame()),
        past,
        {
            "as_of": as_of,
            "came": came,
            "birth": birth,
            "start": start,
            "movers": movers,
            "vacated": vacated,
            "before": before,
            "former": former,
            "family": family,
            "former_wife": former_wife,
            "gone": gone,
            "was_empty": was_empty,
            "deaths": deaths,
        },
        units,
        rng,
    )
