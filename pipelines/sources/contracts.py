"""What a contract states about one source system: its tables, what each column means, who owns it, what it may serve.

A contract is `contract.yaml` in the folder of its source. Reading, checks, freshness, the governance register and the
docs all follow from it. `contract_files` reads it; the classes here are what was read, frozen.
"""

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

import duckdb
from pydantic import Field, model_validator

from pipelines.sources.person_map import PersonMap
from pipelines.sources.place_key import PlaceKey
from pipelines.sources.stated import Names, Stated

Principle = Literal["accurate", "valid", "reliable", "timely", "relevant", "complete"]
Severity = Literal["critical", "warning"]
PersonalClass = Literal["none", "identifier", "name", "birth_date", "contact", "address", "sensitive", "free_text"]
STAGED_NAME = re.compile(r"^[a-z][a-z0-9_]{0,59}$")
ADDED_COLUMNS = frozenset({"extract_date", "valid_from", "valid_to", "loaded_run", "row_hash", "record_id", "occupant"})


@cache
def _words_of_sql() -> frozenset[str]:
    """Words that the engine takes for its own wherever they stand, so that no column can bear one unquoted."""
    words = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')"
    with duckdb.connect() as connection:
        return frozenset(word for (word,) in connection.execute(words).fetchall())


def staged_name(heading: str) -> str:
    """The name of a column as staged, from its heading in the file."""
    return re.sub(r"[^a-z0-9]+", "_", heading.lower()).strip("_")


def can_be_staged(name: str) -> bool:
    return bool(STAGED_NAME.match(name)) and name not in ADDED_COLUMNS and name not in _words_of_sql()


class Range(Stated):
    """Lowest and highest value allowed, both included; for a date also the word `extract_date`."""

    min: int | float | date | Literal["extract_date"] | None = None
    max: int | float | date | Literal["extract_date"] | None = None


class Code(Stated):
    """What a code means, and the first and last extract date at which the list holds it."""

    means: str
    since: date | None = None
    until: date | None = None


def _in_force(stated: "Code | Column", day: date) -> bool:
    return (stated.since is None or stated.since <= day) and (stated.until is None or day <= stated.until)


class Column(Stated):
    """One column of a file: how it is read, what it must hold, how personal it is and why it is asked for.

    In XML its `path` is relative to the table's `rows` (`Name/First`, `@id`, `../Id`); without one, the child element
    of its name.
    With `keep: false` it must be there but isn't kept: what nobody needs, or what changes in every extract by itself.
    With `numbers_rows` it is not in the file: it is the number of each row, counted from 1: a key for
    what has none.
    With `period_days` the column says of which period the extract is: at most so many days from the extract date.
    Layouts and code lists change with the years: `since` and `until` are the first and last extract dates at which the
    column, or a code of it, belongs there.
    `every` says that its values are parts that each extract must hold, such as wards or terms: none may be missing that
    the last extract held.
    """

    name: str = Field(min_length=1)
    staged: str = Field("", alias="as")
    path: str | None = None
    type: Literal["text", "integer", "bigint", "decimal", "date"] = "text"
    date_formats: Names = Field((), alias="date_format")
    scale: int = Field(2, ge=0, le=9)
    required: bool = False
    pattern: str | None = None
    codes: dict[str, str | Code] | None = None
    range: Range | None = None
    references: str | None = None
    min_fill: float | None = Field(None, ge=0, le=1)
    every: bool = False
    personal: PersonalClass
    why: str = ""
    severity: dict[Principle, Severity] = Field(default_factory=dict)
    counts_records: bool = False
    period_days: int | None = Field(None, ge=0)
    keep: bool = True
    numbers_rows: bool = False
    since: date | None = None
    until: date | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Column":
        if not self.staged:
            object.__setattr__(self, "staged", staged_name(self.name))
        if not can_be_staged(self.staged):
            raise ValueError(f"`{self.staged}` can't name a column here; give another with `as:`")
        if self.type == "date" and not self.date_formats:
            raise ValueError("a date needs `date_format`, such as %d/%m/%Y, here or in the contract's head")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error:
                raise ValueError("`pattern` is not a regular expression") from None
        if (self.pattern or self.codes) and self.type != "text":
            raise ValueError("`pattern` and `codes` are for text columns; leave out `type`")
        if self.period_days is not None and self.type != "date":
            raise ValueError("`period_days` is for dates; state `type: date`")
        if self.range and self.type == "text":
            raise ValueError("`range` is for numbers and dates; state the `type`")
        checked = self.required or self.range or self.pattern or self.codes or self.references or self.min_fill
        codes = [code for code in (self.codes or {}).values() if isinstance(code, Code)]
        passing: list[Code | Column] = [self, *codes]
        for dated in passing:
            if dated.since and dated.until and dated.since > dated.until:
                raise ValueError("`until` is before `since`; exchange them")
        if self.numbers_rows and (
            self.type != "text" or checked or not self.keep or self.path or self.since or self.until
        ):
            raise ValueError("a column with `numbers_rows` is in no file; leave out its type, rules and dates")
        if not self.keep and (self.type != "text" or checked):
            raise ValueError("a column with `keep: false` is only looked for; leave out its type and rules")
        return self

    def on(self, day: date) -> "Column":
        """The column as it holds for an extract of that day: with the codes in force then."""
        if self.codes is None:
            return self
        codes = {code: said for code, said in self.codes.items() if isinstance(said, str) or _in_force(said, day)}
        return self.model_copy(update={"codes": codes})

    @property
    def sql_type(self) -> str:
        """The DuckDB type of the staged column."""
        types = {"text": "VARCHAR", "integer": "INTEGER", "bigint": "BIGINT", "date": "DATE"}
        return types.get(self.type, f"DECIMAL(18,{self.scale})")


