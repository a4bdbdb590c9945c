"""A DuckDB file written anew without a person: row by row into a fresh file, so that no old block stays. Staged tables
are left as `sources.erasure` made them."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl

from linkage_models.models import Model
from pipelines import warehouse
from pipelines.erasure.subject import NUMBERS, Subject
from pipelines.linkage.choice import MODEL
from pipelines.linkage.homes import HOUSEHOLD_LEDGER
from pipelines.linkage.persons import LEDGER, PERSON
from pipelines.linkage.shelf import without_terms
from pipelines.settings import DataFolder, Settings
from pipelines.sources.intake import make_intake_tables
from pipelines.warehouse import Warehouse

#: Histories of random ids: their lines stay, the records and stays that they list go.
_LASTING = tuple(name.partition(".")[2] for name in (LEDGER, HOUSEHOLD_LEDGER, PERSON))
_MODEL = MODEL.partition(".")[2]
_BARE = str.maketrans("", "", "[]'")
#: Tables whose rows have an id of their own by which others speak of them.
_OWN_IDS = {"fraud.flagged_pair": "flag_id", "review.queue": "item_id"}


def write_without(
    folder: DataFolder,
    settings: Settings,
    zone: str,
    path: Path,
    key: bytes,
    subject: Subject,
    run_id: str | None = None,
) -> dict[str, int]:
    """Replace a file by one without the subject; returns the rows that went, by table. With a `run_id` the tables say
    that this run made them."""
    beside = path.with_suffix(".without")
    con = warehouse.connect(folder.temp, (path.parent,), settings.memory_limit, settings.threads)
    try:
        warehouse.attach(con, zone, path, key, read_only=True)
        warehouse.attach(con, "clean", beside, key)
        warehouse.lock_configuration(con)
        went = _copy(Warehouse(con, run_id or "erasure", settings.today()), zone, subject, run_id)
    finally:
        con.close()
    beside.replace(path)
    if zone == "identity":
        _views_again(folder, settings, path, key)
    return went


def _copy(wh: Warehouse, zone: str, subject: Subject, run_id: str | None) -> dict[str, int]:
    _load_dead(wh, zone, subject)
    went: dict[str, int] = {}
    for schema, table in _tables(wh, zone):
        name, target = f"{schema}.{table}", f"clean.{schema}.{table}"
        wh.execute(f"CREATE SCHEMA IF NOT EXISTS clean.{schema}")
        if name == "meta.relation":
            continue
        before = int(wh.scalar(f"SELECT count(*) FROM {zone}.{name}"))
        wh.execute(f"CREATE TABLE {target} AS {_without(wh, zone, name)}")
        if name == _MODEL:
            _forget_terms(wh, target, subject)
        if gone := before - int(wh.scalar(f"SELECT count(*) FROM {target}")):
            went[name] = gone
    for name, run, rows in wh.rows(f"SELECT name, run_id, row_count FROM {zone}.meta.relation"):
        left = rows - went.get(name, 0)
        wh.execute("INSERT INTO clean.meta.relation VALUES (?, ?, ?)", [name, run_id or run, left])
    for schema, table, index, on in wh.rows(
        "SELECT schema_name, table_name, index_name, expressions FROM duckdb_indexes() WHERE database_name = ?", [zone]
    ):
        wh.execute(f"CREATE INDEX {index} ON clean.{schema}.{table} ({on.translate(_BARE)})")
    wh.execute("CHECKPOINT clean")
    return went


def _forget_terms(wh: Warehouse, table: str, subject: Subject) -> None:
    """The model of the run, without the frequencies of what only the subject was called."""
    for body, terms in wh.rows(f"SELECT body, terms FROM {table}"):
        kept = without_terms(Model.of(body, terms), subject.terms)
        wh.execute(f"UPDATE {table} SET body = ?, terms = ?", [kept.body(), kept.terms_body()])


def _tables(wh: Warehouse, zone: str) -> Iterator[tuple[str, str]]:
    yield from wh.rows(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? AND NOT internal ORDER BY ALL",
        [zone],
    )


def _load_dead(wh: Warehouse, zone: str, subject: Subject) -> None:
    """temp.dead (id): what is nobody else's, anywhere; temp.dead_reference (source, name, said); temp.dead_number."""
    wh.execute("CREATE TEMP TABLE dead AS SELECT unnest(?::VARCHAR[]) AS id", [[*subject.records, *subject.whole]])
    shape = {"source": pl.String, "name": pl.String, "said": pl.String}
    with wh.given(pl.DataFrame(list(subject.references), schema=shape, orient="row")):
        wh.execute("CREATE TEMP TABLE dead_reference AS FROM given")
    wh.execute("CREATE TEMP TABLE dead_number AS SELECT unnest(?::VARCHAR[]) AS said", [list(subject.numbers)])
    # an address is under the same id wherever it stands
    wh.execute("INSERT INTO temp.dead SELECT said FROM temp.dead_reference WHERE name = 'address_id'")
    for name, own in _OWN_IDS.items():
        if wh.exists(f"{zone}.{name}"):
            wh.execute(f"INSERT INTO temp.dead SELECT {own} FROM {zone}.{name} WHERE NOT ({_kept(wh, zone, name)})")


