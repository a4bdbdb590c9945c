"""The small town of tests/linkage_models as fact tables in a scratch warehouse."""

import polars as pl

from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contracts
from pipelines.warehouse import Warehouse
from tests.linkage_models.small_town import Town

PROVENANCE = (
    "DATE '2026-10-31' AS extract_date, DATE '2026-10-31' AS valid_from, NULL::DATE AS valid_to, 'r' AS loaded_run"
)
# What the shipped contracts state of how often a person may stand in a source.
EACH_PERSON = {name: each.each_person for name, each in load_contracts(SHIPPED_SOURCES).items() if each.each_person}


def load(wh: Warehouse, town: Town, without: tuple[str, ...] = ()) -> None:
    """Write facts.person_record, address, residence and places.address_uprn, leaving out the sources named."""
    kept = town.records.filter(~pl.col("source").is_in(list(without)))
    wh.con.register("town", kept)
    wh.table(
        "identity.facts.person_record",
        f"SELECT * EXCLUDE (home_key, postcode, source), 1 AS occupant, source, {PROVENANCE} FROM town",
    )
    wh.table(
        "identity.facts.address",
        f"""SELECT source || ':' || source_key AS address_id, source_key AS address_key, NULL::VARCHAR AS
            address_text, postcode,
            NULL::BIGINT AS uprn_given, source, {PROVENANCE} FROM town""",
    )
    wh.table(
        "identity.facts.residence",
        f"""SELECT record_id, source || ':' || source_key AS address_id, DATE '2015-04-01' AS from_date, NULL::DATE
            AS to_date,
            'tenancy' AS basis, source, {PROVENANCE} FROM town""",
    )
    wh.table(
        "identity.places.address_uprn",
        "SELECT source || ':' || source_key AS address_id, replace(home_key, 'U', '')::BIGINT AS uprn,"
        " NULL::VARCHAR AS door_key FROM town",
    )
    wh.con.unregister("town")