class Slot(Stated):
    """Rows of the table are mentions of persons: the columns that make the person's key, name and birth date.

    A slot may be written over by another person; `slots` tells the occupants apart.
    """

    key: Names
    name: Names
    birth_date: str | None = None


#: How often one person may stand in a source at one time.
Often = Literal["once", "once_an_address", "once_a_case", "many"]


class LeaveOut(Stated):
    """Rows that may not come in at all: those whose column holds the value."""

    column: str
    value: str
    why: str


class Table(Stated):
    """One table of a source: a file, or the records of one type in a mixed file.

    In a mixed file the first field is the record type and isn't listed among the columns; `counted` says whether the
    trailer counts records of the type (`either` where writers of the format differ). In XML `rows` is the path of its
    elements from the root; in a workbook `sheet` names the sheet (not needed for the only one), and `header_row` the
    row with the column names.

    `seasonal` names what of the table moves with the year (a billing, a term, an intake of pupils): it is held against
    the last extract and that of a year before, whichever is nearer.
    `changes` names the column that says, in a delivery of changes only, what became of a row: by I or U it stands as
    given, by D it is gone. That a delivery is such a one its manifest says (`"supply": "changes"`).
    """

    name: str = Field(pattern=STAGED_NAME.pattern)
    file: str = Field(min_length=1)
    format: Literal["csv", "xml", "xlsx"] = "csv"
    rows: str | None = Field(None, pattern=r"^[\w.-]+(/[\w.-]+)*$")
    sheet: str | None = None
    header_row: int = Field(1, ge=1, le=1000)
    header: bool = True
    record_type: str | None = Field(None, pattern=r"^\w{1,10}$")
    counted: Literal["always", "never", "either"] = "always"
    grain: str
    why: str = ""
    key: Names = ()
    unique: tuple[Names, ...] = ()
    may_be_empty: bool = False
    seasonal: tuple[Literal["rows", "spread", "filled", "gone", "changed"], ...] = ()
    min_rows: int | None = Field(None, ge=0)
    slot: Slot | None = None
    changes: str | None = None
    maps: PersonMap | None = None
    place: PlaceKey | None = None
    leave_out: LeaveOut | None = None
    columns: tuple[Column, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _person_a_row(self) -> "Table":
        """Rows that are persons are slots: by their key, name and birth date."""
        if self.maps is not None and self.slot is None and self.key and self.maps.names:
            born = self.maps.birth_date[0] if len(self.maps.birth_date) == 1 else None
            object.__setattr__(self, "slot", Slot(key=self.key, name=self.maps.names, birth_date=born))
        return self

    def on(self, day: date) -> "Table":
        """The table as an extract of that day has it."""
        columns = tuple(column.on(day) for column in self.columns if _in_force(column, day))
        return self.model_copy(update={"columns": columns})

    def column(self, staged: str) -> Column:
        """The column of that staged name; KeyError if there is none."""
        for column in self.columns:
            if column.staged == staged:
                return column
        raise KeyError(f"{self.name} has no column {staged}")

    @property
    def in_file(self) -> tuple[Column, ...]:
        """Columns that the file has."""
        return tuple(column for column in self.columns if not column.numbers_rows)

    @property
    def row_number(self) -> str | None:
        """The staged name of the column that numbers the rows, if there is one."""
        return next((column.staged for column in self.columns if column.numbers_rows), None)

    @property
    def kept(self) -> tuple[Column, ...]:
        """Columns that are kept."""
        return tuple(column for column in self.columns if column.keep)

    @property
    def staged_columns(self) -> tuple[str, ...]:
        """Names of the columns that are kept."""
        return tuple(column.staged for column in self.kept)

    @property
    def must_have(self) -> tuple[Column, ...]:
        """Columns without which a row can't be used: the key's and the required ones."""
        return tuple(column for column in self.columns if column.required or column.staged in self.key)


class Lookup(Stated):
    """By which number rows that name nobody may find their person, on what ground, and until when that was agreed."""

    by: Literal["nhs_number", "upn"]
    basis: str = Field(min_length=1)
    expires: date


class PurposeBasis(Stated):
    """On what law the source may serve a purpose, who assessed and approved that, and until when it was agreed.

    `treatment` says by `table.column` how a column passes, where that is not what the purpose says of its class.
    Without a `lookup`, rows of the source that name nobody join nobody for this purpose.
    """

    basis: str = Field(min_length=1)
    gateway: str | None = None
    conditions: str | None = None
    assessment: str | None = None
    agreement: str | None = None
    approved_by: Names = ()
    treatment: dict[str, str] = Field(default_factory=dict)
    retention_days: int | None = Field(None, ge=1)
    expires: date
    lookup: Lookup | None = None


class CrossCheck(Stated):
    """A check over several tables; its SQL returns one row: rows looked at, rows that fail."""

    name: str = Field(pattern=STAGED_NAME.pattern)
    sql: Path
    principle: Principle
    severity: Severity = "warning"
    says: str
    limit: float = Field(0.0, ge=0, le=1)


class Contract(Stated):
    """Everything stated about one source system.

    `layouts` are alternatives, by name: the tables that come together. A delivery has the files of exactly one; tables
    that no layout lists are part of each. `each_person` says, for all records or by role, how often one person may
    stand in the source; without it, its own records tell.
    """

    name: str = Field(pattern=STAGED_NAME.pattern)
    title: str
    system: str
    level: Literal["person", "property", "street", "area"]
    owner: str = Field(min_length=1)
    steward: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    description: str
    retention_days: int = Field(ge=1)
    refresh_days: int = Field(ge=1)
    control: Literal["manifest", "trailer", "none"]
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    delimiter: Literal[",", ";", "|", "\t"] = ","
    purposes: dict[str, PurposeBasis] = Field(min_length=1)
    sensitivity: dict[str, Names] = Field(default_factory=dict)
    each_person: Often | dict[str, Often] | None = None
    tables: tuple[Table, ...] = Field(min_length=1)
    layouts: dict[str, Names] = Field(default_factory=dict)
    checks: tuple[CrossCheck, ...] = ()
    folder: Path

    def table(self, name: str) -> Table:
        """The table of that name; KeyError if there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(f"{self.name} has no table {name}")

    def of_layout(self, layout: str | None) -> tuple[Table, ...]:
        """The tables of a layout; all where the contract has one only."""
        if layout is None:
            return self.tables
        alternative = {name for names in self.layouts.values() for name in names}
        return tuple(
            table for table in self.tables if table.name in self.layouts[layout] or table.name not in alternative
        )

    def as_delivered(self, day: date, layout: str | None = None) -> "Contract":
        """The contract as it holds for one delivery: the tables of its layout, the columns and codes of its day."""
        tables = tuple(table.on(day) for table in self.of_layout(layout))
        here = {f"{table.name}.{staged}" for table in tables for staged in table.staged_columns}
        return self.model_copy(update={"tables": tuple(_pointing_within(table, here) for table in tables)})

    @property
    def classes(self) -> dict[str, str]:
        """How personal each column is that is kept, by `table.column`."""
        return {f"{table.name}.{column.staged}": column.personal for table in self.tables for column in table.kept}

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that the source provides: one .sql file each in its folder, or by a table's `maps`."""
        written = {path.stem for path in self.folder.glob("*.sql")}
        return tuple(sorted(written.union(*(table.maps.facts for table in self.tables if table.maps))))

    def staged(self, table: str) -> str:
        """Full name of the dated table."""
        return f"identity.staged.{self.name}__{table}"

    def candidate(self, table: str) -> str:
        """Full name of a delivery's table while it waits at the gate."""
        return f"memory.incoming.{self.name}__{table}"


def _pointing_within(table: Table, here: set[str]) -> Table:
    """The table without references to columns that aren't among those here."""
    if all(column.references is None or column.references in here for column in table.columns):
        return table
    columns = tuple(
        column if column.references in here else column.model_copy(update={"references": None})
        for column in table.columns
    )
    return table.model_copy(update={"columns": columns})