def _without(wh: Warehouse, zone: str, name: str) -> str:
    """SELECT of what stays of a table."""
    every = f"SELECT * FROM {zone}.{name}"
    if name.startswith("staged."):
        return every
    kept = every if name in _LASTING else f"{every} WHERE {_kept(wh, zone, name)}"
    lists = [column for column, kind in _columns(wh, zone, name) if kind == "VARCHAR[]"]
    if not lists:
        return kept
    # a stay in a household's history is `uprn/person_id`
    emptied = ", ".join(
        f"list_filter({column}, lambda x: NOT list_has_any(_dead, [x, split_part(x, '/', 2)])) AS {column}"
        for column in lists
    )
    return (
        f"SELECT * EXCLUDE (_dead) REPLACE ({emptied}) FROM ({kept}) "
        "CROSS JOIN (SELECT coalesce(list(id), []) AS _dead FROM temp.dead)"
    )


def _kept(wh: Warehouse, zone: str, name: str) -> str:
    """SQL: whether a row says nothing of the subject."""
    columns = dict(_columns(wh, zone, name))
    texts = [column for column, kind in columns.items() if kind == "VARCHAR"]
    tests = [f"coalesce({column} NOT IN (SELECT id FROM temp.dead), true)" for column in texts]
    if name.startswith("facts."):
        tests += [
            f"coalesce((source, '{column}', {column}) NOT IN (FROM temp.dead_reference), true)"
            for column in texts
            if column.endswith("_ref") or column == "source_key"
        ]
    tests += [
        f"coalesce(upper(regexp_replace({column}, '\\s', '', 'g')) NOT IN (SELECT said FROM temp.dead_number), true)"
        for column in texts
        if column in NUMBERS
    ]
    return " AND ".join(tests) or "true"


def _columns(wh: Warehouse, zone: str, name: str) -> list[tuple[str, str]]:
    schema, _, table = name.partition(".")
    rows = wh.rows(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? "
        "AND table_name = ? ORDER BY column_index",
        [zone, schema, table],
    )
    return [(str(column), str(kind)) for column, kind in rows]


def _views_again(folder: DataFolder, settings: Settings, path: Path, key: bytes) -> None:
    """What of the identity zone is a view."""
    con = warehouse.connect(folder.temp, (path.parent,), settings.memory_limit, settings.threads)
    try:
        warehouse.attach(con, "identity", path, key)
        warehouse.lock_configuration(con)
        wh = Warehouse(con, "erasure", date.min)
        make_intake_tables(wh)
        wh.execute("CHECKPOINT identity")
    finally:
        con.close()
