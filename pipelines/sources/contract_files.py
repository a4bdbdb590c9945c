"""Reads contracts. A mistake gives one error that names file, line and place, and says what to do."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipelines.faults import BoroughlinkError
from pipelines.governance.protection import meanings
from pipelines.sources.contracts import Contract, Table
from pipelines.sources.facts import FACTS
from pipelines.sources.mapped import mistakes
from pipelines.sources.place_tables import place_mistakes
from pipelines.sources.workbook_rows import DATES_OF_CELLS
from pipelines.sources.xml_rows import column_path

Place = tuple[str | int, ...]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same language, ten times as fast where libyaml is there

_ADVICE = {
    "missing": "is missing; state it",
    "string_type": "is empty, or no text; fill it in",
    "int_type": "is empty, or no whole number; fill it in",
    "dict_type": "is empty, or no list of `name: value`; fill it in",
    "extra_forbidden": "is not a word of contracts; correct its spelling or remove it",
}
#: Words whose values must have a form -> which.
_FORMS = {
    "name": "is no name here: use small letters, digits and _, a letter first",
    "steward": "is no e-mail address",
    "rows": "is no path of elements, such as Records/Person",
    "record_type": "is no mark of a row: use up to ten letters and digits",
}


DEEPEST = 30  # collections within each other


class ContractError(BoroughlinkError):
    """A contract with a mistake; the text names file, line and place."""


def load_contracts(folder: Path) -> dict[str, Contract]:
    """Every contract of a set of sources (one folder each), by name.

    Raises ContractError at the first mistake, or when the folder holds no contract at all.
    """
    paths = sorted(folder.glob("*/contract.yaml"))
    if not paths:
        raise ContractError(f"{folder} holds no contract: a <source>/contract.yaml is expected for each source.")
    return {contract.name: contract for contract in map(load_contract, paths)}


def load_contract(path: Path) -> Contract:
    """Read one contract.yaml. Raises ContractError."""
    try:
        text = path.read_text(encoding="utf-8")
        _require_reasonable(path, text)
        tree = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        line = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(fault, "problem", None) or "it can't be read"
        raise ContractError(f"{path}{line}: not valid YAML: {problem}.") from None
    except FileNotFoundError:
        raise ContractError(f"{path}: there is no such contract.") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise ContractError(f"{path}: can't be read as UTF-8 text ({type(fault).__name__}).") from None
    if not isinstance(tree, yaml.MappingNode):
        raise ContractError(f"{path}, line 1: a contract starts with `name: ...`.")
    for word in _repeated(tree):
        where = f"{path.parent.name}/{path.name}, line {word.start_mark.line + 1}"
        raise ContractError(f"{where}, {word.value}: is stated twice; keep one.")
    stated = _constructed(path, tree)
    _fill_in(stated, path.parent)
    try:
        contract = Contract(**stated, folder=path.parent)
    except ValidationError as fault:
        # A misspelt word comes first: it explains the one that then is missing. "Too short" only follows from others.
        first = min(
            fault.errors(include_input=False),
            key=lambda error: (
                error["type"] != "extra_forbidden",
                error["type"] == "too_short",
                _line(tree, error["loc"]),
            ),
        )
        raise _error(path, tree, first["loc"], _says(first)) from None
    except TypeError:
        raise ContractError(f"{path}, line 1: `folder` is set by the place of the file; remove it.") from None
    for place, problem in _contradictions(contract):
        raise _error(path, tree, place, problem)
    return contract


def _constructed(path: Path, tree: yaml.Node) -> dict[str, Any]:
    """What a contract states. Raises ContractError at a value that can't be: a thirteenth month, a program's tag."""
    try:
        stated: dict[str, Any] = yaml.SafeLoader("").construct_document(tree)
    except (yaml.YAMLError, ValueError, TypeError):
        line = next((node.start_mark.line + 1 for node in _nodes(tree) if not _can_be(node)), 1)
        raise ContractError(f"{path}, line {line}: a value that can't be, such as a day that no month has.") from None
    return stated


def _nodes(node: yaml.Node) -> Iterator[yaml.Node]:
    """A node's keys and values, the inner ones first."""
    if isinstance(node, yaml.CollectionNode):
        for inner in node.value:
            for one in inner if isinstance(inner, tuple) else (inner,):
                yield from _nodes(one)
    yield node


def _can_be(node: yaml.Node) -> bool:
    try:
        yaml.SafeLoader("").construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError, TypeError):
        return False
    return True


def _require_reasonable(path: Path, text: str) -> None:
    """Raise ContractError for a file that is small and unfolds into something vast: anchors within anchors, or a depth
    that no contract has."""
    opened: list[bool] = []  # of each collection around: whether it, or one around it, is an anchor's
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            opened.append(event.anchor is not None or (bool(opened) and opened[-1]))
        elif isinstance(event, yaml.CollectionEndEvent):
            opened.pop()
        if len(opened) > DEEPEST or (isinstance(event, yaml.AliasEvent) and opened and opened[-1]):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise ContractError(f"{path}, line {line}: too deep, or an anchor within an anchor: write it out.")


