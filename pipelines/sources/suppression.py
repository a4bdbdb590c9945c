"""Keeps erased people out of later extracts, by keyed hashes of their keys; no value of theirs is kept to do it."""

import csv
import hmac
import io
from collections.abc import Collection
from datetime import date

from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract, Slot, Table
from pipelines.warehouse import Warehouse

SUPPRESSED = "identity.meta.suppressed"

Key = tuple[str, ...]


def keep_out(wh: Warehouse, contract: Contract, table: Table, key: bytes | None) -> list[Key]:
    """Drop from a candidate table the rows of people who were erased; returns their keys, one for each row."""
    if key is None or not wh.exists(SUPPRESSED):
        return []
    macs = {
        mac for (mac,) in wh.rows(f"SELECT mac FROM {SUPPRESSED} WHERE source = ? AND table_name = ?",
                                  [contract.name, table.name])
    }  # fmt: skip
    if not macs:
        return []
    candidate, by = contract.candidate(table.name), _keyed_by(contract, table)
    told = told_apart(table.slot) if table.slot else "''"
    found = wh.rows(f"SELECT _record, {told}, {', '.join(f'{name}::VARCHAR' for name in by)} FROM {candidate}")
    gone = {
        row: tuple(of) for row, said, *of in found if mac_of(key, contract.name, table.name, tuple(of), said) in macs
    }
    wh.execute(f"DELETE FROM {candidate} WHERE _record IN (SELECT unnest(?::BIGINT[]))", [list(gone)])
    return list(gone.values())


def told_apart(slot: Slot) -> str:
    """SQL: what tells the occupants of a slot apart: the birth date, else the letters of the name."""
    name = f"regexp_replace(upper(concat_ws('', {', '.join(slot.name)})), '[^\\p{{L}}]', '', 'g')"
    return f"coalesce({slot.birth_date}::VARCHAR, {name}, '')" if slot.birth_date else f"coalesce({name}, '')"


def _keyed_by(contract: Contract, table: Table) -> tuple[str, ...]:
    """The columns by which a table's rows are somebody's: its own slot's, else those of a slot that it points to."""
    if table.slot:
        return table.slot.key
    for other in contract.tables:
        if other.slot and set(other.slot.key) <= set(table.staged_columns):
            return other.slot.key
    return ()


def mac_of(secret: bytes, source: str, table: str, key: Key, told: str | date) -> str:
    return hmac.digest(secret, "\0".join([source, table, *map(str, key), str(told)]).encode(), "sha256").hex()


def without(plain: bytes, contract: Contract, table: Table, keys: Collection[Key]) -> bytes:
    """A CSV file without the rows of these keys; the other rows byte for byte as they were, where no field folds."""
    by = next(t.slot.key for t in (table, *contract.tables) if t.slot and set(t.slot.key) <= set(table.staged_columns))
    lines = plain.decode(contract.encoding).splitlines(keepends=True)
    reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=contract.delimiter)
    names = {column.name: column.staged for column in table.columns}
    kept, before, place = [], 0, None
    for row in reader:
        text = "".join(lines[before : reader.line_num])
        before = reader.line_num
        if place is None:
            staged = [names.get(name.strip().lstrip("\ufeff"), "") for name in row]
            place = [staged.index(name) for name in by]
        elif len(row) > max(place) and tuple(row[at].strip() for at in place) in keys:
            continue
        kept.append(text)
    return "".join(kept).encode(contract.encoding)


def take_out(archive: Archive, sha256: str, contract: Contract, table: Table, keys: Collection[Key]) -> str | None:
    """Take rows out of an archived file: "rewritten" if it is CSV with a header and held any, "removed" whole if it is
    of another form."""
    if table.format != "csv" or not table.header or table.record_type:
        archive.remove(sha256)
        return "removed"
    plain = b"".join(archive.read(sha256))
    if (kept := without(plain, contract, table, keys)) == plain:
        return None
    archive.rewrite(sha256, kept)
    return "rewritten"
