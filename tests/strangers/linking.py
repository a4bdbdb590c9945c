"""Tables of strangers through the rooms of the pipeline, from facts to persons, without a file or a gazetteer."""

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from pipelines.linkage.constraints import load_decisions
from pipelines.linkage.edges import Linked, build_edge
from pipelines.linkage.persons import MEMBERSHIP, build_persons
from pipelines.people.records import build_record, build_record_address
from pipelines.places.address_uprn import build_address_uprn
from pipelines.places.gazetteer import build_gazetteer
from pipelines.sources.facts import FACTS
from pipelines.warehouse import Warehouse

VIEW = "everyone"
Row = dict[str, Any]


def people(count: int, seed: int) -> list[Row]:
    """Invented people of no country: few common names and many rare ones, no households."""
    draw = random.Random(seed)

    def word(syllables: int) -> str:
        return "".join(draw.choice("bdfgklmnprstvz") + draw.choice("aeiou") for _ in range(syllables)).title()

    given, family = [word(2) for _ in range(count // 10 + 10)], [word(3) for _ in range(count // 4 + 10)]
    streets = [word(3) + "straat" for _ in range(count // 20 + 5)]
    return [
        {
            "source_key": f"{number:06}",
            "forename": given[int(len(given) * draw.random() ** 2)],
            "surname": family[int(len(family) * draw.random() ** 2)],
            "birth_date": date(1930, 1, 1) + timedelta(days=draw.randrange(28_000)),
            "address_text": f"{draw.choice(streets)} {draw.randint(1, 90)}, {word(2)}",
            "postcode": f"{draw.randint(1000, 1000 + count // 8)}",
        }
        for number in range(count)
    ]


def copied(rows: Sequence[Row], seed: int, prefix: str = "") -> list[Row]:
    """The same people as another table has them: one slip in every third row, in another order."""
    draw, copies = random.Random(seed), []
    for row in rows:
        copy = row | {"source_key": prefix + row["source_key"]}
        if draw.random() < 1 / 3:
            part = draw.choice(("forename", "surname", "address_text"))
            if text := copy[part]:
                at = draw.randrange(len(text))
                copy[part] = text[:at] + draw.choice("aeiou") + text[at + 1 :]
        copies.append(copy)
    draw.shuffle(copies)
    return copies


def link(
    wh: Warehouse,
    tables: Mapping[str, Sequence[Row]],
    decisions: Sequence[tuple[str, str, str]] = (),
    facts: Sequence[str] = ("person_record", "address", "residence"),
) -> tuple[Linked, dict[str, list[str]]]:
    """Link the tables, {source: rows}; `decisions` are (kind, record, record). Returns what scoring made, and the
    records of each person. `facts` are those that some table provides."""
    rows = [{"source": source} | row for source, table in tables.items() for row in table]
    for fact in facts:
        wh.table(f"identity.facts.{fact}", _fact(wh, fact, rows))
    if wh.con.execute("SELECT 1 FROM duckdb_views() WHERE view_name = 'given_row'").fetchall():
        wh.con.unregister("given_row")
    build_gazetteer(wh)
    if "address" in facts:
        build_address_uprn(wh)
    build_record_address(wh)
    build_record(wh, b"k" * 32)
    linked = build_edge(wh, {VIEW: sorted(tables)})
    load_decisions(wh, [_decision(wh, *each) for each in decisions])
    build_persons(wh, {VIEW: sorted(tables)}, b"i" * 32)
    person: dict[str, list[str]] = {}
    for record, name in wh.rows(f"SELECT record_id, person_id FROM {MEMBERSHIP} ORDER BY record_id"):
        person.setdefault(name, []).append(record)
    return linked, person


def _fact(wh: Warehouse, fact: str, rows: Sequence[Row]) -> str:
    """SELECT of a fact table from the rows; what they do not hold is null."""
    made = {"record_id": "source || ':' || source_key || '#1'", "address_id": "source || ':' || source_key || '#1'"}
    made |= {"address_key": "source_key", "occupant": "1", "role": "'person'", "basis": "'contact'"}
    made |= {"extract_date": "DATE '2026-10-31'", "valid_from": "DATE '2026-10-31'", "loaded_run": "'r'"}
    made |= {"source": "source", "source_key": "source_key"}
    given = {name for row in rows for name in row}
    schema = {name: pl.Date if name.endswith("_date") else pl.String for name in sorted(given)}
    if rows:
        wh.con.register("given_row", pl.DataFrame(list(rows), schema=schema, orient="row"))
    said = ", ".join(
        f"{made.get(column.name) or (column.name if column.name in given else 'NULL')}::{column.type} AS {column.name}"
        for column in FACTS[fact].all_columns
    )
    if not rows:
        return f"SELECT {', '.join(f'NULL::{c.type} AS {c.name}' for c in FACTS[fact].all_columns)} LIMIT 0"
    return f"SELECT {said} FROM given_row"


def _decision(wh: Warehouse, kind: str, left: str, right: str) -> dict[str, str]:
    prints = dict(
        wh.rows("SELECT record_id, fingerprint FROM identity.people.record WHERE record_id IN (?, ?)", [left, right])
    )
    return {
        "kind": kind, "record_l": left, "record_r": right,
        "fingerprint_l": prints[left], "fingerprint_r": prints[right],
    }  # fmt: skip
