"""The person records as the model reads them."""

from pathlib import Path

import duckdb

from linkage_models.statements import read_sql

COLUMNS = (
    "forename", "forename_root", "initial", "middle", "surname", "surname_key", "surname_phonetic", "name_key",
    "birth_date",
    "birth_year", "sex", "home_key", "postcode", "nino", "nhs_number", "phone", "email", "moved_in", "moved_out",
    "month_in", "month_out", "month_after", "dated_move", "biller", "birthday",
    "telling_name", "surname_initial", "middle_initial", "nino_deletes",
)  # fmt: skip
# An address in words (~) without a number is a street, a village or a town, where strangers live beside each other.
IS_HOME = "(NOT starts_with(home_key, '~') OR regexp_matches(home_key, '[0-9]'))"


def link_table(con: duckdb.DuckDBPyConnection, source: str, target: str, linkable: str = "true") -> None:
    """Write the temporary table `target` over the rows of `source` that satisfy `linkable`.

    `source` has what standardise_people writes, and home_key VARCHAR (UPRN or address), past_homes VARCHAR[], postcode,
    from_date and to_date of the stay there. It may have one_person_key, which no two records of a person share, and
    home_is_communal, where many strangers live at one home_key.
    """
    held = {name for name, *_ in con.execute(f"DESCRIBE {source}").fetchall()}
    told = {"one_person_key": "NULL::VARCHAR", "home_is_communal": "false"}
    key, communal = (name if name in held else unknown for name, unknown in told.items())
    path = Path(__file__).with_name("records.sql")
    numbered = numbered_records(con, f"(FROM {source} WHERE {linkable})", "unique_id")
    con.execute(read_sql(path, numbered=numbered, target=target, one_person=key, communal=communal))


def numbered_records(con: duckdb.DuckDBPyConnection, records: str, number: str, of_one_table: bool = True) -> str:
    """Query of `records` (a query with record_id) and their `number` from 0 in the order of record_id. Records that
    stand in this order in one table, as a run of everything writes them, are counted off; to sort them takes longer."""
    if of_one_table:  # a join may bring its rows in another order the next time
        before = f"SELECT record_id, lag(record_id) OVER () AS before FROM {records}"
        ((in_order,),) = con.execute(f"SELECT bool_and(record_id > before) FROM ({before})").fetchall()
        if in_order:
            return f"(SELECT *, row_number() OVER () - 1 AS {number} FROM {records})"
    # numbered apart, and joined: to order whole rows takes twice as long
    return (
        f"(SELECT * FROM {records} JOIN (SELECT record_id, row_number() OVER (ORDER BY record_id) - 1 AS {number}"
        f" FROM {records}) USING (record_id))"
    )


def columns_at_hand(con: duckdb.DuckDBPyConnection, table: str, columns: tuple[str, ...] = COLUMNS) -> set[str]:
    """The columns that tell at least two records apart; a column with no value or one value for everyone is not
    evidence."""
    told: set[str] = set()
    for records in (f"(FROM {table} LIMIT 1000)", table):  # few records mostly show it already
        silent = [column for column in columns if column not in told]
        differs = ", ".join(f"coalesce(min({column}) <> max({column}), false)" for column in silent)
        if silent:
            (row,) = con.execute(f"SELECT {differs} FROM {records}").fetchall()
            told.update(column for column, found in zip(silent, row, strict=True) if found)
    return told
