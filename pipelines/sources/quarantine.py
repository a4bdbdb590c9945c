"""Rows set aside: listed for those who mend them, and released into the extract that they came with.

A row's id is `<delivery>/<table>/<record>`. A released row stands in history as if its extract had held it mended.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipelines.faults import BoroughlinkError, plural
from pipelines.sources.contracts import Contract, Table
from pipelines.sources.history import promote_table
from pipelines.sources.intake import FAULT, INTAKE
from pipelines.sources.staging import typed
from pipelines.warehouse import Warehouse

ID, LINE_TEXT = "quarantine_id", "line_as_it_came"
_ID = "delivery || '/' || table_name || '/' || record"


class ReleaseFault(BoroughlinkError):
    """A mended row that can't be released; names the row's id and column, never a value."""


def rows_to_mend(wh: Warehouse, contract: Contract, table: Table) -> list[tuple[Any, ...]]:
    """(id, line as it came where it could not be split, the row's values by column of the contract) of each row of a
    table that waits, in extracts in force."""
    values = ", ".join(f"json_extract_string(held, '$.{staged}')" for staged in table.staged_columns)
    return wh.rows(
        f"SELECT {_ID}, CASE WHEN held IS NULL THEN row_text END, {values} "
        f"FROM (SELECT *, CASE WHEN json_valid(row_text) THEN row_text END AS held FROM {FAULT}) f "
        f"WHERE kind = 'row' AND source = ? AND table_name = ? AND {_in_force('f')} ORDER BY delivery, record",
        [contract.name, table.name],
    )


def release(wh: Warehouse, contract: Contract, table: Table, mended: Sequence[Mapping[str, str]]) -> int:
    """Put mended rows of one table into history; return how many.

    Each has its id and a text for every column kept, by the contract's name. Raises ReleaseFault: the caller's run,
    which works on copies, is then thrown away, so that it is all or none.
    """
    _require_waiting(wh, contract, table, [row[ID] for row in mended])
    batch = pa.table(
        {ID: [row[ID] for row in mended]}
        | {c.staged: pa.array([row.get(c.name) for row in mended], pa.string()) for c in table.kept}
    )
    wh.execute("CREATE SCHEMA IF NOT EXISTS memory.incoming")
    wh.con.register("mended_rows", batch)
    try:
        wh.execute("CREATE OR REPLACE TABLE memory.incoming.mended AS FROM mended_rows")
    finally:
        wh.con.unregister("mended_rows")
    try:
        _require_usable(wh, table)
        for delivery, extract_date in _deliveries(wh, [row[ID] for row in mended]):
            _release_into(wh, contract, table, delivery, extract_date)
    finally:
        wh.execute("DROP TABLE IF EXISTS memory.incoming.mended")
        wh.execute(f"DROP TABLE IF EXISTS {contract.candidate(table.name)}")
    return len(mended)


def _in_force(of: str) -> str:
    return f"EXISTS (SELECT 1 FROM {INTAKE} i WHERE i.delivery = {of}.delivery AND i.state = 'accepted')"


def _require_waiting(wh: Warehouse, contract: Contract, table: Table, ids: Sequence[str]) -> None:
    """Every id names a row of that table that waits in an extract in force, once."""
    waiting = {
        row[0]
        for row in wh.rows(
            f"SELECT {_ID} FROM {FAULT} f WHERE kind = 'row' AND source = ? AND table_name = ? AND {_in_force('f')}",
            [contract.name, table.name],
        )
    }
    for place, named in enumerate(ids):
        if named in ids[:place]:
            raise ReleaseFault(f"{named} comes twice; keep one row for it.")
        if named not in waiting:
            raise ReleaseFault(
                f"{named or 'A row without an id'} waits nowhere in {contract.name}, {table.name}: released already, "
                "or its extract was superseded."
            )


def _require_usable(wh: Warehouse, table: Table) -> None:
    """Every value can be read as its type, every needed one is there, and nothing comes in that may not."""
    mended = "memory.incoming.mended"
    for column in table.kept:
        given, read = f"nullif(trim({column.staged}), '')", typed(column, column.staged)
        if found := wh.rows(f"SELECT {ID} FROM {mended} WHERE {given} IS NOT NULL AND {read} IS NULL ORDER BY 1"):
            kind = f"a date ({', '.join(column.date_formats)})" if column.type == "date" else column.type
            raise ReleaseFault(f"{found[0][0]}: {column.name} can't be read as {kind}; mend it and try again.")
        needed = column in table.must_have
        if needed and (found := wh.rows(f"SELECT {ID} FROM {mended} WHERE {given} IS NULL ORDER BY 1")):
            raise ReleaseFault(f"{found[0][0]}: {column.name} is empty, and a row needs it; fill it in and try again.")
    if rule := table.leave_out:
        banned = f"SELECT {ID} FROM {mended} WHERE trim({rule.column}) = ? ORDER BY 1"
        if found := wh.rows(banned, [rule.value]):
            raise ReleaseFault(f"{found[0][0]}: may not come in: {rule.why}; leave it out of the file.")


def _deliveries(wh: Warehouse, ids: Sequence[str]) -> list[tuple[Any, ...]]:
    numbers = sorted({int(named.split("/")[0]) for named in ids})
    return wh.rows(
        f"SELECT DISTINCT delivery, extract_date FROM {INTAKE} WHERE delivery IN (SELECT unnest(?)) ORDER BY delivery",
        [numbers],
    )


def _release_into(wh: Warehouse, contract: Contract, table: Table, delivery: int, extract_date: Any) -> None:
    """Add the mended rows of one delivery to its extract in history, and take them off the list."""
    candidate, seen = contract.candidate(table.name), f"{contract.staged(table.name)}__seen"
    of_it = f"FROM memory.incoming.mended WHERE {ID} LIKE '{delivery}/%'"
    columns = ", ".join(f"{typed(column, column.staged)} AS {column.staged}" for column in table.kept)
    wh.execute(f"CREATE OR REPLACE TABLE {candidate} AS SELECT {columns}, 0::BIGINT AS _record {of_it}")
    if table.key:
        key = ", ".join(table.key)
        there = (
            f"SELECT {key} FROM {contract.staged(table.name)} SEMI JOIN (FROM {seen} WHERE delivery = {delivery}) s "
        )
        there += "USING (row_hash)"
        clash = wh.scalar(
            f"SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT {key} FROM {candidate} ANTI JOIN ({there}) o "
            f"USING ({key}))) FROM {candidate}"
        )
        if clash:
            raise ReleaseFault(
                f"In delivery {delivery}, {table.name}, {plural(int(clash), 'mended row')} would repeat the key of "
                "another row; give each a key of its own, or leave it out."
            )
    count = int(wh.scalar(f"SELECT count(*) FROM {candidate}"))
    promote_table(wh, contract, table, delivery, extract_date)
    wh.execute(
        f"UPDATE {FAULT} SET kind = 'released', row_text = NULL WHERE kind = 'row' AND {_ID} IN (SELECT {ID} {of_it})"
    )
    wh.execute(
        f"UPDATE {INTAKE} SET rows = rows + ?, set_aside = set_aside - ? WHERE delivery = ? AND table_name = ?",
        [count, count, delivery, table.name],
    )
