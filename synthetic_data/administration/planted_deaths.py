"""Planted dead: tenancies and discounts that outlive their holder, namesakes of the dead, executors' accounts."""

import polars as pl

from synthetic_data.administration.casebook import Casebook, cases_of
from synthetic_data.administration.planted_discounts import alone_with_discount
from synthetic_data.administration.planted_tenancies import empty_homes
from synthetic_data.timeline import OPEN, YEAR


def beside_the_dead(book: Casebook, kind: str, homes: pl.DataFrame) -> pl.DataFrame:
    """Homes with a dead person each, who lived there to the end; the household stayed on."""
    dead = book.free_dead(book.wanted(kind))
    chosen = book.pick(kind, homes.filter(pl.col("home_from") < book.as_of - 3 * YEAR), count=len(dead))
    chosen = pl.concat([chosen, dead.head(len(chosen))], how="horizontal")
    book.settle_dead(chosen)
    return chosen


def tenancies_of_the_dead(book: Casebook) -> None:
    """The tenant died half a year ago or more; those who stay have not said so."""
    chosen = beside_the_dead(book, "tenancy_of_dead", book.live_tenancies())
    book.sole_tenant(chosen["house_ref"], chosen["dead"])
    book.record(
        "tenancy_of_dead",
        cases_of(
            chosen,
            "housing.tag_ref",
            "deaths.registration_id",
            ["dead"],
            ["uprn"],
            "the tenant is dead; others stay without a tenancy",
        ),
    )


def discounts_of_the_dead(book: Casebook) -> None:
    """The account and its discount are still in the name of the dead; a relative lives there."""
    homes = alone_with_discount(book).filter(pl.col("tenure").is_in(["owned", "mortgage", "rent_free"]))
    chosen = beside_the_dead(book, "discount_of_dead", homes)
    book.sole_liable(chosen["account_ref"], chosen["dead"])
    book.record(
        "discount_of_dead",
        cases_of(
            chosen,
            "council_tax.account_ref",
            "deaths.registration_id",
            ["dead"],
            ["uprn"],
            "the holder of account and discount is dead",
        ),
    )


def namesakes(book: Casebook) -> None:
    """A dead person bears the name of a living tenant, born in another year, from another home."""
    women = book.scene.known.select(person_id="person_id", dead_sex="sex", dead_birth="birth")
    dead = (
        book.frames["death_registrations"]
        .filter(~pl.col("person_id").is_in(book.used_people))
        .join(women, on="person_id", maintain_order="left")
        .select("registration_id", dead="person_id", dead_sex="dead_sex", dead_birth="dead_birth", dead_uprn="uprn")
    )
    wanted = book.wanted("deceased_namesake")
    tenants = book.live_tenancies().filter(~pl.col("tenant").is_in(book.used_people))
    parts = []
    for sex, share in (("F", (wanted + 2) // 2), ("M", (wanted + 2) // 2)):
        the_dead = dead.filter(pl.col("dead_sex") == sex)
        living = book.pick(
            "deceased_namesake",
            tenants.filter((pl.col("sex") == sex) & (pl.col("birth") > book.as_of - 78 * YEAR)),
            person="tenant",
            count=min(share, len(the_dead)),
        )
        parts.append(pl.concat([living, the_dead.head(len(living))], how="horizontal"))
    chosen = (
        pl.concat(parts)
        .filter(
            ((pl.col("dead_birth") - pl.col("birth")).abs() > 400)
            & (pl.col("dead_uprn") != pl.col("uprn")).fill_null(True)
        )
        .head(wanted)
    )
    book.used_people += chosen["dead"].to_list()
    book.rename(chosen.select(person_id="dead", forename="forename", surname="surname"))
    book.record(
        "deceased_namesake",
        cases_of(
            chosen,
            "housing.tag_ref",
            "deaths.registration_id",
            ["tenant", "dead"],
            ["uprn"],
            "another person of the same name died",
        ),
    )


def executors(book: Casebook) -> None:
    """Accounts that executors hold as they should, exempt while probate runs."""
    missing = book.wanted("exors_account") - len(held_by_executors(book))
    if missing > 0:
        dead, homes = book.free_dead(missing), empty_homes(book)
        chosen = pl.concat([dead, homes.head(len(dead))], how="horizontal").drop_nulls()
        next_home = int(book.frames["households"]["household_id"].max() or 0) + 1  # type: ignore[arg-type]
        chosen = chosen.with_columns(
            household_id=pl.int_range(next_home, next_home + pl.len()),
            uprn=pl.col("old_uprn"),
            home_from=pl.col("died") - int(9 * YEAR),
        )
        book.add(
            "households",
            chosen.select(
                "household_id",
                "uprn",
                kind=pl.lit("single"),
                tenure=pl.lit("owned"),
                **{"from": pl.col("home_from"), "to": pl.col("died")},
            ),
        )
        book.settle_dead(chosen)
        accounts = (
            book.frames["ct_accounts"]
            .filter(pl.col("end") == OPEN)
            .select("account_ref", uprn="property_uprn")
            .join(chosen, on="uprn", maintain_order="left")
            .unique("uprn", keep="first", maintain_order=True)
        )
        book.change(
            "ct_accounts",
            "account_ref",
            accounts.select(
                "account_ref",
                liable_kind=pl.lit("exors"),
                company_name=pl.lit(None, dtype=pl.String),
                start=pl.col("died") + 1,
            ),
        )
        book.change("properties", "uprn", chosen.select("uprn", tenure=pl.lit("owned")))
        book.sole_liable(accounts["account_ref"], accounts["dead"])
        book.add(
            "ct_discounts",
            accounts.select(
                "account_ref",
                kind=pl.lit("E"),
                code=pl.lit("F"),
                start=pl.col("died") + 1,
                end=pl.lit(OPEN),
                percent=pl.lit(100.0),
            ),
        )
    chosen = book.pick("exors_account", held_by_executors(book), homes=())
    book.record(
        "exors_account",
        cases_of(
            chosen,
            "council_tax.account_ref",
            "deaths.registration_id",
            ["person_id"],
            ["uprn"],
            "executors hold the account, exempt during probate",
        ),
    )


def held_by_executors(book: Casebook) -> pl.DataFrame:
    """Live accounts of executors with the registered death: account_ref, person_id, registration_id, uprn."""
    live = (
        book.frames["ct_accounts"]
        .filter((pl.col("end") == OPEN) & (pl.col("liable_kind") == "exors"))
        .select("account_ref", uprn="property_uprn")
    )
    return (
        live.join(book.frames["ct_liable"].select("account_ref", "person_id"), on="account_ref", maintain_order="left")
        .join(
            book.frames["death_registrations"].select("person_id", "registration_id"),
            on="person_id",
            maintain_order="left",
        )
        .sort("account_ref", maintain_order=True)
    )
