"""A question in SQL, read as a closed language: which people, counted by what. Nothing else can be said in it.

Parsed by sqlglot; every word must be on a list, and what runs is written anew from what was read, never the text given.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from pipelines.faults import BoroughlinkError
from pipelines.releases.catalogue import CatalogueTable

LONGEST = 4_000  # characters of a question
#: Tables in a question, and times that one may stand there: rows of one person multiply with each, and how long an
#: answer takes would tell how many that person has.
MOST_TABLES, MOST_TIMES = 4, 2
_WORDS: tuple[type[exp.Expression], ...] = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Alias, exp.And, exp.Or, exp.Not,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.Case,
    exp.If, exp.Coalesce, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.Cast, exp.DataType,
    exp.Year, exp.Month, exp.Lower, exp.Upper, exp.Tuple, exp.Least, exp.Greatest,
)  # fmt: skip
_CLAUSES = frozenset({"expressions", "from_", "from", "joins", "where", "group", "order"})
_TYPES = {exp.DataType.Type.DATE, exp.DataType.Type.INT, exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT}


class QuestionRefused(BoroughlinkError):
    """A question that the language does not hold; the text says which word, and what can be asked."""


@dataclass(frozen=True)
class Question:
    """Which people (`source`, `where`), counted by what (`dims`: heading and SQL). `unit` is the id that is counted."""

    tables: tuple[str, ...]
    source: str
    where: str
    dims: tuple[tuple[str, str], ...]
    unit: str
    count_as: str

    @property
    def base(self) -> str:
        """What is counted: `person_id` or `household_id`."""
        return self.unit.split(".")[-1]

    def members(self) -> str:
        """SELECT of the distinct people (or households) by what they are counted by. Grain: unit, dims.

        TRY: what can't be computed of a row is NULL; an error would tell that one such person exists.
        """
        dims = "".join(f", TRY(({sql})::VARCHAR) AS d{at}" for at, (_, sql) in enumerate(self.dims))
        where = f" WHERE TRY({self.where})" if self.where else ""
        return f"SELECT DISTINCT {self.unit} AS unit{dims} FROM {self.source}{where}"


def read(text: str, tables: Mapping[str, CatalogueTable], seen: str, left_out: str | None = None) -> Question:
    """Read a question about these tables of the schema `seen`, without the people of the table `left_out`. Raises
    QuestionRefused.
    """
    try:
        return _read(text, tables, seen, left_out)
    except RecursionError:
        raise QuestionRefused("The question is nested too deeply: say it with fewer brackets.") from None


def _read(text: str, tables: Mapping[str, CatalogueTable], seen: str, left_out: str | None) -> Question:
    if len(text) > LONGEST:
        raise QuestionRefused(f"A question has at most {LONGEST:,} characters.")
    try:
        said = sqlglot.parse(text, dialect="duckdb")
    except sqlglot.errors.SqlglotError:
        raise QuestionRefused(
            "That is no SQL: write for instance SELECT ward, count(*) FROM person GROUP BY ward."
        ) from None
    if len(said) != 1 or not isinstance(said[0], exp.Select):
        raise QuestionRefused("One SELECT can be asked, and nothing else.")
    select = said[0]
    if other := {name for name, value in select.args.items() if value} - _CLAUSES:
        raise QuestionRefused(
            f"`{min(other).upper().strip('_')}` can't be asked: only SELECT, FROM, JOIN, WHERE, GROUP BY and ORDER BY."
        )
    named = _tables(select, tables)
    source = _source(select, named, tables, seen, left_out)
    where = select.args.get("where")
    if where:
        _require(where.this, named, tables)
    dims, unit, heading = _columns(select, named, tables)
    group = select.args.get("group")
    if group and {name for name, value in group.args.items() if value} - {"expressions", "all"}:
        raise QuestionRefused("GROUP BY names what is counted by, no more.")
    return Question(tuple(named.values()), source, _sql(where.this) if where else "", tuple(dims), unit, heading)


def _sql(part: exp.Expr) -> str:
    return part.sql("duckdb", comments=False)


def _tables(select: exp.Select, tables: Mapping[str, CatalogueTable]) -> dict[str, str]:
    """Alias to table of all that the question reads."""
    start = select.args.get("from_") or select.args.get("from")
    if start is None:
        raise QuestionRefused(f"FROM is missing: one of {', '.join(tables)}.")
    named: dict[str, str] = {}
    if len(select.args.get("joins") or []) >= MOST_TABLES:
        raise QuestionRefused(f"A question is of {MOST_TABLES} tables at most.")
    for one in [start.this, *(join.this for join in select.args.get("joins") or [])]:
        plain = isinstance(one, exp.Table) and not any(
            value for name, value in one.args.items() if name not in ("this", "alias", "joins")
        )
        if not plain or not isinstance(one.this, exp.Identifier) or one.name not in tables:
            raise QuestionRefused(
                f"Only tables of the catalogue can be asked, by their plain names: {', '.join(tables)}."
            )
        if one.args.get("joins"):
            raise QuestionRefused("Join tables one after another.")
        alias = one.alias or one.name
        if alias in named or not alias.isidentifier():
            raise QuestionRefused("Each table needs a name of its own.")
        named[alias] = one.name
        if list(named.values()).count(one.name) > MOST_TIMES:
            raise QuestionRefused(f"`{one.name}` can stand {MOST_TIMES} times in a question.")
    return named


def _source(
    select: exp.Select, named: Mapping[str, str], tables: Mapping[str, CatalogueTable], seen: str, left_out: str | None
) -> str:
    """FROM and JOIN written anew: tables join by an id that both have, in no other way."""
    parts = []
    for at, (alias, table) in enumerate(named.items()):
        full = f"{seen}.{table}"
        if left_out and "person_id" in tables[table].columns:
            full = f"(SELECT * FROM {full} WHERE person_id NOT IN (SELECT person_id FROM {left_out}))"
        full += f" AS {alias}"
        if at == 0:
            parts.append(full)
            continue
        join = (select.args.get("joins") or [])[at - 1]
        side, kind = str(join.args.get("side") or ""), str(join.args.get("kind") or "")
        using = [one.name for one in join.args.get("using") or []]
        shared = tables[table].ids() & set().union(*(tables[other].ids() for other in list(named.values())[:at]))
        if side not in ("", "LEFT") or kind not in ("", "INNER", "OUTER") or join.args.get("method"):
            raise QuestionRefused("Tables join by JOIN or LEFT JOIN.")
        if len(using) != 1 or using[0] not in shared or join.args.get("on"):
            raise QuestionRefused(
                f"Join `{table}` with USING ({' or '.join(sorted(shared)) or 'an id that both have'})."
            )
        parts.append(f"{side} JOIN {full} USING ({using[0]})".strip())
    return " ".join(parts)


def _columns(
    select: exp.Select, named: Mapping[str, str], tables: Mapping[str, CatalogueTable]
) -> tuple[list[tuple[str, str]], str, str]:
    """What is counted by, the id that is counted, and the count's heading."""
    dims, counts = [], []
    for one in select.expressions:
        heading, inner = (one.alias, one.this) if isinstance(one, exp.Alias) else (_sql(one), one)
        if isinstance(inner, exp.Count):
            counts.append((heading, inner))
            continue
        if isinstance(inner, exp.Star):
            raise QuestionRefused("Rows about people can't be asked for: name what to count by, and count(*).")
        _require(inner, named, tables)
        dims.append((heading, _sql(inner)))
    if len(counts) != 1:
        raise QuestionRefused("Ask for one count, such as count(*): rows about people can't be asked for.")
    grouped = select.args.get("group")
    by = {_sql(one) for one in grouped.expressions} if grouped else set()
    if grouped and grouped.args.get("all"):
        by |= {sql for _, sql in dims}
    positions = {str(at) for at in range(1, len(select.expressions) + 1)}
    if dims and not by:
        raise QuestionRefused("GROUP BY is missing: name what is counted by.")
    if strange := by - {sql for _, sql in dims} - {heading for heading, _ in dims} - positions:
        raise QuestionRefused(f"What is grouped by is shown too: `{min(strange)}` is not.")
    heading, count = counts[0]
    return dims, _unit(count, named, tables), heading


