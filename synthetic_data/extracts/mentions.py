"""People and homes as any system writes them down: what the renderers of the plainer sources share."""

import numpy as np
import polars as pl

from synthetic_data.address_text import LINES, recorded_uprns, written_addresses
from synthetic_data.corruption.batches import batches_of
from synthetic_data.corruption.names import damaged_names, hits, people_of
from synthetic_data.corruption.numbers import damaged_birth_dates, damaged_ninos, damaged_sexes, kept
from synthetic_data.rates import Rates
from synthetic_data.world import World


def mentions(world: World, rates: Rates, system: str, file: str, rows: pl.DataFrame, group: str) -> pl.DataFrame:
    """The rows (row_key, person_id, known_from, known_to) with each person as the system wrote them, in the same order.

    Adds title, forename, middle, surname, birth_date, sex, nino, phone and email, filled as coverage.yaml says. Rows of
    one `group` stand together: a partner's number may slip from one to the next.
    """
    contacts = world.persons.select("person_id", "phone", "email")
    rows = rows.join(contacts, on="person_id", how="left", maintain_order="left")
    people = damaged_names(people_of(rows, world.names, world.persons, rates, system), rates, system)
    keys = people["row_key"]
    born = damaged_birth_dates(people, rates, system, world.as_of)
    people = people.with_columns(
        nino=damaged_ninos(people, rates, system, rates.coverage(system, "nino"), people[group]),
        sex=damaged_sexes(people, rates, system),
        birth_date=kept(born, rates.coverage(system, "birth_date"), rates.draws(f"{file}:birth dates held", keys)),
        phone=kept(people["phone"], rates.coverage(system, "phone"), rates.draws(f"{file}:phones held", keys)),
        email=kept(
            damaged_emails(people, rates, system),
            rates.coverage(system, "email"),
            rates.draws(f"{file}:e-mails held", keys),
        ),
    )
    batches = batches_of(keys, rates, file, system)
    return batches.apply(people, forename="forename", surname="surname", birth_date="birth_date")


def damaged_emails(people: pl.DataFrame, rates: Rates, system: str) -> pl.Series:
    """email as the system holds it: now and then another address of the same person, or one letter short."""
    draws = rates.draws(f"{system}:e-mails", people["row_key"])
    other = pl.Series(hits(draws, rates.person("email_other", system), people["factor"]))
    short = pl.Series(hits(draws, rates.person("email_typo", system), people["factor"]))
    place = pl.Series(1 + draws.below(6))
    email = pl.col("email")
    second = pl.concat_str(
        email.str.extract(r"^([^.@]+)"), pl.col("birth_date").dt.strftime("%y"), pl.lit("@example.net"), separator=""
    )
    return people.select(
        pl.when(other & email.is_not_null())
        .then(second)
        .when(short)
        .then(pl.concat_str(email.str.slice(0, place), email.str.slice(place + 1)))
        .otherwise(email)
        .alias("email")
    ).to_series()


def homes_written(
    components: pl.DataFrame, uprns: pl.Series, keys: pl.Series, rates: Rates, system: str, file: str
) -> pl.DataFrame:
    """addr1 to addr4, postcode and recorded_uprn of each UPRN, row for row: typed in anew for each key."""
    written = written_addresses(components, uprns, rates, system, keys)
    recorded = recorded_uprns(components, uprns, rates, system, keys).alias("recorded_uprn")
    batches = batches_of(keys, rates, f"{file} addresses", system)
    return batches.apply(written.with_columns(recorded), postcode="postcode").select(
        *LINES, "postcode", "recorded_uprn"
    )


def chosen(draws: np.ndarray, words: list[str], shares: list[float]) -> pl.Series:
    """One word a row, by its share."""
    edges = np.cumsum(shares) / np.sum(shares)
    return pl.Series(np.array(words)[np.searchsorted(edges, draws, side="right").clip(0, len(words) - 1)])
