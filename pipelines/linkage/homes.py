"""Households as dated intervals at a home, per view; and a random id for every property."""

from collections.abc import Iterable
from pathlib import Path

import duckdb
import polars as pl

from linkage_models import households
from linkage_models import thresholds as policy
from linkage_models.households import form_households
from pipelines.governance.protection import withheld
from pipelines.linkage.drawing import drawer
from pipelines.linkage.persons import MEMBERSHIP, PERSON, give_ids
from pipelines.people.records import RECORD, RECORD_ADDRESS
from pipelines.people.touched import HOMES, TOUCHED, code_mark, settle, why_all
from pipelines.places.gazetteer import PROPERTY
from pipelines.warehouse import Warehouse, sql_list

HOUSEHOLD, HOUSEHOLD_MEMBER, HOUSEHOLD_LEDGER, PROPERTY_ID = (
    f"identity.linkage.{name}" for name in ("household", "household_member", "household_ledger", "property_id")
)
_HOUSEHOLD = "view VARCHAR, household_id VARCHAR, uprn BIGINT, from_date DATE, to_date DATE, persons INTEGER"
_MEMBER = (
    "view VARCHAR, household_id VARCHAR, person_id VARCHAR, from_date DATE, to_date DATE, evidence"
    " VARCHAR[], is_main BOOLEAN"
)
# what became of household ids; `records` are person-stays, as uprn/person_id
_LEDGER = (
    "ledger_seq BIGINT, run_id VARCHAR, view VARCHAR, event VARCHAR, household_id VARCHAR,"
    " other_household_id VARCHAR, records VARCHAR[], reason VARCHAR"
)
# temporary table: homes whose households are made anew (view, uprn)
_HOME = "touched_home"


def build_households(wh: Warehouse, views: Iterable[str], key: bytes) -> dict[str, int | str]:
    """Write HOUSEHOLD and HOUSEHOLD_MEMBER; ids are kept by shared person-stays with the last run. Homes where nobody
    has lived whose records or stays are touched are left as they stand. Returns current households."""
    views = sorted(views)
    communal = (
        f"(SELECT uprn FROM {PROPERTY} WHERE is_communal)" if wh.exists(PROPERTY) else "(SELECT 0::BIGINT AS uprn)"
    )
    everything = why_all(wh, HOMES, _basis(wh, views, communal))
    for table, columns in ((HOUSEHOLD, _HOUSEHOLD), (HOUSEHOLD_MEMBER, _MEMBER), (HOUSEHOLD_LEDGER, _LEDGER)):
        wh.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
    beside, here = "", ""
    if not everything:
        _find_touched(wh, views)
        beside, here = "SEMI JOIN near_person USING (view, person_id)", f"SEMI JOIN {_HOME} USING (view, uprn)"
    wh.execute(
        f"""-- one row per view and record
        CREATE OR REPLACE TEMP TABLE view_member AS
        SELECT m.view, m.record_id, r.source, m.person_id, r.death_date FROM {MEMBERSHIP} m {beside}
        JOIN {RECORD} r USING (record_id)
        WHERE m.view IN ({sql_list(views)}) AND coalesce(r.sensitivity, '') NOT IN ({withheld()})"""
    )
    deaths = "(SELECT view, person_id, min(death_date) AS death_date FROM view_member GROUP BY ALL)"
    form_households(wh.con, "view_member", RECORD_ADDRESS, deaths, communal)
    ids = _give_ids(wh, views, key, here)
    member = "SELECT view, id AS household_id, person_id, from_date, to_date, evidence, is_main"
    home = """SELECT view, id AS household_id, any_value(uprn) AS uprn,
            CASE WHEN bool_and(from_date IS NOT NULL) THEN min(from_date) END AS from_date,
            CASE WHEN bool_and(to_date IS NOT NULL) THEN max(to_date) END AS to_date, count(*)::INTEGER AS persons"""
    with wh.given(ids):
        made = "FROM household_now JOIN given USING (view, member)"
        _write(wh, f"{home} {made} GROUP BY view, id", f"{member} {made}", everything is not None)
    settle(wh, HOMES, _basis(wh, views, communal))
    for table in ("view_member", "household_now"):
        wh.execute(f"DROP TABLE {table}")
    told = wh.rows(f"SELECT view, count(*) FROM {HOUSEHOLD} WHERE to_date IS NULL GROUP BY ALL")
    figures: dict[str, int | str] = {f"current households in {view}": dict(told).get(view, 0) for view in views}
    return figures | {"made": f"all: {everything}" if everything else "only at homes of touched records"}


def _give_ids(wh: Warehouse, views: Iterable[str], key: bytes, here: str) -> pl.DataFrame:
    """The ids of the households of household_now that a join leaves: view, member, id."""
    last = wh.frame(
        f"""-- one row per person-stay of the last run
        SELECT view, h.uprn || '/' || m.person_id AS member, m.household_id AS id FROM {HOUSEHOLD_MEMBER} m
        JOIN {HOUSEHOLD} h USING (view, household_id) {here}"""
    )
    now = wh.frame(f"SELECT view, member, group_no FROM household_now {here}")
    found = [pl.DataFrame(schema=last.schema)]
    for view in views:
        of_view = pl.col("view") == view
        then = last.filter(of_view).drop("view")
        draw = drawer(wh, key, view, "household", "h")
        given = give_ids(wh, now.filter(of_view).drop("view"), then, draw, HOUSEHOLD_LEDGER, view)
        kept = then.join(given.last, on="id", how="anti")  # unchanged households keep their id
        found.append(pl.concat([given.ids, kept]).select(pl.lit(view).alias("view"), "member", "id"))
    return pl.concat(found)


