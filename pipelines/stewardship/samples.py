"""A sample of a file: its layout, the shape of each column and what each may tell of a person; no value of it."""

import csv
import io
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from linkage_models.standardise.install import install
from pipelines.sources.contract_files import load_contract
from pipelines.sources.contracts import Column, Contract, Table, can_be_staged, staged_name
from pipelines.sources.expat import XmlReader
from pipelines.sources.file_faults import FileRefused, Inspected, inspect
from pipelines.sources.reading import read_file
from pipelines.sources.shapes import Shape, shape_of
from pipelines.sources.thresholds import SHAPE_FIT
from pipelines.sources.workbook_rows import Workbook
from pipelines.stewardship.meanings import class_of, in_english, meanings_of, without_accents
from pipelines.stewardship.zone import trial_zone
from pipelines.warehouse import Warehouse

#: Codes for a sex other than M and F: of ISO 5218; Spanish, French, German and Dutch. Spanish M is a woman.
SEXES: tuple[Mapping[str, str], ...] = (
    {"1": "male", "2": "female", "0": "not known", "9": "not stated"},
    {"H": "male", "M": "female"},
    {"HOMBRE": "male", "MUJER": "female"},
    {"H": "male", "F": "female"},
    {"HOMME": "male", "FEMME": "female"},
    {"M": "male", "W": "female"},
    {"M": "male", "V": "female"},
    {"MUŽ": "male", "ŽENA": "female"},
    {"NAM": "male", "NỮ": "female"},
    {"KARL": "male", "KONA": "female"},
    {"MIES": "male", "NAINEN": "female"},
    {"MASCULINO": "male", "FEMENINO": "female"},
    {"MÄNNLICH": "male", "WEIBLICH": "female"},
    {"男": "male", "女": "female"},
    {"남": "male", "여": "female"},
    {"ذكر": "male", "أنثى": "female"},
    {"ذكر": "male", "انثى": "female"},
)


@dataclass(frozen=True)
class Layout:
    """What a contract says of such a file, in its head and of its table; its columns, each with its path in XML."""

    head: dict[str, str]
    table: dict[str, str]
    columns: list[tuple[str, str | None]]

    @property
    def ending(self) -> str:
        return {"xlsx": ".xlsx", "xml": ".xml"}.get(self.table.get("format", ""), ".csv")


@dataclass(frozen=True)
class Sample:
    """What was seen in a file of so many `rows` and `broken` ones. `sexes`: by column of a sex,
    what its codes mean."""

    layout: Layout
    columns: Sequence[Column]
    shapes: Sequence[Shape]
    meanings: Mapping[str, Sequence[str]]
    sexes: Mapping[str, Mapping[str, str]]
    rows: int
    broken: int

    @property
    def key(self) -> str | None:
        """A column that is nearly always there and never twice: an identifier by name before others."""
        unique = [
            column.staged
            for column, shape in zip(self.columns, self.shapes, strict=True)
            if shape.filled and shape.distinct == shape.filled >= SHAPE_FIT * shape.rows and shape.type != "date"
        ]
        return min(unique, key=lambda staged: class_of(staged) != "identifier", default=None)


def look_at(name: str, file: Path) -> Sample:
    """Raises BoroughlinkError if the file can't be read."""
    layout = _layout(file)
    with trial_zone((file.parent,)) as wh, tempfile.TemporaryDirectory() as beside:
        contract = _provisional(wh, Path(beside), name, layout)
        table = contract.tables[0]
        raw = read_file(wh, contract, inspect(file, contract.encoding, table.format), contract.tables)[0]
        shapes = [shape_of(wh, raw.name, column.staged) for column in table.columns]
        meanings = meanings_of({column.staged: shape for column, shape in zip(table.columns, shapes, strict=True)})
        coded = {column: _sex_codes(wh, raw.name, column) for column in meanings.get("sex", ())}
        sexes = {column: codes for column, codes in coded.items() if codes}
    return Sample(layout, table.columns, shapes, meanings, sexes, raw.rows, len(raw.broken))


