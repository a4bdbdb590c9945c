"""What may not come back: keyed hashes of erased people, and in which rows and values of a source they are found.

One rule for whatever holds rows of a source (an extract at the gate, history, set-aside rows, archived files): a row of
an erased person goes; in a row that is also somebody else's, the values go that are the erased person's. No value is
kept to do it.
"""

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.sources.contracts import Contract, Table
from pipelines.sources.slots import said_of
from pipelines.sources.staging import typed
from pipelines.warehouse import Warehouse

SUPPRESSED = "identity.meta.suppressed"
#: Classes of columns whose value, in a row that several people share, can be one person's alone.
OF_ONE_PERSON = ("name", "identifier", "contact", "birth_date")
WORD = re.compile(r"[^\W\d_]+")
_WHOLE, _SHARED = "whole", "shared"

Said = Mapping[str, str | None]
Held = set[tuple[str, str]]  # (column, value): the accounts, claims, households that somebody else holds


class Suppressed:
    """The keyed hashes of one source's erased people, and the key that makes them."""

    def __init__(self, wh: Warehouse, contract: Contract, secret: bytes) -> None:
        self._secret, self._source = secret, contract.name
        self._macs: dict[str, set[str]] = {}
        if wh.exists(SUPPRESSED):
            for table, mac in wh.rows(f"SELECT table_name, mac FROM {SUPPRESSED} WHERE source = ?", [contract.name]):
                self._macs.setdefault(table, set()).add(mac)

    def mac(self, table: str, by: Sequence[str], key: Sequence[str | None], told: str) -> str:
        said = "\0".join([self._source, table, *by, *map(str, key), told])
        return hmac.digest(self._secret, said.encode(), "sha256").hex()

    def holds(self, table: str, by: Sequence[str], key: Sequence[str | None], told: str) -> bool:
        return self.mac(table, by, key, told) in self._macs.get(table, ())

    def any_in(self, table: str) -> bool:
        """Whether anybody was erased from the table."""
        return bool(self._macs.get(table))

    def keep(self, wh: Warehouse, table: str, macs: Iterable[str]) -> None:
        """Add hashes, for good."""
        known = self._macs.setdefault(table, set())
        new = set(macs) - known
        wh.execute(f"CREATE TABLE IF NOT EXISTS {SUPPRESSED} (source VARCHAR, table_name VARCHAR, mac VARCHAR)")
        wh.execute(f"INSERT INTO {SUPPRESSED} SELECT ?, ?, unnest(?::VARCHAR[])", [self._source, table, sorted(new)])
        known |= new


@dataclass(frozen=True)
class Judged:
    """Rows that are an erased person's, and the columns of further rows that say something of one."""

    gone: list[Any] = field(default_factory=list)
    blanked: dict[Any, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.gone or self.blanked)


def judge(wh: Warehouse, contract: Contract, table: Table, rows: str, suppressed: Suppressed, held: Held) -> Judged:
    """Judge every row of a relation with the table's columns in their types and `_record`, which names a row. A row
    that was an erased person's by its account alone stays where the account is `held` by somebody now."""
    judged = Judged()
    if not suppressed.any_in(table.name):
        return judged
    linked = links(contract, table)
    there = {name for name, *_ in wh.rows(f"DESCRIBE SELECT * FROM {rows}")}
    columns = [name for name in _columns(contract, table) if name in there]
    listed = ", ".join(f"{name}::VARCHAR" for name in columns)
    for record, *values in wh.rows(f"SELECT _record, {listed} FROM {rows}"):
        said = dict(zip(columns, values, strict=True))
        if table.slot:
            if _of_an_erased(table, said, suppressed):
                judged.gone.append(record)
            continue
        for link, named in linked.items():
            if (of := said.get(link)) is None:
                continue
            if suppressed.holds(table.name, (link,), (of,), _WHOLE) and (named, of) not in held:
                judged.gone.append(record)
                break
            if suppressed.holds(table.name, (link,), (of,), _SHARED) and (
                names := _telling(table, said, link, of, suppressed)
            ):
                judged.blanked[record] = names
                break
    return judged


def links(contract: Contract, table: Table) -> dict[str, str]:
    """Columns by which the rows of a table without a slot are somebody's, and what each names: the first part of a
    slot's key, which names what its holders share (an account, a claim, a household), or the person where the key has
    one part; or a row of another table that is somebody's (a tenancy). Where a source names nobody, the key of the row
    that holds a number of theirs."""
    if table.slot:
        return {}
    firsts = {other.slot.key[0] for other in contract.tables if other.slot}
    firsts |= {other.key[0] for other in contract.tables if number_columns(contract, other)}
    found = {name: name for name in table.staged_columns if name in firsts}
    for column in table.kept:
        target, _, named = (column.references or "").partition(".")
        if named in firsts:
            found.setdefault(column.staged, named)
        elif named and target != table.name and through(contract, contract.table(target)) == named:
            found[column.staged] = named
    return found


