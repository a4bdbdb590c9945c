"""Households as dated intervals at a home, per view; and a random id for every property."""

from collections.abc import Iterable

import polars as pl

from linkage_models.households import form_households
from pipelines.governance.protection import withheld
from pipelines.linkage.drawing import drawer
from pipelines.linkage.persons import MEMBERSHIP, give_ids
from pipelines.people.records import RECORD, RECORD_ADDRESS
from pipelines.places.gazetteer import PROPERTY
from pipelines.warehouse import Warehouse

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


def build_households(wh: Warehouse, views: Iterable[str], key: bytes) -> dict[str, int]:
    """Write HOUSEHOLD and HOUSEHOLD_MEMBER; ids are kept by shared person-stays with the last run. Returns current
    households."""
    for table, columns in ((HOUSEHOLD, _HOUSEHOLD), (HOUSEHOLD_MEMBER, _MEMBER), (HOUSEHOLD_LEDGER, _LEDGER)):
        wh.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
    communal = (
        f"(SELECT uprn FROM {PROPERTY} WHERE is_communal)" if wh.exists(PROPERTY) else "(SELECT 0::BIGINT AS uprn)"
    )
    for made, columns in (("home_made", _HOUSEHOLD), ("home_member_made", _MEMBER)):
        wh.execute(f"CREATE OR REPLACE TEMP TABLE {made} ({columns})")
    figures: dict[str, int] = {}
    for view in sorted(views):
        wh.execute(
            f"""-- one row per record of the view
            CREATE OR REPLACE TEMP TABLE view_member AS
            SELECT m.record_id, r.source, m.person_id, r.death_date FROM {MEMBERSHIP} m JOIN {RECORD} r USING
                (record_id) WHERE m.view = ? AND coalesce(r.sensitivity, '') NOT IN ({withheld()})""",
            [view],
        )
        wh.execute(
            "CREATE OR REPLACE TEMP TABLE view_death AS SELECT person_id, min(death_date) AS death_date FROM"
            " view_member WHERE death_date IS NOT NULL GROUP BY ALL"
        )
        form_households(wh.con, "view_member", RECORD_ADDRESS, "view_death", communal)
        last = wh.frame(
            f"""-- one row per person-stay of the last run
            SELECT h.uprn || '/' || m.person_id AS member, m.household_id AS id FROM {HOUSEHOLD_MEMBER} m
            JOIN {HOUSEHOLD} h USING (view, household_id) WHERE view = '{view}'"""
        )
        now = wh.frame("SELECT member, group_no FROM household_now")
        given = give_ids(wh, now, last, drawer(wh, key, view, "household", "h"), HOUSEHOLD_LEDGER, view)
        # unchanged households keep their id
        kept = last.join(given.last, on="id", how="anti")
        with wh.given(pl.concat([given.ids, kept])):
            wh.execute("CREATE OR REPLACE TEMP TABLE home_id AS FROM given")
        wh.execute(
            """INSERT INTO home_member_made SELECT ?, i.id, n.person_id, n.from_date, n.to_date, n.evidence, n.is_main
            FROM household_now n JOIN home_id i USING (member)""",
            [view],
        )
        wh.execute(
            """INSERT INTO home_made SELECT ?, i.id, any_value(n.uprn),
                CASE WHEN bool_and(n.from_date IS NOT NULL) THEN min(n.from_date) END,
                CASE WHEN bool_and(n.to_date IS NOT NULL) THEN max(n.to_date) END, count(*)
            FROM household_now n JOIN home_id i USING (member) GROUP BY i.id""",
            [view],
        )
        figures[f"current households in {view}"] = int(
            wh.scalar("SELECT count(*) FROM home_made WHERE view = ? AND to_date IS NULL", [view])
        )
    wh.renew(HOUSEHOLD, "FROM home_made", "household_id", "view, household_id")
    wh.renew(HOUSEHOLD_MEMBER, "FROM home_member_made", "household_id", "view, household_id, person_id")
    wh.note(HOUSEHOLD_LEDGER)
    for table in ("home_made", "home_member_made"):
        wh.execute(f"DROP TABLE {table}")
    return figures


def build_property_id(wh: Warehouse, key: bytes) -> int:
    """Write PROPERTY_ID: a random id for every UPRN ever seen, kept for good. Returns its rows."""
    wh.execute(f"CREATE TABLE IF NOT EXISTS {PROPERTY_ID} (uprn BIGINT, property_id VARCHAR)")
    places = f"SELECT uprn FROM {PROPERTY} UNION " if wh.exists(PROPERTY) else ""
    new = [uprn for (uprn,) in wh.rows(
        f"SELECT uprn FROM ({places}SELECT uprn FROM {RECORD_ADDRESS}) WHERE uprn IS NOT NULL AND uprn NOT IN"
            f" (SELECT uprn FROM {PROPERTY_ID}) ORDER BY uprn"
    )]  # fmt: skip
    drawn = drawer(wh, key, "all", "property", "a")(len(new))
    wh.execute(f"INSERT INTO {PROPERTY_ID} SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[])", [new, drawn])
    return wh.note(PROPERTY_ID)
