"""The review queue over hand-made links: the right reasons, the right order, the right records."""

from typing import Any

import polars as pl

from linkage_models.merging import FITS_TWO
from pipelines.keys.keyring import Keyring
from pipelines.linkage.doubts import KEPT_APART
from pipelines.linkage.names_alone import COLUMNS, WARY
from pipelines.review.bridges import weakest_bridges
from pipelines.review.queue import build_queue
from pipelines.warehouse import Warehouse, scratch_warehouse

KEYS = Keyring.ephemeral()


def linked(wh: Warehouse, people: dict[str, list[str]], edges: list[tuple[str, str, float]], **told: Any) -> None:
    """Persons as lists of record names; `told` gives a record's nino."""
    wh.execute(
        "CREATE TABLE identity.people.record (record_id VARCHAR, source VARCHAR, role VARCHAR, birth_date DATE, "
        "nino VARCHAR, nhs_number VARCHAR, sex VARCHAR, sensitivity VARCHAR, fingerprint VARCHAR)"
    )
    wh.execute("CREATE TABLE identity.linkage.membership (view VARCHAR, record_id VARCHAR, person_id VARCHAR)")
    wh.execute(
        "CREATE TABLE identity.linkage.edge (record_l VARCHAR, record_r VARCHAR, match_weight DOUBLE, "
        "match_probability DOUBLE)"
    )
    wh.execute(
        "CREATE TABLE identity.linkage.review_edge (view VARCHAR, record_l VARCHAR, record_r VARCHAR, "
        "match_weight DOUBLE, reason VARCHAR)"
    )
    for person, records in people.items():
        for record in records:
            wh.execute("INSERT INTO identity.people.record BY NAME SELECT ? AS record_id, 'src' AS source, ? AS nino",
                       [record, told.get(record)])  # fmt: skip
            wh.execute("INSERT INTO identity.linkage.membership VALUES ('data_quality', ?, ?)", [record, person])
    for left, right, weight in edges:
        wh.execute("INSERT INTO identity.linkage.edge VALUES (?, ?, ?, ?)",
                   [left, right, weight, 2**weight / (1 + 2**weight)])  # fmt: skip


def queue(wh: Warehouse) -> list[tuple[Any, ...]]:
    build_queue(wh, KEYS)
    return wh.rows("SELECT reason, person_id, other_person_id, members FROM identity.review.queue ORDER BY position")


def test_sure_links_and_sure_differences_need_nobody() -> None:
    with scratch_warehouse() as wh:
        linked(wh, {"p": ["a", "b"], "q": ["c"]}, [("a", "b", 14), ("b", "c", -9)])
        assert queue(wh) == []


def test_a_pair_between_the_thresholds_waits_and_the_one_most_likely_missed_comes_first() -> None:
    with scratch_warehouse() as wh:
        linked(wh, {"p": ["a"], "q": ["b"], "r": ["c"], "s": ["d"]}, [("a", "b", 2.9), ("c", "d", 0.0)])
        assert queue(wh) == [("uncertain pair", "p", "q", 2), ("uncertain pair", "r", "s", 2)]


def test_a_pair_of_silent_lists_counts_what_it_weighs_beside_its_rivals() -> None:
    with scratch_warehouse() as wh:
        people = {"p": ["a"], "q": ["b"], "r": ["c"], "s": ["d"], "t": ["e", "f"]}
        linked(wh, people, [("a", "b", 6.0), ("c", "d", 1.0), ("e", "f", 7.0)])
        wh.execute(f"CREATE TABLE {WARY} ({COLUMNS})")
        for left, right, bits in (("a", "b", -1.0), ("e", "f", 2.0)):
            wh.execute(f"INSERT INTO {WARY} VALUES ('data_quality', ?, ?, ?, 8, 2, 0)", [left, right, bits])
        assert queue(wh)[:2] == [("uncertain pair", "r", "s", 2), ("uncertain pair", "p", "q", 2)]
        doubts = dict(wh.rows("SELECT record_l, round(doubt, 3) FROM identity.review.queue"))
        assert doubts == {"c": 0.667, "a": 0.333, "e": 0.2}, "odds of 2 to 1 for, 2 to 1 against, and a joined one"