def through(contract: Contract, table: Table) -> str | None:
    """The key by which others refer to a row that is somebody's, in a table without a slot; None if that is what it is
    theirs by."""
    if table.slot or len(table.key) != 1:
        return None
    firsts = {other.slot.key[0] for other in contract.tables if other.slot}
    held = firsts & set(table.staged_columns)
    return table.key[0] if held and table.key[0] not in firsts else None


def number_columns(contract: Contract, table: Table) -> list[str]:
    """In a source that names nobody: text columns of a table with a key that may hold a national number of a person."""
    if any(other.slot for other in contract.tables) or not table.key:
        return []
    return [
        column.staged
        for column in table.kept
        if column.personal == "identifier" and column.type == "text" and column.staged not in table.key
    ]


def person_macs(suppressed: Suppressed, table: Table, said: Said) -> set[str]:
    """What keeps one row of a slot's table out: under its key, and where a row lacks the key."""
    assert table.slot
    told, letters = told_of(table, said)
    macs = {suppressed.mac(table.name, table.slot.key, [said[name] for name in table.slot.key], told)}
    return macs | ({suppressed.mac(table.name, (), (), f"{told}\0{letters}")} if letters else set())


def shared_macs(
    suppressed: Suppressed, table: Table, link: str, of: str, alone: bool, names: Iterable[str], values: Iterable[str]
) -> set[str]:
    """What keeps a person out of the rows of an account: `names` are the words of the name, `values` the numbers, dates
    and contacts of the person; `alone`, that nobody else has ever held the account."""
    told = [_SHARED, *([_WHOLE] if alone else []), *(f"value\0{value}" for value in values)]
    told += [f"word\0{word}" for word in names] + [f"initial\0{word[0]}" for word in names]
    return {suppressed.mac(table.name, (link,), (of,), each) for each in told}


def told_of(table: Table, said: Said) -> tuple[str, str]:
    """What tells the holders of a key apart (the birth date, else the letters of the name), and these letters."""
    assert table.slot
    letters = "".join(words_of(said.get(name) for name in table.slot.name))
    return (table.slot.birth_date and said.get(table.slot.birth_date)) or letters, letters


def words_of(texts: Iterable[str | None]) -> list[str]:
    return [word for text in texts if text for word in WORD.findall(text.upper())]


def as_typed(table: Table, raw: str) -> str:
    """SQL: rows of raw text in the types of the table; a relation that `judge` takes."""
    columns = ", ".join(f"{typed(column, column.staged)} AS {column.staged}" for column in table.kept)
    return f"(SELECT {columns}, _record FROM {raw})"


def _columns(contract: Contract, table: Table) -> list[str]:
    return said_of(table) if table.slot else list(dict.fromkeys([*links(contract, table), *personal_of(table)]))


def personal_of(table: Table) -> list[str]:
    """Columns of a shared row that may be emptied: personal, and not needed to use the row."""
    needed = {column.staged for column in table.must_have}
    return [c.staged for c in table.kept if c.personal in OF_ONE_PERSON and c.staged not in needed]


def _of_an_erased(table: Table, said: Said, suppressed: Suppressed) -> bool:
    assert table.slot
    told, letters = told_of(table, said)
    key = [said.get(name) for name in table.slot.key]
    if None not in key:
        return suppressed.holds(table.name, table.slot.key, key, told)
    return bool(letters) and suppressed.holds(table.name, (), (), f"{told}\0{letters}")


def _telling(table: Table, said: Said, link: str, of: str, suppressed: Suppressed) -> tuple[str, ...]:
    """The columns of a shared row whose value is the erased person's."""
    names = {column.staged for column in table.kept if column.personal == "name"}

    def holds(told: str) -> bool:
        return suppressed.holds(table.name, (link,), (of,), told)

    def named(word: str) -> bool:
        return holds(f"word\0{word}") or (len(word) == 1 and holds(f"initial\0{word}"))

    telling = []
    for column in personal_of(table):
        if not (value := said.get(column)):
            continue
        if all(map(named, words_of([value]) or ["-"])) if column in names else holds(f"value\0{value}"):
            telling.append(column)
    return tuple(telling)
