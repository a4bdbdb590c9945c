"""Takes records out of a source's history and set-aside rows, so that others keep theirs and they don't come back.

What stays is keyed hashes (`suppression`) and the numbers that were given (`given_numbers`, `emptied_slots`).
"""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract, Table
from pipelines.sources.emptied_slots import empty_slots
from pipelines.sources.given_numbers import keep_numbers, number_every_version
from pipelines.sources.history import redate_table, row_hash, row_key, withdrawn
from pipelines.sources.intake import FAULT, INTAKE, make_intake_tables
from pipelines.sources.keeping_out import (
    cleanse,
    drop_set_aside,
    drop_values,
    emptied,
    held_now,
    in_order,
    judge_archived,
    rewritable,
)
from pipelines.sources.slots import said_of
from pipelines.sources.suppression import (
    Suppressed,
    judge,
    links,
    number_columns,
    person_macs,
    personal_of,
    shared_macs,
    through,
    told_of,
    words_of,
)
from pipelines.warehouse import Warehouse

_LEAST = 3  # letters of a word of a name by which a line that could not be split is known
#: An account, claim or household (column, value): the words of a person's names in it, and their numbers and contacts.
_Accounts = dict[tuple[str, str], tuple[set[str], set[str]]]


@dataclass
class Erased:
    """Rows that went and rows of others that lost values, by table; records that no slot of the contract holds."""

    rows: dict[str, int] = field(default_factory=dict)
    emptied: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def erase_numbered(wh: Warehouse, contract: Contract, numbers: Collection[str], secret: bytes) -> Erased:
    """Of a source that names nobody, remove the rows to which a person's own numbers lead, and keep them out."""
    erased, suppressed, keys = Erased(), Suppressed(wh, contract, secret), set[tuple[str, str]]()
    for table in contract.tables:
        columns = number_columns(contract, table)
        if not numbers or not columns or not wh.exists(contract.staged(table.name)):
            continue
        bare = " OR ".join(f"upper(regexp_replace({name}, '\\s', '', 'g')) IN (SELECT unnest($1))" for name in columns)
        of = wh.rows(
            f"SELECT DISTINCT {table.key[0]}::VARCHAR FROM {contract.staged(table.name)} WHERE {bare}", [list(numbers)]
        )
        keys |= {(table.key[0], key) for (key,) in of}
    for table in contract.tables:
        macs = {
            mac for link, of in keys if link in links(contract, table)
            for mac in shared_macs(suppressed, table, link, of, True, (), ())
        }  # fmt: skip
        if macs:
            suppressed.keep(wh, table.name, macs)
    if keys:
        _sweep(wh, contract, suppressed, erased)
    return erased


def drop_unread_values(wh: Warehouse, contract: Contract, archive: Archive, secret: bytes) -> None:
    """Values that could not be read, of erased people: which rows they came in only the archived files tell, so this
    comes before `erase_archived`. Where a file tells nothing of rows, none of its values stays."""
    suppressed, held = Suppressed(wh, contract, secret), held_now(wh, contract, contract.staged)
    unread = set(wh.rows(f"SELECT DISTINCT delivery, table_name FROM {FAULT} WHERE kind = 'value'"))
    for sha256, table, as_then, delivery in _archived(wh, contract, archive, suppressed):
        if (delivery, table.name) not in unread:
            continue
        if rewritable(table):
            judged = judge_archived(wh, archive, sha256, as_then, table, suppressed, held)
            drop_values(wh, FAULT, contract, table, judged, delivery)
        else:
            of = "source = ? AND table_name = ? AND kind = 'value' AND delivery = ?"
            wh.execute(f"UPDATE {FAULT} SET value = NULL WHERE {of}", [contract.name, table.name, delivery])


