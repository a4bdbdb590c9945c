"""u of the levels that need a shared home or postcode: counted, not sampled.

One random pair in some 250,000 shares a home, so a sample of ten million pairs holds forty of them, and of "surnames
alike, same home" two. Of the pairs that share a home, and of those that share a postcode, a part is looked at.
"""

from typing import Any

import duckdb

from linkage_models import thresholds as policy
from linkage_models.linker import linker_for, unweighed
from linkage_models.person import comparisons


def count_local_levels(con: duckdb.DuckDBPyConnection, table: str, settings: dict[str, Any], seed: int) -> None:
    """Set u of the local levels of the comparison `home` in `settings` (Splink's) to the share of all pairs of named
    records that show them."""
    home = next((each for each in settings["comparisons"] if each["output_column_name"] == comparisons.HOME.name), None)
    if home is None:
        return
    named, at_home, sharing = con.execute(
        f"""SELECT (SELECT count(*) FROM {table} WHERE surname_key IS NOT NULL), {
            ", ".join(
                f"(SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM (SELECT count(*) AS n FROM"
                f" (SELECT {place} AS place FROM {table}) WHERE place IS NOT NULL GROUP BY place))"
                for place in ("unnest(past_homes)", "postcode")
            )
        }"""
    ).fetchall()[0]
    # all pairs of a part of the records: of whole postcodes there would be too few
    parts = {"0": int(at_home) // policy.NEIGHBOUR_PAIRS + 1, "1": int(sharing) // policy.NEIGHBOUR_PAIRS + 1}
    rules: list[dict[str, Any]] = [
        {
            "blocking_rule": f"l.past_homes = r.past_homes AND hash(l.unique_id, {seed}) % {parts['0']} = 0",
            "arrays_to_explode": ["past_homes"],
        },
        {
            "blocking_rule": f"l.postcode = r.postcode AND hash(l.unique_id, {seed}) % {parts['1']} = 0"
            " AND list_has_any(l.past_homes, r.past_homes) IS NOT TRUE"
        },
    ]
    alone = settings | {
        "comparisons": unweighed([home]),
        "blocking_rules_to_generate_predictions": [each | {"sql_dialect": "duckdb"} for each in rules],
        "retain_matching_columns": True,
    }
    stands_for = " ".join(f"WHEN '{key}' THEN {part}" for key, part in parts.items())
    shown = f"SELECT gamma_home, sum(CASE match_key {stands_for} END) FROM predicted GROUP BY ALL"
    predicted = linker_for(con, table, alone, {}, shown).inference.predict()
    counted = dict(con.execute(f"FROM {predicted.physical_name}").fetchall())
    predicted.drop_table_from_database_and_remove_from_cache()
    levels = [level for level in home["comparison_levels"] if not level.get("is_null_level")]
    every = max(named * (named - 1) / 2, 1.0)
    for gamma, (level, known) in enumerate(zip(reversed(levels), reversed(comparisons.HOME.levels), strict=True)):
        if known.local:
            level["u_probability"] = float(counted.get(gamma, 0)) / every
