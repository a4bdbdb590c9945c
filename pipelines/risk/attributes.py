"""The attributes store: facts about people by random id, banded and by month, without anything that says who they are.

Rebuilt whole every run, from a window in which each value has passed its contract's treatment already: a step's SQL has
nothing else to read, and what it makes of which column is held against the catalogue, by which other purposes see it.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml

from linkage_models.standardise import install
from pipelines.faults import BoroughlinkError
from pipelines.governance.protection import withheld
from pipelines.governance.purposes import Purposes
from pipelines.governance.treatments import Treatment, age_sql, age_words, passing_sql, widest_band
from pipelines.releases.catalogue import catalogue
from pipelines.sources.facts import FACTS
from pipelines.sources.origins import Columns, behind_each
from pipelines.sources.window import Passing, how_facts_pass, how_places_pass, open_window
from pipelines.view_edges import compared_in
from pipelines.warehouse import Warehouse, sql_file

HERE = Path(__file__).parent
PURPOSE = "risk"
READ = ("liability", "discount", "claim", "tenancy", "care_episode", "payment", "activity", "identifier")
TABLES = (
    *("person", "household_member", "household", "service_flag", "claim", "tenancy", "care_episode"),
    *("payment", "activity"),
)
#: What the tables of the window say of persons, and of which facts; what is not here is ours (ids, counts, links).
_OF_PERSONS = {
    "risk_member.age": "person_record.birth_date",
    "risk_member.sex": "person_record.sex",
    "risk_member.death_date": "person_record.death_date",
    **{f"risk_home.{column}": "address" for column in ("ward_code", "ward", "lsoa", "imd_decile")},
}
_OWN = {
    "risk_member": ("record_id", "person_id", "source", "age", "sex", "death_date"),
    "risk_home": ("person_id", "household_id", "property_id", "ward_code", "ward", "lsoa", "imd_decile"),
    "risk_stay": ("household_id", "person_id", "from_date", "to_date"),
    "risk_link": ("person_id", "records", "sources", "weakest"),
}
_NEVER = ("risk_member.record_id", "risk_member.source")
_PLACES = {"ward_code": "ward", "ward": "ward", "lsoa": "lsoa", "imd_decile": "rank"}
_FOUND = {
    "activity": "LEFT JOIN activity_person AS p USING (source, activity_ref)",
    "": "LEFT JOIN risk_member AS p USING (record_id)",
}


class IdentityInAttributes(BoroughlinkError):
    """A table of the attributes store holds a column of which nobody has said how it passes."""


def build_attributes(wh: Warehouse, purposes: Purposes) -> dict[str, int]:
    """Build `attributes.attributes.*` from the sources that the risk purpose may read; return rows by table.

    Activity that names nobody finds its person only in the sources that state a lookup; the rest is left out. Raises
    IdentityInAttributes before anything is read.
    """
    policy = yaml.safe_load((HERE / "thresholds.yaml").read_text(encoding="utf-8"))
    sources, lookups = purposes.sources(PURPOSE), purposes.lookups(PURPOSE)
    passing = how_facts_pass(purposes, PURPOSE, (*READ, "person_record"))
    bands = [band for how in _of(passing, "person_record", "birth_date").values() if (band := widest_band(how))]
    names = {"band": max(bands, default=1)} | policy
    names |= {"age_words": age_words("aged.age_from", names["band"])}
    texts = {table: sql_file(HERE / "attribute_tables" / f"{table}.sql", **names) for table in TABLES}
    for table, text in texts.items():
        require_stated(table, text)
    install(wh.con)
    persons = {"as_of": wh.as_of.isoformat(), "withheld": withheld(), **_persons(passing, purposes)}
    listed = open_window(wh, ("activity", "identifier"), sources)  # their numbers lead to a person, and pass no further
    edge = compared_in(wh, PURPOSE)
    wh.execute(sql_file(HERE / "attribute_tables" / "window.sql", sources=listed, edge=edge, **persons))
    led = ", ".join(f"'{source}'" for source in lookups) or "''"
    wh.execute(sql_file(HERE / "attribute_tables" / "activity_person.sql", lookups=led))
    open_window(wh, READ, sources, passing, _FOUND)
    return {table: wh.table(f"attributes.attributes.{table}", text) for table, text in texts.items()}


def require_stated(table: str, text: str) -> None:
    """Raise IdentityInAttributes unless each column of a table is in the catalogue, made of what the catalogue says.

    Whatever a column is called, its SQL tells of what it is made: nothing slips through under another name.
    """
    stated = catalogue()[table]
    where = f"attribute_tables/{table}.sql"
    made = behind_each(text, {**_window(), "person": tuple(catalogue()["person"].columns)}, where)
    if strange := sorted(made.keys() - stated.columns.keys()):
        raise IdentityInAttributes(
            f"{where} makes `{strange[0]}`, which catalogue.yaml does not state: state it there."
        )
    for column, behind in made.items():
        said = stated.columns[column]
        found = {one for end in behind for one in _facts_behind(where, column, end)}
        if found - set(said.of):
            raise IdentityInAttributes(
                f"{where}: `{column}` is made of {', '.join(sorted(found))}, which catalogue.yaml does not say."
            )


def _facts_behind(where: str, column: str, end: str) -> tuple[str, ...]:
    table, name = end.split(".")
    if table == "person":
        return catalogue()["person"].columns[name].of
    if table not in _window() or end in _NEVER or name.endswith(("_ref", "_number")) or end == "identifier.number":
        raise IdentityInAttributes(f"{where}: `{column}` is made of `{end}`, which says who a person is: take it out.")
    if table in _OWN:
        return (_OF_PERSONS[end],) if end in _OF_PERSONS else ()
    return () if name == "person_id" else (end,)


def _window() -> Columns:
    """The tables that a step's SQL may read, and their columns."""
    facts = {f: tuple("person_id" if c.name == "record_id" else c.name for c in FACTS[f].all_columns) for f in READ}
    return _OWN | facts