def erase_archived(wh: Warehouse, contract: Contract, archive: Archive, secret: bytes) -> tuple[int, int]:
    """Write archived CSV files anew without erased people, and remove files of other forms whole: (rewritten, removed).
    A file keeps its name, the hash of what came. Only reads the warehouse; done again, it finds nothing."""
    suppressed = Suppressed(wh, contract, secret)
    files = _archived(wh, contract, archive, suppressed)
    held = held_now(wh, contract, contract.staged) if files else set()
    done = [
        cleanse(wh, archive, sha256, as_then, table, suppressed, held)
        for sha256, table, as_then, _ in files
        if archive.holds(sha256)  # one file may hold several tables, and go with the first
    ]
    return done.count("rewritten"), done.count("removed")


def _archived(
    wh: Warehouse, contract: Contract, archive: Archive, suppressed: Suppressed
) -> list[tuple[str, Table, Contract, int]]:
    """Archived files of tables from which anybody was erased: hash, table and contract as they were then, delivery."""
    if not wh.exists(INTAKE):
        return []
    rows = wh.rows(
        f"SELECT sha256, table_name, extract_date, delivery FROM {INTAKE} WHERE source = ? AND sha256 IS NOT NULL "
        "ORDER BY delivery, table_name",
        [contract.name],
    )
    found = []
    for sha256, name, day, delivery in rows:
        if suppressed.any_in(name) and archive.holds(sha256):
            then = contract.as_delivered(day)
            found += [(sha256, table, then, delivery) for table in then.tables if table.name == name]
    return found


@dataclass(frozen=True)
class _Version:
    """One distinct row of an occupant that goes."""

    slot: str
    occupant: int
    row_hash: int
    said: dict[str, str | None]


def erase(wh: Warehouse, contract: Contract, record_ids: Iterable[str], secret: bytes) -> Erased:
    """Remove every row of these records of the source from the warehouse's staged tables, and suppress their return.

    The archive still holds them: `erase_archived` comes after.
    """
    make_intake_tables(wh)
    erased, suppressed = Erased(), Suppressed(wh, contract, secret)
    wanted = {record for record in record_ids if record.startswith(f"{contract.name}:")}
    told: dict[str, set[str]] = {}  # of each record, what tells it from others under its key
    # a table with one row a person says who an occupant is; in another the same person may have another number
    slots = sorted((t for t in contract.tables if t.slot), key=lambda t: t.slot is None or t.slot.key != t.key)
    accounts: _Accounts = {}
    for table in slots:
        if not wh.exists(contract.staged(table.name)):
            continue
        mine, alone = _versions(wh, contract, table, wanted, told)
        if mine:
            _note_accounts(wh, contract, table, mine, accounts)
            suppressed.keep(wh, table.name, {mac for one in mine for mac in person_macs(suppressed, table, one.said)})
            erased.rows[table.name] = _forget(wh, contract, table, mine)
            empty_slots(wh, contract, table, alone, suppressed)
            _unsplit_go(wh, contract, table, mine)
        wh.execute("DROP TABLE IF EXISTS temp.version")
    erased.unknown = sorted(wanted - set(told))
    _suppress_in_shared(wh, contract, accounts, suppressed)
    _sweep(wh, contract, suppressed, erased)
    return erased


def _versions(
    wh: Warehouse, contract: Contract, table: Table, wanted: set[str], told: dict[str, set[str]]
) -> tuple[list[_Version], dict[tuple[str, ...], int]]:
    """The rows of the wanted records; and of slots that nobody else has ever held, the key and the numbers given. Makes
    temp.version."""
    assert table.slot
    number_every_version(wh, contract, table)
    places = {record: place for record in wanted if (place := _place(contract, table, record))}
    columns = said_of(table)
    listed = ", ".join(f"{name}::VARCHAR" for name in columns)
    rows = wh.rows(
        f"SELECT _slot, occupant, row_hash, {listed} FROM temp.version WHERE _slot IN (SELECT unnest(?::VARCHAR[]))",
        [[slot for slot, _ in places.values()]],
    )
    every = [
        _Version(slot, occupant, hashed, dict(zip(columns, said, strict=True)))
        for slot, occupant, hashed, *said in rows
    ]
    somebody = [one for one in every if not _nobody(table, one)]
    found: dict[str, set[str]] = {}
    mine: list[_Version] = []
    for one in somebody:
        who, _ = told_of(table, one.said)
        for record, (slot, occupant) in places.items():
            if slot == one.slot and (who in told[record] if record in told else occupant == one.occupant):
                found.setdefault(record, set()).add(who)
                mine.append(one)
    told |= {record: who for record, who in found.items() if record not in told}
    others = {one.slot for one in somebody if one not in mine}
    given = {one.slot: max(each.occupant for each in every if each.slot == one.slot) for one in mine}
    return mine, {_key(table, one): given[one.slot] for one in mine if one.slot not in others}


