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


def assemble(
    now: History, past: Population, a: dict[str, Any], units: pl.DataFrame, rng: np.random.Generator
) -> History:
    """Joins present and past households into one numbered whole, adds the dead, fills what lies outside."""
    as_of, members, n_now, h_now = a["as_of"], now.people, len(now.people), len(now.homes)
    former_home = now.homes["uprn"].to_numpy()[a["vacated"]]
    place_tenure = now.homes["tenure"].to_numpy()
    # leavers: single older people mostly died, and their homes changed hands months later
    old, away = past.members, a["gone"]
    first = old.group_by("household", maintain_order=True).first().sort("household", maintain_order=True)
    alone = (past.households["kind"].to_numpy() == "single") & (first["age"].to_numpy() > 66)
    died = alone & (rng.random(len(alone)) < 0.75)
    death_of_home = away - rng.integers(20, 260, len(away))
    died &= (death_of_home > as_of - 730) & (death_of_home < as_of - 3)
    end = np.where(died, death_of_home, away)
    began = end - np.maximum(60, rng.exponential(6, len(end)) * YEAR).astype(np.int64)
    old_birth = as_of - np.maximum(40, old["age"].to_numpy() * YEAR).astype(np.int64)
    head_birth = as_of - (first["age"].to_numpy() * YEAR).astype(np.int64)
    began = np.minimum(np.maximum(began, head_birth + 18 * 365), end - 20)
    oh = old["household"].to_numpy()
    old_from = np.maximum(began[oh], old_birth)
    present = old_from < end[oh]
    # the dead of present households: husbands and wives of those who now live alone, parents, residents of care homes
    role, hh, age, kind = (
        members["role"].to_numpy(),
        members["household"].to_numpy(),
        members["age"].to_numpy(),
        now.homes["kind"].to_numpy(),
    )
    wanted = max(4, a["deaths"] - int(died.sum()))
    alone_now = np.flatnonzero((role == "head") & (kind[hh] == "single") & (age > 58) & (a["came"][hh] < as_of - 900))
    couples = np.flatnonzero((role == "head") & (kind[hh] == "couple") & (age > 40) & (a["came"][hh] < as_of - 900))
    homes_care = np.flatnonzero(kind == "care_home")
    widows = rng.permutation(alone_now)[: max(2, round(0.55 * wanted))]
    parents = rng.permutation(couples)[: max(1, round(0.08 * wanted))]
    residents = rng.choice(homes_care, max(5, min(10, n_now // 300), wanted - len(widows) - len(parents)))
    woman = members["woman"].to_numpy()
    d_hh = np.concatenate([hh[widows], hh[parents], residents])
    d_age = np.concatenate(
        [
            np.maximum(50, age[widows] + rng.normal(2, 5, len(widows))),
            np.minimum(99, age[parents] + rng.normal(27, 4, len(parents))),
            np.clip(rng.normal(86, 7, len(residents)), 62, 104),
        ]
    )
    d_woman = np.concatenate([~woman[widows], rng.random(len(parents)) < 0.5, rng.random(len(residents)) < 0.66])
    d_role = np.array(
        ["partner"] * len(widows) + ["parent"] * len(parents) + ["resident"] * len(residents), dtype=object
    )
    group = members["group"].to_numpy()
    d_group = np.concatenate([group[widows], group[parents], np.full(len(residents), "white_british", dtype=object)])
    d_death = as_of - rng.integers(3, 730, len(d_hh))
    longest = (
        len(widows) + len(parents) + np.arange(min(10, len(residents)))
    )  # so that a small borough has dead of last year too
    d_death[longest] = as_of - rng.integers(200, 700, len(longest))
    d_birth = d_death - (d_age * YEAR).astype(np.int64)
    d_from = np.where(
        d_role == "resident",
        d_death - np.minimum(20 + rng.exponential(800, len(d_hh)), 5000).astype(np.int64),
        a["came"][d_hh],
    )
    none = np.full(len(d_hh), -1, dtype=np.int64)
    people = (
        pl.DataFrame(
            {
                "household": np.concatenate([hh, oh + h_now, d_hh]),
                "role": texts(np.concatenate([role, old["role"].to_numpy(), d_role])),
                "woman": np.concatenate([woman, old["woman"].to_numpy(), d_woman]),
                "group": texts(np.concatenate([group, old["group"].to_numpy(), d_group])),
                "birth": np.concatenate([a["birth"], old_birth, d_birth]),
                "death": np.concatenate([np.full(n_now, OPEN), np.where(died[oh], end[oh], OPEN), d_death]),
                "twin": pl.concat(
                    [members["twin"], old["twin"] + n_now, pl.Series([None] * len(d_hh), dtype=pl.Int64)]
                ),
                "family": np.concatenate([a["family"], np.full(len(old), -1), none]),
                "former_wife": np.concatenate([a["former_wife"], np.full(len(old), -1), none]),
            }
        )
        .with_row_index("person_id", offset=1)
        .cast({"person_id": pl.Int64})
    )
    # homes: present, past, and the former homes of those who moved within the borough
    movers, before = a["movers"], a["before"]
    homes = (
        pl.DataFrame(
            {
                "uprn": np.concatenate([now.homes["uprn"].to_numpy(), past.households["uprn"].to_numpy(), former_home]),
                "kind": texts(np.concatenate([kind, past.households["kind"].to_numpy(), kind[movers]])),
                "tenure": texts(
                    np.concatenate([place_tenure, past.households["tenure"].to_numpy(), place_tenure[a["vacated"]]])
                ),
                "from": np.concatenate([a["came"], began, before]),
                "to": np.concatenate([np.full(h_now, OPEN), end, a["came"][movers]]),
                "pool_from": np.concatenate([np.arange(h_now + len(end)), movers]),
                "empty_after": np.concatenate(
                    [np.zeros(h_now, dtype=bool), a["was_empty"], np.zeros(len(movers), dtype=bool)]
                ),
            }
        )
        .with_row_index("household_id", offset=1)
        .cast({"household_id": pl.Int64})
    )
    rooms = room_of(people, homes, units)
    persons_now = np.arange(1, n_now + 1)
    moved = (
        (a["former"][hh] >= 0) & (a["start"] == np.maximum(a["came"][hh], a["birth"])) & (a["birth"] < a["came"][hh])
    )
    m = np.flatnonzero(moved)
    m_home = h_now + len(end) + a["former"][hh[m]]
    left = np.flatnonzero(a["family"] >= 0)
    sep = np.flatnonzero(a["former_wife"] >= 0)
    back = a["came"][a["family"][left]]
    wife_home = hh[a["former_wife"][sep]]
    stays = pl.concat(
        [
            stay(persons_now, hh + 1, a["start"], np.full(n_now, OPEN), role),
            stay(
                n_now + 1 + np.flatnonzero(present),
                oh[present] + h_now + 1,
                old_from[present],
                end[oh[present]],
                old["role"].to_numpy()[present],
            ),
            stay(
                n_now + len(old) + 1 + np.arange(len(d_hh)), d_hh + 1, np.minimum(d_from, d_death - 5), d_death, d_role
            ),
            stay(m + 1, m_home + 1, np.maximum(before[a["former"][hh[m]]], a["birth"][m]), a["came"][hh[m]], role[m]),
            stay(
                left + 1,
                a["family"][left] + 1,
                np.maximum(back, a["birth"][left]),
                a["start"][left],
                np.full(len(left), "adult_child", dtype=object),
            ),
            stay(
                sep + 1,
                wife_home + 1,
                np.maximum(a["came"][wife_home], a["birth"][sep] + 18 * 365),
                a["start"][sep],
                np.full(len(sep), "partner", dtype=object),
            ),
        ]
    ).filter(pl.col("from") < pl.col("to"))
    stays = stays.join(homes.select("household_id", "uprn"), on="household_id", how="left", maintain_order="left")
    stays = (
        stays.join(rooms, on=["person_id", "household_id"], how="left", maintain_order="left")
        .with_columns(uprn=pl.coalesce("room", "uprn"))
        .drop("room")
    )
    return History(homes, people, with_outside(stays, people, as_of))


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
