"""Drafting a contract from a sample file.

A draft says what can be seen: columns, types, keys, what is likely personal. What can't be seen (who answers for it, on
what law, for how long) is left empty, and the contract is refused until somebody fills it in.
"""

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import yaml

from pipelines.faults import BoroughlinkError, plural
from pipelines.settings import now
from pipelines.sources.contracts import STAGED_NAME, Column, staged_name
from pipelines.sources.mapped import CLASSES
from pipelines.sources.shapes import Shape
from pipelines.stewardship.meanings import class_of
from pipelines.stewardship.samples import Sample, look_at

_TO_FILL_IN = "title, system, description, owner, steward, retention_days, refresh_days, purposes, grain and why"
#: The head of a contract: what is empty, and what stands there for records that are invented or public.
_HEAD = (
    ("title", "", "as people call it"),
    ("system", "a file", "the system it comes from, with its supplier"),
    ("level", "person", "person, property, street or area"),
    ("owner", "whoever made them", "the team that answers for the data"),
    ("steward", "nobody@data.example", "an address that answers questions about it"),
    ("description", "Invented or public records.", "what it holds, and its traps"),
    ("retention_days", "365000", "how long the council may keep it"),
    ("refresh_days", "365000", "a new extract at least this often"),
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
    sample = look_at(name, file)
    home.mkdir(parents=True, exist_ok=True)
    (home / "contract.yaml").write_text(_written(name, sample, synthetic, each_person), encoding="utf-8")
    said = [f"{home / 'contract.yaml'}: {_seen(sample, synthetic)}"]
    if landing is not None:
        delivery = landing.expanduser().resolve() / name / (day or now().date()).isoformat()
        delivery.mkdir(parents=True, exist_ok=True)
        copied = delivery / f"{name}{sample.layout.ending}"
        shutil.copyfile(file, copied)
        said.append(f"Delivered: {copied}.")
    places = f"--sources {out}" + (f" --landing {landing}" if landing else "")
    then = f"run {places} --holds synthetic" if synthetic else f"sources check {name} {places}"
    said.append(f"Then: boroughlink {then}")
    return "\n".join(said)


def _seen(sample: Sample, synthetic: bool) -> str:
    """What was found, in sentences, and what a person must look at or fill in."""
    broken = f", {plural(sample.broken, 'row')} that can't be read" if sample.broken else ""
    key = sample.key or f"{_NO_COLUMN}{', so the number of the row' if synthetic else '; state one'}"
    told = "; ".join(f"{meaning} is {', '.join(columns)}" for meaning, columns in sample.meanings.items())
    said = [
        f"{plural(len(sample.columns), 'column')}, {plural(sample.rows, 'row')} looked at{broken}.",
        f"Key: {key}.",
        f"Persons: {told or 'no column shows by its name that it holds one; state `maps`'}.",
        "Look at every `personal:` and at `maps`: they are guessed from the names of the columns.",
    ]
    return "\n".join(said if synthetic else [*said, f"Fill in by hand: {_TO_FILL_IN}."])


def _written(name: str, sample: Sample, synthetic: bool, each_person: str | None) -> str:
    """The draft as text; what only a person can know is empty and marked."""
    layout, meanings = sample.layout, sample.meanings
    dates = Counter(shape.date_format for shape in sample.shapes if shape.date_format)
    usual = dates.most_common(1)[0][0] if dates else None
    first = "" if synthetic else "Fill in what is empty; "
    stated = [f"{word}: {said or name}" if synthetic or word == "level" else f"{word}:" for word, said, _ in _HEAD]
    lines = [
        f"# Drafted from a sample. {first}Look at every class of personal data and at `maps`: they are guessed.",
        f"name: {name}",
        *(f"{said:<21} # {what}" for said, (_, _, what) in zip(stated, _HEAD, strict=True)),
        f"control: {'none' if synthetic else 'manifest':<12} # how completeness is proved: manifest, trailer or none",
        *(f"{word}: {_quoted(said)}" for word, said in layout.head.items()),
        *([f"date_format: {_quoted(usual)}"] if usual else []),
        f"{f'each_person: {each_person}' if each_person else '# each_person: once':<21} # if nobody comes twice in it:"
        " what helps the linkage most",
        "purposes:             # for each purpose: basis, gateway, conditions, expires",
        *([f"  data_quality: {_NO_LAW}"] if synthetic else []),
        "tables:",
        "  - name: rows        # what it is a table of",
        f"    file: {name}{layout.ending}",
        *(f"    {word}: {said}" for word, said in layout.table.items()),
        f"    {'grain: one record' if synthetic else 'grain:':<17} # what one row is",
        f"    {'why: to link' if synthetic else 'why:':<17} # why the council needs it",
        f"    key: [{_named(sample.key or _NUMBER)}]" if sample.key or synthetic else f"    # {_NO_KEY}",
    ]
    if meanings:
        lines.append("    maps:")
        lines += [f"      {meaning}: {_listed(columns)}" for meaning, columns in meanings.items()]
    else:
        lines.append("    # maps: if a row is a person, which columns say what: forename, surname, birth_date, ...")
        lines.append("    # slot: if rows name persons, the key, name and birth date columns of the person")
    lines.append("    columns:")
    if synthetic and not sample.key:
        lines.append(f"      - {{name: {_NUMBER}, numbers_rows: true, personal: identifier}}  # {_NO_KEY}")
    of = {column: meaning for meaning, columns in meanings.items() for column in columns}
    for column, shape in zip(sample.columns, sample.shapes, strict=True):
        codes = sample.sexes.get(column.staged)
        lines.append("      - " + _column(column, shape, usual, of.get(column.staged), codes))
    return "\n".join(lines) + "\n"


def _listed(columns: Sequence[str]) -> str:
    return f"[{', '.join(map(_named, columns))}]" if len(columns) > 1 else _named(columns[0])


def _named(column: str) -> str:
    """The name of a column; in quotes where YAML would read it as something else (no, on, y)."""
    return column if yaml.safe_load(column) == column else _quoted(column)


def _column(
    column: Column, shape: Shape, usual: str | None, meaning: str | None, codes: Mapping[str, str] | None
) -> str:
    kind = CLASSES.get(meaning or "") or class_of(column.staged)
    typed = shape.type != "text" and not codes and (bool(meaning) or kind not in ("identifier", "contact"))
    parts = [f"name: {_quoted(column.name)}"]
    if column.staged != staged_name(column.name):
        parts.append(f"as: {_named(column.staged)}")
    if column.path:
        parts.append(f"path: {_quoted(column.path)}")
    if typed:
        parts.append(f"type: {shape.type}")
    if typed and shape.type == "date" and (shape.date_format != usual or shape.years):
        form = _quoted(str(shape.date_format))
        parts.append(f'date_format: [{form}, "%Y"]' if shape.years else f"date_format: {form}")
    parts.append(f"personal: {kind or ('none' if shape.type != 'text' else 'free_text')}")
    notes = ["a year alone is read as its 1 January"] if typed and shape.years else []
    if codes:
        parts.append(f"codes: {{{', '.join(f'{_quoted(code)}: {meant}' for code, meant in codes.items())}}}")
        notes.append("as ISO 5218 has it" if "1" in codes else "guessed: which is which?")
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
