"""A council's model forgets what only an erased person was called, and stays the model that it was."""

from dataclasses import replace
from pathlib import Path

from linkage_models.models import Model, pinned
from pipelines.keys.keyring import Keyring
from pipelines.linkage.shelf import Shelf, without_terms


def ours(tmp_path: Path) -> tuple[Shelf, Model]:
    shelf = Shelf(tmp_path / "models", Keyring.ephemeral())
    terms = {"forename": {"": 0.1, "ann": 0.2, "qzcanary": 0.3}, "surname_key": {"": 0.1, "smith": 0.2}}
    shelf.folder.mkdir()
    trained = replace(pinned().with_terms(terms), card={"trained_on": {"kind": "records", "sources": {}}})
    return shelf, shelf.save(trained, "ours")


def test_a_model_is_written_anew_without_names_of_one_person(tmp_path: Path) -> None:
    shelf, before = ours(tmp_path)
    into = tmp_path / "work"
    assert not shelf.keep_without("ours", ["nobody"], into)
    assert not into.exists()
    assert shelf.keep_without("ours", ["qzcanary", "jones"], into)
    for path in into.iterdir():
        path.replace(shelf.folder / path.name)
    after = shelf.load("ours")
    assert after.terms["forename"] == {"": 0.1, "ann": 0.2}
    assert after.terms["surname_key"] == before.terms["surname_key"]
    assert (after.settings, after.card, after.population) == (before.settings, before.card, before.population)


def test_what_was_calibrated_stays_calibrated() -> None:
    shipped = pinned()
    assert shipped.calibration
    model = shipped.with_terms({"forename": {"": 0.1, "qzcanary": 0.3}}).calibrated(shipped.calibration)
    kept = without_terms(model, ["qzcanary"])
    assert "qzcanary" not in kept.terms["forename"]
    assert kept.calibration is not None
    assert kept.calibration.model == kept.mark != model.mark
    assert without_terms(model, ["nobody is called this"]) is model


def test_what_the_shipped_model_says_of_a_name_stands_and_what_was_counted_here_goes() -> None:
    model = pinned()
    name, other = [value for value in model.terms["surname_key"] if value][:2]
    assert without_terms(model, [name]) is model
    surnames = model.terms["surname_key"]
    here = model.of_place({"surname_key": surnames | {name: 0.2}, "surname_key@0": surnames}, 1_000)
    assert without_terms(here, [other]) is here
    kept = without_terms(here, [name])
    assert (kept.mark, kept.calibration) == (model.mark, model.calibration)
    assert name not in kept.terms["surname_key"] and kept.terms["surname_key@0"] == surnames


def test_a_calibrated_copy_of_an_older_shipped_model_stays_as_it_is(tmp_path: Path) -> None:
    shelf, _ = ours(tmp_path)
    older = pinned().with_terms({"forename": {"": 0.1, "older": 0.3}})
    origin = {"kind": "records", "parameters_from": "synthetic"}
    shelf.save(replace(older, card=older.card | {"trained_on": origin | {"sources": {}}}), "copied")
    assert not shelf.keep_without("copied", ["older"], tmp_path / "work")
