"""The newest version of each staged row, and who sits in a slot: the step between dated history and fact tables.

A slot (a liable person's place in an account, a member's number in a household) may be written over by another
person. Each person ever seen in it is an occupant, numbered in the order in which the extracts arrived: a late extract
adds occupants, it never renumbers them. `record_id` is source:key#occupant.
"""

from collections import defaultdict

from pipelines.sources.contracts import Contract, Slot, Table
from pipelines.sources.history import withdrawn
from pipelines.sources.joined_keys import joined
from pipelines.sources.thresholds import OCCUPANT_SIMILARITY, OCCUPANT_WORD
from pipelines.warehouse import Warehouse

# Words of a name field that name nobody.
_NO_NAMES = r"\b(MR|MRS|MISS|MS|MX|DR|REV|SIR|LADY|PROF|EXORS?|EXECUTORS?|OF|THE|DECD|DECEASED|AND)\b"


#: SQL: what stands in the place of the name where only the number of an occupant is kept: one byte, no two alike.
NOBODY = "chr(32 + occupant)"


def latest(wh: Warehouse, contract: Contract, table: Table) -> str:
    """Make and name the newest version of each row of a dated table; with record_id and occupant if it is a slot's.

    A row that was overwritten or left out stays, with its `valid_to`; a table that never came in is empty.
    """
    staged, name = contract.staged(table.name), f"memory.latest.{contract.name}__{table.name}"
    wh.execute("CREATE SCHEMA IF NOT EXISTS memory.latest")
    if not wh.exists(staged):
        columns = ", ".join(f"NULL::{column.sql_type} AS {column.staged}" for column in table.kept)
        wh.execute(
            f"CREATE OR REPLACE TEMP TABLE never_came AS SELECT {columns}, NULL::DATE AS extract_date, "
            "NULL::DATE AS valid_from, NULL::DATE AS valid_to, NULL::VARCHAR AS loaded_run, "
            "NULL::UBIGINT AS row_hash LIMIT 0"
        )
        wh.execute(
            f"CREATE OR REPLACE TABLE {name} AS SELECT *{_first_occupant(contract, table.slot)} FROM temp.never_came"
        )
        wh.execute("DROP TABLE temp.never_came")
        return name
    first = _first_occupant(contract, table.slot)
    gone = withdrawn(contract, table)
    has_gone = table.slot is not None and wh.exists(gone) and bool(wh.scalar(f"SELECT count(*) FROM {gone}"))
    touched = has_gone or bool(wh.rows(f"SELECT 1 FROM {staged} WHERE valid_to IS NOT NULL LIMIT 1"))
    if not touched or not table.key:
        wh.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT *{first} FROM {staged}")
        return name
    # Only keys of which some row has ended can have more than one version or occupant; the rest goes straight through.
    whose = ", ".join(table.slot.key if table.slot else table.key)
    also = f" UNION SELECT {whose} FROM {gone}" if has_gone else ""
    ended = f"SELECT DISTINCT {whose} FROM {staged} WHERE valid_to IS NOT NULL"
    wh.execute(f"CREATE OR REPLACE TEMP TABLE touched AS {ended}{also}")
    several = f"(SELECT * FROM {staged} SEMI JOIN temp.touched USING ({whose}))"
    newest = "QUALIFY row_number() OVER (PARTITION BY {} ORDER BY extract_date DESC, valid_from DESC, row_hash) = 1"
    if table.slot is None:
        chosen = f"SELECT * FROM {several} {newest.format(', '.join(table.key))}"
    else:
        ever = f"(FROM {several} UNION ALL BY NAME FROM {gone})" if has_gone else several
        numbered = number_occupants(wh, f"{staged}__seen", ever, several, table.slot)
        numbered = f"SELECT * EXCLUDE (_slot, _name, _born) FROM ({numbered})"
        version = newest.format(", ".join((*table.key, "occupant")))
        chosen = f"SELECT *, {_record_id(contract, table.slot)} || occupant AS record_id FROM ({numbered}) {version}"
    wh.execute(
        f"CREATE OR REPLACE TABLE {name} AS SELECT *{first} FROM {staged} ANTI JOIN temp.touched USING ({whose}) "
        f"UNION ALL BY NAME {chosen}"
    )
    wh.execute("DROP TABLE temp.touched")
    wh.execute("DROP TABLE IF EXISTS temp.occupant")
    return name


