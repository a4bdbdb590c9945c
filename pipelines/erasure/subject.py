"""Who is erased, as the tables know them: every id, number and reference by which only they are meant."""

from collections.abc import Sequence
from dataclasses import dataclass

from linkage_models.term_frequencies import TERM_COLUMNS
from pipelines.linkage.homes import HOUSEHOLD_MEMBER
from pipelines.linkage.persons import LEDGER, MEMBERSHIP
from pipelines.people.records import RECORD
from pipelines.warehouse import Warehouse

#: Columns of facts that hold a number which one person bears in every system.
NUMBERS = ("nino", "nhs_number", "number", "subject_number")
_ITEMS = (
    ("fraud.flagged_pair", "flag_id", ("subject_record_id", "other_record_id")),
    ("review.queue", "item_id", ("record_l", "record_r")),
    ("review.member", "item_id", ("record_id",)),
)
_RECORD = "identity.facts.person_record"


@dataclass(frozen=True)
class Subject:
    """`ids` is every person id that the records bear or bore, `whole` those of which no other record is left; `homes`
    the households of these; `references` are (source, column, value) of facts, `numbers` national numbers, `terms` what
    models know the frequency of; `items` flagged pairs and items to review. All of these are nobody else's."""

    records: tuple[str, ...]
    ids: tuple[str, ...]
    whole: tuple[str, ...]
    homes: tuple[str, ...]
    references: tuple[tuple[str, str, str], ...]
    numbers: tuple[str, ...]
    terms: tuple[str, ...]
    items: frozenset[str]


def subject_of(wh: Warehouse, records: Sequence[str]) -> Subject:
    """Read from the identity zone before anything is erased."""
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE erased_record AS SELECT unnest(?::VARCHAR[]) AS record_id", [list(records)]
    )
    mine = "(SELECT record_id FROM temp.erased_record)"
    borne = f"SELECT DISTINCT person_id FROM {MEMBERSHIP} WHERE record_id IN {mine} UNION "
    borne += f"SELECT DISTINCT person_id FROM {LEDGER} WHERE list_has_any(records, ?::VARCHAR[])"
    ids = _column(wh, borne, [list(records)]) if wh.exists(LEDGER) else []
    others = f"SELECT person_id FROM {MEMBERSHIP} WHERE record_id NOT IN {mine}" if wh.exists(MEMBERSHIP) else ""
    living = set(_column(wh, others))
    whole = tuple(one for one in ids if one not in living)
    homes = f"SELECT DISTINCT household_id FROM {HOUSEHOLD_MEMBER} WHERE person_id IN (SELECT unnest(?::VARCHAR[]))"
    subject = Subject(
        records=tuple(records),
        ids=tuple(ids),
        whole=whole,
        homes=tuple(_column(wh, homes if wh.exists(HOUSEHOLD_MEMBER) else "", [list(ids)])),
        references=tuple(_references(wh, mine)),
        numbers=tuple(_numbers(wh, mine)),
        terms=tuple(_terms(wh, mine)),
        items=frozenset(items_of(wh, records)),
    )
    wh.execute("DROP TABLE temp.erased_record")
    return subject


def items_of(wh: Warehouse, records: Sequence[str], catalog: str = "identity") -> set[str]:
    """Flagged pairs and items to review that touch any of the records, in one published or own state."""
    found = set[str]()
    for name, own, columns in _ITEMS:
        if wh.exists(f"{catalog}.{name}"):
            test = " OR ".join(f"{column} IN (SELECT unnest($1::VARCHAR[]))" for column in columns)
            found.update(_column(wh, f"SELECT DISTINCT {own} FROM {catalog}.{name} WHERE {test}", [list(records)]))
    return found


def facts(wh: Warehouse) -> list[str]:
    """Names of the fact tables that are there."""
    found = wh.rows(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'identity' AND schema_name = 'facts' ORDER BY 1"
    )
    return [str(name) for (name,) in found]


def _references(wh: Warehouse, mine: str) -> list[tuple[str, str, str]]:
    """What only rows of these records refer to: accounts, claims, tenancies, addresses."""
    theirs, others = list[str](), list[str]()
    for name in facts(wh):
        columns = wh.columns(f"identity.facts.{name}")
        if "record_id" not in columns:
            continue
        for column in columns:
            if column.endswith("_ref") or column in ("source_key", "address_id"):
                at = f"SELECT source, '{column}' AS name, {column}::VARCHAR AS said FROM identity.facts.{name} WHERE"
                theirs.append(f"{at} record_id IN {mine}")
                others.append(f"{at} record_id NOT IN {mine}")
    if not theirs:
        return []
    rows = wh.rows(f"({' UNION '.join(theirs)}) EXCEPT ({' UNION '.join(others)}) ORDER BY ALL")
    return [(source, name, said) for source, name, said in rows if said]


def _numbers(wh: Warehouse, mine: str) -> list[str]:
    """National numbers that these records bear and no other does, without blanks."""
    if not wh.exists(_RECORD):
        return []
    borne = f"SELECT record_id, unnest([nino, nhs_number]) AS said FROM {_RECORD}"
    if wh.exists("identity.facts.identifier"):
        borne += " UNION ALL SELECT record_id, number FROM identity.facts.identifier"
    bare = (
        f"SELECT record_id, upper(regexp_replace(said, '\\s', '', 'g')) AS said FROM ({borne}) WHERE said IS NOT NULL"
    )
    return _column(
        wh,
        f"SELECT said FROM ({bare}) WHERE record_id IN {mine} EXCEPT "
        f"SELECT said FROM ({bare}) WHERE record_id NOT IN {mine} ORDER BY 1",
    )


def _terms(wh: Warehouse, mine: str) -> list[str]:
    """Values that models weigh by how common they are, and that no other record holds."""
    found = set[str]()
    for column in (name for name in TERM_COLUMNS if name in wh.columns(RECORD)):
        held = f"SELECT {column} FROM {RECORD} WHERE {column} IS NOT NULL AND record_id"
        found.update(_column(wh, f"{held} IN {mine} EXCEPT {held} NOT IN {mine}"))
    return sorted(found)


def _column(wh: Warehouse, query: str, params: Sequence[object] = ()) -> list[str]:
    return [str(value) for (value,) in wh.rows(query, params)] if query else []
