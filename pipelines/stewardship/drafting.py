"""Drafting a contract from a sample file, and proving one on its newest delivery; nothing is kept of either.

A draft says what can be seen: columns, types, keys, what is likely personal. What can't be seen (who answers for it, on
what law, for how long) is left empty, and the contract is refused until somebody fills it in.
"""

import csv
import io
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from pipelines import warehouse
from pipelines.faults import BoroughlinkError, plural
from pipelines.quality.gate import gate
from pipelines.reading.answer import Answer
from pipelines.settings import DataFolder, load_settings, located, now
from pipelines.sources.contract_files import load_contract
from pipelines.sources.contracts import STAGED_NAME, Contract, Table
from pipelines.sources.expat import XmlReader
from pipelines.sources.facts_build import build_fact
from pipelines.sources.file_faults import FileRefused, Inspected, inspect
from pipelines.sources.intake import take_in
from pipelines.sources.landing import delivery_folders
from pipelines.sources.mapped import CLASSES
from pipelines.sources.reading import read_file
from pipelines.sources.shapes import Shape, shape_of
from pipelines.sources.thresholds import SHAPE_FIT
from pipelines.sources.workbook_rows import Workbook
from pipelines.stewardship.meanings import class_of, meanings_of
from pipelines.warehouse import SCHEMAS, Warehouse

_TO_FILL_IN = "title, system, description, owner, steward, retention_days, refresh_days, purposes, grain and why"
#: The head of a contract: what is empty, and what stands there for records that are invented or public.
_HEAD = (
    ("title", "", "as people call it"),
    ("system", "a file", "the system it comes from, with its supplier"),
    ("level", "person", "person, property, street or area"),
    ("owner", "whoever made them", "the team that answers for the data"),
    ("steward", "nobody@data.example", "an address that answers questions about it"),
    ("description", "Invented or public records.", "what it holds, and its traps"),
    ("retention_days", "36500", "how long the council may keep it"),
    ("refresh_days", "36500", "a new extract at least this often"),
)
_NUMBER, _NO_COLUMN = "row_number", "no column is unique and always there"
_NO_KEY = f"key: {_NO_COLUMN}; state one"
_NO_LAW = '{basis: "invented or public records: no law on personal data applies", expires: 2099-12-31}'


def draft(
    name: str,
    file: Path,
    out: Path,
    landing: Path | None = None,
    day: date | None = None,
    synthetic: bool = False,
    each_person: str | None = None,
) -> str:
    """Write the draft of a contract for files like this one; return what it found, and what a person must fill in.

    `synthetic`: of invented or public records nothing has to be filled in. `landing`: put the file there as the
    delivery of `day`, without one of today. Raises BoroughlinkError if the file can't be read, or a contract is there
    already.
    """
    file, home = file.expanduser().resolve(), out.expanduser().resolve() / name
    if not STAGED_NAME.match(name):
        raise BoroughlinkError(f"`{name}` can't name a source: small letters, digits and _, a letter first.")
    if (home / "contract.yaml").exists():
        raise BoroughlinkError(f"{home / 'contract.yaml'} is there already; remove it, or draft under another name.")
    if not file.is_file():
        raise BoroughlinkError(f"{file} is not there.")
    head, columns, table = _layout(file)
    with _trial((file.parent,)) as wh, tempfile.TemporaryDirectory() as beside:
        contract = _provisional(Path(beside), name, head, table, columns)
        found = inspect(file, contract.encoding, contract.tables[0].format)
        raw = read_file(wh, contract, found, contract.tables)[0]
        shapes = [shape_of(wh, raw.name, column.staged) for column in contract.tables[0].columns]
        keyed = {column.staged: shape for column, shape in zip(contract.tables[0].columns, shapes, strict=True)}
        meanings = meanings_of(keyed)
        sexes = [column for column in meanings.get("sex", ()) if _is_numbered(wh, raw.name, column)]
    home.mkdir(parents=True, exist_ok=True)
    written = _written(name, head, table, contract.tables[0], shapes, meanings, sexes, synthetic, each_person)
    (home / "contract.yaml").write_text(written, encoding="utf-8")
    keys = _keys(contract.tables[0], shapes)
    keyed_by = keys[0] if keys else f"{_NO_COLUMN}{', so the number of the row' if synthetic else '; state one'}"
    told = "; ".join(f"{meaning} is {', '.join(columns)}" for meaning, columns in meanings.items())
    said = [
        f"{home / 'contract.yaml'}: {plural(len(columns), 'column')}, {plural(raw.rows, 'row')} looked at"
        + (f", {plural(len(raw.broken), 'row')} that can't be read" if raw.broken else "") + ".",
        f"Key: {keyed_by}.",
        f"Persons: {told or 'no column shows by its name that it holds one; state `maps`'}.",
        "Look at every `personal:` and at `maps`: they are guessed from the names of the columns.",
    ]  # fmt: skip
    if not synthetic:
        said.append(f"Fill in by hand: {_TO_FILL_IN}.")
    if landing is not None:
        delivery = landing.expanduser().resolve() / name / (day or now().date()).isoformat()
        delivery.mkdir(parents=True, exist_ok=True)
        copied = delivery / f"{name}{_ending(table)}"
        shutil.copyfile(file, copied)
        said.append(f"Delivered: {copied}.")
    places = f"--sources {out}" + (f" --landing {landing}" if landing else "")
    then = f"run {places} --holds synthetic" if synthetic else f"sources check {name} {places}"
    said.append(f"Then: boroughlink {then}")
    return "\n".join(said)


