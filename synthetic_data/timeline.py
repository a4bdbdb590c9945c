"""Homes, people and stays on one line of days (whole numbers since 1970), inside and outside the borough."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synthetic_data.frames import texts
from synthetic_data.population import Population

Days = NDArray[np.int64]
YEAR = 365.2425
HISTORY_YEARS = 12  # every person's homes are known this far back
OPEN = 1 << 30  # still so


@dataclass
class History:
    """homes: one row a household and home; people: one row a person; stays: one row a person and home."""

    homes: pl.DataFrame
    people: pl.DataFrame
    stays: pl.DataFrame


def day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


@dataclass(frozen=True)
class _Leavers:
    """Households that lived here once: their members, the household of each, when it began and ended, if all had died.

    `present` are the members who were born before it ended.
    """

    members: pl.DataFrame
    household: Days
    began: Days
    end: Days
    died: NDArray[np.bool_]
    birth: Days
    since: Days
    present: NDArray[np.bool_]


@dataclass(frozen=True)
class _Dead:
    """People who died in households that are still here."""

    household: Days
    woman: NDArray[np.bool_]
    role: NDArray[Any]
    group: NDArray[Any]
    birth: Days
    death: Days
    since: Days


def assemble(
    now: History, past: Population, a: dict[str, Any], units: pl.DataFrame, rng: np.random.Generator
) -> History:
    """Joins present and past households into one numbered whole, adds the dead, fills what lies outside."""
    leavers = _leavers(past, a, rng)
    dead = _dead(now, a, a["deaths"] - int(leavers.died.sum()), rng)
    people = _numbered(_everyone(now, leavers, dead, a), "person_id")
    homes = _numbered(_every_home(now, past, leavers, a), "household_id")
    stays = _every_stay(now, leavers, dead, a)
    stays = stays.join(homes.select("household_id", "uprn"), on="household_id", how="left", maintain_order="left")
    stays = (
        stays.join(room_of(people, homes, units), on=["person_id", "household_id"], how="left", maintain_order="left")
        .with_columns(uprn=pl.coalesce("room", "uprn"))
        .drop("room")
    )
    return History(homes, people, with_outside(stays, people, a["as_of"]))


def _numbered(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.with_row_index(name, offset=1).cast({name: pl.Int64})


def _leavers(past: Population, a: dict[str, Any], rng: np.random.Generator) -> _Leavers:
    """Single older people mostly died, and their homes changed hands months later; the others went away."""
    as_of, old, away = a["as_of"], past.members, a["gone"]
    first = old.group_by("household", maintain_order=True).first().sort("household", maintain_order=True)
    alone = (past.households["kind"].to_numpy() == "single") & (first["age"].to_numpy() > 66)
    died = alone & (rng.random(len(alone)) < 0.75)
    death_of_home = away - rng.integers(20, 260, len(away))
    died &= (death_of_home > as_of - 730) & (death_of_home < as_of - 3)
    end = np.where(died, death_of_home, away)
    began = end - np.maximum(60, rng.exponential(6, len(end)) * YEAR).astype(np.int64)
    birth = as_of - np.maximum(40, old["age"].to_numpy() * YEAR).astype(np.int64)
    head_birth = as_of - (first["age"].to_numpy() * YEAR).astype(np.int64)
    began = np.minimum(np.maximum(began, head_birth + 18 * 365), end - 20)
    household = old["household"].to_numpy()
    since = np.maximum(began[household], birth)
    return _Leavers(old, household, began, end, died, birth, since, since < end[household])


def _dead(now: History, a: dict[str, Any], wanted: int, rng: np.random.Generator) -> _Dead:
    """Husbands and wives of those who now live alone, parents, residents of care homes: about so many."""
    as_of, came, members = a["as_of"], a["came"], now.people
    role, hh, age, kind = (
        members["role"].to_numpy(),
        members["household"].to_numpy(),
        members["age"].to_numpy(),
        now.homes["kind"].to_numpy(),
    )
    wanted = max(4, wanted)
    alone_now = np.flatnonzero((role == "head") & (kind[hh] == "single") & (age > 58) & (came[hh] < as_of - 900))
    couples = np.flatnonzero((role == "head") & (kind[hh] == "couple") & (age > 40) & (came[hh] < as_of - 900))
    care_homes = np.flatnonzero(kind == "care_home")
    widows = rng.permutation(alone_now)[: max(2, round(0.55 * wanted))]
    parents = rng.permutation(couples)[: max(1, round(0.08 * wanted))]
    least = max(5, min(10, len(members) // 300))
    residents = rng.choice(care_homes, max(least, wanted - len(widows) - len(parents)))
    woman, group = members["woman"].to_numpy(), members["group"].to_numpy()
    household = np.concatenate([hh[widows], hh[parents], residents])
    aged = np.concatenate(
        [
            np.maximum(50, age[widows] + rng.normal(2, 5, len(widows))),
            np.minimum(99, age[parents] + rng.normal(27, 4, len(parents))),
            np.clip(rng.normal(86, 7, len(residents)), 62, 104),
        ]
    )
    women = np.concatenate([~woman[widows], rng.random(len(parents)) < 0.5, rng.random(len(residents)) < 0.66])
    roles = np.array(
        ["partner"] * len(widows) + ["parent"] * len(parents) + ["resident"] * len(residents), dtype=object
    )
    groups = np.concatenate([group[widows], group[parents], np.full(len(residents), "white_british", dtype=object)])
    death = as_of - rng.integers(3, 730, len(household))
    # so that a small borough has dead of last year too
    longest = len(widows) + len(parents) + np.arange(min(10, len(residents)))
    death[longest] = as_of - rng.integers(200, 700, len(longest))
    since = np.where(
        roles == "resident",
        death - np.minimum(20 + rng.exponential(800, len(household)), 5000).astype(np.int64),
        came[household],
    )
    return _Dead(household, women, roles, groups, death - (aged * YEAR).astype(np.int64), death, since)


def _everyone(now: History, leavers: _Leavers, dead: _Dead, a: dict[str, Any]) -> pl.DataFrame:
    """One row a person: who is here, who left, who died. Households are numbered from 0."""
    members, old = now.people, leavers.members
    gone, none = np.full(len(old), -1), np.full(len(dead.household), -1, dtype=np.int64)
    n_now, h_now = len(members), len(now.homes)
    return pl.DataFrame(
        {
            "household": np.concatenate([members["household"].to_numpy(), leavers.household + h_now, dead.household]),
            "role": texts(np.concatenate([members["role"].to_numpy(), old["role"].to_numpy(), dead.role])),
            "woman": np.concatenate([members["woman"].to_numpy(), old["woman"].to_numpy(), dead.woman]),
            "group": texts(np.concatenate([members["group"].to_numpy(), old["group"].to_numpy(), dead.group])),
            "birth": np.concatenate([a["birth"], leavers.birth, dead.birth]),
            "death": np.concatenate(
                [
                    np.full(n_now, OPEN),
                    np.where(leavers.died[leavers.household], leavers.end[leavers.household], OPEN),
                    dead.death,
                ]
            ),
            "twin": pl.concat(
                [members["twin"], old["twin"] + n_now, pl.Series([None] * len(dead.household), dtype=pl.Int64)]
            ),
            "family": np.concatenate([a["family"], gone, none]),
            "former_wife": np.concatenate([a["former_wife"], gone, none]),
        }
    )


def _every_home(now: History, past: Population, leavers: _Leavers, a: dict[str, Any]) -> pl.DataFrame:
    """One row a household and home: present, past, and the former homes of those who moved within the borough."""
    h_now, movers, vacated = len(now.homes), a["movers"], a["vacated"]
    uprn, kind, tenure = (now.homes[name].to_numpy() for name in ("uprn", "kind", "tenure"))
    earlier = past.households
    return pl.DataFrame(
        {
            "uprn": np.concatenate([uprn, earlier["uprn"].to_numpy(), uprn[vacated]]),
            "kind": texts(np.concatenate([kind, earlier["kind"].to_numpy(), kind[movers]])),
            "tenure": texts(np.concatenate([tenure, earlier["tenure"].to_numpy(), tenure[vacated]])),
            "from": np.concatenate([a["came"], leavers.began, a["before"]]),
            "to": np.concatenate([np.full(h_now, OPEN), leavers.end, a["came"][movers]]),
            "pool_from": np.concatenate([np.arange(h_now + len(leavers.end)), movers]),
            "empty_after": np.concatenate(
                [np.zeros(h_now, dtype=bool), a["was_empty"], np.zeros(len(movers), dtype=bool)]
            ),
        }
    )


def _every_stay(now: History, leavers: _Leavers, dead: _Dead, a: dict[str, Any]) -> pl.DataFrame:
    """One row a person and home, as long as it lasted: today's, past ones, the dead's, and the homes that people of
    today came from: by a move within the borough, out of their family, out of a marriage."""
    members, old = now.people, leavers.members
    n_now, h_now = len(members), len(now.homes)
    hh, role, came, birth, start = (
        members["household"].to_numpy(), members["role"].to_numpy(), a["came"], a["birth"], a["start"]
    )  # fmt: skip
    m = np.flatnonzero((a["former"][hh] >= 0) & (start == np.maximum(came[hh], birth)) & (birth < came[hh]))
    m_home = h_now + len(leavers.end) + a["former"][hh[m]]
    left = np.flatnonzero(a["family"] >= 0)
    sep = np.flatnonzero(a["former_wife"] >= 0)
    back = came[a["family"][left]]
    wife_home = hh[a["former_wife"][sep]]
    present, theirs = leavers.present, leavers.household[leavers.present]
    return pl.concat(
        [
            stay(np.arange(1, n_now + 1), hh + 1, start, np.full(n_now, OPEN), role),
            stay(
                n_now + 1 + np.flatnonzero(present),
                theirs + h_now + 1,
                leavers.since[present],
                leavers.end[theirs],
                old["role"].to_numpy()[present],
            ),
            stay(
                n_now + len(old) + 1 + np.arange(len(dead.household)),
                dead.household + 1,
                np.minimum(dead.since, dead.death - 5),
                dead.death,
                dead.role,
            ),
            stay(m + 1, m_home + 1, np.maximum(a["before"][a["former"][hh[m]]], birth[m]), came[hh[m]], role[m]),
            stay(
                left + 1,
                a["family"][left] + 1,
                np.maximum(back, birth[left]),
                start[left],
                np.full(len(left), "adult_child", dtype=object),
            ),
            stay(
                sep + 1,
                wife_home + 1,
                np.maximum(came[wife_home], birth[sep] + 18 * 365),
                start[sep],
                np.full(len(sep), "partner", dtype=object),
            ),
        ]
    ).filter(pl.col("from") < pl.col("to"))


def stay(person: Days, household_id: Days, start: Days, end: Days, role: NDArray[Any]) -> pl.DataFrame:
    return pl.DataFrame(
        {"person_id": person, "household_id": household_id, "from": start, "to": end, "role": texts(role)}
    )


def room_of(people: pl.DataFrame, homes: pl.DataFrame, units: pl.DataFrame) -> pl.DataFrame:
    """The room of each tenant of a shared house that has numbered rooms (person_id, household_id, room)."""
    rooms = (
        units.filter(pl.col("kind") == "hmo_room")
        .select(pl.col("parent_uprn").alias("uprn"), pl.col("uprn").alias("room"))
        .with_columns(place=pl.int_range(pl.len()).over("uprn"))
    )
    tenants = people.with_columns(household_id=pl.col("household") + 1).join(
        homes.filter(pl.col("kind") == "hmo").select("household_id", "uprn"),
        on="household_id",
        maintain_order="left",
    )
    tenants = tenants.with_columns(place=pl.int_range(pl.len()).over("uprn"))
    return tenants.join(rooms, on=["uprn", "place"], maintain_order="left").select("person_id", "household_id", "room")


def with_outside(stays: pl.DataFrame, people: pl.DataFrame, as_of: int) -> pl.DataFrame:
    """Adds where a person was before the first and after the last known home: outside the borough, uprn null."""
    edges = stays.group_by("person_id").agg(
        pl.col("from").min().alias("first"), pl.col("to").max().alias("last"), pl.col("role").first()
    )
    edges = (
        people.select("person_id", "birth", "death")
        .join(edges, on="person_id", how="left", maintain_order="left")
        .with_columns(pl.col("role").fill_null("child"), pl.col("first").fill_null(OPEN))
    )
    horizon = as_of - int(HISTORY_YEARS * YEAR)
    nowhere = {"household_id": pl.lit(None, dtype=pl.Int64), "uprn": pl.lit(None, dtype=pl.Int64)}
    before = edges.filter(pl.col("first") > pl.max_horizontal("birth", pl.lit(horizon))).select(
        "person_id",
        pl.max_horizontal("birth", pl.lit(horizon)).alias("from"),
        pl.col("first").alias("to"),
        "role",
        **nowhere,
    )
    after = edges.filter(pl.col("last") < pl.col("death")).select(
        "person_id", pl.col("last").alias("from"), pl.col("death").alias("to"), "role", **nowhere
    )
    columns = ["person_id", "household_id", "uprn", "from", "to", "role"]
    return pl.concat(
        [frame.select(columns) for frame in (stays, before.filter(pl.col("to") > pl.col("from")), after)]
    ).sort("person_id", "from", "to", maintain_order=True)