def test_one_likely_pair_between_two_persons_of_many_records_says_less() -> None:
    with scratch_warehouse() as wh:
        many = {"p": ["a", "b", "c"], "q": ["d", "e", "f"], "r": ["g"], "s": ["h"]}
        inside = [("a", "b", 14), ("b", "c", 14), ("d", "e", 14), ("e", "f", 14)]
        linked(wh, many, [*inside, ("a", "d", 2.0), ("g", "h", 2.0)])
        assert [row[1] for row in queue(wh)] == ["r", "p"]
        doubts = wh.rows("SELECT doubt FROM identity.review.queue ORDER BY position")
        assert [round(doubt, 3) for (doubt,) in doubts] == [0.8, 0.015]  # 4 to 1; less by 16 a further record, twice


def test_a_strong_pair_that_was_kept_apart_is_a_cut_edge() -> None:
    with scratch_warehouse() as wh:
        linked(wh, {"p": ["a", "b"], "q": ["c"]}, [("a", "b", 14), ("b", "c", 9), ("a", "c", 1)])
        assert queue(wh) == [("cut edge", "p", "q", 3)]
        assert wh.rows("SELECT record_id, side, is_of_the_pair FROM identity.review.member ORDER BY record_id") == [
            ("a", "a", False),
            ("b", "a", True),
            ("c", "b", True),
        ]


def test_a_weak_bridge_and_a_contradiction() -> None:
    with scratch_warehouse() as wh:
        linked(
            wh,
            {"p": ["a", "b", "c", "d"], "q": ["e", "f"]},
            [("a", "b", 14), ("c", "d", 14), ("b", "c", 2), ("a", "c", 1), ("e", "f", 20)],
            e="QQ123456A",
            f="QQ123456B",
        )
        assert {row[0]: row[1] for row in queue(wh)} == {"weak bridge": "p", "contradiction": "q"}
        weight, effect, left, right = wh.rows(
            "SELECT weakest_weight, effect, record_l, record_r FROM identity.review.queue WHERE reason = 'weak bridge'"
        )[0]
        assert (weight, effect, left, right) == (2, 4, "b", "c")


def test_an_oversized_person_is_shown_and_names_hold_from_run_to_run() -> None:
    with scratch_warehouse() as wh:
        many = [f"r{number:02d}" for number in range(14)]
        linked(wh, {"p": many}, [(many[0], other, 15) for other in many[1:]])
        assert [row[0] for row in queue(wh)] == ["oversized"]
        first = wh.rows("SELECT item_id FROM identity.review.queue")
        build_queue(wh, KEYS)
        assert wh.rows("SELECT item_id FROM identity.review.queue") == first


def test_a_decision_that_does_not_stand_comes_back() -> None:
    with scratch_warehouse() as wh:
        linked(wh, {"p": ["a", "b"], "q": ["c"]}, [("a", "b", 14)])
        for view, left, right, why in (
            ("data_quality", "a", "c", "decision suspended: a record has changed since"),
            ("data_quality", "a", "b", "merge forbidden by a constraint"),
            ("fraud", "b", "c", "decision suspended: a record has changed since"),
        ):
            wh.execute("INSERT INTO identity.linkage.review_edge VALUES (?, ?, ?, NULL, ?)", [view, left, right, why])
        assert queue(wh) == [("decision", "p", "q", 3)]


