"""Planted tenancies: two at a time, sublet homes, and what only looks like it."""

import polars as pl

from synthetic_data.administration.casebook import Casebook, cases_of
from synthetic_data.timeline import OPEN, YEAR

HELD_BEFORE = int(3 * YEAR)  # a sublet home was the tenant's own for so long


def two_of(chosen: pl.DataFrame, note: str, people: list[str]) -> pl.DataFrame:
    return cases_of(chosen, "housing.tag_ref", "housing.second_tag", people, ["uprn", "second_uprn"], note)


def pairs(book: Casebook, kind: str, candidates: pl.DataFrame) -> pl.DataFrame:
    """Tenancies in pairs: the columns of the second are prefixed second_."""
    chosen = book.pick(kind, candidates, count=2 * book.wanted(kind))
    half = len(chosen) // 2
    first, second = chosen.head(half), chosen.slice(half, half)
    return pl.concat(
        [
            first,
            second.select("tag_ref", "house_ref", "household_id", "uprn", "tenant", "birth", "sex").rename(
                {
                    "tag_ref": "second_tag",
                    "house_ref": "second_house",
                    "household_id": "second_home",
                    "uprn": "second_uprn",
                    "tenant": "second_tenant",
                    "birth": "second_birth",
                    "sex": "second_sex",
                }
            ),
        ],
        how="horizontal",
    )


def two_tenancies(book: Casebook) -> None:
    """One person holds two homes of the council; others live in the second."""
    chosen = pairs(book, "two_tenancies", book.live_tenancies())
    book.sole_tenant(chosen["second_house"], chosen["tenant"])
    book.record(
        "two_tenancies", two_of(chosen, "one tenant, two current tenancies; others live in the second", ["tenant"])
    )


def same_name(book: Casebook) -> None:
    """Two people of one name, each with a tenancy."""
    singles = book.live_tenancies().filter(pl.col("kind").is_in(["single", "couple"]))
    sex = "M" if len(singles.filter(pl.col("sex") == "M")) > 2 * book.wanted("two_tenancies_same_name") else "F"
    chosen = pairs(book, "two_tenancies_same_name", singles.filter(pl.col("sex") == sex))
    close = (pl.col("birth") - pl.col("second_birth")).abs() < 400
    chosen = chosen.filter(~close)
    book.rename(chosen.select(person_id="second_tenant", forename="forename", surname="surname"))
    book.record(
        "two_tenancies_same_name",
        two_of(chosen, "two people of one name, born in different years", ["tenant", "second_tenant"]),
    )


def empty_homes(book: Casebook) -> pl.DataFrame:
    """Empty dwellings in which nobody of the record has lived."""
    lived_in = book.frames["households"]["uprn"]
    return (
        book.frames["properties"]
        .filter(pl.col("is_dwelling") & (pl.col("kind") != "hmo") & ~pl.col("uprn").is_in(lived_in.implode()))
        .select(old_uprn="uprn")
    )


