"""people.record and people.record_address from the facts and the UPRNs found for addresses."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from linkage_models.standardise import code_mark, install, mark_people, standardise_people
from linkage_models.thresholds import CHANGED_SHARE
from pipelines.governance.protection import MASKED, NEVER_LINK, SEAL, listed
from pipelines.people.fingerprint import fingerprint_sql, set_key
from pipelines.people.inherited import SEALED_PLACE, inherit_flags, load_reach, seal_places
from pipelines.people.repeats import Stated, one_person_rules, write_repeats
from pipelines.people.touched import HOMES, touch
from pipelines.sources.facts_build import fact_at_hand
from pipelines.warehouse import Warehouse, sql_file

ROOM = Path(__file__).parent
RECORD = "identity.people.record"
# Hashes of what each row of RECORD was made of, and of what all rows follow from: the next run makes only what differs.
STANDARDISED, BASIS = "identity.people.standardised", "identity.people.record_basis"
_LAST_RUN = (RECORD, STANDARDISED, BASIS)
# Beside it, a hash of what the stays of each record were made of.
RECORD_ADDRESS, STAYED = "identity.people.record_address", "identity.people.stayed"
ADDRESS_UPRN = "identity.places.address_uprn"
PROPERTY = "identity.places.property"


def build_record_address(wh: Warehouse, views: Mapping[str, Sequence[str]] | None = None) -> int:
    """Write RECORD_ADDRESS, without stays at a sealed place; returns its rows. `views`: the sources of each view."""
    load_reach(wh, views or {})
    install(wh.con)
    none = "(SELECT NULL AS address_id, NULL::BIGINT AS uprn, NULL::VARCHAR AS door_key WHERE false)"
    found = ADDRESS_UPRN if wh.exists(ADDRESS_UPRN) else none
    seal_places(wh, found)
    names = {"as_of": f"{wh.as_of:%Y-%m-%d}", "address_uprn": found, "sealed_place": SEALED_PLACE}
    names |= {fact: fact_at_hand(wh, fact) for fact in ("residence", "address")}
    names |= {"sealed": listed(SEAL), "masked": listed(MASKED)}
    stays = sql_file(ROOM / "stay.sql", among="", **names)
    code = code_mark((ROOM / "record_address.sql").read_bytes())
    wh.execute(
        f"""-- one row per record
        CREATE OR REPLACE TEMP TABLE stay_mark AS
        SELECT record_id, sum(hash('{code}', s)) AS stays FROM ({stays}) s GROUP BY record_id"""
    )
    standing = wh.exists(RECORD_ADDRESS) and wh.exists(STAYED)
    wh.execute(
        f"""CREATE OR REPLACE TEMP TABLE stay_touched AS SELECT record_id FROM stay_mark n
        FULL JOIN {STAYED if standing else "(FROM stay_mark LIMIT 0)"} b USING (record_id)
        WHERE n.stays IS DISTINCT FROM b.stays"""
    )
    standing = standing and _few(wh, "stay_touched", "stay_mark")
    among = "SEMI JOIN stay_touched USING (record_id)" if standing else ""
    stays = sql_file(ROOM / "stay.sql", among=among, **names)
    made = {RECORD_ADDRESS: sql_file(ROOM / "record_address.sql", stay=stays), STAYED: f"FROM stay_mark {among}"}
    for table, query in made.items():
        wh.rewrite(table, query, "record_id", "stay_touched") if standing else wh.table(table, query)
    touch(wh, (HOMES,), "SELECT record_id, NULL AS lost FROM stay_touched")
    for table in ("stay_mark", "stay_touched"):
        wh.execute(f"DROP TABLE {table}")
    return int(wh.scalar(f"SELECT count(*) FROM {RECORD_ADDRESS}"))


def build_record(
    wh: Warehouse,
    fingerprint_key: bytes,
    each_person: Stated | None = None,
    views: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, int]:
    """Write RECORD and REPEATS; needs RECORD_ADDRESS. Returns rows, and how many of them are people. `each_person`:
    what contracts state of how often one person stands in a source; `views`: the sources of each view.

    A row follows from the fact, the stays of the record, and what holds for all rows. Where these are what they were in
    the last run, the row stays as it stands.
    """
    wh.execute(
        "CREATE OR REPLACE TEMP VIEW people_fact AS SELECT * REPLACE ("
        f"CASE WHEN coalesce(sensitivity, '') NOT IN ({listed(MASKED)}) THEN former_surname END AS former_surname) "
        "FROM identity.facts.person_record WHERE valid_to IS NULL"
    )
    set_key(wh, fingerprint_key)
    standardised = _standardise(wh, fingerprint_key)
    wh.execute(sql_file(ROOM / "one_person.sql"))
    none = "(SELECT NULL::BIGINT AS uprn, false AS is_communal WHERE false)"
    homes = PROPERTY if wh.exists(PROPERTY) else none
    query = sql_file(ROOM / "record.sql", property=homes)
    basis = hashlib.sha256(query.encode()).hexdigest()
    standing = all(map(wh.exists, _LAST_RUN)) and wh.scalar(f"SELECT basis FROM {BASIS}") == basis
    stated = each_person or {}
    write_repeats(wh, _people(wh), stated, views or {})
    with wh.given(one_person_rules(wh, stated)):
        if standing:
            _touch_by_rules(wh, homes)
            standing = _few(wh, "people_touched", "people_now")
        if standing:
            wh.rewrite(RECORD, query, "record_id", "people_touched")
            now = "FROM people_now SEMI JOIN people_touched USING (record_id)"
            wh.rewrite(STANDARDISED, now, "record_id", "people_touched")
        else:
            _take_over(wh, "ANTI JOIN people_touched USING (record_id)")
            wh.table(RECORD, query)
            wh.table(STANDARDISED, "FROM people_now")
            wh.table(BASIS, "SELECT ?::VARCHAR AS basis", [basis])
    inherited = inherit_flags(wh)
    wh.execute("DROP VIEW people_fact")
    for table in ("people_standardised", "people_now", "people_touched"):
        wh.execute(f"DROP TABLE {table}")
    people = int(wh.scalar(f"SELECT count(*) FROM {RECORD} WHERE is_person"))
    return {
        "records": wh.note(RECORD), "people": people, "standardised now": standardised, "flags inherited": inherited,
    }  # fmt: skip


def _few(wh: Warehouse, touched: str, records: str) -> bool:
    """Whether so few records are touched that to write only these is quicker."""
    some, all_of_them = (int(wh.scalar(f"SELECT count(*) FROM {each}")) for each in (touched, records))
    return some < CHANGED_SHARE * all_of_them


def _standardise(wh: Warehouse, key: bytes) -> int:
    """Write the temporary tables people_now (record_id, mark, stays: hashes of what its row is made of), people_touched
    (record_id: new, different or gone), and people_standardised: the touched rows standardised, with their fingerprint.

    Rows whose fact says what it said in the last run are taken over from RECORD, while code and key are the same;
    returns how many were not.
    """
    basis = hashlib.sha256(key + fingerprint_sql().encode()).digest()
    mark_people(wh.con, "people_fact", "people_mark", wh.as_of, basis)
    wh.execute(
        f"""-- one row per record
        CREATE OR REPLACE TEMP TABLE people_now AS
        SELECT record_id, mark, coalesce(stays, 0) AS stays FROM people_mark LEFT JOIN {STAYED} USING (record_id)"""
    )
    known = all(map(wh.exists, _LAST_RUN))
    none = "(FROM people_now LIMIT 0)"
    before, record = (STANDARDISED, RECORD) if known else (none, RECORD if wh.exists(RECORD) else none)
    # a flag inherited in the last run is inherited anew, or no longer
    flagged = f"SELECT record_id FROM {RECORD} WHERE sensitivity IN ({listed(NEVER_LINK)})" if known else f"FROM {none}"
    wh.execute(
        f"""CREATE OR REPLACE TEMP TABLE people_touched AS
        SELECT record_id FROM people_now n FULL JOIN {before} b USING (record_id)
        WHERE n.mark IS DISTINCT FROM b.mark OR n.stays IS DISTINCT FROM b.stays
        UNION SELECT record_id FROM {record} ANTI JOIN people_now USING (record_id)
        UNION SELECT record_id FROM ({flagged})"""
    )
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE people_new AS FROM people_fact SEMI JOIN ("  # few, so that few rows are read
        f"SELECT record_id FROM people_now ANTI JOIN (FROM {before} SEMI JOIN {record} USING (record_id))"
        " USING (record_id, mark)) USING (record_id)"
    )
    standardise_people(wh.con, "people_new", "people_standardised", wh.as_of, marked=True)
    made = int(wh.scalar("SELECT count(*) FROM people_standardised"))
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE people_standardised AS SELECT *, {fingerprint_sql()} AS fingerprint FROM"
        " people_standardised"
    )
    if known:
        here = "FROM people_touched SEMI JOIN people_now USING (record_id) ANTI JOIN people_new USING (record_id)"
        _take_over(wh, f"SEMI JOIN ({here}) USING (record_id)")
    for table in ("people_mark", "people_new"):
        wh.execute(f"DROP TABLE {table}")
    return made


def _take_over(wh: Warehouse, joins: str) -> None:
    """Add rows of RECORD, as they were standardised, to people_standardised; none of a RECORD that an older version
    wrote with fewer columns, all of whose rows are standardised anew."""
    columns = wh.columns("people_standardised")
    if set(columns) <= set(wh.columns(RECORD)):
        wh.execute(f"INSERT INTO people_standardised SELECT {', '.join(columns)} FROM {RECORD} {joins}")


def _touch_by_rules(wh: Warehouse, homes: str) -> None:
    """Add to people_touched, and to people_standardised, the records of the rules given, or of homes, that are others
    than they were."""
    wh.execute(
        f"""-- one row per record
        CREATE OR REPLACE TEMP TABLE people_ruled AS SELECT record_id FROM {RECORD} r
        LEFT JOIN {homes} h ON h.uprn = r.uprn
        LEFT JOIN given o ON o.source = r.source AND (o.role IS NULL OR o.role = r.role)
        WHERE (one_person_key(o.rule, r.source, r.source_key, r.home_key) IS DISTINCT FROM r.one_person_key
            OR coalesce(h.is_communal, false) <> r.home_is_communal)
            AND record_id NOT IN (SELECT record_id FROM people_touched)"""
    )
    _take_over(wh, "SEMI JOIN people_ruled USING (record_id)")
    wh.execute("INSERT INTO people_touched FROM people_ruled")
    wh.execute("DROP TABLE people_ruled")


def _people(wh: Warehouse) -> str:
    """Query of all standardised records: those made now, and those of RECORD that stand; none of a RECORD that an older
    version wrote with fewer columns, as in _take_over."""
    names = ("source", "role", "record_id", "is_person", "forename_root", "surname_key", "middle", "generation", "sex",
             "birth_date", "weak_birth_date")  # fmt: skip
    read = ", ".join(names)
    standing = f" UNION ALL SELECT {read} FROM {RECORD} ANTI JOIN people_touched USING (record_id)"
    known = set(names) <= set(wh.columns(RECORD))
    return f"(SELECT {read} FROM people_standardised{standing if known else ''})"
