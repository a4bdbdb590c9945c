"""How common values are: what a model weighs agreement by, and by which names are told to be telling."""

import duckdb
import polars as pl

from linkage_models import thresholds as policy
from linkage_models.person.communities import COLUMN as FULL_NAME
from linkage_models.person.communities import write_frequencies

TERM_COLUMNS = ("forename", "surname_key", "surname_phonetic", "birth_place", "occupation")


def terms_here(con: duckdb.DuckDBPyConnection, table: str, columns: set[str]) -> dict[str, dict[str, float]]:
    """The frequency of each value of the columns at hand that models weigh by it."""
    return {column: _terms(con, table, column) for column in TERM_COLUMNS if column in columns}


def _terms(con: duckdb.DuckDBPyConnection, table: str, column: str) -> dict[str, float]:
    """Value -> share of records; values seen fewer than RARE_TERM_COUNT times are pooled under ''."""
    rows = con.execute(
        f"SELECT {column}, count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY ALL ORDER BY 1"
    ).fetchall()
    total = sum(count for _, count in rows)
    kept = {value: count / total for value, count in rows if count >= policy.RARE_TERM_COUNT}
    pooled = [count for _, count in rows if count < policy.RARE_TERM_COUNT]
    kept[""] = (sum(pooled) / len(pooled) if pooled else 1.0) / total
    return kept


def write_telling_names(
    con: duckdb.DuckDBPyConnection, table: str, terms: dict[str, dict[str, float]], population: int, target: str
) -> None:
    """Write the temporary table `target`: of each record of `table` its unique_id and what training brings records
    together by, with telling_name: the full name where hardly two people would share it."""
    write_frequencies(con, table, terms, "name_beside")
    common = pl.DataFrame({"forename": list(terms["forename"]), "frequency": list(terms["forename"].values())})
    con.register("name_alone", common)
    con.execute(
        f"""-- one row per record
        CREATE OR REPLACE TEMP TABLE {target} AS
        SELECT unique_id, nino, forename_root, surname_key, birth_date, home_key,
            CASE WHEN length(forename) > 1 AND {population} * b.tf_{FULL_NAME}
                * coalesce(a.frequency, {terms["forename"][""]!r}) <= {policy.TELLING_NAME} THEN {FULL_NAME} END
            AS telling_name
        FROM {table} LEFT JOIN name_beside b USING ({FULL_NAME}) LEFT JOIN name_alone a USING (forename)"""
    )
    con.unregister("name_alone")
    con.execute("DROP TABLE name_beside")
