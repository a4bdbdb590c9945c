"""`train` and `models` on the small borough: what is kept, what is said, what is refused."""

import csv
import json
import shutil

import pytest

from linkage_models.models import Model
from pipelines.definitions import Place, execute
from pipelines.faults import BoroughlinkError
from pipelines.keys.keyring import STANDING_KEYS, open_keyring
from pipelines.linkage.shelf import Shelf
from pipelines.linkage.trial import beside_snapshot
from pipelines.modelling.bench import opened
from pipelines.modelling.comparing import compare_models
from pipelines.modelling.listing import card_of, models_of
from pipelines.modelling.training import train_model
from pipelines.operations import Operations
from pipelines.outgoing.files import write_label_sample
from pipelines.running.demonstration import answer_labels
from pipelines.settings import DataFolder, load_settings


@pytest.fixture(scope="module")
def mine(borough, tmp_path_factory):
    return borough.copy(tmp_path_factory.mktemp("models") / "borough")


@pytest.fixture(scope="module")
def folder(mine):
    return DataFolder.at(mine.data)


@pytest.fixture(scope="module")
def trained(folder):
    """What `train` said; the model is called `first`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("linkage_models.thresholds.U_PAIRS", 200_000)
        return train_model(folder, "first", None)


def shelf_of(folder):
    return Shelf.of(folder, open_keyring(folder, load_settings(folder), STANDING_KEYS))


def test_a_trained_model_is_kept_whole_with_its_card_and_names_nobody(folder, trained):
    kept = {path.suffix: path for path in folder.models.iterdir()}
    assert {path.name for path in kept.values()} == {"first.json", "first.frequencies", "first.md"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept.values())
    model = shelf_of(folder).load("first")
    assert model.calibration is None and model.card["trained_on"]["holds"] == "synthetic"
    assert {"council_tax", "benefits"} <= set(model.card["trained_on"]["sources"])
    assert "adult_social_care" not in model.card["trained_on"]["sources"], "fraud work may not learn from it"
    common = {name for name in model.terms["surname_key"] if len(name) > 5}
    assert common and not any(name.encode() in path.read_bytes() for path in kept.values() for name in common)
    card = kept[".md"].read_text()
    for part in ("Not calibrated", "converged", "## Limits", "## Where it is least sure", "| risk |"):
        assert part in card, part
    assert any("run --preview --set model=first" in line for line in trained.said)
    operations = Operations.open(folder, open_keyring(folder, load_settings(folder), STANDING_KEYS))
    with operations.begin() as db:
        entries = db.exec_driver_sql("SELECT object, detail FROM audit WHERE event = 'model trained'").all()
    operations.close()
    assert [(name, json.loads(detail)["mark"]) for name, detail in entries] == [("first", model.mark)]


def test_models_lists_what_is_pinned_and_what_fits(folder, trained):
    rows = models_of(folder).plain()["Models"]
    assert [row["name"].split()[0] for row in rows][1:] == ["first"]
    assert [(row["pinned"], row["used last"], row["fits"]) for row in rows] == [("yes", "yes", "yes"), ("", "", "yes")]
    text, facts = card_of(folder, "first")
    assert text.startswith("# Model first") and facts["certainty"] == "not calibrated"


def test_two_models_are_held_against_each_other_on_the_same_records(folder, trained):
    before = sorted(path.name for path in folder.published.iterdir())
    found = compare_models(folder, "shipped", "first").plain()
    weights = {(row["comparison"], row["level"]): row for row in found["Weights (bits)"]}
    assert weights["forename", "same forename"]["first"] > 3
    (pairs,) = (rows for title, rows in found.items() if title.startswith("Pairs by what becomes"))
    crossing = sum(row["pairs"] for row in pairs if row["with first"] != row[next(iter(row))])
    assert any(f"{crossing:,} pairs of the view data_quality would cross" in line for line in found["said"])
    persons = {row["view"]: row for row in found["Persons"]}
    assert set(persons) == {"data_quality", "fraud", "risk"}
    assert persons["data_quality"]["unchanged"] > 0.8 * persons["data_quality"]["first"]
    assert sorted(path.name for path in folder.published.iterdir()) == before, "a comparison publishes nothing"


def test_a_model_is_tried_beside_the_names_that_the_published_run_counted(folder, monkeypatch):
    monkeypatch.setattr("pipelines.linkage.choice.names_of_place", lambda *_: pytest.fail("counted anew"))
    with opened(folder, None) as bench, beside_snapshot(folder) as wh:
        body, terms = wh.rows("SELECT body, terms FROM published.linkage.model")[0]
        assert bench.tried(wh, bench.shelf.load("shipped")).model.terms == Model.of(body, terms).terms


def test_a_model_that_is_not_there_or_not_whole_is_one_sentence(folder, mine, trained, tmp_path):
    with pytest.raises(BoroughlinkError, match=r"There is no model nosuch\. There are first, shipped, newest"):
        compare_models(folder, "nosuch", "first")
    with pytest.raises(BoroughlinkError, match="can't be a model's name"):
        train_model(folder, "../first", None)
    with pytest.raises(BoroughlinkError, match="There is a model first already"):
        train_model(folder, "first", None)
    broken = DataFolder.at(tmp_path / "data")
    shutil.copytree(mine.data, broken.root)
    with (broken.root / "boroughlink.yaml").open("a") as settings:
        settings.write("model: nosuch\n")
    with pytest.raises(BoroughlinkError, match="There is no model nosuch"):
        execute(Place.of(broken.root), "ann")
    body = (broken.models / "first.json").read_text()
    (broken.models / "first.json").write_text(body.replace("0.9", "0.8", 1))
    with pytest.raises(BoroughlinkError, match="not those that were saved together"):
        shelf_of(broken).load("first")
    (broken.models / "first.frequencies").unlink()
    assert "is missing or damaged" in " ".join(models_of(broken).said)


def test_labels_calibrate_the_model_of_the_run_and_nothing_else_does(folder, mine, tmp_path):
    sample = tmp_path / "sample.csv"
    write_label_sample(folder, sample, 600, "data_quality")
    answer_labels(mine.root, sample)
    rows = list(csv.DictReader(sample.open()))

    def refused(changed, why):
        other = tmp_path / "other.csv"
        with other.open("w", newline="") as out:
            writer = csv.DictWriter(out, rows[0])
            writer.writeheader()
            writer.writerows(changed)
        kept = sorted(folder.models.iterdir())
        with pytest.raises(BoroughlinkError, match=why):
            train_model(folder, None, other)
        assert sorted(folder.models.iterdir()) == kept

    refused([row | {"inclusion_probability": ""} for row in rows], "have no inclusion probability")
    refused([row | {"inclusion_probability": "0.000001"} for row in rows], "were not drawn in run")
    run, view, mark = rows[0]["sample"].split()
    refused([row | {"sample": f"20250101T000000-abcdef {view} {mark}"} for row in rows], "were not drawn in run 2025")
    refused([row | {"sample": f"{run} {view} 0123456789abcdef"} for row in rows], "another model scored")
    refused([row | {"kind": "must_link", "same": ""} for row in rows], "are decisions, no labels")
    refused(rows[:60], "60 labelled pairs were compared here")

    said = train_model(folder, "ours", sample)
    model, shipped = (shelf_of(folder).load(name) for name in ("ours", "shipped"))
    assert model.mark == shipped.mark and model.calibration.here and not shipped.calibration.here
    assert model.terms == shipped.terms and model.of_invented_people, "a run counts the names at hand for either"
    assert model.calibration.labels == len(rows)
    assert any(line.startswith("data_quality: pairs link from") and "(before +" in line for line in said.said)
    assert shelf_of(folder).load("newest").version == "ours"
