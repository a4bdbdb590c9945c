"""What holds records together and what keeps persons apart, on a handful of records made by hand."""

from collections.abc import Iterator

import pytest

from linkage_models.clustering import missing_weight
from pipelines.linkage.explain import Looked, explain_person
from pipelines.linkage.named_records import UnknownRecord
from pipelines.linkage.ties import Tie, between, decided_among, forbidden, path, side_of, spanning_tree, ties_among
from pipelines.linkage.waterfall import Step, waterfall
from pipelines.warehouse import Warehouse, scratch_warehouse

# a - b - c hold together, c - d is the weakest link to d - e
EDGES = [("a", "b", 9.0), ("a", "c", 2.0), ("b", "c", 8.0), ("c", "d", 3.0), ("d", "e", 7.0), ("e", "z", -4.0)]


@pytest.fixture
def wh() -> Iterator[Warehouse]:
    with scratch_warehouse() as wh:
        wh.execute("CREATE TABLE identity.linkage.edge (record_l VARCHAR, record_r VARCHAR, match_weight DOUBLE, "
                   "match_key VARCHAR)")  # fmt: skip
        for edge in EDGES:
            wh.execute("INSERT INTO identity.linkage.edge VALUES (?, ?, ?, 'full_name')", list(edge))
        wh.execute(
            "CREATE TABLE identity.linkage.company (view VARCHAR, record_l VARCHAR, record_r VARCHAR, bits DOUBLE)"
        )
        wh.execute("INSERT INTO identity.linkage.company VALUES ('fraud', 'a', 'c', 5), ('risk', 'a', 'b', 9)")
        wh.execute("CREATE TABLE identity.linkage.membership (view VARCHAR, record_id VARCHAR, person_id VARCHAR)")
        for record in "abcde":
            wh.execute("INSERT INTO identity.linkage.membership VALUES ('fraud', ?, 'p1')", [record])
        wh.execute("INSERT INTO identity.linkage.membership VALUES ('fraud', 'z', 'p2')")
        wh.execute("CREATE TABLE identity.people.record (record_id VARCHAR, source VARCHAR, fingerprint VARCHAR, "
                   "one_person_key VARCHAR, last_begun DATE, death_date DATE, sensitivity VARCHAR)")  # fmt: skip
        wh.execute(
            "INSERT INTO identity.people.record VALUES ('a', 'deaths', 'f', NULL, NULL, '2020-01-01', NULL), "
            "('y', 'housing', 'g', 'housing', '2024-01-01', NULL, NULL), "
            "('z', 'housing', 'h', 'housing', NULL, NULL, NULL)"
        )
        wh.execute("CREATE TABLE identity.linkage.ledger (ledger_seq BIGINT, run_id VARCHAR, view VARCHAR, "
                   "event VARCHAR, person_id VARCHAR, other_person_id VARCHAR)")  # fmt: skip
        wh.execute("INSERT INTO identity.linkage.ledger VALUES (1, 'r9', 'fraud', 'merged', 'p1', 'p0')")
        yield wh


def test_the_weakest_link_and_its_sides(wh: Warehouse) -> None:
    ties = ties_among(wh, "identity", "fraud", "abcde")
    assert ties[0] == Tie("a", "b", 9.0, "full_name") and Tie("a", "c", 7.0, "full_name") in ties
    tree = spanning_tree(ties)
    assert [(tie.left, tie.right) for tie in tree] == [("a", "b"), ("b", "c"), ("d", "e"), ("c", "d")]
    assert side_of(tree, tree[-1]) == {"a", "b", "c"}
    assert [tie.weight for tie in path(tree, "e", "a")] == [7.0, 3.0, 8.0, 9.0]
    assert path(tree, "a", "z") == [] == path(tree, "a", "a")


def test_pairs_between_two_persons_count_as_in_clustering(wh: Warehouse) -> None:
    held = between(["d", "e"], ["z"], ties_among(wh, "identity", "fraud", "dez"))
    assert (held.pairs, held.compared) == (2, 1)
    assert held.mean == pytest.approx((-4 + missing_weight()) / 2)


def test_what_forbids_is_named_by_record(wh: Warehouse) -> None:
    said = " ".join(forbidden(wh, "identity", ["a", "z"], ["y"]))
    assert "y begins something after the death that a records" in said
    assert "z and y are two people" in said
    assert forbidden(wh, "identity", ["a"], ["z"]) == []


@pytest.mark.parametrize(
    ("kind", "together", "fingerprint", "became"),
    [
        ("must_link", True, "f", "holds"),
        ("must_link", False, "old", "suspended: a record has changed since"),
        ("must_link", False, "f", "suspended: something forbids it"),
        ("cannot_link", False, "old", "holds"),
        ("cannot_link", True, "f", "not followed yet: it came after the run"),
        ("unsure", True, "f", "leaves it open"),
    ],
)
def test_what_became_of_a_decision(wh: Warehouse, kind: str, together: bool, fingerprint: str, became: str) -> None:
    made = {"decision_id": 3, "kind": kind, "made_at": "2026-10-03T09", "made_by": "ann", "record_l": "a"}
    made |= {"record_r": "z", "fingerprint_l": fingerprint, "fingerprint_r": None}
    homes = {"a": "p1", "z": "p1" if together else "p2"}
    (row,) = decided_among(wh, "identity", homes, [made])
    assert (row[0], row[1], row[-1]) == (3, "2026-10-03", became)


def test_a_person_by_id_its_weakest_link_its_neighbour_and_a_former_id(wh: Warehouse) -> None:
    told = explain_person(wh, "p1", Looked("fraud"))
    assert "c and d, +3.0 bits" in told.sentences[2] and "3 and 2 records" in told.sentences[2]
    (neighbours,) = [rows for title, _, rows in told.tables if title == "Nearest other persons"]
    assert [row[:4] for row in neighbours] == [("p2", 1, "1 of 5", -4.0)]
    with pytest.raises(UnknownRecord, match="merged into p1 in run r9"):
        explain_person(wh, "p0", Looked("fraud"))


def test_bars_follow_on_each_other() -> None:
    rows = waterfall([Step("prior", "", -4.0), Step("name", "", 6.0), Step("sex", "", 0.0), Step("age", "", -1.0)], 7)
    assert [(weight, total) for _, _, weight, total, _ in rows] == [(-4, -4), (6, 2), (0, 2), (-1, 1)]
    assert [bar for *_, bar in rows] == ["░░░░|", "██████", "    |", "    |░"]
