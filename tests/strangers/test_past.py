"""Birth dates of sources about the past."""

from datetime import date

import duckdb
import polars as pl

from linkage_models.standardise import standardise_people

COLUMNS = (
    "role", "title", "forename", "middle", "surname", "name_text", "former_surname", "sex", "nino",
    "nhs_number", "person_number", "birth_place", "occupation", "phone", "email", "sensitivity",
)  # fmt: skip


def test_a_source_about_the_past_keeps_its_birth_dates_and_a_register_of_the_living_its_slips_out() -> None:
    living = [date(1950 + at % 60, 1 + at % 12, 1 + at % 28) for at in range(100)]
    past = [date(1790 + at % 60, 1 + at % 12, 1 + at % 28) for at in range(100)]
    born = {"register": [*living, date(1066, 1, 1), date(1066, 1, 1), date(1753, 6, 1)], "census": past}
    rows = [(source, f"{source}:{at}", day) for source, days in born.items() for at, day in enumerate(days)]
    con = duckdb.connect()
    con.register("born", pl.DataFrame(rows, schema=["source", "record_id", "birth_date"], orient="row"))
    empty = ", ".join(f"NULL::VARCHAR AS {name}" for name in COLUMNS)
    con.execute(f"CREATE TABLE people AS SELECT *, NULL::DATE AS death_date, {empty} FROM born")
    standardise_people(con, "people", "done", date(2026, 10, 31))
    kept = dict(con.execute("SELECT source, count(birth_date) FROM done GROUP BY ALL").fetchall())
    assert kept == {"register": 100, "census": 100}