def _fill_in(stated: dict[str, Any], folder: Path) -> None:
    """What columns inherit: the head's date_format, the table's reason; checks lie beside the contract."""
    date_format = stated.pop("date_format", None)
    for table in _listed(stated, "tables"):
        if not isinstance(table, dict):
            continue
        for column in _listed(table, "columns"):
            if isinstance(column, dict):
                if column.get("type") == "date" and date_format is not None:
                    column.setdefault("date_format", date_format)
                if table.get("format") == "xlsx" and column.get("type") == "date":
                    stated_formats = column.get("date_format", [])
                    listed = [stated_formats] if isinstance(stated_formats, str) else list(stated_formats)
                    column["date_format"] = [*listed, *DATES_OF_CELLS]
                column.setdefault("why", table.get("why", ""))
    for check in _listed(stated, "checks"):
        if isinstance(check, dict) and isinstance(check.get("sql"), str):
            check["sql"] = folder / check["sql"]


def _listed(stated: dict[str, Any], name: str) -> list[Any]:
    """A list in the contract; empty where something else stands there, which the types then refuse."""
    found = stated.get(name)
    return found if isinstance(found, list) else []


def _contradictions(contract: Contract) -> Iterator[tuple[Place, str]]:
    """Mistakes that only show when parts are held together."""
    if contract.name != contract.folder.name:
        yield ("name",), f"is `{contract.name}`, but the folder is called `{contract.folder.name}`; give both one name"
    for flag, means in contract.sensitivity.items():
        if flag not in meanings():
            yield ("sensitivity", flag), f"is no flag of protection; one of {', '.join(meanings())} is expected"
        elif set(means) != set(meanings()[flag]):
            yield ("sensitivity", flag), f"means {', '.join(meanings()[flag])} in every source; state it so"
    names = [table.name for table in contract.tables]
    for at, table in enumerate(contract.tables):
        here: Place = ("tables", at)
        if table.name in names[:at]:
            yield (*here, "name"), "is used by another table too; rename one"
        yield from _file_contradictions(table, contract.tables[:at], here)
        if table.maps is not None:
            for meaning, problem in mistakes(table):
                yield (*here, "maps", meaning), problem
            if any(other.maps for other in contract.tables[:at]):
                yield (*here, "maps"), "comes after another table's; one table of a source is its persons"
        for place, problem in place_mistakes(table, contract.level):
            yield (*here, *place), problem
        yield from _table_contradictions(table, here)
        for number, column in enumerate(table.columns):
            if column.references is not None and not _resolves(contract, column.references):
                yield (
                    (*here, "columns", number, "references"),
                    f"names `{column.references}`, which no table here holds; write table.column",
                )
    for layout, listed in contract.layouts.items():
        for name in listed:
            if name not in names:
                yield ("layouts", layout), f"names `{name}`, which is no table here; correct it"
    if len(contract.layouts) == 1:
        yield ("layouts",), "names one layout only; leave it out, or name the alternative"
    for number, check in enumerate(contract.checks):
        if not check.sql.is_file():
            yield ("checks", number, "sql"), f"names {check.sql.name}, which isn't there; add the file"
            continue
        asked = Template(check.sql.read_text(encoding="utf-8")).get_identifiers()
        # a table of another source may never come; one of this source that isn't here is a slip, not to be waited for
        if unknown := sorted(name for name in asked if name not in names and "__" not in name):
            told = f"its SQL asks for ${{{unknown[0]}}}, which is no table here"
            yield ("checks", number, "sql"), f"{told}; write ${{table}} or ${{source__table}}"
    if "person_record" in contract.facts and not any(table.slot for table in contract.tables):
        yield (
            ("tables",),
            "has person_record.sql beside it but no `slot`; give one to the table whose rows name persons",
        )
    for fact in contract.facts:
        if fact not in FACTS:
            yield (), f"{fact}.sql beside the contract names no fact table; call it one of: {', '.join(FACTS)}"


