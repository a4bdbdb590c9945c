"""Records whose system changed its keys: today's record takes the place of the one before it.

A source says so with the fact `former_key`. What follows from a record (the person it belongs to, decisions about it)
then goes on under the new id.
"""

from pipelines.warehouse import Warehouse

FORMER_KEY, SUCCESSION = "identity.facts.former_key", "record_succession"


def load_successions(wh: Warehouse) -> int:
    """Write the temporary table record_succession (former_record_id, record_id); return its rows.

    A crosswalk may be wrong: only who has the same birth date, or a word of the name in common, succeeds.
    """
    wh.execute(f"CREATE OR REPLACE TEMP TABLE {SUCCESSION} (former_record_id VARCHAR, record_id VARCHAR)")
    if not wh.exists(FORMER_KEY):
        return 0
    words = "string_split(lower(concat_ws(' ', {0}.forename, {0}.surname, {0}.name_text)), ' ')"
    wh.execute(
        f"""-- one row per record that stands for one under an old key: the last person who sat in that slot
        INSERT INTO {SUCCESSION}
        SELECT o.record_id, n.record_id
        FROM {FORMER_KEY} f
        JOIN identity.facts.person_record n ON n.record_id = f.record_id
        JOIN identity.facts.person_record o ON o.source = f.source AND o.source_key = f.former_key
            AND o.valid_to IS NOT NULL AND o.record_id <> n.record_id
        WHERE n.valid_to IS NULL
            AND (o.birth_date = n.birth_date OR list_has_any({words.format("o")}, {words.format("n")}))
        QUALIFY row_number() OVER (PARTITION BY n.record_id ORDER BY o.valid_to DESC, o.occupant DESC) = 1
            AND row_number() OVER (PARTITION BY o.record_id ORDER BY n.record_id) = 1"""
    )
    return int(wh.scalar(f"SELECT count(*) FROM {SUCCESSION}"))


def succeed(wh: Warehouse, membership: str) -> int:
    """Let successors take the place of their predecessors among the members of the last run, in every view."""
    return len(
        wh.rows(
            f"""UPDATE {membership} AS m SET record_id = s.record_id FROM {SUCCESSION} s
            WHERE m.record_id = s.former_record_id AND NOT EXISTS
                (SELECT 1 FROM {membership} n WHERE n.view = m.view AND n.record_id = s.record_id)
            RETURNING m.view"""
        )
    )
