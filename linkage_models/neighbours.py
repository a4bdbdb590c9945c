"""u of the levels that need a shared home or postcode: counted, not sampled.

One random pair in some 250,000 shares a home, so a sample of ten million pairs holds forty of them, and of "surnames
alike, same home" two. The pairs that share a home are few enough to look at every one; of those that share a postcode a
share of the postcodes is enough.
"""

from typing import Any

import duckdb

from linkage_models import thresholds as policy
from linkage_models.linker import linker_for, unweighed
from linkage_models.person import comparisons

_SAME_HOME = {"blocking_rule": "l.past_homes = r.past_homes", "arrays_to_explode": ["past_homes"]}


def count_local_levels(con: duckdb.DuckDBPyConnection, table: str, settings: dict[str, Any]) -> None:
    """Set u of the local levels of the comparison `home` in `settings` (Splink's) to the share of all pairs of named
    records that show them."""
    home = next((each for each in settings["comparisons"] if each["output_column_name"] == comparisons.HOME.name), None)
    if home is None:
        return
    named, sharing = con.execute(
        f"""SELECT (SELECT count(*) FROM {table} WHERE surname_key IS NOT NULL),
        (SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM (SELECT count(*) AS n FROM {table} WHERE postcode IS NOT NULL
            GROUP BY postcode))"""
    ).fetchall()[0]
    part = int(sharing) // policy.NEIGHBOUR_PAIRS + 1
    rules = [
        _SAME_HOME | {"sql_dialect": "duckdb"},
        {"blocking_rule": f"l.postcode = r.postcode AND hash(l.postcode) % {part} = 0", "sql_dialect": "duckdb"},
    ]
    alone = settings | {
        "comparisons": unweighed([home]),
        "blocking_rules_to_generate_predictions": rules,
        "retain_matching_columns": True,
    }
    shown = f"SELECT gamma_home, sum(CASE match_key WHEN '0' THEN 1 ELSE {part} END) FROM predicted GROUP BY ALL"
    predicted = linker_for(con, table, alone, {}, shown).inference.predict()
    counted = dict(con.execute(f"FROM {predicted.physical_name}").fetchall())
    predicted.drop_table_from_database_and_remove_from_cache()
    levels = [level for level in home["comparison_levels"] if not level.get("is_null_level")]
    every = max(named * (named - 1) / 2, 1.0)
    for gamma, (level, known) in enumerate(zip(reversed(levels), reversed(comparisons.HOME.levels), strict=True)):
        if known.local:
            level["u_probability"] = float(counted.get(gamma, 0)) / every