def _file_contradictions(table: Table, before: Sequence[Table], here: Place) -> Iterator[tuple[Place, str]]:
    """What a table says of its file must fit the file's format, and what other tables say of that file."""
    if not table.header and table.record_type is None and len(table.columns) < 2:
        yield here, "has no header and one column only; nothing could be told from it"
    if (table.rows is not None) != (table.format == "xml"):
        yield here, "`rows` and `format: xml` go together: state the path of the row elements from the root"
    if table.format != "xlsx" and (table.sheet is not None or table.header_row != 1):
        yield here, "`sheet` and `header_row` are for `format: xlsx`"
    if table.format != "csv" and (table.record_type is not None or not table.header):
        yield here, f"`record_type` and `header` are for CSV, not for {table.format}"
    if table.row_number is not None and (table.format == "xml" or table.record_type is not None):
        yield here, "`numbers_rows` is for CSV and workbooks of one table"
    for other in before:
        if other.file != table.file:
            continue
        if other.format != table.format:
            yield (*here, "file"), f"is {other.format} for the table {other.name}, {table.format} here"
        elif table.format == "csv" and (table.record_type is None or other.record_type is None):
            yield (*here, "file"), f"is read for the table {other.name} already; only a mixed file has several tables"
        elif table.format == "xlsx" and table.sheet == other.sheet:
            yield (*here, "sheet"), f"is read for the table {other.name} already; name another"
    for number, column in enumerate(table.columns):
        place = (*here, "columns", number)
        if column.path is not None and table.format != "xml":
            yield (*place, "path"), "is for `format: xml`; remove it"
        elif table.rows is not None:
            try:
                column_path(table.rows, column.path or column.name)
            except ValueError:
                yield (*place, "path"), "leads nowhere: write Child/Element, @attribute, . or ../Element"


def _table_contradictions(table: Table, here: Place) -> Iterator[tuple[Place, str]]:
    staged, headed = [column.staged for column in table.columns], [column.name for column in table.columns]
    for number, column in enumerate(table.columns):
        if staged[number] in staged[:number] or headed[number] in headed[:number]:
            yield (*here, "columns", number), "comes twice in the table; remove one, or rename it with `as:`"
        if not column.why:
            yield (*here, "columns", number), "has no reason; state `why` for the column or for the table"
    asked = [("key", name) for name in table.key] + [("unique", name) for names in table.unique for name in names]
    if table.changes is not None:
        asked.append(("changes", table.changes))
    if table.slot is not None:
        born = (table.slot.birth_date,) if table.slot.birth_date else ()
        asked += [("slot", name) for name in (*table.slot.key, *table.slot.name, *born)]
    if table.leave_out is not None:
        asked.append(("leave_out", table.leave_out.column))
    kept = table.staged_columns
    passing = {column.staged for column in table.columns if column.since or column.until}
    for part, name in asked:
        if name in passing:
            yield (*here, part), f"names `{name}`, which has `since` or `until`; it must be in every extract"
        if name in staged and name not in kept:
            yield (*here, part), f"names `{name}`, which isn't kept; remove its `keep: false`"
        if name not in staged:
            yield (*here, part), f"names `{name}`, which is no column of the table; use the names after `as:`"
    if len(table.columns) - len(table.in_file) > 1:
        yield here, "numbers its rows twice; leave out one column with `numbers_rows`"
    if table.slot is not None and not table.key:
        yield here, "has a slot but no key; state `key`"
    if table.changes is not None and (not table.key or table.slot is not None):
        yield (*here, "changes"), "goes with a `key`, by which a change finds its row, and without a `slot`"


def _resolves(contract: Contract, reference: str) -> bool:
    table, _, column = reference.partition(".")
    return any(other.name == table and column in other.staged_columns for other in contract.tables)


def _repeated(node: yaml.Node) -> Iterator[yaml.Node]:
    """Words stated twice in one mapping: YAML would silently keep the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            word = str(key.value)
            if word in seen:
                yield key
            seen.add(word)
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated(value)


def _find(node: yaml.Node, place: Place) -> tuple[yaml.Node, list[str]]:
    """The deepest node along a place, and the place in words (list items by their `name`)."""
    words: list[str] = []
    for part in place:
        below: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            below = next((value for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            below = node.value[part]
        if below is None:
            if isinstance(part, str) and part.isidentifier():
                words.append(part)
            break
        node = below
        named = {k.value: v.value for k, v in node.value if k.value == "name"} if _is_map(node) else {}
        words.append(str(named.get("name", part)))
    return node, words


def _is_map(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode)


def _line(tree: yaml.Node, place: Place) -> int:
    return int(_find(tree, place)[0].start_mark.line) + 1


def _error(path: Path, tree: yaml.Node, place: Place, problem: str) -> ContractError:
    node, words = _find(tree, place)
    where = " > ".join(words) or "contract"
    return ContractError(f"{path.parent.name}/{path.name}, line {node.start_mark.line + 1}, {where}: {problem}.")


def _says(error: ErrorDetails) -> str:
    if error["type"] in _ADVICE:
        return _ADVICE[error["type"]]
    if error["type"] == "string_pattern_mismatch":
        return _FORMS[str(error["loc"][-1])]
    said = error["msg"].removeprefix("Value error, ").rstrip(".")
    return said[0].lower() + said[1:] if said else "is not understood"