def _place(contract: Contract, table: Table, record_id: str) -> tuple[str, int] | None:
    """The slot of this table and the occupant that a record id names; some sources put the table's name before."""
    slot, _, occupant = record_id.partition(":")[2].rpartition("#")
    first, _, rest = slot.partition("/")
    if rest and first in {each.name for each in contract.tables if each.slot}:
        slot = rest if first == table.name else ""
    return (slot, int(occupant)) if slot and occupant.isdigit() else None


def _key(table: Table, one: _Version) -> tuple[str, ...]:
    assert table.slot
    return tuple(str(one.said[name]) for name in table.slot.key)


def _nobody(table: Table, one: _Version) -> bool:
    """Whether the row only holds a number that was given."""
    assert table.slot
    said = [one.said[name] for name in said_of(table) if name not in table.slot.key]
    return len("".join(filter(None, said))) == 1


def _forget(wh: Warehouse, contract: Contract, table: Table, mine: Sequence[_Version]) -> int:
    """Drop the rows; the numbers that were given stay, under hashes of nothing."""
    hashes = [one.row_hash for one in mine]
    count = _drop(wh, contract, table, hashes)
    wh.execute(
        "UPDATE temp.version SET row_hash = m.new FROM "
        "(SELECT unnest(?::UBIGINT[]) AS old, unnest(?::UBIGINT[]) AS new) m WHERE version.row_hash = m.old",
        [hashes, [secrets.randbits(63) for _ in hashes]],
    )
    keep_numbers(wh, contract, table)
    return count


def _drop(wh: Warehouse, contract: Contract, table: Table, hashes: Sequence[int]) -> int:
    dated, listed = contract.staged(table.name), "row_hash IN (SELECT unnest(?::UBIGINT[]))"
    count = int(wh.scalar(f"SELECT count(*) FROM {dated} WHERE {listed}", [hashes]))
    if wh.exists(f"{dated}__gone"):
        keys = f"SELECT {row_key(table)} FROM {dated} WHERE {listed}"
        wh.execute(f"DELETE FROM {dated}__gone WHERE row_key IN ({keys})", [hashes])
    for name in (dated, f"{dated}__seen", withdrawn(contract, table)):
        if wh.exists(name):
            wh.execute(f"DELETE FROM {name} WHERE {listed}", [hashes])
    return count


def _note_accounts(
    wh: Warehouse, contract: Contract, table: Table, mine: Sequence[_Version],
    accounts: _Accounts,
) -> None:  # fmt: skip
    """Of each account, claim or household of theirs: the words of their names, and their numbers, dates, contacts."""
    assert table.slot
    link = table.slot.key[0]
    named = {column.staged for column in table.kept if column.personal == "name"}
    columns = [name for name in {*personal_of(table), *said_of(table)} if name != link]
    listed = ", ".join(f"{name}::VARCHAR" for name in columns)
    rows = wh.rows(
        f"SELECT {link}::VARCHAR, {listed} FROM {contract.staged(table.name)} "
        "WHERE row_hash IN (SELECT unnest(?::UBIGINT[]))",
        [[one.row_hash for one in mine]],
    )
    for of, *values in rows:
        names, rest = accounts.setdefault((link, of), (set(), set()))
        for column, value in zip(columns, values, strict=True):
            if value:
                names.update(words_of([value])) if column in named else rest.add(value)


