"""Blocking makes exactly the pairs that its rules say, and no block can flood it."""

from collections.abc import Iterator

import duckdb
import numpy as np
import polars as pl
import pytest

from linkage_models.person import blocking
from linkage_models.term_frequencies import leave_common_names

RULES: dict[str, blocking.Rule] = {
    "plain": ("home", "initial"),
    "crossed": ("name", "left_home=came_home"),
    "exploded": ("signs[]", "initial"),
}


@pytest.fixture
def con(monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    monkeypatch.setattr(blocking, "RULES", RULES)
    rng = np.random.default_rng(3)
    n = 400

    def some(values: int) -> list[int | None]:
        return [int(v) if rng.random() < 0.9 else None for v in rng.integers(0, values, n)]

    frame = pl.DataFrame(
        {"unique_id": range(n), "home": some(40), "initial": some(6), "name": some(30), "left_home": some(9),
         "came_home": some(9), "signs": [list({int(x) for x in rng.integers(0, 60, 3)}) for _ in range(n)]}
    )  # fmt: skip
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        connection.execute("CREATE TABLE t AS FROM frame")
        connection.execute("CREATE TABLE touched AS SELECT unique_id FROM t WHERE unique_id % 17 = 3")
        yield connection


def expected(con: duckdb.DuckDBPyConnection, where: str = "true") -> list[tuple[int, int, int]]:
    return con.execute(
        "SELECT a, b, bit_or(bit)::BIGINT FROM ("
        + " UNION ALL ".join(
            f"SELECT least(l.unique_id, r.unique_id) AS a, greatest(l.unique_id, r.unique_id) AS b, {1 << place} AS bit"
            f" FROM t l JOIN t r ON l.unique_id <> r.unique_id AND ({blocking.agreement_sql(keys)})"
            for place, keys in enumerate(RULES.values())
        )
        + f") WHERE {where} GROUP BY a, b ORDER BY a, b"
    ).fetchall()


def test_the_pairs_are_those_that_agree(con: duckdb.DuckDBPyConnection) -> None:
    planned = blocking.plan(con, "t")
    blocking.block(con, "t", planned, "pair")
    found = con.execute("FROM pair ORDER BY left_id, right_id").fetchall()
    assert found == expected(con) and {mask.bit_count() for _, _, mask in found} >= {1, 2}
    for place, each in enumerate(planned):
        assert each.cost.pairs >= sum(mask >> place & 1 for _, _, mask in found) > 0


def test_few_records_meet_the_pairs_that_they_meet_among_all(con: duckdb.DuckDBPyConnection) -> None:
    blocking.block(con, "t", blocking.plan(con, "t"), "pair", "touched")
    assert con.execute("FROM pair ORDER BY left_id, right_id").fetchall() == expected(con, "a % 17 = 3 OR b % 17 = 3")


def test_a_block_of_thousands_is_narrowed_or_left_out_by_name(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocking, "LARGEST_BLOCK", 50)
    monkeypatch.setattr(blocking, "_NARROWER", ("name",))
    con.execute("UPDATE t SET home = 1, initial = 1 WHERE unique_id < 200")
    plain, *_ = planned = blocking.plan(con, "t")
    assert plain.narrowed[0][0] == "name" and "only where name agrees too" in (plain.cost.note or "")
    blocking.block(con, "t", planned, "pair")
    count = "SELECT count(*) FROM pair WHERE rules & 1 > 0 AND left_id < 200 AND right_id < 200"
    same_name = (
        "SELECT count(*) FROM t l JOIN t r ON l.unique_id < r.unique_id AND r.unique_id < 200 AND l.name = r.name"
    )
    assert con.execute(count).fetchall() == con.execute(same_name).fetchall()
    con.execute("UPDATE t SET name = 1")
    cost = blocking.plan(con, "t")[0].cost
    assert "left out" in (cost.note or "") and cost.leaves_out
    blocking.block(con, "t", blocking.plan(con, "t"), "pair")
    assert con.execute(count).fetchall() == [(0,)]


@pytest.mark.parametrize("people, kept", [(30_000, [1, 2, 3]), (50_000, [2, 3])])
def test_a_name_that_many_bear_brings_nobody_together(people: int, kept: list[int]) -> None:
    terms = {"forename": {"JOHN": 0.02, "": 1e-5}, "surname_key": {"SMITH": 0.01, "AARDVARK": 1e-5, "": 1e-5}}
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE t AS SELECT *, hash(forename, surname_key) AS telling_name FROM (VALUES (1, 'JOHN', 'SMITH'),"
            " (2, 'JOHN', 'AARDVARK'), (3, 'ZEBEDEE', 'SMITH')) v (unique_id, forename, surname_key)"
        )
        leave_common_names(con, "t", terms, people)
        found = con.execute("SELECT unique_id FROM t WHERE telling_name IS NOT NULL ORDER BY 1").fetchall()
        assert found == [(each,) for each in kept]


def test_pairs_that_many_rules_make_count_once_and_the_largest_blocks_go_first(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocking, "_NARROWER", ())
    same = {f"rule {place}": ("home", "initial") for place in range(8)} | {"crowd": ("name",)}
    con.execute("UPDATE t SET name = 1 WHERE unique_id < 100")
    monkeypatch.setattr(blocking, "SAMPLED_PAIRS", 3_000)
    each = blocking.plan(con, "t", {"once": ("home", "initial")})[0].cost.pairs
    monkeypatch.setattr(blocking, "PAIR_BUDGET_PER_RECORD", 0)
    monkeypatch.setattr(blocking, "PAIR_BUDGET_FLOOR", each * 4)
    planned = blocking.plan(con, "t", same)
    assert [rule.cost.pairs for rule in planned[:-1]] == [each] * 8, "eight rules that make the same pairs cost as one"
    assert 0 < planned[-1].cost.pairs < 100 * 99 / 2 and planned[-1].cost.largest_block < 100
    assert planned[-1].cost.note and "blocks of up to 1" in planned[-1].cost.note
    blocking.block(con, "t", planned, "pair")
    assert con.execute("SELECT count(*) FROM pair").fetchall()[0][0] <= each * 4
    monkeypatch.setattr(blocking, "PAIR_BUDGET_FLOOR", 1)
    with pytest.raises(blocking.PairBudgetExceeded, match="would compare"):
        blocking.plan(con, "t", same)


def test_the_mark_of_oversized_blocks_tells_which_and_not_how_large(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocking, "LARGEST_BLOCK", 50)
    monkeypatch.setattr(blocking, "SMALLER_BLOCKS", (35,))
    monkeypatch.setattr(blocking, "PAIR_BUDGET_PER_RECORD", 0)
    monkeypatch.setattr(blocking, "PAIR_BUDGET_FLOOR", 1_000)

    def marked(names: list[int]) -> str:
        crowd = pl.DataFrame({"unique_id": range(len(names)), "home": 1, "name": names})
        con.register("crowd", crowd)
        planned = blocking.plan(con, "crowd", {"plain": ("home",)})
        ((name, _, blocks, _), (left_out, _, parts, _)) = planned[0].narrowed
        assert (name, blocks, left_out, parts) == ("name", 1, None, 1)
        return blocking.oversized_mark(planned)

    monkeypatch.setattr(blocking, "_NARROWER", ("name",))
    before = marked([1] * 40 + [2] * 30)
    assert marked([1] * 41 + [2] * 30) == before
    assert marked([1] * 30 + [2] * 40) != before, "other pairs are compared"
