"""The national data opt-out: who said that their health and care data may not serve more than their own care.

The list that the national service returns is taken in whole and replaces the one before. Numbers are kept as keyed
names only; the linking run marks the persons behind them, and a release whose purpose the opt-out covers leaves them
out. A list older than 21 days is stale (the service asks for a check that recent before each disclosure).
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from pipelines.faults import BoroughlinkError, plural
from pipelines.governance import audit
from pipelines.governance.actors import Actor
from pipelines.keys.keyring import Keyring
from pipelines.keys.pseudonyms import lasting_name
from pipelines.keys.row_macs import RowChanged, require_as_written, with_mac
from pipelines.operations import Operations, timestamp
from pipelines.store_tables import audit_table, metadata

DAYS = 21
#: The audit's word for a list that was taken in.
IMPORTED = "opt-out list imported"

opt_out_table = sa.Table("opt_out", metadata, sa.Column("name", sa.String(40), primary_key=True))
opt_out_list_table = sa.Table(
    "opt_out_list",
    metadata,
    sa.Column("list_date", sa.String(10), primary_key=True),
    sa.Column("imported_at", sa.String(32), nullable=False),
    sa.Column("imported_by", sa.String(120), nullable=False),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("names", sa.String(64)),  # a hash of all the keyed names on it
    sa.Column("mac", sa.String(64)),
)


class OptOutMissing(BoroughlinkError):
    """There is no list of the national data opt-out that is recent enough."""


def opted_out_name(keys: Keyring, nhs_number: str) -> str:
    """What an NHS number on the list is called where the number itself may not stand."""
    return lasting_name(keys, "o_", "opt-out", nhs_number)


def import_list(operations: Operations, path: Path, list_date: date, today: date, who: Actor) -> int:
    """Take in a list: a CSV with a column `nhs_number`, or one number a line; returns how many people are on it.

    Raises BoroughlinkError, naming the line, when anything on it is no NHS number, or the date is wrong.
    """
    if list_date > today:
        raise BoroughlinkError(f"The list is dated {list_date}, after today.")
    if (newest := newest_list(operations)) and list_date < newest:
        raise BoroughlinkError(f"A list of {newest} is here already: an older one would forget people.")
    numbers = _read(path)
    names = sorted({opted_out_name(operations.keyring, number) for number in numbers})
    with operations.begin() as db:
        db.execute(sa.delete(opt_out_table))
        if names:
            db.execute(sa.insert(opt_out_table), [{"name": name} for name in names])
        db.execute(sa.delete(opt_out_list_table).where(opt_out_list_table.c.list_date == list_date.isoformat()))
        row = {
            "list_date": list_date.isoformat(), "imported_at": timestamp(), "imported_by": who.login,
            "people": len(names), "names": hashed(names),
        }  # fmt: skip
        db.execute(sa.insert(opt_out_list_table).values(with_mac(operations.keyring, opt_out_list_table, row)))
        audit.append(operations, db, who.login, IMPORTED, list_date.isoformat(), people=len(names))
    return len(names)


def hashed(names: Iterable[str]) -> str:
    """One hash of keyed names, in whatever order."""
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


def newest_list(operations: Operations) -> date | None:
    """The date of the list that holds. Raises RowChanged."""
    with operations.begin() as db:
        row = _newest(operations, db)
    return date.fromisoformat(row["list_date"]) if row else None


def names_on_list(operations: Operations) -> set[str]:
    """The keyed names on the list that holds. Raises RowChanged when they are not those that were taken in."""
    with operations.begin() as db:
        row, names = _newest(operations, db), set(db.scalars(sa.select(opt_out_table.c.name)))
    if hashed(names) != (row["names"] if row else hashed(())):
        raise RowChanged(opt_out_table.name, f"one of {len(names)}")
    return names


def _newest(operations: Operations, db: sa.Connection) -> sa.RowMapping | None:
    query = sa.select(opt_out_list_table).order_by(opt_out_list_table.c.list_date.desc()).limit(1)
    row = db.execute(query).mappings().first()
    if row:
        require_as_written(operations.keyring, opt_out_list_table, row)
    imports = sa.select(audit_table.c.object).where(audit_table.c.event == IMPORTED)
    last = db.scalar(imports.order_by(audit_table.c.seq.desc()).limit(1))
    if last != (row["list_date"] if row else None):
        raise RowChanged(opt_out_list_table.name, last, "is not the list that was taken in last")
    return row


def opted_out(operations: Operations, numbers: Mapping[str, str]) -> set[str]:
    """Which of these are on the list; `numbers` maps anything to an NHS number. Raises RowChanged."""
    names = names_on_list(operations)
    return {key for key, number in numbers.items() if opted_out_name(operations.keyring, number) in names}


def require_recent(operations: Operations, today: date, marked: date | None) -> None:
    """Raise OptOutMissing unless the list is recent and the attributes were built with it (`marked`, its date)."""
    newest = newest_list(operations)
    if newest is None:
        raise OptOutMissing(
            "No list of the national data opt-out was ever taken in, and the purpose must honour it: "
            "have the NHS numbers checked, then `boroughlink opt-out import`."
        )
    if (today - newest).days > DAYS:
        raise OptOutMissing(
            f"The list of the national data opt-out is of {newest}, {plural((today - newest).days, 'day')} old, more "
            f"than {DAYS}: have the NHS numbers checked again, then `boroughlink opt-out import`."
        )
    if marked != newest:
        raise OptOutMissing(
            f"The list of the national data opt-out of {newest} came after the last run: `boroughlink run` marks the "
            "people on it."
        )


def _read(path: Path) -> list[str]:
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise BoroughlinkError(f"{path} can't be read as a list of NHS numbers.") from None
    column, first = 0, 0
    if lines and "nhs_number" in (head := [cell.strip().lower().replace(" ", "_") for cell in lines[0]]):
        column, first = head.index("nhs_number"), 1
    numbers = []
    for at, line in enumerate(lines[first:], start=first + 1):
        if not any(line):
            continue
        number = "".join(line[column].split()).replace("-", "") if column < len(line) else ""
        if not is_nhs_number(number):
            raise BoroughlinkError(f"{path}, line {at}: no NHS number stands there; nothing was taken in.")
        numbers.append(number)
    return numbers


def is_nhs_number(number: str) -> bool:
    """Ten digits of which the last is the check digit (modulus 11)."""
    if len(number) != 10 or not number.isascii() or not number.isdigit():
        return False
    check = 11 - sum(int(digit) * weight for digit, weight in zip(number[:9], range(10, 1, -1), strict=True)) % 11
    return check % 11 == int(number[9]) and check != 10