def check(folder: DataFolder, name: str, sources: str | None, landing: str | None) -> tuple[bool, Answer]:
    """Load a contract, take its newest delivery in on trial, build its facts; does it stand, and what is missing?"""
    inbox, home = located(folder, landing, sources)
    contract = load_contract(home / name / "contract.yaml")
    today = load_settings(folder).today()
    missing = [
        f"`{purpose}` was agreed until {b.expires}" for purpose, b in contract.purposes.items() if b.expires < today
    ]
    if not contract.facts and contract.level == "person":
        missing.append("no fact: write person_record.sql, or the SQL of what else it provides")
    said = [f"{contract.title}: {plural(len(contract.tables), 'table')}, the contract is whole."]
    rows: list[tuple[Any, ...]] = []
    folders = delivery_folders(contract, inbox)
    if not folders:
        missing.append(f"no delivery of it lies in {inbox / name}: nothing could be read")
        return False, Answer([*said, *_told(missing)])
    with _trial((inbox, home)) as wh:
        wh.as_of = today
        newest = inbox / name / folders[-1].name
        taken = next(found for found in take_in(wh, contract, inbox, None, gate(wh)) if found.folder == newest)
        said.append(f"{newest.name}: {taken.state}{f', {taken.reason}' if taken.reason else ''}.".replace("..", "."))
        for table, count in (taken.rows or {}).items():
            rows.append((table, count))
        if taken.state == "accepted":
            said.append(f"{plural(taken.set_aside, 'row')} and {plural(taken.value_faults, 'value')} set aside.")
            facts = [(f"fact {fact}", build_fact(wh, fact, {name: contract})) for fact in contract.facts]
            missing += [f"{fact} comes out empty" for fact, count in facts if not count]
            rows += facts
            failed = (
                "SELECT DISTINCT sentence FROM identity.quality.result WHERE NOT passed AND extract_date = ? ORDER BY 1"
            )
            missing += [f"not so: {sentence}" for (sentence,) in wh.rows(failed, [taken.extract_date])]
        else:
            missing.append(f"the newest delivery was {taken.state}")
    return not missing, Answer(
        [*said, *_told(missing)], [("Taken in on trial", ("table", "rows"), rows)] if rows else []
    )


def _told(missing: Sequence[str]) -> list[str]:
    return [f"Missing: {said.rstrip('.')}." for said in missing] or ["Nothing is missing."]


@contextmanager
def _trial(read: Sequence[Path]) -> Iterator[Warehouse]:
    """A warehouse in memory that goes when it closes; what it spills is encrypted."""
    with tempfile.TemporaryDirectory() as temp:
        con = warehouse.connect(Path(temp), read, "2GB", 2)
        try:
            con.execute("ATTACH ':memory:' AS identity")
            for schema in SCHEMAS["identity"]:
                con.execute(f"CREATE SCHEMA identity.{schema}")
            warehouse.lock_configuration(con)
            yield Warehouse(con, "trial", now().date())
        finally:
            con.close()


def _layout(file: Path) -> tuple[dict[str, str], list[tuple[str, str | None]], dict[str, Any]]:
    """What the head of the contract says of the file, its columns (name, XML path), and what the table says of it."""
    start = file.read_bytes()[:64] if file.stat().st_size < 64 else _start(file)
    if start.startswith(b"PK\x03\x04"):
        found = inspect(file, "utf-8", "xlsx")
        return {"encoding": "utf-8"}, [(column, None) for column in _sheet_header(found)], {"format": "xlsx"}
    encoding = _encoding(file)
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        rows, columns = _elements(inspect(file, encoding, "xml"), encoding)
        return {"encoding": encoding}, columns, {"format": "xml", "rows": rows}
    line = _first_line(file, encoding)
    delimiter = max(",;|\t", key=line.count)
    header = [name.strip() for name in next(csv.reader(io.StringIO(line), delimiter=delimiter), [])]
    if len(set(header)) != len(header) or not all(header):
        raise FileRefused(file.name, "has a heading with empty or repeated names; a sample with a heading is needed", 1)
    if sum(any(sign.isdigit() for sign in name) and not re.search("[A-Za-z]", name) for name in header):
        raise FileRefused(file.name, "has no heading: its first line holds numbers; give it one", 1)
    return {"encoding": encoding, "delimiter": delimiter}, [(column, None) for column in header], {}