def test_a_record_that_fits_two_persons_is_asked_as_such() -> None:
    with scratch_warehouse() as wh:
        linked(wh, {"p": ["a"], "q": ["b"], "r": ["c"]}, [("a", "b", 6), ("b", "c", 5), ("a", "c", -9)])
        for left, right in (("a", "b"), ("b", "c")):
            wh.execute("INSERT INTO identity.linkage.review_edge VALUES ('data_quality', ?, ?, 6, ?)",
                       [left, right, KEPT_APART[FITS_TWO]])  # fmt: skip
        assert queue(wh) == [("fits two", "p", "q", 2), ("fits two", "q", "r", 2)]


def test_the_bridge_is_the_weakest_link_of_the_strongest_tree() -> None:
    rows = [
        ("p", "a", "b", 10.0),
        ("p", "b", "c", 4.0),
        ("p", "a", "c", 3.0),
        ("p", "c", "d", 8.0),
        ("q", "x", "y", 1.0),
    ]
    frame = pl.DataFrame(rows, schema=["person_id", "record_l", "record_r", "match_weight"], orient="row")
    found = weakest_bridges(frame.with_columns(match_probability=pl.lit(0.5)))
    assert found.select("person_id", "record_l", "record_r", "smaller_side").rows() == [
        ("p", "b", "c", 2),
        ("q", "x", "y", 1),
    ]
    assert weakest_bridges(frame.with_columns(match_probability=pl.lit(0.5)).head(0)).is_empty()


def test_what_a_flagged_pair_or_a_release_rests_on_comes_first() -> None:
    """An item between the two entries of a live pair, or whose records bear different tiers that went out."""
    people = {name: [name] for name in "abcdefgh"}
    edges = [("a", "b", 2.0), ("c", "d", 1.5), ("e", "f", 1.0), ("g", "h", 1.0)]
    with scratch_warehouse() as wh:
        linked(wh, people, edges)
        wh.execute(
            "CREATE TABLE identity.fraud.flagged_pair AS SELECT * FROM (VALUES ('f_1', 'f', 'e', 1200.0), "
            "('f_closed', 'c', 'd', 9000.0), ('f_elsewhere', 'a', 'c', 900.0)) "
            "AS t(flag_id, subject_record_id, other_record_id, expected_retained)"
        )
        wh.execute(
            "INSERT INTO identity.linkage.membership SELECT 'risk', record_id, 'r' || person_id "
            "FROM identity.linkage.membership"
        )
        wh.execute(
            "CREATE TABLE attributes.risk.score AS SELECT * FROM (VALUES ('rg', 'high'), ('rh', 'lower'), "
            "('ra', 'lower'), ('rb', 'lower')) AS t(person_id, tier)"
        )
        wh.execute(
            "CREATE TABLE attributes.risk.tier AS SELECT * FROM (VALUES ('high', 0.05), ('lower', 1.0)) "
            "AS t(tier, top_share)"
        )
        build_queue(wh, KEYS, ["f_closed"], ["risk-2026-10"])
        rows = wh.rows("SELECT record_l, flags, at_stake, releases FROM identity.review.queue ORDER BY position")
        assert rows == [
            ("e", ["f_1"], 1200.0, []), ("g", [], 0.0, ["risk-2026-10"]), ("a", [], 0.0, []), ("c", [], 0.0, []),
        ]  # fmt: skip
        wh.execute("UPDATE identity.fraud.flagged_pair SET expected_retained = 2 WHERE flag_id = 'f_1'")
        build_queue(wh, KEYS, ["f_closed"], ["risk-2026-10"])
        order = [row[0] for row in wh.rows("SELECT record_l FROM identity.review.queue ORDER BY position")]
        assert order[:3] == ["g", "a", "c"], "two pounds bring nobody forward"
        wh.execute("UPDATE identity.fraud.flagged_pair SET expected_retained = 1200 WHERE flag_id = 'f_1'")
        build_queue(wh, KEYS)  # no release is out
        assert [row[0] for row in wh.rows("SELECT record_l FROM identity.review.queue ORDER BY position")][:2] == [
            "c", "e"
        ]  # fmt: skip
