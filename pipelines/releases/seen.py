"""The attributes as a purpose sees them: each column as the contracts behind it let it pass for that purpose."""

from collections.abc import Mapping
from typing import cast

from pipelines.governance.purposes import Purposes
from pipelines.governance.treatments import Treatment, age_words, passing_sql, widest_band
from pipelines.releases.catalogue import CatalogueColumn, catalogue
from pipelines.sources.contracts import Contract
from pipelines.sources.window import how_a_fact_passes, how_places_pass
from pipelines.warehouse import Warehouse

VIEW = "risk"  # of which the attributes are


def seen_as(purpose: str) -> str:
    """The schema in which a purpose finds the tables of the attributes."""
    return f'memory."{purpose}"'


def open_views(wh: Warehouse, purposes: Purposes) -> None:
    """Make, for each purpose that stands on the attributes, its own views of them: nothing else is asked or released.

    All of them, since the register counts tables again that another purpose was shown.
    """
    for name, stated in purposes.purposes.items():
        if stated.view != VIEW:
            continue
        wh.execute(f"CREATE SCHEMA IF NOT EXISTS {seen_as(name)}")
        passing = _how_columns_pass(purposes, name)
        for table, held in catalogue().items():
            full = f"attributes.{held.schema_}.{table}"
            if wh.exists(full):
                types = dict(wh.rows(f"SELECT column_name, column_type FROM (DESCRIBE {full})"))
                shown = ", ".join(
                    f"{_shown(column, types[column], said, passing)} AS {column}"
                    for column, said in held.columns.items()
                    if column in types
                )
                wh.execute(f"CREATE OR REPLACE VIEW {seen_as(name)}.{table} AS SELECT {shown} FROM {full}")


def _how_columns_pass(purposes: Purposes, purpose: str) -> dict[str, frozenset[Treatment]]:
    """How each column of a fact passes (`fact.column`), and `address`, by every source that the attributes stand on."""
    found: dict[str, set[Treatment]] = {}
    for source, contract in purposes.contracts.items():
        if VIEW not in contract.purposes or contract.level != "person":
            continue
        for fact in cast(Contract, contract).facts:
            for column, how in how_a_fact_passes(purposes, purpose, source, fact).items():
                found.setdefault(f"{fact}.{column}", set()).update(how)
    placed = how_places_pass(purposes, purpose, purposes.behind(VIEW, {"address"}))
    return {name: frozenset(how) for name, how in found.items()} | {"address": placed}


def _shown(column: str, kind: str, said: CatalogueColumn, passing: Mapping[str, frozenset[Treatment]]) -> str:
    how = frozenset().union(*(passing.get(one, frozenset()) for one in said.of))
    if said.place:
        return column if all(one.shows_place(said.place) for one in how) else f"NULL::{kind}"
    if said.worked_out:
        return f"NULL::{kind}" if Treatment("drop") in how else column
    if said.of != ("person_record.birth_date",):
        return passing_sql(column, kind, how)
    years = widest_band(how)
    if years is None:
        return f"NULL::{kind}"
    age = f"(age_from // {years} * {years})::INTEGER"
    return age if column == "age_from" else age_words(age, years)
