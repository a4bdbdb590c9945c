"""Takes erased people out of whatever holds rows of a source beside its history: an extract at the gate, set-aside
rows, archived files."""

import csv
import io
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract, Table
from pipelines.sources.landing import Delivery
from pipelines.sources.staging import FAULTS, CandidateTable
from pipelines.sources.suppression import Held, Judged, Suppressed, as_typed, judge, through
from pipelines.warehouse import Warehouse


def keep_out(wh: Warehouse, contract: Contract, names: Collection[str], suppressed: Suppressed) -> dict[str, Judged]:
    """Take erased people out of the candidate tables of an extract and out of its faults; what went, by table."""
    found = dict[str, Judged]()
    for table in in_order(contract, names):
        name, candidate = table.name, contract.candidate(table.name)
        if not suppressed.any_in(name) or not wh.exists(candidate):
            continue
        held = held_now(wh, contract, contract.candidate) | held_now(wh, contract, contract.staged)
        judged = judge(wh, contract, table, candidate, suppressed, held)
        wh.execute(f"DELETE FROM {candidate} WHERE _record IN (SELECT unnest(?::BIGINT[]))", [judged.gone])
        for record, columns in judged.blanked.items():
            wh.execute(f"UPDATE {candidate} SET {emptied(columns)} WHERE _record = ?", [record])
        drop_values(wh, FAULTS, contract, table, judged)
        if drop_set_aside(wh, FAULTS, contract, table, suppressed, held) or judged:
            found[name] = judged
    return found


def without_erased(
    wh: Warehouse, contract: Contract, tables: dict[str, CandidateTable], suppressed: Suppressed | None
) -> tuple[dict[str, CandidateTable], dict[str, Judged]]:
    """The candidate tables without erased people, and where they were."""
    erased = keep_out(wh, contract, list(tables), suppressed) if suppressed else {}
    gone = {name: len(judged.gone) for name, judged in erased.items()}
    return {name: replace(table, rows=table.rows - gone.get(name, 0)) for name, table in tables.items()}, erased


def cleanse_delivery(
    wh: Warehouse, delivery: Delivery, archive: Archive, erased: Mapping[str, Judged], suppressed: Suppressed
) -> None:
    """Take erased people out of what was archived of the delivery."""
    contract = delivery.contract
    held = held_now(wh, contract, contract.candidate) | held_now(wh, contract, contract.staged)
    for file, tables in delivery.files:
        for table in tables:
            if table.name in erased and archive.holds(file.sha256):
                cleanse(wh, archive, file.sha256, contract, table, suppressed, held)


def held_now(wh: Warehouse, contract: Contract, place: Callable[[str], str]) -> Held:
    """The accounts, claims, households and tenancies that anybody holds in the tables that `place` names."""
    held: Held = set()
    for table in contract.tables:
        named = table.slot.key[0] if table.slot else through(contract, table)
        if named and named in wh.columns(place(table.name)):
            held |= {(named, of) for (of,) in wh.rows(f"SELECT DISTINCT {named}::VARCHAR FROM {place(table.name)}")}
    return held


def in_order(contract: Contract, names: Collection[str]) -> list[Table]:
    """Tables so that each comes after those that say who holds what its rows belong to."""
    tables = [table for table in contract.tables if table.name in names]
    return sorted(tables, key=lambda table: 0 if table.slot else 1 if through(contract, table) else 2)


def emptied(columns: Collection[str]) -> str:
    return ", ".join(f"{column} = NULL" for column in columns)


def drop_values(
    wh: Warehouse, faults: str, contract: Contract, table: Table, judged: Judged, delivery: int | None = None
) -> None:
    """Values that could not be read, of the rows of a delivery that go or are emptied."""
    of = "source = ? AND table_name = ? AND kind = 'value' AND (? IS NULL OR delivery = ?)"
    params = [contract.name, table.name, delivery, delivery]
    wh.execute(f"DELETE FROM {faults} WHERE {of} AND record IN (SELECT unnest(?::BIGINT[]))", [*params, judged.gone])
    for record, columns in judged.blanked.items():
        listed = "column_name IN (SELECT unnest(?::VARCHAR[]))"
        wh.execute(f"DELETE FROM {faults} WHERE {of} AND record = ? AND {listed}", [*params, record, list(columns)])