def transfers(book: Casebook) -> None:
    """A tenant moved from one council home to another within weeks; the first is open while notice runs."""
    empty = empty_homes(book)
    chosen = book.pick(
        "tenancy_transfer_overlap",
        book.live_tenancies().filter(pl.col("home_from") < book.as_of - 200),
        count=min(book.wanted("tenancy_transfer_overlap"), len(empty)),
    )
    count = len(chosen)
    next_home = int(book.frames["households"]["household_id"].max() or 0) + 1  # type: ignore[arg-type]
    taken = book.frames["tenancies"]["prop_ref"]
    chosen = pl.concat([chosen, empty.head(count)], how="horizontal").with_columns(
        moved=book.as_of - 7 - (pl.col("household_id") % 19),
        old_home=pl.int_range(next_home, next_home + pl.len()),
        old_tag=pl.col("tag_ref").str.slice(0, 6) + "/09",
        old_house=pl.lit("T") + pl.col("house_ref").str.slice(1),
        old_prop=pl.lit("V") + pl.col("prop_ref").str.slice(1),
    )
    assert not chosen["old_prop"].is_in(taken.implode()).any()
    # truth: they lived in the other home until the move
    homes = (
        book.frames["households"]
        .join(chosen.select("household_id"), on="household_id", maintain_order="left")
        .join(chosen.select("household_id", "old_uprn", "moved", "old_home"), on="household_id", maintain_order="left")
    )
    book.add(
        "households", homes.with_columns(uprn="old_uprn", to="moved", household_id="old_home", tenure=pl.lit("council"))
    )
    book.change("households", "household_id", chosen.select(pl.col("household_id"), pl.col("moved").alias("from")))
    stays = book.frames["residences"].join(
        chosen.select("household_id", "old_uprn", "moved", "old_home"),
        on="household_id",
        how="left",
        maintain_order="left",
    )
    before = stays.filter(pl.col("moved").is_not_null() & (pl.col("from") < pl.col("moved"))).with_columns(
        uprn="old_uprn", household_id="old_home", to=pl.min_horizontal("to", "moved")
    )
    after = stays.filter(pl.col("moved").is_null() | (pl.col("to") > pl.col("moved"))).with_columns(
        pl.max_horizontal("from", "moved").alias("from")
    )
    columns = book.frames["residences"].columns
    book.frames["residences"] = pl.concat([after.select(columns), before.select(columns)])
    book.change("properties", "uprn", chosen.select(uprn="old_uprn", tenure=pl.lit("council")))
    # records: two tenancies, the council tax account already new, the register still at the old home
    old = book.frames["tenancies"].join(
        chosen.select("tag_ref", "old_tag", "old_house", "old_prop", "old_uprn"),
        on="tag_ref",
        maintain_order="left",
    )
    book.add(
        "tenancies", old.with_columns(tag_ref="old_tag", house_ref="old_house", prop_ref="old_prop", uprn="old_uprn")
    )
    people = book.frames["tenancy_members"].join(
        chosen.select("house_ref", "old_house"), on="house_ref", maintain_order="left"
    )
    book.add("tenancy_members", people.with_columns(house_ref="old_house"))
    book.change("tenancies", "tag_ref", chosen.select("tag_ref", start="moved"))
    live = (
        book.frames["ct_accounts"]
        .filter(pl.col("end") == OPEN)
        .join(chosen.select(property_uprn="uprn", moved="moved"), on="property_uprn", maintain_order="left")
        .select("account_ref", "moved")
    )
    book.change("ct_accounts", "account_ref", live.select("account_ref", start="moved"))
    for frame in ("ct_liable", "ct_discounts"):
        open_rows = book.frames[frame].join(live, on="account_ref", how="left", maintain_order="left")
        book.frames[frame] = (
            open_rows.filter(pl.col("moved").is_null() | (pl.col("end") == OPEN))
            .with_columns(
                start=pl.when(pl.col("moved").is_not_null())
                .then(pl.max_horizontal("start", "moved"))
                .otherwise("start")
            )
            .drop("moved")
        )
    listed = book.frames["electors"].join(
        chosen.select("uprn", "old_uprn"), on="uprn", how="left", maintain_order="left"
    )
    book.frames["electors"] = listed.with_columns(uprn=pl.coalesce("old_uprn", "uprn")).drop("old_uprn")
    houses = book.frames["claim_houses"].join(
        chosen.select("household_id", "old_uprn", "old_home"), on="household_id", how="left", maintain_order="left"
    )
    book.frames["claim_houses"] = houses.with_columns(uprn=pl.coalesce("old_uprn", "uprn")).drop("old_uprn", "old_home")
    book.record(
        "tenancy_transfer_overlap",
        cases_of(
            chosen,
            "housing.tag_ref",
            "housing.old_tag",
            ["tenant"],
            ["uprn", "old_uprn"],
            "a transfer; the old tenancy ends when its notice has run",
        ),
    )


def sublets(book: Casebook) -> None:
    """The tenant lives in a home of his own elsewhere in the borough; other people live in the council's."""
    chosen = _let_at_first(book, _tenants_elsewhere(book))
    claims = (
        book.frames["claim_houses"].join(chosen.select("uprn"), on="uprn", maintain_order="left")["claim_id"].unique()
    )
    for frame in ("claims", "claim_houses", "claim_members"):
        book.drop(frame, "claim_id", claims)
    entries = book.list_elector(
        chosen.select(
            person_id="lead",
            uprn="own_uprn",
            added_date=pl.min_horizontal(pl.col("own_from") + 90, pl.lit(book.as_of - 60)),
        )
    )
    chosen = chosen.join(entries.select(lead="person_id", elector_id="elector_id"), on="lead", maintain_order="left")
    book.record(
        "sublet",
        cases_of(
            chosen,
            "housing.tag_ref",
            "electoral_register.elector_id",
            ["lead"],
            ["uprn", "own_uprn"],
            "the tenant lives elsewhere; others live in the home",
        ),
    )