def _unit(count: exp.Count, named: Mapping[str, str], tables: Mapping[str, CatalogueTable]) -> str:
    """Counts are of people, or of what count(DISTINCT …) names; where no table has people, of households."""
    held = set().union(*(tables[table].ids() for table in named.values()))
    default = "person_id" if "person_id" in held else "household_id"
    inner = count.this
    if isinstance(inner, exp.Star):
        unit = default
    elif (
        isinstance(inner, exp.Distinct) and len(inner.expressions) == 1 and isinstance(inner.expressions[0], exp.Column)
    ):
        unit = inner.expressions[0].name
    else:
        raise QuestionRefused("Count with count(*) or count(DISTINCT person_id) or count(DISTINCT household_id).")
    if unit not in held or unit not in ("person_id", "household_id"):
        raise QuestionRefused(
            f"`{unit}` can't be counted here: {', '.join(sorted(held & {'person_id', 'household_id'}))} can."
        )
    owner = next(alias for alias, table in named.items() if unit in tables[table].ids())
    return f"{owner}.{unit}"


def _require(part: exp.Expression, named: Mapping[str, str], tables: Mapping[str, CatalogueTable]) -> None:
    """Raise QuestionRefused unless every word is on the list, and every column in the catalogue and no id."""
    for node in part.walk():
        if not isinstance(node, _WORDS):
            raise QuestionRefused(f"`{_sql(node)[:60]}` can't be asked: it is not in the language of questions.")
        if isinstance(node, exp.DataType) and node.this not in _TYPES:
            raise QuestionRefused("Only DATE, INTEGER and VARCHAR can be cast to.")
        if isinstance(node, exp.Column):
            owners = [node.table] if node.table else list(named)
            found = [
                tables[named[o]].columns[node.name]
                for o in owners
                if o in named and node.name in tables[named[o]].columns
            ]
            if not found or not isinstance(node.this, exp.Identifier):
                raise QuestionRefused(f"`{node.name}` is no column of {', '.join(named.values())}.")
            if any(column.kind == "id" for column in found):
                raise QuestionRefused(
                    f"`{node.name}` joins tables and is counted; it is never shown, compared or grouped by."
                )
