"""Ids that last: the larger overlap keeps the id; every change has its event."""

import polars as pl
from polars.testing import assert_frame_equal

from linkage_models.identity import assign


def run(now: dict[str, int], last: dict[str, str]) -> tuple[dict[str, str], set[tuple[str, str, str | None]]]:
    groups = pl.DataFrame(list(now.items()), schema={"member": pl.String, "group_no": pl.Int64}, orient="row")
    ids = pl.DataFrame(list(last.items()), schema={"member": pl.String, "id": pl.String}, orient="row")
    counter = iter(range(100))
    found = assign(groups, ids, lambda n: [f"new{next(counter)}" for _ in range(n)])
    assert found.ids["member"].to_list() == list(now)
    return dict(found.ids.iter_rows()), set(found.events.select("event", "id", "other_id").iter_rows())


def test_first_run_draws_in_order() -> None:
    ids, events = run({"a": 0, "b": 0, "c": 1}, {})
    assert ids == {"a": "new0", "b": "new0", "c": "new1"}
    assert events == {("created", "new0", None), ("created", "new1", None)}


def test_where_nobody_has_an_id_all_is_as_beside_one_who_is_gone() -> None:
    groups = pl.DataFrame({"member": ["d", "a", "c", "b", "e"], "group_no": [7, 3, 7, 0, 3]})
    gone = pl.DataFrame({"member": ["gone"], "id": ["old"]})
    first, later = (
        assign(groups, last, lambda n: pl.Series([f"new{k}" for k in range(n)])) for last in (gone[:0], gone)
    )
    assert_frame_equal(first.ids, later.ids)
    assert_frame_equal(first.events, later.events.filter(pl.col("event") != "retired"))


def test_nothing_changes_nothing() -> None:
    ids, events = run({"a": 5, "b": 5, "c": 9}, {"a": "p", "b": "p", "c": "q"})
    assert ids == {"a": "p", "b": "p", "c": "q"} and events == set()


def test_a_merge_keeps_the_larger() -> None:
    ids, events = run({"a": 0, "b": 0, "c": 0}, {"a": "z", "b": "z", "c": "q"})
    assert set(ids.values()) == {"z"}
    assert events == {("merged", "z", "q")}


def test_a_split_leaves_the_id_with_the_larger_part() -> None:
    ids, events = run({"a": 0, "b": 1, "c": 1}, {"a": "p", "b": "p", "c": "p"})
    assert ids["b"] == ids["c"] == "p" and ids["a"] == "new0"
    assert events == {("split", "new0", "p"), ("left", "p", "new0")}


def test_new_and_vanished_records() -> None:
    ids, events = run({"a": 0, "new": 0}, {"a": "p", "gone": "p", "lost": "q"})
    assert ids["new"] == "p"
    assert events == {("joined", "p", None), ("left", "p", None), ("retired", "q", None)}


def test_a_record_moves_between_two_persons() -> None:
    ids, events = run({"a": 0, "b": 0, "c": 1, "d": 1, "x": 1}, {"a": "p", "b": "p", "x": "p", "c": "q", "d": "q"})
    assert ids["x"] == "q"
    assert events == {("left", "p", "q"), ("joined", "q", "p")}