def _start(file: Path) -> bytes:
    with file.open("rb") as source:
        return source.read(64)


def _encoding(file: Path) -> str:
    try:
        inspect(file, "utf-8")
    except FileRefused as fault:
        if "not UTF-8" not in fault.problem:
            raise
        return "latin-1"
    return "utf-8"


def _first_line(file: Path, encoding: str) -> str:
    with file.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as source:
        return source.readline(100_000)


def _sheet_header(file: Inspected) -> list[str]:
    book = Workbook(file)
    try:
        _, cells, _ = next(book.rows(_any_sheet()), (0, [], False))
    finally:
        book.close()
    if not cells or not all(cells):
        raise FileRefused(file.name, "has no row of column names on top; a sample with a heading is needed", 1)
    return [str(cell).strip() for cell in cells]


def _any_sheet() -> Table:
    return Table.model_validate(
        {"name": "any", "file": "any", "format": "xlsx", "grain": "", "columns": [{"name": "any", "personal": "none"}]}
    )


def _elements(file: Inspected, encoding: str) -> tuple[str, list[tuple[str, str | None]]]:
    """The shallowest element with parts of its own that repeats, and the paths of values inside it."""
    counts: Counter[tuple[str, ...]] = Counter()
    values: dict[tuple[str, ...], None] = {}
    path: list[str] = []

    def start(tag: str, given: dict[str, str]) -> None:
        path.append(tag)
        counts[tuple(path)] += 1
        for name in given:
            if not name.startswith("xmlns"):
                values.setdefault((*path, "@" + name.rpartition(":")[2]))

    def end(tag: str) -> None:
        path.pop()

    def characters(text: str) -> None:
        if text.strip():
            values.setdefault(tuple(path))

    with file.path.open("rb") as source:
        XmlReader(file.name, encoding, (start, end, characters)).read(iter(lambda: source.read(1 << 20), b""))
    repeated = [
        place for place, count in counts.items()
        if count > 1 and any(value[: len(place)] == place and len(value) > len(place) for value in values)
    ]  # fmt: skip
    if not repeated:
        raise FileRefused(file.name, "has no element that repeats: no rows can be told; give a sample with several")
    rows = min(repeated, key=lambda place: (len(place), place))
    inside = [value[len(rows) :] for value in values if value[: len(rows)] == rows and len(value) > len(rows)]
    once = [value for value in inside if counts[(*rows, *value)] <= counts[rows] or value[-1].startswith("@")]
    return "/".join(rows), [("_".join(value).replace("@", ""), "/".join(value)) for value in once]


def _provisional(
    beside: Path, name: str, head: dict[str, str], table: dict[str, Any], columns: list[tuple[str, str | None]]
) -> Contract:
    """A contract just good enough to read the sample as text."""
    stated = {
        "name": name, "title": "-", "system": "-", "level": "person", "owner": "-", "steward": "a@b",
        "description": "-",
        "retention_days": 1, "refresh_days": 1, "control": "none", **head,
        "purposes": {"data_quality": {"basis": "-", "expires": "2000-01-01"}},
        "tables": [{
            "name": "rows", "file": "any", "grain": "-", "why": "-", **table,
            "columns": [{"name": column, "personal": "free_text"} | ({"path": path} if path else {})
                        for column, path in columns],
        }],
    }  # fmt: skip
    (beside / name).mkdir()
    (beside / name / "contract.yaml").write_text(yaml.safe_dump(stated, allow_unicode=True), encoding="utf-8")
    return load_contract(beside / name / "contract.yaml")


def _is_numbered(wh: Warehouse, table: str, column: str) -> bool:
    """Whether the column says 1 and 2, as ISO 5218 does of male and female."""
    said = {value for (value,) in wh.rows(f'SELECT DISTINCT trim("{column}") FROM {table} LIMIT 10')}
    return {"1", "2"} <= said <= {"0", "1", "2", "9", "", None}


def _keys(table: Table, shapes: Sequence[Shape]) -> list[str]:
    """Columns that are nearly always there and never twice: identifiers by name first."""
    unique = [
        column.staged
        for column, shape in zip(table.columns, shapes, strict=True)
        if shape.filled and shape.distinct == shape.filled >= SHAPE_FIT * shape.rows and shape.type != "date"
    ]
    return sorted(unique, key=lambda staged: class_of(staged) != "identifier")


