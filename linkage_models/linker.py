"""Splink's linker over a table, with term frequencies that come from the model."""

import logging
from typing import Any

import duckdb
import polars as pl
from splink import DuckDBAPI, Linker


def linker_for(
    con: duckdb.DuckDBPyConnection, table: str, settings: dict[str, Any], terms: dict[str, dict[str, float]]
) -> Linker:
    """A Splink linker over `table` that reads the given term frequencies instead of counting its own."""
    logging.getLogger("splink").setLevel(logging.ERROR)  # it warns of parameters that are estimated here, not there
    api = DuckDBAPI(con)
    linker = Linker(api.register(table, dataset_display_name="records"), settings, log_level=None)
    for column, frequencies in terms.items():
        name = f"term_{column}"
        frame = _frame(frequencies)
        con.register("term_lookup", frame)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT v.{column}, coalesce(t.frequency, {frequencies['']})"
            f" AS tf_{column}"
            f" FROM (SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL) v LEFT JOIN term_lookup t"
            f" ON t.value = v.{column}"
        )
        con.unregister("term_lookup")
        linker.table_management.register_term_frequency_lookup(api.register(name, dataset_display_name=name), column)
    return linker


def _frame(frequencies: dict[str, float]) -> pl.DataFrame:
    known = {value: frequency for value, frequency in frequencies.items() if value}
    return pl.DataFrame(
        {"value": list(known), "frequency": list(known.values())}, schema={"value": pl.String, "frequency": pl.Float64}
    )
