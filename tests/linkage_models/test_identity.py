"""Ids that last: the larger overlap keeps the id; every change has its event."""

from collections.abc import Iterator

import duckdb
import pytest

from linkage_models.identity import assign


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def run(
    con: duckdb.DuckDBPyConnection, now: dict[str, int], last: dict[str, str]
) -> tuple[dict[str, str], set[tuple[str, str, str | None]]]:
    con.execute("CREATE OR REPLACE TABLE g (member VARCHAR, group_no BIGINT)")
    con.execute("CREATE OR REPLACE TABLE l (member VARCHAR, id VARCHAR)")
    if now:
        con.executemany("INSERT INTO g VALUES (?, ?)", list(now.items()))
    if last:
        con.executemany("INSERT INTO l VALUES (?, ?)", list(last.items()))
    counter = iter(range(100))
    assign(con, "g", "l", lambda n: [f"new{next(counter)}" for _ in range(n)], "out")
    ids = dict(con.execute("SELECT member, id FROM out").fetchall())
    return ids, set(con.execute("SELECT event, id, other_id FROM out_event").fetchall())


def test_first_run_draws_in_order(con: duckdb.DuckDBPyConnection) -> None:
    ids, events = run(con, {"a": 0, "b": 0, "c": 1}, {})
    assert ids == {"a": "new0", "b": "new0", "c": "new1"}
    assert events == {("created", "new0", None), ("created", "new1", None)}


def test_nothing_changes_nothing(con: duckdb.DuckDBPyConnection) -> None:
    ids, events = run(con, {"a": 5, "b": 5, "c": 9}, {"a": "p", "b": "p", "c": "q"})
    assert ids == {"a": "p", "b": "p", "c": "q"} and events == set()


def test_a_merge_keeps_the_larger(con: duckdb.DuckDBPyConnection) -> None:
    ids, events = run(con, {"a": 0, "b": 0, "c": 0}, {"a": "z", "b": "z", "c": "q"})
    assert set(ids.values()) == {"z"}
    assert events == {("merged", "z", "q")}


def test_a_split_leaves_the_id_with_the_larger_part(con: duckdb.DuckDBPyConnection) -> None:
    ids, events = run(con, {"a": 0, "b": 1, "c": 1}, {"a": "p", "b": "p", "c": "p"})
    assert ids["b"] == ids["c"] == "p" and ids["a"] == "new0"
    assert events == {("split", "new0", "p"), ("left", "p", "new0")}


def test_new_and_vanished_records(con: duckdb.DuckDBPyConnection) -> None:
    ids, events = run(con, {"a": 0, "new": 0}, {"a": "p", "gone": "p", "lost": "q"})
    assert ids["new"] == "p"
    assert events == {("joined", "p", None), ("left", "p", None), ("retired", "q", None)}


def test_a_record_moves_between_two_persons(con: duckdb.DuckDBPyConnection) -> None:
    ids, events = run(con, {"a": 0, "b": 0, "c": 1, "d": 1, "x": 1}, {"a": "p", "b": "p", "x": "p", "c": "q", "d": "q"})
    assert ids["x"] == "q"
    assert events == {("left", "p", "q"), ("joined", "q", "p")}