def _ending(table: dict[str, Any]) -> str:
    return {"xlsx": ".xlsx", "xml": ".xml"}.get(str(table.get("format")), ".csv")


def _written(
    name: str, head: dict[str, str], table: dict[str, Any], provisional: Table, shapes: Sequence[Shape],
    meanings: Mapping[str, Sequence[str]], sexes: Sequence[str], synthetic: bool, each_person: str | None,
) -> str:  # fmt: skip
    """The draft as text; what only a person can know is empty and marked."""
    keys = _keys(provisional, shapes)
    dates = Counter(shape.date_format for shape in shapes if shape.date_format)
    usual = dates.most_common(1)[0][0] if dates else None
    first = "" if synthetic else "Fill in what is empty; "
    stated = [f"{word}: {said or name}" if synthetic or word == "level" else f"{word}:" for word, said, _ in _HEAD]
    lines = [
        f"# Drafted from a sample. {first}Look at every class of personal data and at `maps`: they are guessed.",
        f"name: {name}",
        *(f"{said:<21} # {what}" for said, (_, _, what) in zip(stated, _HEAD, strict=True)),
        f"control: {'none' if synthetic else 'manifest':<12} # how completeness is proved: manifest, trailer or none",
        *(f"{word}: {_quoted(said)}" for word, said in head.items()),
        *([f"date_format: {_quoted(usual)}"] if usual else []),
        f"{f'each_person: {each_person}' if each_person else '# each_person: once':<21} # if nobody comes twice in it:"
        " what helps the linkage most",
        "purposes:             # for each purpose: basis, gateway, conditions, expires",
        *([f"  data_quality: {_NO_LAW}"] if synthetic else []),
        "tables:",
        "  - name: rows        # what it is a table of",
        f"    file: {name}{_ending(table)}",
        *(f"    {word}: {said}" for word, said in table.items()),
        f"    {'grain: one record' if synthetic else 'grain:':<17} # what one row is",
        f"    {'why: to link' if synthetic else 'why:':<17} # why the council needs it",
        f"    key: [{keys[0] if keys else _NUMBER}]" if keys or synthetic else f"    # {_NO_KEY}",
    ]
    if meanings:
        lines.append("    maps:")
        lines += [f"      {meaning}: {_listed(meaning, columns)}" for meaning, columns in meanings.items()]
    else:
        lines.append("    # maps: if a row is a person, which columns say what: forename, surname, birth_date, ...")
        lines.append("    # slot: if rows name persons, the key, name and birth date columns of the person")
    lines.append("    columns:")
    if synthetic and not keys:
        lines.append(f"      - {{name: {_NUMBER}, numbers_rows: true, personal: identifier}}  # {_NO_KEY}")
    of = {column: meaning for meaning, columns in meanings.items() for column in columns}
    for column, shape in zip(provisional.columns, shapes, strict=True):
        drafted = _column(column.name, column.staged, column.path, shape, usual, of.get(column.staged), sexes)
        lines.append("      - " + drafted)
    return "\n".join(lines) + "\n"


def _listed(meaning: str, columns: Sequence[str]) -> str:
    return f"[{', '.join(columns)}]" if len(columns) > 1 else columns[0]


def _column(
    name: str, staged: str, path: str | None, shape: Shape, usual: str | None, meaning: str | None, sexes: Sequence[str]
) -> str:
    kind = CLASSES.get(meaning or "") or class_of(staged)
    typed = shape.type != "text" and staged not in sexes and (bool(meaning) or kind not in ("identifier", "contact"))
    parts = [f"name: {_quoted(name)}"]
    if path:
        parts.append(f"path: {_quoted(path)}")
    if typed:
        parts.append(f"type: {shape.type}")
    if typed and shape.type == "date" and shape.date_format != usual:
        parts.append(f"date_format: {_quoted(str(shape.date_format))}")
    parts.append(f"personal: {kind or ('none' if shape.type != 'text' else 'free_text')}")
    notes = []
    if staged in sexes:
        parts.append('codes: {"1": male, "2": female, "0": not known, "9": not stated}')
        notes.append("as ISO 5218 has it")
    if not kind:
        notes.append("class not clear from its name")
    if not shape.filled:
        notes.append("always empty: leave it out of the extract?")
    elif shape.type == "text" and not kind and shape.distinct <= 20 < shape.filled:
        notes.append(f"{shape.distinct} different values: a code list? state `codes`")
    if shape.filled and shape.filled < shape.rows:
        notes.append(f"filled in {100 * shape.filled // shape.rows} % of rows")
    return "{" + ", ".join(parts) + "}" + (f"  # {'; '.join(notes)}" if notes else "")


def _quoted(text: str) -> str:
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10_000).strip()
