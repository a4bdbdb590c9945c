"""Ids that last: a group of members keeps the id it shares most members with since the last run.

The same rule serves persons (members are records) and households (members are person-stays at a home).
"""

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import polars as pl

Draw = Callable[[int], list[str]]


@dataclass(frozen=True)
class Assigned:
    """How many ids were kept, drawn anew and retired."""

    kept: int
    created: int
    retired: int


def changed(now: pl.DataFrame, last: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of groups that aren't exactly the members of one id of the last run, and the rows of ids that aren't
    exactly one group: all that `assign` needs to see. `now` is member, group_no; `last` is member, id."""
    size = last.group_by("id").agg(size=pl.len())
    group = (
        now.join(last, on="member", how="left")
        .join(size, on="id", how="left")
        .group_by("group_no")
        .agg(
            same=(pl.col("id").n_unique() == 1) & (pl.col("size").first() == pl.len()).fill_null(False),
            id=pl.col("id").first(),
        )
    )
    same = group.filter("same")
    return now.join(same, on="group_no", how="anti"), last.join(same, on="id", how="anti")


def assign(con: duckdb.DuckDBPyConnection, groups: str, last: str, draw: Draw, target: str) -> Assigned:
    """Write the temporary table `target` (member, id) and `<target>_event` (event, id, other_id, members, reason).

    `groups` is (member, group_no) now, `last` is (member, id) at the last run. Each old id goes to the group with
    which it
    shares most members, each group gets one at most; the larger overlap chooses first, ties by id, then by group
    number.
    Groups left over take new ids from `draw`, in the order of group_no.
    """
    con.execute(
        f"""-- one row per group now and id then that share members
        CREATE OR REPLACE TEMP TABLE id_overlap AS
        SELECT g.group_no, l.id, count(*) AS shared FROM {groups} g JOIN {last} l USING (member) GROUP BY ALL"""
    )
    con.execute(
        """-- pairs that share with nothing else: nearly all
        CREATE OR REPLACE TEMP TABLE id_of_group AS
        SELECT group_no, id FROM (
            SELECT *, count(*) OVER (PARTITION BY group_no) AS ids, count(*) OVER (PARTITION BY id) AS groups FROM
                id_overlap)
        WHERE ids = 1 AND groups = 1"""
    )
    contested = con.execute(
        """SELECT o.group_no, o.id FROM id_overlap o ANTI JOIN id_of_group k USING (group_no)
        ORDER BY o.shared DESC, o.id, o.group_no"""
    ).fetchall()
    settled: dict[int, str] = {}
    ids_taken: set[str] = set()
    for group, identifier in contested:
        if group not in settled and identifier not in ids_taken:
            settled[group] = identifier
            ids_taken.add(identifier)
    con.execute(
        "INSERT INTO id_of_group SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[])",
        [list(settled), list(settled.values())],
    )
    con.execute(
        f"""-- one row per group without an id, numbered
        CREATE OR REPLACE TEMP TABLE id_wanted AS
        SELECT group_no, row_number() OVER (ORDER BY group_no) AS place
        FROM (SELECT DISTINCT group_no FROM {groups}) ANTI JOIN id_of_group USING (group_no)"""
    )
    wanted = con.execute("SELECT count(*) FROM id_wanted").fetchall()[0][0]
    kept = con.execute("SELECT count(*) FROM id_of_group").fetchall()[0][0]
    con.execute(
        "INSERT INTO id_of_group SELECT group_no, id FROM id_wanted"
        " JOIN (SELECT unnest(?::VARCHAR[]) AS id, generate_subscripts(?::VARCHAR[], 1) AS place) USING (place)",
        [drawn := draw(wanted), drawn],
    )
    con.execute(
        f"""-- one row per member: its id now
        CREATE OR REPLACE TEMP TABLE {target} AS SELECT g.member, i.id FROM {groups} g JOIN id_of_group i USING
            (group_no) ORDER BY g.member"""
    )
    _events(con, last, target)
    retired = con.execute(f"SELECT count(*) FROM {target}_event WHERE event IN ('retired', 'merged')").fetchall()[0][0]
    for table in ("id_overlap", "id_of_group", "id_wanted"):
        con.execute(f"DROP TABLE {table}")
    return Assigned(kept, wanted, retired)


def _events(con: duckdb.DuckDBPyConnection, last: str, target: str) -> None:
    """What became of every id since the last run. Grain: event, id, other_id."""
    con.execute(
        f"""-- one row per event, id and other id
        CREATE OR REPLACE TEMP TABLE {target}_event AS
        WITH now_ids AS (SELECT DISTINCT id FROM {target}),
        last_ids AS (SELECT DISTINCT id FROM {last}),
        moved AS (   -- members by where they were and where they are
            SELECT l.id AS was, n.id AS is_now, list(member ORDER BY member) AS members
            FROM {last} l FULL JOIN {target} n USING (member) WHERE l.id IS DISTINCT FROM n.id GROUP BY ALL
        ), grown AS (
            SELECT m.*, was IN (FROM now_ids) AS was_lives, is_now IN (FROM last_ids) AS now_lived FROM moved m
        )
        SELECT 'created' AS event, is_now AS id, NULL::VARCHAR AS other_id, members, 'new records only' AS reason
        FROM grown WHERE was IS NULL AND NOT now_lived AND is_now NOT IN (SELECT is_now FROM grown WHERE was IS NOT
            NULL AND is_now IS NOT NULL)
        UNION ALL
        SELECT 'joined', is_now, was, members, CASE WHEN was IS NULL THEN 'new records' ELSE 'moved from another id' END
        FROM grown WHERE is_now IS NOT NULL AND ((was IS NULL AND (now_lived
            OR is_now IN (SELECT is_now FROM grown WHERE was IS NOT NULL AND is_now IS NOT NULL))) OR (was_lives AND
                now_lived))
        UNION ALL
        SELECT 'merged', is_now, was, members, 'the id with more shared records stays' FROM grown WHERE NOT was_lives
            AND now_lived AND was IS NOT NULL
        UNION ALL
        SELECT 'split', is_now, was, members, 'these records no longer belong together with the rest' FROM grown
            WHERE was IS NOT NULL AND NOT now_lived AND is_now IS NOT NULL
        UNION ALL
        SELECT 'left', was, is_now, members, CASE WHEN is_now IS NULL THEN 'no longer in any extract' ELSE 'moved to
            another id' END
        FROM grown WHERE was_lives
        UNION ALL
        SELECT 'retired', was, NULL, members, 'no record is left' FROM grown
        WHERE NOT was_lives AND is_now IS NULL AND was NOT IN (SELECT was FROM grown WHERE was IS NOT NULL AND is_now
            IS NOT NULL)
        ORDER BY event, id, other_id"""
    )
