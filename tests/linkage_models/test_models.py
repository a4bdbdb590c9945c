"""The shipped model, training, blocking costs and evaluation."""

import json
import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from linkage_models import training
from linkage_models.card import written
from linkage_models.models import TRAINED, Model, ModelFault, pinned, shipped, weights
from linkage_models.person import blocking, comparisons, deterministic
from linkage_models.person.communities import is_axis
from linkage_models.person.comparisons import COMPARISONS
from linkage_models.person.records import COLUMNS


def weight(model: Model, name: str, words: str) -> float:
    levels = next(c for c in model.settings["comparisons"] if c["output_column_name"] == name)["comparison_levels"]
    level = next(each for each in levels if each["label_for_charts"] == words)
    return math.log2(level["m_probability"] / level["u_probability"])


def test_the_shipped_model_reads_as_people_would_expect() -> None:
    model = pinned()
    assert model.comparisons == [each.name for each in COMPARISONS]
    assert weight(model, "home", "same surname, same home") > weight(model, "home", "different surnames, same home") + 3
    assert weight(model, "home", "same surname, another address") < 6
    assert weight(model, "forename", "different forenames") < -5
    assert weight(model, "birth_date", "different birth dates") < -6
    assert weight(model, "sex", "different sex") < -3


def test_no_family_of_one_surname_and_home_links_by_that_alone() -> None:
    model = pinned()
    prior = math.log2(model.prior / (1 - model.prior))
    siblings = (
        prior + weight(model, "home", "same surname, same home") + weight(model, "forename", "different forenames")
    )
    twin = "another forename with the same birth date in the same home, as twins have"
    twins = prior + weight(model, "home", "same surname, same home") + weight(model, "birth_date", "same birth date")
    assert siblings < -8
    assert twins + weight(model, "forename", twin) + weight(model, "sex", "same sex") < 0


def test_evidence_in_a_home_does_not_depend_on_the_population() -> None:
    small, large = pinned().for_population(5_000), pinned().for_population(200_000)
    odds = [math.log2(m.prior / (1 - m.prior)) + weight(m, "home", "same surname, same home") for m in (small, large)]
    assert odds[0] == pytest.approx(odds[1], abs=0.05)
    apart = [math.log2(m.prior / (1 - m.prior)) + weight(m, "birth_date", "same birth date") for m in (small, large)]
    assert apart[0] - apart[1] == pytest.approx(math.log2(40), abs=0.05)


def test_a_model_survives_saving(tmp_path: object) -> None:
    model = pinned()
    path = model.save(tmp_path)  # type: ignore[arg-type]
    assert Model.load(path) == model
    rare = [each for term, values in model.terms.items() if not is_axis(term) for each in values.values()]
    assert min(rare) > 0 and all("" in values for values in model.terms.values())


def test_only_models_of_invented_people_lie_beside_the_code() -> None:
    bodies = [path for path in TRAINED.glob("*.json") if not path.name.endswith(".terms.json")]
    assert bodies
    for path in bodies:
        model = shipped(path)
        assert model.card["trained_on"].keys() >= {"generator", "seed", "people", "profile"}
        assert model.calibration is None or model.calibration.model == model.mark
    inside = {path.name for path in TRAINED.iterdir()} - {"README.md"}
    assert inside == {name for path in bodies for name in (path.name, f"{path.stem}.terms.json")}


@pytest.mark.parametrize(
    "origin", [None, {}, {"kind": "records", "run": "r"}, {"kind": "synthetic", "generator": "g"}, "synthetic"]
)
def test_a_model_that_does_not_say_who_made_its_people_is_refused(origin: object, tmp_path: Path) -> None:
    model = pinned()
    path = replace(model, card=model.card | {"trained_on": origin}).save(tmp_path)
    assert Model.load(path).card["trained_on"] == origin
    with pytest.raises(ModelFault, match="only models trained on invented people"):
        shipped(path)


def test_a_calibration_serves_the_model_that_it_was_fitted_to_and_no_other(tmp_path: Path) -> None:
    model = pinned()
    assert model.calibration and model.for_population(5_000).mark == model.mark
    settings = model.settings | {"probability_two_random_records_match": model.prior * 2}
    other = replace(model, settings=settings, calibration=None, mark="")
    assert other.mark != model.mark
    with pytest.raises(ModelFault, match="fitted to another model"):
        replace(other, calibration=model.calibration)
    path = other.save(tmp_path)
    body = json.loads(path.read_text())
    path.write_text(json.dumps(body | {"calibration": model.calibration.as_dict()}))
    with pytest.raises(ModelFault, match="fitted to another model"):
        Model.load(path)
    # nor may its numbers be changed under it
    path.write_text(json.dumps(body | {"settings": model.settings}))
    with pytest.raises(ModelFault, match="changed since it was trained"):
        Model.load(path)


def test_the_card_tells_origin_certainty_and_every_parameter() -> None:
    model = pinned()
    text = written(model)
    assert "invented borough of" in text and "not calibrated here" in text and "Nobody in its training data" in text
    assert all(f"| {name} | {words.replace('|', '/')} |" in text for name, words, _ in weights(model))
    assert all(rule in text for rule in model.card["sessions"])


def test_no_blocking_rule_is_a_household() -> None:
    family = {"home_key", "postcode", "surname", "surname_key", "surname_phonetic"}
    for name, keys in blocking.RULES.items():
        assert set(keys) - family, name
    for name, keys in deterministic.RULES.items():
        assert any(set(keys) >= set(rule) for rule in blocking.RULES.values()), name


def test_costs_are_counted_and_a_dear_rule_set_is_refused() -> None:
    with duckdb.connect() as con:
        numbers = "i AS unique_id, i % 10 AS a, i % 2 AS b, (i + 1) % 2 AS c"
        con.execute(f"CREATE TABLE t AS SELECT {numbers} FROM range(100) r (i)")
        found = [each.cost for each in blocking.plan(con, "t", {"same": ("a",), "crossed": ("a", "b=c")})]
        pairs = con.execute("SELECT count(*) FROM t l JOIN t r ON l.a = r.a AND l.rowid < r.rowid").fetchall()[0][0]
    assert found[0].pairs == pairs and found[0].largest_block == 10 and found[1].pairs == 0
    with pytest.raises(blocking.PairBudgetExceeded, match="'same' alone"):
        blocking.check_budget([blocking.RuleCost("same", 10**9, 10**5)], 10**9, 10**6)


def test_training_says_when_there_is_nothing_to_learn() -> None:
    with duckdb.connect() as con:
        columns = ", ".join(f"NULL::VARCHAR AS {name}" for name in COLUMNS)
        con.execute(f"CREATE TABLE t AS SELECT 1 AS unique_id, {columns}")
        with pytest.raises(training.TrainingFailed, match="nothing to train on"):
            training.train(con, "t", date(2026, 11, 22), 100)


def test_words_follow_the_levels() -> None:
    assert pinned().level_words("nino", 2) == "same national insurance number"
    assert pinned().level_words("sex", 0) == "different sex"
    assert pinned().level_words("nino", -1) == "not known for both"
    assert len({level.words for each in comparisons.COMPARISONS for level in each.levels}) > 30
