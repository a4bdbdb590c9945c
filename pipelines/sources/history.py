"""The dated history of a table: which rows stood from when to when, over all extracts in force.

Beside each dated table stands `<table>__seen` (delivery, row_hash): what each extract showed. The dated table is a
function of the two and of the list of extracts in `meta.intake`, so extracts may come late, twice or corrected: the
result is the same.
"""

from datetime import date

from pipelines.sources.contracts import Contract, Table
from pipelines.warehouse import Warehouse

GONE = "D"
_DATED = "extract_date, valid_from, valid_to, loaded_run"


def promote_table(wh: Warehouse, contract: Contract, table: Table, delivery: int, extract_date: date) -> int:
    """Add one extract's candidate table to the history and build the dated table anew; return its rows.

    The caller has already entered the delivery as accepted in `meta.intake`.
    """
    dated, seen = contract.staged(table.name), f"{contract.staged(table.name)}__seen"
    hashed = f"SELECT *, {row_hash(table)} AS row_hash FROM ({_shown(wh, table, contract.candidate(table.name))})"
    first = wh.scalar(
        "SELECT count(DISTINCT delivery) = 1 AND bool_and(supply = 'full') FROM identity.meta.intake "
        "WHERE source = ? AND state = 'accepted'",
        [contract.name],
    )
    wh.execute(f"CREATE TABLE IF NOT EXISTS {seen} (delivery INTEGER, row_hash UBIGINT)")
    if table.changes:
        _note_gone(wh, contract, table, delivery)
    if first and not wh.exists(dated):  # the common case, and the cheap one: one extract, every row current
        rows = wh.table(
            dated, f"SELECT *, ?::DATE AS extract_date, ?::DATE AS valid_from, NULL::DATE AS valid_to, "
            f"?::VARCHAR AS loaded_run FROM ({hashed})", [extract_date, extract_date, wh.run_id],
        )  # fmt: skip
        wh.execute(f"INSERT INTO {seen} SELECT ?, row_hash FROM {dated}", [delivery])
        return rows
    wh.execute(f"CREATE OR REPLACE TEMP TABLE intake_content AS {hashed}")
    wh.execute(f"INSERT INTO {seen} SELECT ?, row_hash FROM temp.intake_content", [delivery])
    if wh.exists(dated):
        wh.execute(
            f"CREATE OR REPLACE TEMP TABLE intake_content AS SELECT * FROM temp.intake_content UNION ALL BY NAME "
            f"SELECT DISTINCT ON (row_hash) * EXCLUDE ({_DATED}) FROM {dated} "
            f"WHERE row_hash NOT IN (SELECT row_hash FROM temp.intake_content)"
        )
    rows = wh.table(dated, _spans(contract, table), [contract.name])
    if table.slot:
        _keep_withdrawn(wh, contract, table, dated)
    wh.execute("DROP TABLE temp.intake_content")
    return rows


def _shown(wh: Warehouse, table: Table, candidate: str) -> str:
    """SQL: what the extract shows of the table: columns of other years empty, no row where it is another layout's."""
    held = set(wh.columns(candidate))
    said = held - {table.changes}  # what a change was is no part of the row
    columns = (c.staged if c.staged in said else f"NULL::{c.sql_type} AS {c.staged}" for c in table.kept)
    gone = f" WHERE {table.changes} IS DISTINCT FROM '{GONE}'" if table.changes in held else ""
    return f"SELECT {', '.join(columns)} " + (f"FROM {candidate}{gone}" if held else "LIMIT 0")


def _note_gone(wh: Warehouse, contract: Contract, table: Table, delivery: int) -> None:
    """Keep which rows a delivery of changes says are gone."""
    gone, candidate = f"{contract.staged(table.name)}__gone", contract.candidate(table.name)
    wh.execute(f"CREATE TABLE IF NOT EXISTS {gone} (delivery INTEGER, row_key UBIGINT)")
    if table.changes in wh.columns(candidate):
        wh.execute(
            f"INSERT INTO {gone} SELECT ?, {row_key(table)} FROM {candidate} WHERE {table.changes} = '{GONE}'",
            [delivery],
        )


def row_key(table: Table) -> str:
    return f"md5_number_lower(concat_ws(chr(31), {', '.join(table.key)}))"


def _spans(contract: Contract, table: Table) -> str:
    """SQL: the dated rows, from full extracts alone or from changes too."""
    staged = contract.staged(table.name)
    if table.changes:
        return _changed_rows(f"{staged}__seen", f"{staged}__gone", row_key(table))
    return _dated_rows(f"{staged}__seen", table.name)


def redate_table(wh: Warehouse, contract: Contract, table: Table) -> None:
    """Build the dated table anew from the extracts that `meta.intake` still holds; without one, it goes."""
    dated = contract.staged(table.name)
    if not wh.exists(dated):
        return
    held = wh.scalar(
        "SELECT count(*) FROM identity.meta.intake WHERE source = ? AND state = 'accepted'", [contract.name]
    )
    if not held:
        wh.execute(f"DROP TABLE {dated}")
        return
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE intake_content AS "
        f"SELECT DISTINCT ON (row_hash) * EXCLUDE ({_DATED}) FROM {dated}"
    )
    wh.table(dated, _spans(contract, table), [contract.name])
    wh.execute("DROP TABLE temp.intake_content")


def withdrawn(contract: Contract, table: Table) -> str:
    """Where the rows of a slot's table stand that only superseded extracts showed: they hold no longer, but whoever
    sat in the slot by them keeps the number that was given, so that nobody else inherits it."""
    return f"{contract.staged(table.name)}__withdrawn"


