"""Splink's linker over a table, with term frequencies that come from the model, and what of its predictions is kept."""

import logging
import re
from collections.abc import Iterable
from typing import Any

import duckdb
import polars as pl
from splink import DuckDBAPI, Linker

from linkage_models.person import communities

_PREDICTED = "__splink__df_predict"
_RECORDS = re.compile(r"(__splink__df_concat(?:_with_tf)?) as \(")


class _Keeping(DuckDBAPI):
    """DuckDB for Splink that writes of its predictions only what the query `kept` takes from them, `into` a table.
    Splink gives the comparison levels only beside all compared values; writing those costs as much as comparing
    them."""

    def __init__(self, con: duckdb.DuckDBPyConnection, kept: str, into: str | None) -> None:
        super().__init__(con)
        self._kept, self._into = kept, into
        self.query = ""

    def _setup_for_execute_sql(self, sql: str, physical_name: str) -> str:
        if physical_name.startswith(_PREDICTED):
            # both sides of a pair read the records: each by itself, or they would be copied first
            sql = _RECORDS.sub(r"\1 as not materialized (", sql)
            sql = f"WITH predicted AS NOT MATERIALIZED (\n{sql}\n)\n{self._kept}"
            self.query = sql
            if self._into:
                return _written(self._into, sql)
        return str(super()._setup_for_execute_sql(sql, physical_name))


def linker_for(
    con: duckdb.DuckDBPyConnection,
    table: str,
    settings: dict[str, Any],
    terms: dict[str, dict[str, float]],
    kept: str = "FROM predicted",
) -> Linker:
    """A Splink linker over `table` that reads the given term frequencies instead of counting its own. `kept` is the
    query by which predictions are written, of those that `settings` ask for: `predicted`."""
    return _linker(_Keeping(con, kept, None), settings, *_lay_out(con, table, settings, terms))


def _linker(api: _Keeping, settings: dict[str, Any], narrow: str, lookups: dict[str, str]) -> Linker:
    logging.getLogger("splink").setLevel(logging.ERROR)  # it warns of parameters that are estimated here, not there
    registered = api.register(narrow, dataset_display_name="records")
    linker = Linker(registered, settings, log_level=None, validate_settings=False)
    for column, name in lookups.items():
        linker.table_management.register_term_frequency_lookup(api.register(name, dataset_display_name=name), column)
    return linker


def _lay_out(
    con: duckdb.DuckDBPyConnection, table: str, settings: dict[str, Any], terms: dict[str, dict[str, float]]
) -> tuple[str, dict[str, str]]:
    """Write what Splink reads: a view of the columns of `table` that the settings name, and for each column that is
    weighed a table of its term frequencies. Returns their names."""
    narrow = "splink_" + table
    read = _columns_read(con, table, settings)
    con.execute(f"CREATE OR REPLACE TEMP VIEW {narrow} AS SELECT {', '.join(read)} FROM {table}")
    lookups = {column: f"term_{column}" for column in terms if not communities.is_axis(column)}
    for column, name in lookups.items():
        frequencies = terms[column]
        con.register("term_lookup", _frame(frequencies))
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT v.{column}, coalesce(t.frequency, {frequencies['']})"
            f" AS tf_{column}"
            f" FROM (SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL) v LEFT JOIN term_lookup t"
            f" ON t.value = v.{column}"
        )
        con.unregister("term_lookup")
    weighed = {
        level.get("tf_adjustment_column") for each in settings["comparisons"] for level in each["comparison_levels"]
    }
    if communities.COLUMN in weighed and communities.SURNAME in terms:
        lookups[communities.COLUMN] = f"term_{communities.COLUMN}"
        communities.write_frequencies(con, table, terms, lookups[communities.COLUMN])
    return narrow, lookups


def predict_into(
    con: duckdb.DuckDBPyConnection,
    table: str,
    settings: dict[str, Any],
    terms: dict[str, dict[str, float]],
    kept: str,
    into: str,
    pairs: str,
    query: str | None = None,
) -> str:
    """Write the table `into`: what `kept` takes of the predictions of `pairs`, as predict_given takes them. Returns the
    query. `query` is what it returned over a table of this name for the same settings: for Splink to write it takes
    longer than to score some thousand pairs."""
    laid_out = _lay_out(con, table, settings, terms)
    if query and query.endswith(kept):
        con.execute(_written(into, query))
        return query
    api = _Keeping(con, kept, into)
    predict_given(con, _linker(api, settings, *laid_out), pairs)
    return api.query


def _written(into: str, query: str) -> str:
    return f"CREATE OR REPLACE TABLE {into} AS {query}"


def predict_given(con: duckdb.DuckDBPyConnection, linker: Linker, pairs: str) -> Any:
    """Splink's predictions, a SplinkDataFrame, of the pairs in `pairs` (match_key, join_key_l, join_key_r)."""
    given = linker.table_management.register_blocked_pairs_for_predict(
        DuckDBAPI(con).register(pairs, dataset_display_name=pairs)
    )
    # Splink would first copy all records that are in one, and that is nearly all
    given.metadata["registered_for_predict"] = False
    return linker.inference.predict()


def unweighed(comparisons: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The comparisons of some settings without term frequencies, on which no level depends, only its weight."""
    return [
        each
        | {
            "comparison_levels": [
                {name: value for name, value in level.items() if "tf_" not in name}
                for level in each["comparison_levels"]
            ]
        }
        for each in comparisons
    ]


def _columns_read(con: duckdb.DuckDBPyConnection, table: str, settings: dict[str, Any]) -> list[str]:
    """The columns of `table` that the settings name; Splink would copy them all."""
    levels = [level for each in settings["comparisons"] for level in each["comparison_levels"]]
    texts = [text for level in levels for text in (level["sql_condition"], level.get("tf_adjustment_column") or "")]
    for rule in settings["blocking_rules_to_generate_predictions"]:
        texts += [rule["blocking_rule"], *rule.get("arrays_to_explode", [])]
    texts += settings.get("additional_columns_to_retain", [])
    words = set(re.findall(r"\w+", " ".join(texts)))
    words |= {word[:-2] for word in words if word.endswith(("_l", "_r"))}
    words |= {settings["unique_id_column_name"], settings["source_dataset_column_name"]}
    return [name for name, *_ in con.execute(f"DESCRIBE {table}").fetchall() if name in words]


def _frame(frequencies: dict[str, float]) -> pl.DataFrame:
    known = {value: frequency for value, frequency in frequencies.items() if value}
    return pl.DataFrame(
        {"value": list(known), "frequency": list(known.values())}, schema={"value": pl.String, "frequency": pl.Float64}
    )
