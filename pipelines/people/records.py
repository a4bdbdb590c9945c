"""people.record and people.record_address from the facts and the UPRNs found for addresses."""

from pathlib import Path

import polars as pl
import yaml

from linkage_models.standardise import install, standardise_people
from pipelines.people.fingerprint import fingerprint_sql, set_key
from pipelines.warehouse import Warehouse, sql_file

ROOM = Path(__file__).parent
RECORD = "identity.people.record"
RECORD_ADDRESS = "identity.people.record_address"
ADDRESS_UPRN = "identity.places.address_uprn"
# A source that one_person.yaml does not name holds a person once if at least so many records tell (name and birth
# date), and at most this share of them comes twice (assumed: namesakes, and brothers named after one who died, are
# fewer; what a source that repeats people shows is far more).
FEWEST_TELLING = 200
REPEATED_SHARE = 0.02


def build_record_address(wh: Warehouse) -> int:
    """Write RECORD_ADDRESS; returns its rows."""
    install(wh.con)
    none = "(SELECT NULL AS address_id, NULL::BIGINT AS uprn, NULL::VARCHAR AS door_key WHERE false)"
    found = ADDRESS_UPRN if wh.exists(ADDRESS_UPRN) else none
    return wh.table(
        RECORD_ADDRESS, sql_file(ROOM / "record_address.sql", as_of=f"{wh.as_of:%Y-%m-%d}", address_uprn=found)
    )


def build_record(wh: Warehouse, fingerprint_key: bytes) -> dict[str, int]:
    """Write RECORD; needs RECORD_ADDRESS. Returns rows, and how many of them are people."""
    stated: dict[str, str | dict[str, str]] = yaml.safe_load((ROOM / "one_person.yaml").read_text(encoding="utf-8"))
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE people_fact AS SELECT * FROM identity.facts.person_record WHERE valid_to IS NULL"
    )
    standardise_people(wh.con, "people_fact", "people_standardised", wh.as_of)
    once = sql_file(ROOM / "held_once.sql", fewest=str(FEWEST_TELLING), share=str(REPEATED_SHARE))
    rules = {source: "source" for (source,) in wh.rows(once)} | stated
    told = [
        (source, role, kind)
        for source, rule in rules.items()
        for role, kind in (rule.items() if isinstance(rule, dict) else ((None, rule),))
    ]
    schema = {"source": pl.String, "role": pl.String, "rule": pl.String}
    wh.con.register("one_person_rule", pl.DataFrame(told, schema=schema, orient="row"))
    set_key(wh, fingerprint_key)
    rows = wh.table(RECORD, sql_file(ROOM / "record.sql", fingerprint=fingerprint_sql()))
    wh.con.unregister("one_person_rule")
    wh.execute("DROP TABLE people_fact")
    wh.execute("DROP TABLE people_standardised")
    return {"records": rows, "people": int(wh.scalar(f"SELECT count(*) FROM {RECORD} WHERE is_person"))}