def _layout(file: Path) -> Layout:
    start = file.read_bytes()[:64] if file.stat().st_size < 64 else _start(file)
    if start.startswith(b"PK\x03\x04"):
        found = inspect(file, "utf-8", "xlsx")
        return Layout({"encoding": "utf-8"}, {"format": "xlsx"}, [(column, None) for column in _sheet_header(found)])
    encoding = _encoding(file)
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        rows, columns = _elements(inspect(file, encoding, "xml"), encoding)
        return Layout({"encoding": encoding}, {"format": "xml", "rows": rows}, columns)
    line = _first_line(file, encoding)
    delimiter = max(",;|\t", key=line.count)
    header = [name.strip() for name in next(csv.reader(io.StringIO(line), delimiter=delimiter), [])]
    if len(set(header)) != len(header) or not all(header):
        what = "has a heading with empty or repeated names; leave one line of names, and none above it"
        raise FileRefused(file.name, what, 1)
    if sum(any(sign.isdigit() for sign in name) and not re.search("[A-Za-z]", name) for name in header):
        raise FileRefused(file.name, "has no heading: its first line holds numbers; give it one", 1)
    return Layout({"encoding": encoding, "delimiter": delimiter}, {}, [(column, None) for column in header])


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
        {
            "name": "any",
            "file": "any",
            "format": "xlsx",
            "grain": "",
            "columns": [{"name": "heading", "personal": "none"}],
        }
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


def _provisional(wh: Warehouse, beside: Path, name: str, layout: Layout) -> Contract:
    """A contract just good enough to read the sample as text."""
    stated = {
        "name": name, "title": "-", "system": "-", "level": "person", "owner": "-", "steward": "a@b",
        "description": "-",
        "retention_days": 1, "refresh_days": 1, "control": "none", **layout.head,
        "purposes": {"data_quality": {"basis": "-", "expires": "2000-01-01"}},
        "tables": [{
            "name": "rows", "file": "any", "grain": "-", "why": "-", **layout.table,
            "columns": [{"name": column, "as": staged, "personal": "free_text"} | ({"path": path} if path else {})
                        for (column, path), staged in zip(layout.columns, _staged(wh, layout.columns), strict=True)],
        }],
    }  # fmt: skip
    (beside / name).mkdir()
    (beside / name / "contract.yaml").write_text(yaml.safe_dump(stated, allow_unicode=True), encoding="utf-8")
    return load_contract(beside / name / "contract.yaml")


def _staged(wh: Warehouse, columns: Sequence[tuple[str, str | None]]) -> list[str]:
    """A name for each column that the tables can bear, near its heading: that may be a word of SQL, a whole question,
    in other letters (written as those of names are), or like another's."""
    install(wh.con)
    listed = "SELECT std_fold(heading) FROM (SELECT unnest(?::VARCHAR[]) AS heading, unnest(range(len(?))) AS place)"
    headings = [in_english(heading) for heading, _ in columns]
    names: list[str] = []
    for place, (heading,) in enumerate(wh.rows(f"{listed} ORDER BY place", [headings, headings]), start=1):
        name = near = staged_name(without_accents(heading))[:50]
        if not can_be_staged(name):
            name = near = f"column_{near or place}"
        while name in names:
            name = f"{near}_{place}" if name == near else f"{name}_"
        names.append(name)
    return names


def _sex_codes(wh: Warehouse, table: str, column: str) -> Mapping[str, str] | None:
    """What the values of a column mean, where they are codes of one of SEXES and a reader of M and F would misread
    them."""
    found = {v for (v,) in wh.rows(f'SELECT DISTINCT trim("{column}") FROM {table} LIMIT 10') if v}
    for codes in SEXES:
        meant = {value: codes[value.upper()] for value in found if value.upper() in codes}
        if len(meant) == len(found) and {"male", "female"} <= set(meant.values()):
            return codes if codes is SEXES[0] else dict(sorted(meant.items()))
    return None