def _keep_withdrawn(wh: Warehouse, contract: Contract, table: Table, dated: str) -> None:
    """Add to the withdrawn rows those that have just gone, by what says whose slot it was; take out what came back."""
    assert table.slot
    said = [*table.slot.key, *table.slot.name, *([table.slot.birth_date] if table.slot.birth_date else [])]
    columns = ", ".join(dict.fromkeys([*said, "row_hash"]))
    name = withdrawn(contract, table)
    before = f"SELECT {columns} FROM {name} UNION ALL " if wh.exists(name) else ""
    wh.execute(
        f"""-- one row per distinct content that no extract in force shows
        CREATE OR REPLACE TABLE {name} AS
        SELECT DISTINCT ON (row_hash) * FROM ({before}SELECT {columns} FROM temp.intake_content)
        WHERE row_hash NOT IN (SELECT row_hash FROM {dated}) ORDER BY row_hash"""
    )


def row_hash(table: Table) -> str:
    """SQL: 64 bits over the names and values that a row holds.

    Blank fields are left out and columns stand by name, so a new empty column or another order changes no hash. MD5 is
    there because it gives the same in every version of DuckDB; in a million rows two of its 64 bits' values meet by
    chance once in ten million tables.
    """
    parts = ", ".join(f"'{staged}=' || {staged}" for staged in sorted(table.staged_columns))
    return f"md5_number_lower(concat_ws(chr(31), {parts}))"


def _dated_rows(seen: str, table: str) -> str:
    """SQL: content rows with their spans; a row that went and came back has one span for each stay. A delivery of
    changes that came without the table says nothing of it."""
    return f"""
        -- one row per distinct content and unbroken run of extracts that showed it
        WITH extract AS (
            SELECT delivery, extract_date, any_value(run_id) AS run_id,
                   row_number() OVER (ORDER BY extract_date) AS number,
                   lead(extract_date) OVER (ORDER BY extract_date) AS next_date
            FROM identity.meta.intake WHERE source = ? AND state = 'accepted'
                AND (supply = 'full' OR table_name = '{table}')
            GROUP BY delivery, extract_date
        ), shown AS (
            SELECT DISTINCT row_hash, number FROM {seen} JOIN extract USING (delivery)
        ), span AS (
            SELECT row_hash, min(number) AS first_number, max(number) AS last_number, count(*) AS showings
            FROM shown GROUP BY row_hash
        ), island AS (
            SELECT row_hash, first_number, last_number FROM span WHERE showings = last_number - first_number + 1
            UNION ALL
            SELECT row_hash, min(number), max(number)
            FROM (SELECT row_hash, number, number - row_number() OVER (PARTITION BY row_hash ORDER BY number) AS run
                  FROM shown SEMI JOIN (FROM span WHERE showings < last_number - first_number + 1) USING (row_hash))
            GROUP BY row_hash, run
        )
        SELECT content.*, newest.extract_date, oldest.extract_date AS valid_from, newest.next_date AS valid_to,
               oldest.run_id AS loaded_run
        FROM island
        JOIN temp.intake_content content USING (row_hash)
        JOIN extract oldest ON oldest.number = island.first_number
        JOIN extract newest ON newest.number = island.last_number"""


def _changed_rows(seen: str, gone: str, row_key: str) -> str:
    """SQL: content rows with their spans, where some extracts show changes only: a row stands until its key is said to
    have other content, to be gone, or is missing from a full extract."""
    return f"""
        -- one row per key and unbroken time with one content
        WITH extract AS (
            SELECT delivery, extract_date, any_value(run_id) AS run_id, bool_and(supply = 'full') AS is_full,
                   row_number() OVER (ORDER BY extract_date) AS number
            FROM identity.meta.intake WHERE source = ? AND state = 'accepted'
            GROUP BY delivery, extract_date
        ), content AS (
            SELECT *, {row_key} AS _key FROM temp.intake_content
        ), shown AS (
            SELECT _key, number, min(row_hash) AS row_hash
            FROM {seen} JOIN extract USING (delivery)
            JOIN (SELECT DISTINCT _key, row_hash FROM content) USING (row_hash) GROUP BY ALL
        ), absent AS (
            SELECT row_key AS _key, number FROM {gone} JOIN extract USING (delivery)
            UNION
            SELECT _key, number FROM (SELECT DISTINCT _key FROM content) CROSS JOIN (FROM extract WHERE is_full)
        ), said AS (
            SELECT _key, number, row_hash FROM shown
            UNION ALL
            SELECT _key, number, NULL FROM absent ANTI JOIN shown USING (_key, number)
        ), turn AS (
            SELECT * FROM said
            QUALIFY row_hash IS DISTINCT FROM lag(row_hash) OVER (PARTITION BY _key ORDER BY number)
        ), span AS (
            SELECT *, lead(number) OVER (PARTITION BY _key ORDER BY number) AS next FROM turn
        )
        SELECT content.* EXCLUDE (_key),
               coalesce(newest.extract_date, (SELECT max(extract_date) FROM extract)) AS extract_date,
               oldest.extract_date AS valid_from, ended.extract_date AS valid_to, oldest.run_id AS loaded_run
        FROM span
        JOIN content USING (row_hash)
        JOIN extract oldest ON oldest.number = span.number
        LEFT JOIN extract ended ON ended.number = span.next
        LEFT JOIN extract newest ON newest.number = span.next - 1"""
