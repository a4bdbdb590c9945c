"""people.record and people.record_address from the facts and the UPRNs found for addresses."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import yaml

from linkage_models.standardise import install, mark_people, standardise_people
from pipelines.governance.protection import MASKED, SEAL, listed
from pipelines.people.fingerprint import fingerprint_sql, set_key
from pipelines.people.inherited import SEALED_PLACE, inherit_flags, load_reach, seal_places
from pipelines.warehouse import Warehouse, sql_file

ROOM = Path(__file__).parent
RECORD = "identity.people.record"
# A hash of what each row of RECORD was standardised from: the next run does anew only what differs.
STANDARDISED = "identity.people.standardised"
RECORD_ADDRESS = "identity.people.record_address"
ADDRESS_UPRN = "identity.places.address_uprn"
PROPERTY = "identity.places.property"
# A source that one_person.yaml does not name holds a person once if at least so many records tell (name and birth
# date), and at most this share of them comes twice (assumed: namesakes, and brothers named after one who died, are
# fewer; what a source that repeats people shows is far more).
FEWEST_TELLING = 200
REPEATED_SHARE = 0.02


def build_record_address(wh: Warehouse, views: Mapping[str, Sequence[str]] | None = None) -> int:
    """Write RECORD_ADDRESS, without stays at a sealed place; returns its rows. `views`: the sources of each view."""
    load_reach(wh, views or {})
    install(wh.con)
    none = "(SELECT NULL AS address_id, NULL::BIGINT AS uprn, NULL::VARCHAR AS door_key WHERE false)"
    found = ADDRESS_UPRN if wh.exists(ADDRESS_UPRN) else none
    seal_places(wh, found)
    return wh.table(
        RECORD_ADDRESS,
        sql_file(
            ROOM / "record_address.sql",
            as_of=f"{wh.as_of:%Y-%m-%d}",
            address_uprn=found,
            sealed=listed(SEAL),
            masked=listed(MASKED),
            sealed_place=SEALED_PLACE,
        ),
    )


def build_record(wh: Warehouse, fingerprint_key: bytes) -> dict[str, int]:
    """Write RECORD; needs RECORD_ADDRESS. Returns rows, and how many of them are people."""
    stated: dict[str, str | dict[str, str]] = yaml.safe_load((ROOM / "one_person.yaml").read_text(encoding="utf-8"))
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE people_fact AS SELECT * REPLACE ("
        f"CASE WHEN coalesce(sensitivity, '') NOT IN ({listed(MASKED)}) THEN former_surname END AS former_surname) "
        "FROM identity.facts.person_record WHERE valid_to IS NULL"
    )
    set_key(wh, fingerprint_key)
    standardised = _standardise(wh, fingerprint_key)
    once = sql_file(ROOM / "held_once.sql", fewest=str(FEWEST_TELLING), share=str(REPEATED_SHARE))
    rules = {source: "source" for (source,) in wh.rows(once)} | stated
    told = [
        (source, role, kind)
        for source, rule in rules.items()
        for role, kind in (rule.items() if isinstance(rule, dict) else ((None, rule),))
    ]
    schema = {"source": pl.String, "role": pl.String, "rule": pl.String}
    wh.con.register("one_person_rule", pl.DataFrame(told, schema=schema, orient="row"))
    none = "(SELECT NULL::BIGINT AS uprn, false AS is_communal WHERE false)"
    rows = wh.table(RECORD, sql_file(ROOM / "record.sql", property=PROPERTY if wh.exists(PROPERTY) else none))
    wh.con.unregister("one_person_rule")
    inherited = inherit_flags(wh)
    for table in ("people_fact", "people_standardised"):
        wh.execute(f"DROP TABLE {table}")
    people = int(wh.scalar(f"SELECT count(*) FROM {RECORD} WHERE is_person"))
    return {"records": rows, "people": people, "standardised now": standardised, "flags inherited": inherited}


def _standardise(wh: Warehouse, key: bytes) -> int:
    """Write the temporary table people_standardised: people_fact standardised, with its fingerprint. Rows that say what
    they said in the last run are taken over from RECORD, while code and key are the same; returns how many were not."""
    basis = hashlib.sha256(key + fingerprint_sql().encode()).digest()
    mark_people(wh.con, "people_fact", "people_mark", wh.as_of, basis)
    known = wh.exists(STANDARDISED) and wh.exists(RECORD)
    standing = f"SEMI JOIN {STANDARDISED} USING (record_id, mark) SEMI JOIN {RECORD} USING (record_id)"
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE people_standing AS SELECT record_id FROM people_mark"
        f" {standing if known else 'WHERE false'}"
    )
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE people_new AS FROM people_fact ANTI JOIN people_standing USING (record_id)"
    )
    standardise_people(wh.con, "people_new", "people_standardised", wh.as_of, among="people_fact")
    columns = ", ".join(wh.columns("people_standardised"))
    made = int(wh.scalar("SELECT count(*) FROM people_standardised"))
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE people_standardised AS SELECT *, {fingerprint_sql()} AS fingerprint FROM"
        " people_standardised"
    )
    if known:
        wh.execute(
            f"INSERT INTO people_standardised SELECT {columns}, fingerprint FROM {RECORD} SEMI JOIN people_standing"
            " USING (record_id)"
        )
    wh.table(
        STANDARDISED, "-- one row per record: what its row in RECORD was made of\nFROM people_mark ORDER BY record_id"
    )
    for table in ("people_mark", "people_standing", "people_new"):
        wh.execute(f"DROP TABLE {table}")
    return made