def _suppress_in_shared(
    wh: Warehouse,
    contract: Contract,
    accounts: _Accounts,
    suppressed: Suppressed,
) -> None:
    held = held_now(wh, contract, contract.staged)
    alone = {account for account in accounts if account not in held}
    for table in contract.tables:  # what is theirs through a row that is theirs
        named = through(contract, table)
        if named and wh.exists(contract.staged(table.name)):
            for link, of in [account for account in alone if account[0] in table.staged_columns]:
                asked = f"SELECT DISTINCT {named}::VARCHAR FROM {contract.staged(table.name)} WHERE {link}::VARCHAR = ?"
                further = {(named, key) for (key,) in wh.rows(asked, [of])}
                alone |= further
                accounts = accounts | dict.fromkeys(further, accounts[link, of])
    for table in contract.tables:
        for link, names_what in links(contract, table).items():
            for (what, of), (names, values) in accounts.items():
                if what == names_what:
                    macs = shared_macs(suppressed, table, link, of, (what, of) in alone, names, values)
                    suppressed.keep(wh, table.name, macs)


def _sweep(wh: Warehouse, contract: Contract, suppressed: Suppressed, erased: Erased) -> None:
    """Take the erased people out of the rows that stand beside their own, and out of what was set aside."""
    for table in in_order(contract, [table.name for table in contract.tables]):
        held, dated = held_now(wh, contract, contract.staged), contract.staged(table.name)
        if table.slot is None and wh.exists(dated):
            judged = judge(
                wh,
                contract,
                table,
                f"(SELECT DISTINCT ON (row_hash) *, row_hash AS _record FROM {dated})",
                suppressed,
                held,
            )
            if judged.gone:
                erased.rows[table.name] = _drop(wh, contract, table, judged.gone)
            for hashed, columns in judged.blanked.items():
                _empty(wh, contract, table, hashed, columns)
            if judged.blanked:
                redate_table(wh, contract, table)
                erased.emptied[table.name] = len(judged.blanked)
        drop_set_aside(wh, FAULT, contract, table, suppressed, held)


def _empty(wh: Warehouse, contract: Contract, table: Table, hashed: int, columns: Sequence[str]) -> None:
    """Empty values of a row, in every extract that showed it: as if they had never been there."""
    dated = contract.staged(table.name)
    wh.execute(f"UPDATE {dated} SET {emptied(columns)} WHERE row_hash = ?", [hashed])
    new = wh.scalar(f"SELECT any_value({row_hash(table)}) FROM {dated} WHERE row_hash = ?", [hashed])
    for name in (dated, f"{dated}__seen"):
        wh.execute(f"UPDATE {name} SET row_hash = ? WHERE row_hash = ?", [new, hashed])


def _unsplit_go(wh: Warehouse, contract: Contract, table: Table, mine: Sequence[_Version]) -> None:
    """Lines that could not be split into columns go where they hold a key of theirs and a word of the name."""
    assert table.slot
    lines = wh.rows(
        f"SELECT rowid, row_text FROM {FAULT} WHERE source = ? AND table_name = ? AND kind = 'row' "
        "AND row_text IS NOT NULL AND NOT json_valid(row_text)",
        [contract.name, table.name],
    )
    gone = set()
    for number, text in lines:
        fields, words = {part.strip(' "') for part in text.split(contract.delimiter)}, set(words_of([text]))
        for one in mine:
            names = {word for word in words_of(one.said[name] for name in table.slot.name) if len(word) >= _LEAST}
            if names & words and set(_key(table, one)) <= fields:
                gone.add(number)
    wh.execute(f"DELETE FROM {FAULT} WHERE rowid IN (SELECT unnest(?::BIGINT[]))", [sorted(gone)])
