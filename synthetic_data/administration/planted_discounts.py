"""Planted single person discounts: a second adult who counts, and adults who don't."""

import polars as pl

from synthetic_data.administration.casebook import Casebook, cases_of
from synthetic_data.timeline import OPEN, YEAR


def two_adults(book: Casebook) -> pl.DataFrame:
    """One row an undiscounted home of exactly two counted adults, the second (other) long on the register there."""
    granted = book.frames["ct_discounts"].filter((pl.col("kind") != "R") | (pl.col("end") == OPEN))["account_ref"]
    people = book.scene.residents().filter(pl.col("current") & (pl.col("age") > 17.9))
    plain = ~pl.col("is_student") & ~pl.col("smi") & ~pl.col("carer") & (pl.col("age") > 20)
    pairs = people.group_by("household_id").agg(grown=pl.len(), plain=plain.sum())
    accounts = book.live_accounts().filter(
        ~pl.col("account_ref").is_in(granted.implode())
        & pl.col("kind").is_in(["couple", "couple_children", "lone_parent", "sharers"])
    )
    accounts = accounts.join(
        pairs.filter((pl.col("grown") == 2) & (pl.col("plain") == 2)), on="household_id", maintain_order="left"
    )
    others = people.select("household_id", other="person_id", other_age="age", since="from")
    listed = book.electors_at().select(other="person_id", elector_id="elector_id", added="added_date")
    return (
        accounts.join(others, on="household_id", maintain_order="left")
        .filter((pl.col("other") != pl.col("lead")) & (pl.col("since") < book.as_of - 270))
        .join(listed, on="other", maintain_order="left")
        .filter(pl.col("added") < book.as_of - 190)
        .sort("account_ref", maintain_order=True)
    )


def grant(book: Casebook, chosen: pl.DataFrame) -> None:
    """The account gets the discount from soon after the move, in the lead's name alone."""
    book.sole_liable(chosen["account_ref"], chosen["lead"])
    began = pl.max_horizontal(pl.col("home_from") + 12, pl.lit(8491))
    book.add(
        "ct_discounts",
        chosen.select(
            "account_ref", kind=pl.lit("D"), code=pl.lit("SPD"), start=began, end=pl.lit(OPEN), percent=pl.lit(25.0)
        ),
    )


def case_of(chosen: pl.DataFrame, note: str) -> pl.DataFrame:
    return cases_of(
        chosen, "council_tax.account_ref", "electoral_register.elector_id", ["lead", "other"], ["uprn"], note
    )


def second_adults(book: Casebook) -> None:
    chosen = book.pick("spd_second_adult", two_adults(book))
    grant(book, chosen)
    book.record("spd_second_adult", case_of(chosen, "a second counted adult lives there and is on the register"))


def disregarded_adults(book: Casebook) -> None:
    """The second adult is a student or severely mentally impaired, and the account says so."""
    chosen = book.pick("spd_disregarded_adult", two_adults(book).filter(pl.col("kind") != "sharers"))
    grant(book, chosen)
    student = pl.col("other_age") < 26
    book.change("persons", "person_id", chosen.select(person_id="other", is_student=student, smi=~student))
    book.add(
        "ct_discounts",
        chosen.select(
            "account_ref",
            kind=pl.lit("R"),
            code=pl.when(student).then(pl.lit("STU")).otherwise(pl.lit("SMI")),
            person_id="other",
            start=pl.max_horizontal("since", pl.lit(8491)),
            end=pl.lit(OPEN),
            percent=pl.lit(0.0),
        ),
    )
    book.record("spd_disregarded_adult", case_of(chosen, "the second adult is disregarded"))


def alone_with_discount(book: Casebook) -> pl.DataFrame:
    """Honest live discounts of homes with one adult."""
    granted = book.frames["ct_discounts"].filter((pl.col("code") == "SPD") & (pl.col("end") == OPEN))["account_ref"]
    grown = (
        book.scene.residents()
        .filter(pl.col("current") & (pl.col("age") >= 18))
        .group_by("household_id")
        .agg(grown=pl.len())
    )
    return (
        book.live_accounts()
        .filter(pl.col("account_ref").is_in(granted.implode()))
        .join(grown, on="household_id", maintain_order="left")
        .filter(pl.col("grown") == 1)
    )