def number_occupants(wh: Warehouse, seen: str, ever: str, rows: str, slot: Slot) -> str:
    """SQL: rows with `occupant`, and `_slot`, `_name` and `_born` by which they were told apart among all `ever` seen.

    Stands on temp.occupant, which it makes and the caller drops.
    """
    _occupants(wh, seen, ever, slot)
    return (
        f"SELECT s.*, coalesce(o.occupant, 1)::INTEGER AS occupant FROM ({_with_slot(rows, slot)}) s "
        "LEFT JOIN temp.occupant o ON o._slot = s._slot "
        "AND o._name IS NOT DISTINCT FROM s._name AND o._born IS NOT DISTINCT FROM s._born"
    )


def said_of(table: Table) -> list[str]:
    """The columns that say whose slot it was."""
    assert table.slot
    born = [table.slot.birth_date] if table.slot.birth_date else []
    return list(dict.fromkeys([*table.slot.key, *table.slot.name, *born]))


def _occupants(wh: Warehouse, seen: str, rows: str, slot: Slot) -> None:
    """temp.occupant: the number of each (slot, name, birth date) in slots that were ever seen with more than one, by
    `rows`: those in force and those that a correction has withdrawn.

    Two versions are one person if an extract showed both, if names share a word or are alike, or if birth dates agree.
    """
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE slot_version AS WITH version AS ("
        f"  SELECT _slot, _name, _born, list(DISTINCT delivery) AS deliveries, min(delivery) AS arrival, "
        "  min(row_hash) AS tie"
        f"  FROM ({_with_slot(rows, slot)}) JOIN {seen} USING (row_hash) GROUP BY ALL) "
        f"SELECT *, regexp_extract_all(_name, '\\p{{L}}{{{OCCUPANT_WORD},}}') AS words, "
        "       row_number() OVER (ORDER BY _slot, arrival, tie) AS number "
        "FROM version QUALIFY count(*) OVER (PARTITION BY _slot) > 1"
    )
    one_person = wh.rows(
        "SELECT a.number, b.number FROM temp.slot_version a "
        "JOIN temp.slot_version b ON a._slot = b._slot AND a.number < b.number "
        "WHERE list_has_any(a.deliveries, b.deliveries) OR a._name IS NULL OR b._name IS NULL "
        "OR list_has_any(a.words, b.words) OR coalesce(a._born = b._born, false) "
        f"OR jaro_winkler_similarity(a._name, b._name) >= {OCCUPANT_SIMILARITY} ORDER BY ALL"
    )
    earlier_same: dict[int, list[int]] = defaultdict(list)
    for before, after in one_person:
        earlier_same[after].append(before)
    occupant: dict[int, int] = {}
    seen_in: dict[str, int] = defaultdict(int)
    for number, slot_key in wh.rows("SELECT number, _slot FROM temp.slot_version ORDER BY number"):
        if earlier_same[number]:
            occupant[number] = occupant[earlier_same[number][-1]]
        else:
            seen_in[slot_key] += 1
            occupant[number] = seen_in[slot_key]
    numbers = list(occupant)
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE occupant AS SELECT _slot, _name, _born, occupant FROM temp.slot_version "
        "JOIN (SELECT unnest(?::BIGINT[]) AS number, unnest(?::INTEGER[]) AS occupant) USING (number)",
        [numbers, [occupant[number] for number in numbers]],
    )
    wh.execute("DROP TABLE temp.slot_version")


def _with_slot(rows: str, slot: Slot) -> str:
    """SQL: dated rows with the slot's key, name and birth date beside its own columns."""
    return f"SELECT *, {_slot_key(slot)} AS _slot, {_name(slot)} AS _name, {_born(slot)} AS _born FROM {rows}"


def _slot_key(slot: Slot) -> str:
    return joined(slot.key)


def _name(slot: Slot) -> str:
    """SQL: the name in capitals, without titles and other words that name nobody."""
    whole = f"upper(concat_ws(' ', {', '.join(slot.name)}))"
    return f"nullif(trim(regexp_replace({whole}, '{_NO_NAMES}', '', 'g')), '')"


def _born(slot: Slot) -> str:
    return slot.birth_date or "NULL::DATE"


def _record_id(contract: Contract, slot: Slot) -> str:
    return f"'{contract.name}:' || {_slot_key(slot)} || '#'"


def _first_occupant(contract: Contract, slot: Slot | None) -> str:
    return "" if slot is None else f", {_record_id(contract, slot)} || '1' AS record_id, 1 AS occupant"