def _persons(passing: Passing, purposes: Purposes) -> dict[str, str]:
    """SQL of what passes of a person's record, by source, and of a home: as finely as every source lets it."""
    age = {s: age_sql("r.birth_date", "today()", how) for s, how in _of(passing, "person_record", "birth_date").items()}
    sex = {s: passing_sql("r.sex", "VARCHAR", how) for s, how in _of(passing, "person_record", "sex").items()}
    died = {
        s: passing_sql("r.death_date", "DATE", how) for s, how in _of(passing, "person_record", "death_date").items()
    }
    held = how_places_pass(purposes, PURPOSE, purposes.sources(PURPOSE))
    place = [
        f"place.{column}" if all(how.shows_place(fineness) for how in held) else f"NULL AS {column}"
        for column, fineness in _PLACES.items()
    ]
    return {
        "age": _by_source(age, "BIGINT"), "sex": _by_source(sex, "VARCHAR"), "death_date": _by_source(died, "DATE"),
        "place": ", ".join(place),
    }  # fmt: skip


def _of(passing: Passing, fact: str, column: str) -> dict[str, frozenset[Treatment]]:
    """How one column of a fact passes, by source."""
    return {source: columns[column] for (source, of), columns in passing.items() if of == fact and column in columns}


def _by_source(ways: Mapping[str, str], kind: str) -> str:
    alike: dict[str, list[str]] = {}
    for source, sql in ways.items():
        alike.setdefault(sql, []).append(f"'{source}'")
    cases = " ".join(f"WHEN r.source IN ({', '.join(of)}) THEN {sql}" for sql, of in alike.items())
    return f"CASE {cases} END" if cases else f"NULL::{kind}"


def activity_joined(wh: Warehouse) -> dict[str, int]:
    """How many rows of activity found their person, and how many did not, by source; needs the tables of a build."""
    counts = wh.rows(
        "SELECT source, count(*) FILTER (person_id IS NOT NULL), count(*) FILTER (person_id IS NULL) "
        "FROM activity GROUP BY source ORDER BY source"
    )
    told = ((source, joined, alone) for source, joined, alone in counts)
    return {
        f"activity of {source} {word}": count
        for source, joined, alone in told
        for word, count in (("joined to a person", joined), ("that joins nobody", alone))
    }
