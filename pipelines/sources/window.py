"""What a purpose may read of the facts: current rows of its sources, each value as its contract lets it pass."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from pipelines.governance.purposes import Purposes
from pipelines.governance.treatments import Treatment, passing_sql
from pipelines.sources.contracts import Contract
from pipelines.sources.facts import FACTS
from pipelines.sources.origins import origins
from pipelines.warehouse import Warehouse, sql_list

#: (source, fact) to each column of the fact: how the columns that it is made of are treated for the purpose.
Passing = Mapping[tuple[str, str], Mapping[str, frozenset[Treatment]]]
#: What says whose row it is; a window that hides people gives the person's random id in its place.
OWNER = "record_id"
#: What of an address places it.
PLACED = ("address_text", "postcode", "uprn_given", "xref_key")


def how_facts_pass(purposes: Purposes, purpose: str, facts: Iterable[str]) -> Passing:
    """How the facts of the sources that serve a purpose pass. Raises NotFollowed."""
    wanted = set(facts)
    return {
        (source, fact): how_a_fact_passes(purposes, purpose, source, fact)
        for source in purposes.sources(purpose)
        for fact in wanted & set(purposes.contracts[source].facts)
    }


def how_a_fact_passes(purposes: Purposes, purpose: str, source: str, fact: str) -> dict[str, frozenset[Treatment]]:
    """How each column of one source's fact passes: by the treatment of every column that it is made of."""
    treated = purposes.treatment_of(purpose, source)
    made_of = origins(cast(Contract, purposes.contracts[source]), fact)
    return {name: frozenset(treated[column] for column in behind) for name, behind in made_of.items()}


def how_places_pass(purposes: Purposes, purpose: str, sources: Iterable[str]) -> frozenset[Treatment]:
    """How where people live passes: by each column of an address that places it, in any of these sources."""
    found: set[Treatment] = set()
    for source in sources:
        contract = cast(Contract, purposes.contracts[source])
        if contract.level == "person" and "address" in contract.facts:
            treated, made_of = purposes.treatment_of(purpose, source), origins(contract, "address")
            behind = set().union(*(made_of[column] for column in PLACED))
            found |= {treated[column] for column in behind if contract.classes[column] == "address"}
    return frozenset(found)


def open_window(
    wh: Warehouse,
    facts: Iterable[str],
    sources: Sequence[str],
    passing: Passing | None = None,
    owners: Mapping[str, str] | None = None,
) -> str:
    """Make a temporary table of each fact, empty where no source provides it; return the sources as an SQL list.

    Values pass as `passing` says; without it as they are. With `owners` nobody may be known: a row bears the person_id
    that its fact's join (else that of "") finds, null where it is nobody's, no record id, and numbers as pseudonyms of
    this window alone.
    """
    listed = sql_list(sources)
    salt = secrets.token_hex(32)
    for fact in facts:
        parts = []
        if wh.exists(f"identity.facts.{fact}"):
            for select, of in _alike(fact, sources, passing, salt if owners is not None else None).items():
                join = owners.get(fact, owners[""]) if owners is not None else ""
                parts.append(f"SELECT {select} FROM identity.facts.{fact} AS f {join} "
                             f"WHERE f.valid_to IS NULL AND f.source IN ({sql_list(of)})")  # fmt: skip
        if not parts:
            typed = [
                (column.name, column.type)
                for column in FACTS[fact].all_columns
                if owners is None or column.name != OWNER
            ]
            typed += [("person_id", "VARCHAR")] if owners is not None else []
            parts = ["SELECT " + ", ".join(f"NULL::{kind} AS {name}" for name, kind in typed) + " LIMIT 0"]
        wh.execute(f"CREATE OR REPLACE TEMP TABLE {fact} AS " + " UNION ALL ".join(parts))
    return listed


def _alike(fact: str, sources: Sequence[str], passing: Passing | None, salt: str | None) -> dict[str, list[str]]:
    """The columns of a fact as they pass, to the sources of which that is so."""
    found: dict[str, list[str]] = {}
    for source in sources:
        if passing is not None and (source, fact) not in passing:
            continue  # whatever lies there, nobody has said how it passes
        how = passing[source, fact] if passing is not None else {}
        columns = []
        for column in FACTS[fact].all_columns:
            if column.name == OWNER:
                columns.append("person_id" if salt else f"f.{OWNER}")
                continue
            renamed = f"sha256('{salt}' || f.{column.name})" if salt else None
            columns.append(
                f"{passing_sql(f'f.{column.name}', column.type, how.get(column.name, ()), renamed)} AS {column.name}"
            )
        found.setdefault(", ".join(columns), []).append(source)
    return found
