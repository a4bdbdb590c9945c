"""SQL beside a contract reads the tables that the contract gives it, and nothing else: no other source's, no file."""

import json
from collections.abc import Iterator
from typing import Any

from pipelines.warehouse import Warehouse

#: Tables that a function makes out of its arguments; the others read files, settings or further SQL.
_HARMLESS = frozenset({"unnest", "range", "generate_series"})


def reaches_beyond(wh: Warehouse, select: str, given: frozenset[str]) -> str | None:
    """What a statement does besides reading these tables, in words; None if nothing. As DuckDB itself parses it."""
    said = json.loads(wh.scalar("SELECT json_serialize_sql(?)", [select]))
    if said["error"]:
        return None if said["error_type"] == "parser" else "is no SELECT: one is expected, and nothing else"
    if len(said["statements"]) != 1:
        return "holds several statements: one SELECT is expected"
    nodes = list(_nodes(said))
    named = {each["key"] for node in nodes for each in (node.get("cte_map") or {}).get("map", ())}
    for node in nodes:
        if node.get("type") == "BASE_TABLE":
            name = ".".join(node[part] for part in ("catalog_name", "schema_name", "table_name") if node[part])
            if name not in given and name not in named:
                return f"reads `{name}`: write ${{table}} for a table of the contract"
        elif node.get("type") == "TABLE_FUNCTION" and node["function"]["function_name"].lower() not in _HARMLESS:
            return f"reads `{node['function']['function_name']}(…)`: only tables of the contract can be read"
    return None


def _nodes(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
    if isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from _nodes(inner)
