"""What rests on an item beyond its records: flagged pairs that it may join or part, tiers of releases that are out."""

from collections.abc import Collection

import sqlalchemy as sa

from pipelines.operations import Operations
from pipelines.releases.store import releases
from pipelines.settings import now
from pipelines.warehouse import Warehouse

_EVENT = sa.table("case_event", sa.column("event_id"), sa.column("flag_id"), sa.column("kind"), sa.column("value"))


def closed_cases(operations: Operations) -> list[str]:
    """Flagged pairs whose case is closed: no answer changes anything for them any more."""
    query = sa.select(_EVENT.c.flag_id, _EVENT.c.value).where(_EVENT.c.kind == "state").order_by(_EVENT.c.event_id)
    with operations.begin() as db:
        states = dict(db.execute(query).tuples().all())
    return sorted(flag_id for flag_id, state in states.items() if state == "closed")


def releases_of_tiers(operations: Operations) -> list[str]:
    """Releases that are out and tell people's tiers."""
    today = now().date().isoformat()
    return sorted(
        one.release_id
        for one in releases(operations)
        if one.state == "published" and one.expires >= today and "rows_by_tier" in one.manifest
    )


def build_stakes(wh: Warehouse, closed: Collection[str], told: Collection[str]) -> None:
    """Write the temporary table `stake` from `item`, `side` and `review_member`: of an item on which more rests, the
    flagged pairs, what a look at them is expected to keep (pounds), how many of the usual worth they make (`looks`),
    and the releases in which it may move a tier.

    A flagged pair rests on an item that may join or part the records of its two entries. Officers take what keeps most
    first, so one that is expected to keep less than the median of all live ones counts for as much less. A tier may
    move where records of the item bear different ones, or one person who may be two bears another than the lowest.
    """
    wh.execute(
        "-- a record that an item shows (place, record_id)\n"
        "CREATE OR REPLACE TEMP TABLE shown_record AS SELECT side.place, side.side, m.record_id "
        "FROM side JOIN review_member AS m USING (person_id)"
    )
    flagged = tiers = "SELECT NULL::BIGINT AS place WHERE false"
    if wh.exists("identity.fraud.flagged_pair"):
        flagged = """
            SELECT item.place, flag.flag_id, flag.expected_retained,
                coalesce(least(1, flag.expected_retained / nullif(usual, 0)), 1) AS look
            FROM (
                SELECT *, median(expected_retained) OVER () AS usual FROM identity.fraud.flagged_pair
                WHERE NOT list_contains($closed, flag_id)) AS flag
            JOIN shown_record AS one ON one.record_id = flag.subject_record_id
            JOIN shown_record AS other ON other.record_id = flag.other_record_id AND other.place = one.place
            JOIN item ON item.place = one.place
            WHERE one.record_id <> other.record_id AND (item.other_person_id IS NULL OR one.side <> other.side)"""
    else:
        flagged = f"SELECT *, NULL AS flag_id, 0.0 AS expected_retained, 0.0 AS look FROM ({flagged})"
    if told and wh.exists("attributes.risk.score"):
        tiers = """
            SELECT shown.place
            FROM shown_record AS shown
            JOIN identity.linkage.membership AS m ON m.view = 'risk' AND m.record_id = shown.record_id
            JOIN attributes.risk.score AS score USING (person_id)
            JOIN item ON item.place = shown.place
            GROUP BY shown.place
            HAVING count(DISTINCT score.tier) > 1 OR (any_value(item.other_person_id) IS NULL AND
                any_value(score.tier) <> (SELECT arg_max(tier, top_share) FROM attributes.risk.tier))"""
    wh.execute(
        f"""-- an item on which more rests (place)
        CREATE OR REPLACE TEMP TABLE stake AS
        WITH flagged AS ({flagged}), moved AS ({tiers}),
        worth AS (
            SELECT place, list(flag_id ORDER BY flag_id) AS flags, sum(expected_retained)::DOUBLE AS at_stake,
                sum(look) AS looks
            FROM flagged GROUP BY place)
        SELECT place, coalesce(flags, []) AS flags, coalesce(at_stake, 0) AS at_stake,
            coalesce(looks, 0) AS looks, CASE WHEN moved.place IS NULL THEN [] ELSE $told::VARCHAR[] END AS releases
        FROM worth FULL JOIN moved USING (place)""",
        {"told": sorted(told)} | ({"closed": sorted(closed)} if "$closed" in flagged else {}),
    )