def drop_set_aside(
    wh: Warehouse, faults: str, contract: Contract, table: Table, suppressed: Suppressed, held: Held
) -> int:
    """Rows that were set aside, whose whole text is kept, and are an erased person's or say something of one."""
    columns = ", ".join(f"json_extract_string(row_text, '$.{name}') AS \"{name}\"" for name in table.staged_columns)
    wh.execute(
        f"""-- one row per set-aside row of the table whose columns are known
        CREATE OR REPLACE TEMP TABLE set_aside AS SELECT {columns}, rowid AS _record FROM {faults}
        WHERE source = ? AND table_name = ? AND kind = 'row' AND CASE WHEN json_valid(row_text) THEN true END""",
        [contract.name, table.name],
    )
    judged = judge(wh, contract, table, as_typed(table, "temp.set_aside"), suppressed, held)
    wh.execute("DROP TABLE temp.set_aside")
    gone = [*judged.gone, *judged.blanked]
    wh.execute(f"DELETE FROM {faults} WHERE rowid IN (SELECT unnest(?::BIGINT[]))", [gone])
    return len(gone)


def cleanse(
    wh: Warehouse, archive: Archive, sha256: str, contract: Contract, table: Table, suppressed: Suppressed, held: Held
) -> str | None:
    """Take erased people out of an archived file: "rewritten" if it is CSV with a heading and holds any; "removed"
    whole if it is of another form."""
    if not rewritable(table):
        archive.remove(sha256)
        return "removed"
    if not (judged := judge_archived(wh, archive, sha256, contract, table, suppressed, held)):
        return None
    take_out(archive, sha256, contract, table, judged)
    return "rewritten"


def rewritable(table: Table) -> bool:
    """Whether single rows can be taken out of an archived file of the table."""
    return table.format == "csv" and table.header and not table.record_type


def judge_archived(
    wh: Warehouse, archive: Archive, sha256: str, contract: Contract, table: Table, suppressed: Suppressed, held: Held
) -> Judged:
    """Judge every row of an archived CSV file; rows are named by their number in it."""
    _, rows, places = _rows_of(archive, sha256, contract, table)
    batch: dict[str, Any] = {"_record": pa.array(range(1, len(rows) + 1), pa.int64())}
    for name in table.staged_columns:
        at = places.get(name)
        texts = [row[at] if at is not None and at < len(row) else None for _, row in rows]
        batch[name] = pa.array(texts, pa.string())
    wh.con.register("archived_rows", pa.table(batch))
    try:
        return judge(wh, contract, table, as_typed(table, "archived_rows"), suppressed, held)
    finally:
        wh.con.unregister("archived_rows")


def take_out(archive: Archive, sha256: str, contract: Contract, table: Table, judged: Judged) -> None:
    """Write an archived file anew: rows that go become rows of nothing, so that all others keep their numbers."""
    head, rows, places = _rows_of(archive, sha256, contract, table)
    kept, gone = [head], set(judged.gone)
    for number, (text, row) in enumerate(rows, 1):
        if number in gone:
            text = _line([""] * len(row), contract) + _end(text)
        elif names := judged.blanked.get(number):
            at = {places[name] for name in names}
            text = _line(["" if place in at else value for place, value in enumerate(row)], contract) + _end(text)
        kept.append(text)
    archive.rewrite(sha256, "".join(kept).encode(contract.encoding))


def _rows_of(
    archive: Archive, sha256: str, contract: Contract, table: Table
) -> tuple[str, list[tuple[str, list[str]]], dict[str, int]]:
    """The heading as it came, each row as it came and in fields, and where each column of the table stands."""
    text = b"".join(archive.read(sha256)).decode(contract.encoding)
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(lines, delimiter=contract.delimiter)
    names = {column.name: column.staged for column in table.columns}
    rows: list[tuple[str, list[str]]] = []
    head, places, before = "", dict[str, int](), 0
    for row in reader:
        text = "".join(lines[before : reader.line_num])
        before = reader.line_num
        if not places:
            places = {
                names[said]: at for at, name in enumerate(row) if (said := name.strip().lstrip("\ufeff")) in names
            }
            head = text
        elif row:
            rows.append((text, row))
        elif rows:  # a blank line is no row and stays where it was
            rows[-1] = (rows[-1][0] + text, rows[-1][1])
        else:
            head += text
    return head, rows, places


def _line(fields: list[str], contract: Contract) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=contract.delimiter, lineterminator="").writerow(fields)
    return out.getvalue()


def _end(text: str) -> str:
    return text[len(text.rstrip("\r\n")) :]
