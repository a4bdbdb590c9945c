"""From which columns of a source's tables each column of its facts is made, as its SQL says."""

from collections.abc import Mapping
from functools import cache
from string import Template
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from pipelines.faults import BoroughlinkError
from pipelines.sources.contracts import ADDED_COLUMNS, Contract
from pipelines.sources.facts_build import written_sql

Columns = Mapping[str, tuple[str, ...]]


class NotFollowed(BoroughlinkError):
    """From which columns an SQL file makes its own can't be told; what nobody can follow passes to no one."""


def origins(contract: Contract, fact: str) -> dict[str, frozenset[str]]:
    """`table.column` of the source behind each column of a fact; what intake adds is left out.

    A column that only decides what a value becomes (in a CASE, a window's order) is behind it too. Raises NotFollowed.
    """
    tables = {table.name: (*table.staged_columns, *sorted(ADDED_COLUMNS)) for table in contract.tables}
    parts = {path.stem: path.read_text(encoding="utf-8").strip() for path in contract.folder.glob("parts/*.sql")}
    sql = Template(written_sql(contract, fact)).substitute({name: name for name in tables} | parts)
    return {
        name: frozenset(one for one in behind if one.rpartition(".")[2] not in ADDED_COLUMNS)
        for name, behind in behind_each(sql, tables, f"{contract.name}/{fact}.sql").items()
    }


def behind_each(sql: str, tables: Columns, where: str) -> dict[str, frozenset[str]]:
    """`table.column` at the bottom of each column of a SELECT over these tables. Raises NotFollowed, naming `where`."""
    try:
        return _behind_each(sql, tuple(sorted(tables.items())))
    except (sqlglot.errors.SqlglotError, ValueError) as fault:
        said = " ".join(str(fault).split())[:200]
        raise NotFollowed(f"{where}: from which columns it is made can't be followed ({said}).") from None


@cache
def _behind_each(sql: str, tables: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, frozenset[str]]:
    schema: dict[str, object] = {name: dict.fromkeys(columns, "VARCHAR") for name, columns in tables}
    whole: Any = qualify(sqlglot.parse_one(sql, dialect="duckdb"), dialect="duckdb", schema=schema)
    scope = build_scope(whole)
    assert isinstance(scope, Scope)
    nodes = {name: lineage(name, whole, schema=schema, scope=scope, dialect="duckdb") for name in whole.named_selects}
    return {name: _bottom(node) for name, node in nodes.items()}


def _bottom(node: Node) -> frozenset[str]:
    ends = [one for one in node.walk() if not one.downstream and isinstance(one.source, exp.Table)]
    return frozenset(f"{one.source.name}.{exp.to_column(one.name).name}" for one in ends)
