"""Differences, evidence, what-if and agreement: the plain parts under the pages."""

import itertools
import math
import random
from pathlib import Path

import pytest
import yaml

from linkage_models.models import pinned
from pipelines.settings import DataFolder
from pipelines.snapshots import open_snapshot
from review_app import evidence
from review_app.agreement import kappa
from review_app.answers import alike
from review_app.clustering import outcome
from review_app.evidence import Pair, grid, of_row
from review_app.records import Record, cased, compared
from review_app.verdicts import chosen_for_second

GIVEN = yaml.safe_load(Path(__file__).with_name("differences.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", GIVEN, ids=lambda case: f"{case['field']}: {case['value']} / {case['against']}")
def test_differences(case: dict[str, object]) -> None:
    cell = compared(str(case["field"]), str(case["value"]), str(case["against"]), bool(case.get("same_home")))
    shown = "".join(f"[{part.text}]" if part.differs else part.text for part in cell.parts).replace("][", "")
    assert (cell.state, shown) == (case["state"], case["shown"])


def test_a_difference_never_loses_a_sign() -> None:
    chance = random.Random(3)
    for _ in range(400):
        one, other = ("".join(chance.choices("abcdé '-·", k=chance.randint(0, 30))).strip() for _ in range(2))
        for field in ("name", "email", "former"):
            cell = compared(field, one, other)
            kept = "".join(part.text for part in cell.parts if part.text != "‸")
            assert " ".join(kept.split()) == " ".join(one.split()), (field, one, other)


def test_what_systems_shout_is_written_as_people_do() -> None:
    assert cased("MARY-ANN O'BRIEN") == "Mary-Ann O'Brien" and cased("McDonald") == "McDonald"
    assert cased("ÉLODIE ØSTERGÅRD") == "Élodie Østergård" and cased("") == ""


def test_steps_add_up_to_the_weight_of_every_pair(founded: tuple[DataFolder, object]) -> None:
    with open_snapshot(founded[0]) as (wh, _):
        model = evidence_model(wh)
        found = wh.con.execute("SELECT * FROM published.linkage.edge ORDER BY record_l, record_r LIMIT 300")
        names = [column[0] for column in found.description]
        pairs = [evidence.of_row(dict(zip(names, row, strict=True))) for row in found.fetchall()]
    for pair in pairs:
        steps = evidence.steps(pair, model)
        assert steps[-1].total == pytest.approx(pair.weight, abs=0.06)
        assert all(step.total == pytest.approx(before.total + step.bits)
                   for before, step in itertools.pairwise(steps))  # fmt: skip
        drawn = evidence.drawing(steps)
        assert all(0 <= bar["x"] <= drawn["width"] and bar["width"] > 0 for bar in drawn["bars"])


def evidence_model(wh: object):
    from linkage_models.models import Model

    return Model.of(wh.scalar("SELECT body FROM published.linkage.model"), "{}")


def test_steps_are_those_of_explain() -> None:
    """Level weights are Splink's: log2 of m over u, by the words that the model has for the level."""
    model = pinned()
    comparison = model.settings["comparisons"][0]
    levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
    for place, level in enumerate(levels):
        gamma = len(levels) - 1 - place
        name = comparison["output_column_name"]
        assert evidence.level_weight(model, name, gamma) == math.log2(level["m_probability"] / level["u_probability"])
        assert model.level_words(name, gamma) == level["label_for_charts"]
    assert evidence.level_weight(model, comparison["output_column_name"], -1) == 0


@pytest.mark.parametrize(
    ("weight", "words"),
    [(0, "about even"), (2, "about 4 to 1 for one person"), (-3, "about 8 to 1 against one person"),
     (7, "about 130 to 1 for one person"), (33, "more than a million to 1 for one person")],
)  # fmt: skip
def test_odds_in_words(weight: float, words: str) -> None:
    assert evidence.odds(weight) == words


@pytest.mark.parametrize(
    ("said", "words"), [(0.76, "76 %"), (0.9991, "over 99 %"), (0.003, "under 1 %"), (0.99, "99 %")]
)
def test_nothing_is_told_as_wholly_sure(said: float, words: str) -> None:
    assert evidence.chance(said) == words


def record(name: str, **raw: object) -> Record:
    return Record(name, "src", "", "p", "a", None, {}, raw)


def pair(left: str, right: str, weight: float) -> Pair:
    return Pair(left, right, weight, None, None, None, weight, {})


def test_what_an_answer_would_give() -> None:
    records = [record(name) for name in "abcd"]
    pairs = [pair("a", "b", 12), pair("c", "d", 12), pair("b", "c", 2)]
    assert outcome(records, pairs, [], 0.0) == [["a", "b"], ["c", "d"]]
    assert outcome(records, pairs, [("must_link", "b", "c")], 0.0) == [["a", "b", "c", "d"]]
    assert outcome(records, pairs, [("cannot_link", "a", "b")], 0.0)[-1] in (["a"], ["b"])
    twice = [record("a", one_person_key="k"), record("b", one_person_key="k")]
    assert outcome(twice, [pair("a", "b", 20)], [], 0.0) == [["a"], ["b"]]
    assert outcome([], [], [], 0.0) == []


def test_a_pair_of_lists_that_do_not_show_who_comes_twice_counts_as_the_run_counted_it() -> None:
    row = {"record_l": "a", "record_r": "b", "match_weight": 5.0}
    told = {"wary_bits": 3.0, "wary_bar": 7.2, "wary_rivals": 4, "clustered_weight": -4.2}
    plain, wary = of_row(row), of_row(row | told)
    records = [record("a"), record("b")]
    assert outcome(records, [plain], [], 0.0) == [["a", "b"]] and plain.warily == ""
    assert outcome(records, [wary], [], 0.0) == [["a"], ["b"]] and "from +7.2 bits" in wary.warily
    assert "from +0.0 bits" in of_row(row | told | {"wary_bar": 0.0}).warily and not plain.warily


def test_kappa() -> None:
    assert kappa([]) is None and kappa([(True, True)] * 9) is None
    both = [(True, True)] * 20 + [(False, False)] * 15 + [(True, False)] * 5 + [(False, True)] * 10
    value, error = kappa(both)  # the worked example that textbooks print: 0.40
    assert value == pytest.approx(0.4) and 0 < error < 0.2


def test_second_looks_are_a_share_and_the_same_for_everyone() -> None:
    chosen = sum(chosen_for_second(f"q_{n}") for n in range(4000))
    assert 140 < chosen < 260  # 5 %
    assert alike("different", "split") and not alike("same", "split")


def test_a_grid_holds_every_two_records_once() -> None:
    def pair(left: str, right: str) -> Pair:
        return Pair(left, right, 1.0, None, None, None, None, {})

    one, two = pair("a", "b"), pair("a", "c")
    assert grid(["c", "a", "b"], [one, two]) == [[], [two], [None, one]]
    assert grid(["a", "b"], [one]) == [] and grid([str(n) for n in range(15)], []) == []
