"""The electoral register: registered names, birth dates of attainers alone; anonymous electors without an address.

Layout: UTF-8, dates dd/mm/yyyy. A ghost stays until the canvass finds out; the world says who is one.
"""

from datetime import date

import polars as pl

from synthetic_data.address_text import address_components, recorded_uprns, written_addresses
from synthetic_data.corruption.batches import batches_of
from synthetic_data.corruption.names import damaged_names, people_of
from synthetic_data.corruption.numbers import kept
from synthetic_data.extracts.delivery import Rendered, csv_file, truth_of, with_intake_faults
from synthetic_data.extracts.references import property_references
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "electoral_register"
DATE = "%d/%m/%Y"
ADDRESS = {f"addr{n}": f"property_address_{n}" for n in range(1, 5)} | {"postcode": "property_post_code"}
REGISTER = ["elector_id", "elector_title", "elector_surname", "elector_forename", "elector_middle_name", "elector_dob",
            *ADDRESS.values(), "property_urn", "property_ref", "franchise", "added_date", "anonymous"]  # fmt: skip
_PERSONAL = ["elector_title", "elector_surname", "elector_forename", "elector_middle_name", "elector_dob",
             *ADDRESS.values(), "property_urn", "property_ref"]  # fmt: skip


def _property_list(world: World, rates: Rates) -> pl.DataFrame:
    """The electoral system's own list of properties: every elector of a home shares one written address."""
    components = address_components(world)
    homes = world.electors.select("uprn").drop_nulls().unique().sort("uprn")
    references = property_references(world, rates).select("uprn", property_ref="electoral_ref")
    homes = homes.join(references, on="uprn", how="left", maintain_order="left")
    written = written_addresses(components, homes["uprn"], rates, SYSTEM).rename(ADDRESS)
    reference = kept(
        homes["property_ref"],
        rates.coverage(SYSTEM, "property_ref"),
        rates.draws("register:property refs", homes["uprn"]),
    )
    recorded = recorded_uprns(components, homes["uprn"], rates, SYSTEM)
    return pl.concat([homes, written], how="horizontal").with_columns(property_urn=recorded, property_ref=reference)


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The register of extract_date; person key and address key elector_id."""
    rows = world.electors.sort("elector_id").with_columns(
        known_from="added_date", known_to=pl.lit(extract_date), row_key="elector_id"
    )
    people = damaged_names(people_of(rows, world.names, world.persons, rates, SYSTEM), rates, SYSTEM)
    people = people.join(_property_list(world, rates), on="uprn", how="left", maintain_order="left")
    batches = batches_of(people["row_key"], rates, "register", SYSTEM)
    people = batches.apply(people, forename="forename", surname="surname", postcode="property_post_code")
    hidden = pl.col("anonymous").fill_null(False)
    register = people.with_columns(
        elector_title="title",
        elector_surname="surname",
        elector_forename="forename",
        elector_middle_name="middle",
        elector_dob=pl.when(pl.col("attainer_date").is_not_null()).then(pl.col("birth_date").dt.strftime(DATE)),
        added_date=pl.col("added_date").dt.strftime(DATE),
        anonymous=pl.when(hidden).then(pl.lit("Y")),
        hidden=hidden,
    ).with_columns(pl.when("hidden").then(None).otherwise(column).alias(column) for column in _PERSONAL)
    register = with_intake_faults(register, "register.csv", rates)
    named = register.filter(~pl.col("hidden"))
    return Rendered(
        SYSTEM,
        [csv_file("register.csv", register, REGISTER)],
        truth_of(named, pl.col("elector_id"), "person_id", "source_key"),
        truth_of(named, pl.col("elector_id"), "uprn", "address_key"),
    )
