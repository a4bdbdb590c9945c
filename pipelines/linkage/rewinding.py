"""Takes the ids of persons and households back to where they stood after a past run, by replaying the ledger."""

from datetime import date

from pipelines.linkage.homes import HOUSEHOLD, HOUSEHOLD_LEDGER, HOUSEHOLD_MEMBER
from pipelines.linkage.persons import LEDGER, MEMBERSHIP, PERSON
from pipelines.warehouse import Warehouse


def last_run_by(wh: Warehouse, day: date, intake: str) -> str | None:
    """The last run that had taken in no extract dated after `day`; None if the first run had already.

    `intake` is the table of deliveries. Run ids begin with the time of their start, so that they sort.
    """
    if not wh.exists(LEDGER):
        return None
    found: str | None = wh.scalar(
        f"""SELECT max(run_id) FROM {LEDGER} WHERE run_id < coalesce((
            SELECT min(run_id) FROM {intake} WHERE extract_date > ? AND state IN ('accepted', 'superseded')), '~')""",
        [day],
    )
    return found


def members_after(ledger: str, of: str) -> str:
    """SQL with the parameter run: (view, member, id) as they stood after that run. Grain: one row a view and member.

    Each line of the ledger names the members that came to an id or left it; a member's last line says where it is.
    """
    return f"""
        SELECT view, member, id FROM (
            SELECT view, member, arg_max(coalesce(id, ''), (run_id, ledger_seq)) AS id FROM (
                SELECT view, unnest(records) AS member, run_id, ledger_seq,
                       CASE WHEN event IN ('created', 'joined', 'merged', 'split') THEN {of}_id END AS id
                FROM {ledger}
                WHERE run_id <= ? AND (event IN ('created', 'joined', 'merged', 'split', 'retired')
                    OR event = 'left' AND other_{of}_id IS NULL)
            ) GROUP BY view, member
        ) WHERE id <> ''"""


def rewind_ids(wh: Warehouse, run_id: str) -> None:
    """Set membership, persons and households to what they were after `run_id`; later lines of the ledger go."""
    wh.execute(
        f"""-- one row per view and record
        CREATE OR REPLACE TABLE {MEMBERSHIP} AS
        SELECT view, member AS record_id, id AS person_id FROM ({members_after(LEDGER, "person")}) ORDER BY ALL""",
        [run_id],
    )
    wh.execute(
        f"""-- one row per view and person that ever was, current or retired
        CREATE OR REPLACE TABLE {PERSON} AS
        SELECT view, person_id, count(record_id)::INTEGER AS records,
               list_sort(list(DISTINCT split_part(record_id, ':', 1)) FILTER (record_id IS NOT NULL)) AS sources,
               first_run, CASE WHEN count(record_id) > 0 THEN 'current' ELSE 'retired' END AS status
        FROM (SELECT view, person_id, min(run_id) AS first_run FROM {LEDGER} WHERE run_id <= ? GROUP BY ALL)
        LEFT JOIN {MEMBERSHIP} USING (view, person_id) GROUP BY view, person_id, first_run ORDER BY ALL""",
        [run_id],
    )
    wh.execute(f"DELETE FROM {LEDGER} WHERE run_id > ?", [run_id])
    if not wh.exists(HOUSEHOLD_LEDGER):
        return
    wh.execute(
        f"""-- one row per view, household and person; only what the next households take their ids from
        CREATE OR REPLACE TEMP TABLE home_then AS
        SELECT view, id AS household_id, split_part(member, '/', 1)::BIGINT AS uprn,
               split_part(member, '/', 2) AS person_id
        FROM ({members_after(HOUSEHOLD_LEDGER, "household")})""",
        [run_id],
    )
    wh.execute(f"DELETE FROM {HOUSEHOLD}")
    wh.execute(f"DELETE FROM {HOUSEHOLD_MEMBER}")
    wh.execute(
        f"INSERT INTO {HOUSEHOLD} BY NAME SELECT view, household_id, any_value(uprn) AS uprn, count(*) AS persons "
        "FROM temp.home_then GROUP BY ALL ORDER BY ALL"
    )
    wh.execute(
        f"INSERT INTO {HOUSEHOLD_MEMBER} BY NAME SELECT view, household_id, person_id FROM temp.home_then ORDER BY ALL"
    )
    wh.execute(f"DELETE FROM {HOUSEHOLD_LEDGER} WHERE run_id > ?", [run_id])
    wh.execute("DROP TABLE temp.home_then")
