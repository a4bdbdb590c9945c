"""How far what is touched reaches: whose company changes, who is clustered anew, and who must be looked at beside them.

A pair gains by its company between two homes, so company is told anew among all who live where a touched record's pairs
lead. A component of pairs above the stop level is clustered by itself, so those that hold a touched record are
clustered anew. A doubt lies between two persons, so that those beside them are looked at too, and stay as they are.
"""

from collections.abc import Mapping, Sequence

from linkage_models import thresholds as policy
from pipelines.linkage.certainty import least_asked
from pipelines.linkage.company import GAINED, GAINER, load_company, note_company
from pipelines.linkage.constraints import MUST_LINK, SUSPENDED
from pipelines.linkage.graph import NODE, write_nodes
from pipelines.people.records import RECORD
from pipelines.people.touched import PERSONS, TOUCHED, touch
from pipelines.view_edges import COMPANY, EDGE
from pipelines.warehouse import Warehouse

# Temporary table: h, a 64-bit hash of a record's id; anew, whether it is clustered anew or only looked at.
REACHED = "person_reached"
ANEW = f"(SELECT h FROM {REACHED} WHERE anew)"
_NAMED = f"IN (SELECT record_id FROM {TOUCHED} WHERE step = '{PERSONS}' AND lost IS NULL)"


def renew_company(wh: Warehouse, views: Mapping[str, Sequence[str]]) -> None:
    """Bring COMPANY to what it is now, and note the records of pairs that gain otherwise than before."""
    named = " OR ".join(f"{column} {_NAMED}" for column in ("record_l", "record_r", "beside_l", "beside_r"))
    wh.execute(
        f"""-- homes between which a touched record's pair lies, or a pair that one of these was beside
        CREATE OR REPLACE TEMP TABLE near_home AS
        WITH pair AS (
            SELECT record_l, record_r FROM {EDGE}
            WHERE (record_l {_NAMED} OR record_r {_NAMED}) AND match_weight > {policy.COMPANY_FLOOR}
            UNION SELECT record_l, record_r FROM {COMPANY} WHERE {named})
        SELECT DISTINCT unnest([l.home_key, r.home_key]) AS home_key FROM pair
        JOIN {RECORD} l ON l.record_id = record_l JOIN {RECORD} r ON r.record_id = record_r
        WHERE CASE WHEN l.home_key <> r.home_key THEN true ELSE false END"""
    )
    write_nodes(wh, f"SELECT *, true AS anew FROM {RECORD} SEMI JOIN near_home USING (home_key)")
    here = f"record_l IN (SELECT record_id FROM {NODE}) AND record_r IN (SELECT record_id FROM {NODE})"
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE company_was AS SELECT rowid AS place, * FROM {COMPANY} WHERE {named} OR ({here})"
    )
    wh.execute(f"DELETE FROM {COMPANY} WHERE rowid IN (SELECT place FROM company_was)")
    load_company(wh)
    for view, sources in sorted(views.items()):
        note_company(wh, view, sources)
    gains = "SELECT view, record_l, record_r, match_weight FROM"
    was, now = f"{gains} company_was", f"{gains} {COMPANY} WHERE {here}"
    differ = f"(({was} EXCEPT {now}) UNION ({now} EXCEPT {was}))"
    touch(wh, (PERSONS,), f"SELECT DISTINCT unnest([record_l, record_r]) AS record_id, NULL AS lost FROM {differ}")
    for table in ("near_home", "company_was", "view_company", GAINED, GAINER):
        wh.execute(f"DROP TABLE {table}")


def find_reached(wh: Warehouse, membership: str, stop: float) -> int:
    """Write REACHED from what is touched; returns how many records are clustered anew, those that are gone included.
    `membership` holds the persons of the last run."""
    least = least_asked(wh, stop)
    ends = "hash(record_l) AS a, hash(record_r) AS b"
    wh.execute(
        f"""-- one row per pair, from either end, that joins two records or makes a question of them
        CREATE OR REPLACE TEMP TABLE near_pair AS
        WITH pair AS (
            SELECT {ends}, match_weight AS weight FROM {EDGE} WHERE match_weight >= {least!r}
            UNION ALL SELECT {ends}, match_weight FROM {COMPANY} WHERE match_weight >= {least!r}
            UNION ALL SELECT {ends}, 'infinity'::DOUBLE FROM {MUST_LINK}
            UNION ALL SELECT {ends}, {least!r} FROM {SUSPENDED})
        SELECT a, b, weight FROM pair UNION ALL SELECT b, a, weight FROM pair"""
    )
    wh.execute(
        f"""CREATE OR REPLACE TEMP TABLE {REACHED} AS SELECT DISTINCT hash(record_id) AS h, true AS anew, 0 AS steps
        FROM {TOUCHED} WHERE step = '{PERSONS}' AND (lost IS NULL OR lost > {stop!r})"""
    )
    steps, reached = 0, -1
    while (now := int(wh.scalar(f"SELECT count(*) FROM {REACHED}"))) > reached:
        reached = now
        wh.execute(
            f"""INSERT INTO {REACHED} SELECT DISTINCT b, true, {steps + 1} FROM near_pair
            WHERE weight > {stop!r} AND a IN (SELECT h FROM {REACHED} WHERE steps = {steps})
                AND b NOT IN (SELECT h FROM {REACHED})"""
        )
        steps += 1
    wh.execute(
        f"""INSERT INTO {REACHED}
        WITH beside AS (SELECT b FROM near_pair WHERE a IN {ANEW} AND b NOT IN {ANEW}),
        person AS (SELECT DISTINCT view, person_id FROM {membership} WHERE hash(record_id) IN (FROM beside))
        SELECT DISTINCT hash(record_id), false, NULL FROM {membership} SEMI JOIN person USING (view, person_id)
        WHERE hash(record_id) NOT IN {ANEW}"""
    )
    wh.execute("DROP TABLE near_pair")
    return reached