def adults_just_moved(book: Casebook) -> None:
    """The register still lists a person who has left the home: the occupier before, or a former partner."""
    gone = (
        book.scene.residents()
        .filter(
            ~pl.col("current")
            & (pl.col("death") == OPEN)
            & (pl.col("to") > book.as_of - 1500)
            & (pl.col("to") - pl.col("birth") > 18.1 * YEAR)
            & (pl.col("to") - pl.col("from") > 150)
            & (pl.col("kind") != "hmo")
        )
        .select("uprn", other="person_id", came="from", left="to")
    )
    homes = (
        alone_with_discount(book)
        .join(gone, on="uprn", maintain_order="left")
        .filter(pl.col("other") != pl.col("lead"))
        .sort("left", descending=True, maintain_order=True)
    )
    wanted = book.wanted("spd_adult_just_moved")
    chosen = book.pick(
        "spd_adult_just_moved",
        homes.unique("household_id", keep="first", maintain_order=True).head(wanted * 2),
        person="other",
    )
    entries = book.list_elector(
        chosen.select(person_id="other", uprn="uprn", added_date=pl.max_horizontal(pl.col("came") + 40, pl.lit(11_323)))
    )
    chosen = chosen.join(entries.select(other="person_id", elector_id="elector_id"), on="other", maintain_order="left")
    book.record("spd_adult_just_moved", case_of(chosen, "the register lists a person who has moved away"))


def children_just_18(book: Casebook) -> None:
    """A lone parent's eldest came of age within weeks; the discount has not been looked at yet."""
    eldest = (
        book.scene.residents()
        .filter(pl.col("current") & (pl.col("role") == "child") & pl.col("age").is_between(12, 17.99))
        .sort("age", descending=True, maintain_order=True)
        .unique("household_id", keep="first", maintain_order=True)
        .select("household_id", other="person_id", old_birth="birth")
    )
    twins = (
        book.frames["persons"]
        .filter(pl.col("twin_of").is_not_null())
        .select(pl.concat_list("person_id", "twin_of").alias("p"))
        .explode("p")["p"]
    )
    homes = (
        alone_with_discount(book)
        .join(eldest, on="household_id", maintain_order="left")
        .filter(~pl.col("other").is_in(twins.implode()))
    )
    homes = homes.join(
        book.scene.known.select(lead="person_id", lead_birth="birth"), on="lead", maintain_order="left"
    ).filter(pl.col("lead_birth") < book.as_of - 36 * YEAR)
    homes = (
        homes.filter(~pl.col("household_id").is_in(book.used_homes))
        .sort("old_birth", maintain_order=True)
        .head(2 * book.wanted("spd_adult_child_just_18"))
    )
    chosen = book.pick("spd_adult_child_just_18", homes)
    turned = book.as_of - 6 - (pl.col("other") % 44)
    chosen = chosen.with_columns(turned=turned, birth=turned - int(18 * YEAR) - 1)
    book.change(
        "persons",
        "person_id",
        chosen.select(person_id="other", birth_date=pl.col("birth").cast(pl.Int32).cast(pl.Date)),
    )
    book.change("names", "person_id", chosen.select(pl.col("other").alias("person_id"), pl.col("birth").alias("from")))
    stays = book.frames["residences"].join(
        chosen.select(person_id="other", old="old_birth", new="birth"),
        on="person_id",
        how="left",
        maintain_order="left",
    )
    book.frames["residences"] = stays.with_columns(
        pl.when(pl.col("from") == pl.col("old")).then("new").otherwise("from").alias("from")
    ).drop("old", "new")
    entries = book.list_elector(
        chosen.select(person_id="other", uprn="uprn", added_date=pl.col("turned") - 120, attainer_date="turned")
    )
    chosen = chosen.join(entries.select(other="person_id", elector_id="elector_id"), on="other", maintain_order="left")
    book.record("spd_adult_child_just_18", case_of(chosen, "a child of the home has just turned 18"))