def _tenants_elsewhere(book: Casebook) -> pl.DataFrame:
    """Council homes of one household, each with the tenant to be: somebody who had a home of their own before it."""
    histories = book.frames["households"].group_by("uprn").agg(homes=pl.len())
    council = (
        book.live_tenancies()
        .filter(pl.col("home_from") > book.as_of - 12 * YEAR)
        .join(histories.filter(pl.col("homes") == 1), on="uprn", maintain_order="left")
        .select("tag_ref", "house_ref", "household_id", "uprn", "home_from")
        .filter(~pl.col("household_id").is_in(book.used_homes))
        .sort("home_from", descending=True, maintain_order=True)
    )
    stays = book.scene.stays.group_by("person_id").agg(places=pl.col("uprn").drop_nulls().n_unique(), rows=pl.len())
    people = (
        book.live_accounts()
        .filter(
            pl.col("tenure").is_in(["owned", "mortgage", "private_rent", "housing_association"])
            & (pl.col("home_from") > book.as_of - 10 * YEAR)
        )
        .join(
            stays.filter((pl.col("places") == 1) & (pl.col("rows") == 2)),
            left_on="lead",
            right_on="person_id",
            maintain_order="left",
        )
    )
    people = (
        people.join(
            book.scene.known.filter(pl.col("birth") < book.as_of - 31 * YEAR).select(lead="person_id"),
            on="lead",
            maintain_order="left",
        )
        .select("lead", own_home="household_id", own_uprn="uprn", own_from="home_from")
        .filter(~pl.col("own_home").is_in(book.used_homes))
        .sort("own_from", maintain_order=True)
    )
    wanted = min(book.wanted("sublet"), len(council), len(people))
    # the earliest to leave with the latest to come in, so that the leaving comes first
    spread = max(1, min(len(council), len(people)) // max(1, wanted) // 2)
    pair = pl.concat(
        [council.gather_every(spread).head(wanted), people.gather_every(spread).head(wanted)], how="horizontal"
    )
    pair = pair.filter(pl.col("own_from") <= pl.col("home_from")).drop_nulls()
    return book.pick("sublet", pair, homes=("household_id", "own_home"), person="lead").with_columns(
        began=pl.col("own_from") - HELD_BEFORE
    )


def _let_at_first(book: Casebook, chosen: pl.DataFrame) -> pl.DataFrame:
    """Let the council's home to the tenant, who lives there (`first_home`) until the own one is there."""
    homes = book.frames["households"]
    next_home = int(homes["household_id"].max() or 0) + 1  # type: ignore[arg-type]
    chosen = chosen.with_columns(first_home=pl.int_range(next_home, next_home + pl.len()))
    book.add(
        "households",
        chosen.select(
            household_id="first_home",
            uprn="uprn",
            kind=pl.lit("single"),
            tenure=pl.lit("council"),
            **{"from": pl.col("began"), "to": pl.col("own_from")},
        ),
    )
    stays = book.frames["residences"].join(
        chosen.select(person_id="lead", began="began"), on="person_id", how="left", maintain_order="left"
    )
    stays = stays.with_columns(
        pl.when(pl.col("began").is_not_null() & pl.col("uprn").is_null())
        .then(pl.min_horizontal("from", pl.col("began") - 30))
        .otherwise("from")
        .alias("from"),
        pl.when(pl.col("began").is_not_null() & pl.col("uprn").is_null()).then("began").otherwise("to").alias("to"),
    ).drop("began")
    book.frames["residences"] = stays
    book.add(
        "residences",
        chosen.select(
            person_id="lead",
            household_id="first_home",
            uprn="uprn",
            role=pl.lit("head"),
            **{"from": pl.col("began"), "to": pl.col("own_from")},
        ),
    )
    book.change("tenancies", "tag_ref", chosen.select("tag_ref", start="began"))
    book.sole_tenant(chosen["house_ref"], chosen["lead"])
    return chosen


def carers_elsewhere(book: Casebook) -> None:
    """A tenant stays with an old person whom he cares for, is registered there, and comes home."""
    old = (
        book.live_accounts()
        .filter((pl.col("kind") == "single") & (pl.col("tenure") == "owned"))
        .join(
            book.scene.known.filter(pl.col("birth") < book.as_of - 74 * YEAR).select(lead="person_id"),
            on="lead",
            maintain_order="left",
        )
        .select(old_home="household_id", old_uprn="uprn", old_person="lead")
    )
    tenants = book.live_tenancies().filter(pl.col("birth").is_between(book.as_of - 66 * YEAR, book.as_of - 24 * YEAR))
    wanted = min(book.wanted("tenancy_carer_elsewhere"), len(old))
    chosen = book.pick("tenancy_carer_elsewhere", tenants, person="tenant", count=wanted)
    hosts = book.pick("tenancy_carer_elsewhere", old, homes=("old_home",), count=len(chosen))
    chosen = pl.concat([chosen.head(len(hosts)), hosts], how="horizontal")
    entries = book.list_elector(
        chosen.select(person_id="tenant", uprn="old_uprn", added_date=book.as_of - 60 - (pl.col("tenant") % 200))
    )
    book.change("persons", "person_id", chosen.select(person_id="tenant", carer=pl.lit(True)))
    chosen = chosen.join(
        entries.select(tenant="person_id", elector_id="elector_id"), on="tenant", maintain_order="left"
    )
    book.record(
        "tenancy_carer_elsewhere",
        cases_of(
            chosen,
            "housing.tag_ref",
            "electoral_register.elector_id",
            ["tenant"],
            ["uprn", "old_uprn"],
            "registered where he cares for somebody; the tenancy is his home",
        ),
    )