def _basis(wh: Warehouse, views: Iterable[str], communal: str) -> dict[str, str]:
    """What all households follow from beside the persons and their stays: in words -> what it is."""
    code = (households.__file__, Path(households.__file__).with_suffix(".sql"), policy.__file__, __file__)
    held = int(wh.scalar(f"SELECT count(*) FROM {HOUSEHOLD_MEMBER}")) if wh.exists(HOUSEHOLD_MEMBER) else 0
    return {
        "the views": repr(views),
        "the homes that are no households": repr(wh.rows(f"SELECT count(*), bit_xor(hash(uprn)) FROM {communal}")),
        "what is withheld": withheld(),
        "the households or their code": code_mark(code),
        "the matching engine": duckdb.__version__,
        "what stood in its tables": str(held),
    }


def _find_touched(wh: Warehouse, views: Iterable[str]) -> None:
    """Write the temporary tables of the homes where a touched person of a view lives or lived, _HOME, and of everyone
    who ever stayed at one of them, near_person (view, person_id)."""
    members = f"(SELECT view, record_id, person_id FROM {MEMBERSHIP} WHERE view IN ({sql_list(views)}))"
    named = f"SELECT record_id FROM {TOUCHED} WHERE step = '{HOMES}'"
    wh.execute(
        f"""-- homes of persons with a touched record, and of those who are no more
        CREATE OR REPLACE TEMP TABLE {_HOME} AS
        WITH person AS (
            SELECT view, person_id FROM {members} WHERE record_id IN ({named})
            UNION SELECT view, person_id FROM {PERSON} WHERE status = 'retired' AND view IN ({sql_list(views)}))
        SELECT m.view, a.uprn FROM {RECORD_ADDRESS} a
        JOIN (FROM {members} SEMI JOIN person USING (view, person_id)) m USING (record_id) WHERE a.uprn IS NOT NULL
        UNION SELECT view, h.uprn FROM {HOUSEHOLD_MEMBER} m SEMI JOIN person USING (view, person_id)
        JOIN {HOUSEHOLD} h USING (view, household_id)"""
    )
    wh.execute(
        f"""CREATE OR REPLACE TEMP TABLE near_person AS SELECT DISTINCT view, person_id FROM {members}
        JOIN (SELECT record_id, uprn FROM {RECORD_ADDRESS} WHERE uprn IN (SELECT uprn FROM {_HOME})) USING (record_id)
        SEMI JOIN {_HOME} USING (view, uprn)"""
    )


def _write(wh: Warehouse, homes: str, members: str, everything: bool) -> None:
    """Bring the tables to what these queries give, of all households or of those at _HOME."""
    if everything:
        wh.renew(HOUSEHOLD, homes, "household_id", "view, household_id")
        wh.renew(HOUSEHOLD_MEMBER, members, "household_id", "view, household_id, person_id")
    else:
        before = f"SELECT household_id FROM {HOUSEHOLD} SEMI JOIN {_HOME} USING (view, uprn)"
        wh.execute(f"DELETE FROM {HOUSEHOLD_MEMBER} WHERE household_id IN ({before})")
        wh.execute(f"DELETE FROM {HOUSEHOLD} WHERE household_id IN ({before})")
        wh.execute(f"INSERT INTO {HOUSEHOLD} {homes} ORDER BY view, household_id")
        wh.execute(f"INSERT INTO {HOUSEHOLD_MEMBER} {members} ORDER BY view, household_id, person_id")
        for table in (_HOME, "near_person"):
            wh.execute(f"DROP TABLE {table}")
    for table in (HOUSEHOLD, HOUSEHOLD_MEMBER, HOUSEHOLD_LEDGER):
        wh.note(table)


def build_property_id(wh: Warehouse, key: bytes) -> int:
    """Write PROPERTY_ID: a random id for every UPRN ever seen, kept for good. Returns its rows."""
    wh.execute(f"CREATE TABLE IF NOT EXISTS {PROPERTY_ID} (uprn BIGINT, property_id VARCHAR)")
    places = f"SELECT uprn FROM {PROPERTY} UNION " if wh.exists(PROPERTY) else ""
    new = [uprn for (uprn,) in wh.rows(
        f"SELECT uprn FROM ({places}SELECT uprn FROM {RECORD_ADDRESS}) WHERE uprn IS NOT NULL AND uprn NOT IN"
            f" (SELECT uprn FROM {PROPERTY_ID}) ORDER BY uprn"
    )]  # fmt: skip
    drawn = drawer(wh, key, "all", "property", "a")(len(new)).to_list()
    wh.execute(f"INSERT INTO {PROPERTY_ID} SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[])", [new, drawn])
    return wh.note(PROPERTY_ID)
