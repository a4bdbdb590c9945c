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
    for node, named in _nodes(said, frozenset()):
        if node.get("type") == "BASE_TABLE":
            parts = [node[part] for part in ("catalog_name", "schema_name", "table_name") if node[part]]
            if (name := ".".join(parts)) not in given and (len(parts) > 1 or name not in named):
                return f"reads `{name}`: write ${{table}} for a table of the contract"
        elif node.get("type") == "TABLE_FUNCTION" and node["function"]["function_name"].lower() not in _HARMLESS:
            return f"reads `{node['function']['function_name']}(…)`: only tables of the contract can be read"
    return None


def _nodes(part: Any, named: frozenset[str]) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """Every part of a parsed statement, and the CTEs that a name in it may mean."""
    if isinstance(part, dict):
        for each in (part.get("cte_map") or {}).get("map", ()):
            own = {each["key"]} if _recursive(each) else set()  # else its name is that of a table in it
            yield from _nodes(each["value"], named | own)
            named |= {each["key"]}
        yield part, named
        part = [value for key, value in part.items() if key != "cte_map"]
    if isinstance(part, list):
        for inner in part:
            yield from _nodes(inner, named)


def _recursive(cte: dict[str, Any]) -> bool:
    return bool(cte["value"]["query"]["node"]["type"] == "RECURSIVE_CTE_NODE")
