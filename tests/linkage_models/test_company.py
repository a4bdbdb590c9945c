"""Who lived with a mover moves along: a pair gains from the pair beside it, once for all that they share."""

from datetime import date

import duckdb
import polars as pl
import pytest

from linkage_models.models import pinned
from linkage_models.person.company import FIRST, HOME, company, strongest

# Two couples move from home A to home B on one day; a namesake of the wife lives elsewhere.
RECORDS = pl.DataFrame(
    [
        ("a1", "JOHN", "SMITH", "A", date(2020, 1, 1), date(2025, 5, 1)),
        ("a2", "MARY", "SMITH", "A", date(2020, 1, 1), date(2025, 5, 1)),
        ("a3", "RUTH", "SMITH", "A", date(2010, 1, 1), date(2019, 5, 1)),
        ("b1", "JOHN", "SMITH", "B", date(2025, 5, 2), None),
        ("b2", "MARY", "SMITH", "B", date(2025, 5, 2), None),
        ("b3", "RUTH", "SMITH", "B", date(2025, 5, 2), None),
        ("c2", "MARY", "SMITH", "C", date(2025, 5, 2), None),
    ],
    schema=["record_id", "forename", "surname_key", "home_key", "from_date", "to_date"],
    orient="row",
).with_columns(initial=pl.col("forename").str.slice(0, 1))
SAME_SURNAME_OTHER_ADDRESS, WITHIN_A_WEEK = 3, 5
TOLD = f"(SELECT record_id, {HOME} AS home, {FIRST} AS first FROM record)"
PLACED = (
    "(SELECT e.*, a.home AS home_l, b.home AS home_r, a.first AS first_l, b.first AS first_r FROM edge e"
    f" JOIN {TOLD} a ON a.record_id = record_l JOIN {TOLD} b ON b.record_id = record_r)"
)


def gains(edges: list[tuple[str, str, float]]) -> dict[tuple[str, str], tuple[float, str, str]]:
    frame = pl.DataFrame(edges, schema=["record_l", "record_r", "match_weight"], orient="row").with_columns(
        gamma_home=pl.lit(SAME_SURNAME_OTHER_ADDRESS), gamma_move=pl.lit(WITHIN_A_WEEK)
    )
    with duckdb.connect() as con:
        con.register("edge", frame)
        con.register("record", RECORDS)
        company(con, PLACED, "record", pinned().for_population(180_000), "gained")
        found = con.execute(strongest("gained", "SELECT record_id FROM record")).fetchall()
        return {(one, two): (bits, x, y) for one, two, _, bits, x, y in found}


def test_a_pair_gains_from_a_surer_pair_between_the_same_homes() -> None:
    found = gains([("a1", "b1", 9.0), ("a2", "b2", -2.0), ("a2", "c2", -2.0)])
    bits, *beside = found["a2", "b2"]
    assert beside == ["a1", "b1"] and bits > 3
    assert ("a2", "c2") not in found
    # the other way round it gains as much less as the pair beside it is less sure
    assert found.get(("a1", "b1"), (0.0,))[0] < bits - 1


def test_no_company_without_a_likely_pair_another_person_and_a_shared_time() -> None:
    assert ("a2", "b2") not in gains([("a1", "b1", -14.0), ("a2", "b2", -2.0)])
    assert ("a1", "b1") not in gains([("a1", "b1", 0.0), ("a3", "b3", 12.0)])  # RUTH left before JOHN came
    assert not gains([("a1", "b1", 9.0)])


def test_the_surname_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    couple = [("a1", "b1", 9.0), ("a2", "b2", -2.0)]
    shared = gains(couple)["a2", "b2"][0]
    kept = RECORDS.with_columns(
        surname_key=pl.when(pl.col("record_id").is_in(["a1", "b1"])).then(pl.lit("ROWBOTHAM")).otherwise("surname_key")
    )
    monkeypatch.setitem(globals(), "RECORDS", kept)
    assert gains(couple)["a2", "b2"][0] >= shared


def test_many_pairs_a_record_cost_no_join_of_all_records_to_all() -> None:
    records, pairs = 3_000, 600_000
    with duckdb.connect(config={"memory_limit": "350MB", "temp_directory": "", "threads": 1}) as con:
        con.execute(
            f"""CREATE TABLE record AS SELECT i AS record_id, 'A' AS initial, 'LEE' AS surname_key,
                (i // 3)::VARCHAR AS home_key, NULL::DATE AS from_date, NULL::DATE AS to_date
            FROM range({records}) AS places (i)"""
        )
        con.execute(
            f"""CREATE TABLE edge AS SELECT i % {records} AS record_l, (i % {records} + 1 + i // {records}) % {records}
                AS record_r, -3.0::DOUBLE AS match_weight, 3 AS gamma_home, 0 AS gamma_move
            FROM range({pairs}) AS places (i)"""
        )
        company(con, PLACED, "record", pinned().for_population(180_000), "gained")
