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
# temporary table: homes of a view whose households are made anew (view, uprn)
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
    for made, columns in (("home_made", _HOUSEHOLD), ("home_member_made", _MEMBER)):
        wh.execute(f"CREATE OR REPLACE TEMP TABLE {made} ({columns})")
    wh.execute(f"CREATE OR REPLACE TEMP TABLE {_HOME} (view VARCHAR, uprn BIGINT)")
    for view in views:
        beside, here = "", "true"
        if not everything:
            _find_touched(wh, view)
            beside, here = (
                "SEMI JOIN near_person USING (person_id)",
                f"uprn IN (SELECT uprn FROM {_HOME} WHERE view = '{view}')",
            )
        wh.execute(
            f"""-- one row per record of the view
            CREATE OR REPLACE TEMP TABLE view_member AS
            SELECT m.record_id, r.source, m.person_id, r.death_date FROM {MEMBERSHIP} m {beside} JOIN {RECORD} r USING
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
            JOIN {HOUSEHOLD} h USING (view, household_id) WHERE view = '{view}' AND {here}"""
        )
        now = wh.frame(f"SELECT member, group_no FROM household_now WHERE {here}")
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
    _write(wh, everything is not None)
    settle(wh, HOMES, _basis(wh, views, communal))
    for table in ("home_made", "home_member_made", _HOME):
        wh.execute(f"DROP TABLE {table}")
    told = wh.rows(f"SELECT view, count(*) FROM {HOUSEHOLD} WHERE to_date IS NULL GROUP BY ALL")
    figures: dict[str, int | str] = {f"current households in {view}": dict(told).get(view, 0) for view in views}
    return figures | {"made": f"all: {everything}" if everything else "only at homes of touched records"}


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


def _find_touched(wh: Warehouse, view: str) -> None:
    """Add to _HOME the homes where a touched person of the view lives or lived; write the temporary table near_person
    (person_id): everyone who ever stayed at one of them."""
    named = f"SELECT record_id FROM {TOUCHED} WHERE step = '{HOMES}'"
    wh.execute(
        f"""-- persons with a touched record, and those who are no more
        CREATE OR REPLACE TEMP TABLE near_person AS
        SELECT person_id FROM {MEMBERSHIP} WHERE view = '{view}' AND record_id IN ({named})
        UNION SELECT person_id FROM {PERSON} WHERE view = '{view}' AND status = 'retired'"""
    )
    members = f"(SELECT record_id, person_id FROM {MEMBERSHIP} WHERE view = '{view}')"
    wh.execute(
        f"""INSERT INTO {_HOME} SELECT '{view}', uprn FROM (
            SELECT a.uprn FROM {RECORD_ADDRESS} a
            JOIN (FROM {members} SEMI JOIN near_person USING (person_id)) USING (record_id) WHERE a.uprn IS NOT NULL
            UNION SELECT h.uprn FROM {HOUSEHOLD_MEMBER} m SEMI JOIN near_person USING (person_id)
            JOIN {HOUSEHOLD} h USING (view, household_id) WHERE view = '{view}')"""
    )
    wh.execute(
        f"""CREATE OR REPLACE TEMP TABLE near_person AS SELECT DISTINCT person_id FROM {members}
        JOIN {RECORD_ADDRESS} USING (record_id) WHERE uprn IN (SELECT uprn FROM {_HOME} WHERE view = '{view}')"""
    )


def _write(wh: Warehouse, everything: bool) -> None:
    if everything:
        wh.renew(HOUSEHOLD, "FROM home_made", "household_id", "view, household_id")
        wh.renew(HOUSEHOLD_MEMBER, "FROM home_member_made", "household_id", "view, household_id, person_id")
    else:
        before = f"SELECT household_id FROM {HOUSEHOLD} SEMI JOIN {_HOME} USING (view, uprn)"
        wh.execute(f"DELETE FROM {HOUSEHOLD_MEMBER} WHERE household_id IN ({before})")
        wh.execute(f"DELETE FROM {HOUSEHOLD} WHERE household_id IN ({before})")
        wh.execute(f"INSERT INTO {HOUSEHOLD} FROM home_made ORDER BY view, household_id")
        wh.execute(f"INSERT INTO {HOUSEHOLD_MEMBER} FROM home_member_made ORDER BY view, household_id, person_id")
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
