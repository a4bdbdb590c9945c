"""From which columns of which tables the keys come that a check's SQL gives, whatever it calls them."""

from collections.abc import Iterator, Mapping

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

from pipelines.faults import BoroughlinkError


def comes_from(sql: str, columns: Mapping[str, list[str]], name: str) -> set[tuple[str, str]]:
    """(table, column) of all that a column of the statement is made of; `columns` are those of each table.

    Raises BoroughlinkError where that can't be followed.
    """
    schema = {table: dict.fromkeys(names, "VARCHAR") for table, names in columns.items()}
    try:
        return {found for node in lineage(name, sql, schema=schema, dialect="duckdb").walk() for found in _ends(node)}
    except (SqlglotError, ValueError, RecursionError):
        raise BoroughlinkError(f"Where the check's `{name}` comes from can't be followed: write it plainly.") from None


def _ends(node: Node) -> Iterator[tuple[str, str]]:
    if node.downstream:
        return
    if isinstance(node.source, exp.Table):
        yield node.source.name, node.name.rpartition(".")[2]
    elif not isinstance(node.source, exp.Values) and node.expression.find(exp.Column):
        raise ValueError(node.name)  # neither a table's column nor a constant
