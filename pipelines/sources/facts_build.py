"""Builds each fact table: the union of what the sources' SQL says, held to the shape in `facts`.

Facts hold the newest version of every row that was ever seen; `valid_to` is null while the newest extract shows it.
What an extract no longer shows ended, at the latest, on that extract's date: its open `to_date` closes, `is_live`
becomes false.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from pipelines.faults import BoroughlinkError
from pipelines.sources.contracts import Contract
from pipelines.sources.facts import FACTS, FactTable
from pipelines.sources.joined_keys import KEY_PART
from pipelines.sources.mapped import fact_sql
from pipelines.sources.own_tables import reaches_beyond
from pipelines.sources.slots import latest
from pipelines.warehouse import Warehouse, WarehouseError

# A UPRN as systems hold it: blanks around, zeros in front, a plus sign or ".0" from a spreadsheet; else it is none.
WHOLE_UPRN = r"""CREATE OR REPLACE TEMP MACRO whole_uprn(text) AS
    TRY_CAST(nullif(regexp_extract(trim(text::VARCHAR), '^\+?0*([1-9][0-9]{0,11})(\.0*)?$', 1), '') AS BIGINT)"""


class FactError(BoroughlinkError):
    """A source's SQL doesn't give what the fact table asks for; the text names the file and the column."""


def build_fact(wh: Warehouse, fact: str, contracts: Mapping[str, Contract]) -> int:
    """Build `identity.facts.<fact>` from every source that provides it; return its rows.

    Raises FactError when a source's SQL lacks a column, has one too many, gives the wrong type, or breaks the grain.
    """
    table = FACTS[fact]
    wh.execute(WHOLE_UPRN)
    wh.execute(KEY_PART)
    parts = [_of_source(wh, table, contract) for contract in contracts.values() if fact in contract.facts]
    rows = wh.table(f"identity.facts.{fact}", " UNION ALL BY NAME ".join([_without_rows(table), *parts]))
    wh.execute("DROP SCHEMA IF EXISTS memory.latest CASCADE")
    if fact == "person_record":
        _one_row_each(wh, fact, "record_id")
        _flags_are_stated(wh, contracts)
    if fact == "address":
        _one_row_each(wh, fact, "address_id")
    return rows


def _without_rows(table: FactTable) -> str:
    return f"(SELECT {', '.join(f'NULL::{column.type} AS {column.name}' for column in table.all_columns)} LIMIT 0)"


def fact_at_hand(wh: Warehouse, fact: str) -> str:
    """SQL: the fact table, without rows where no source at hand provides it."""
    return name if wh.exists(name := f"identity.facts.{fact}") else _without_rows(FACTS[fact])


def staged_tables(contract: Contract, fact: str) -> list[str]:
    """Names of the source's tables that its SQL for a fact reads."""
    text = written_sql(contract, fact)
    text += "".join(path.read_text(encoding="utf-8") for path in contract.folder.glob("parts/*.sql"))
    named = set(re.findall(r"\$\{(\w+)\}", text))
    return [table.name for table in contract.tables if table.name in named]


def _of_source(wh: Warehouse, fact: FactTable, contract: Contract) -> str:
    """SELECT of one source's rows in the columns and types of the fact table."""
    here = f"{contract.name}/{fact.name}.sql"
    names = {name: latest(wh, contract, contract.table(name)) for name in staged_tables(contract, fact.name)}
    own = frozenset(names.values())
    names |= {part.stem: _part(part) for part in sorted(contract.folder.glob("parts/*.sql"))}
    try:
        select = Template(written_sql(contract, fact.name)).substitute(names)
        if why := reaches_beyond(wh, select, own):
            raise FactError(f"{here}: it {why}.")
        given = {row[0]: str(row[1]) for row in wh.rows(f"DESCRIBE {select}")}
    except KeyError as missing:
        raise FactError(f"{here}: ${{{missing.args[0]}}} is no table of the contract and no file in parts/.") from None
    except (WarehouseError, ValueError) as fault:
        raise FactError(f"{here}: {fault}") from None
    _hold_to_shape(here, fact, given)
    values = ", ".join(_value(column.name, column.type) for column in fact.all_columns if column.name in given)
    return f"(SELECT '{contract.name}' AS source, {values} FROM ({select}))"


def written_sql(contract: Contract, fact: str) -> str:
    """The source's SQL for a fact: its own file, else what follows from the `maps` of one of its tables."""
    path = contract.folder / f"{fact}.sql"
    if path.is_file():
        return _part(path)
    mapped = next(table for table in contract.tables if table.maps and fact in table.maps.facts)
    return fact_sql(contract, mapped, fact)


def _part(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def _value(name: str, kind: str) -> str:
    if name == "to_date":
        return "least(to_date::DATE, valid_to) AS to_date"
    if name == "is_live":
        return "(is_live AND valid_to IS NULL) AS is_live"
    return f"{name}::{kind} AS {name}"


def _hold_to_shape(here: str, fact: FactTable, given: Mapping[str, str]) -> None:
    wanted = {column.name: column.type for column in fact.all_columns if column.name != "source"}
    optional = {column.name for column in fact.columns if column.optional}
    if missing := sorted(wanted.keys() - given.keys() - optional):
        raise FactError(f"{here}: the fact {fact.name} also needs {', '.join(missing)}; give NULL where it isn't held.")
    if extra := sorted(given.keys() - wanted.keys()):
        raise FactError(f"{here}: the fact {fact.name} has no {', '.join(extra)}; leave it out.")
    for name, kind in wanted.items():
        if name not in given:
            continue
        untyped = given[name] in ("INTEGER", '"NULL"')  # a bare NULL describes itself as INTEGER
        if given[name] != kind and not untyped and not (kind.startswith("DECIMAL") and "DECIMAL" in given[name]):
            raise FactError(f"{here}: {name} comes as {given[name]}, the fact {fact.name} wants {kind}; cast it.")


def _flags_are_stated(wh: Warehouse, contracts: Mapping[str, Contract]) -> None:
    """Raise FactError for a flag of protection that the source's contract doesn't state."""
    for source, flag in wh.rows(
        "SELECT DISTINCT source, sensitivity FROM identity.facts.person_record "
        "WHERE sensitivity IS NOT NULL ORDER BY ALL"
    ):
        if flag not in contracts[source].sensitivity:
            raise FactError(
                f"{source}/person_record.sql gives the flag `{flag}`, which its contract doesn't state. Add it under "
                "`sensitivity:` with what it means."
            )


def _one_row_each(wh: Warehouse, fact: str, key: str) -> None:
    twice = wh.rows(
        f"SELECT source, count(*) FROM "
        f"(SELECT source, {key} FROM identity.facts.{fact} GROUP BY ALL HAVING count(*) > 1) GROUP BY ALL"
    )
    if twice:
        said = ", ".join(f"{source} ({count} {key})" for source, count in twice)
        raise FactError(f"The fact {fact} has more than one row for one {key}: {said}. Mend the SQL of the source.")
