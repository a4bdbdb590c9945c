"""What the fraud team opens, and how it is judged against planted cases."""

import csv
from pathlib import Path

import polars as pl
import yaml

from pipelines.fraud.evaluation import evaluate_flags, summarise
from pipelines.fraud.hand_over import NOTICE, in_words, write_flagged_pairs
from pipelines.fraud.rules import build_flagged_pairs
from pipelines.keys.keyring import Keyring
from pipelines.warehouse import scratch_warehouse
from tests.fraud.given import SOURCES, lay

CASES = yaml.safe_load(Path(__file__).with_name("rules.yaml").read_text())


def test_the_notice_stands_on_both_files_and_restricted_pairs_stay_out(tmp_path: Path) -> None:
    given = CASES[0]["given"]
    with scratch_warehouse() as wh:
        lay(wh, given)
        wh.execute("UPDATE identity.people.record SET forename = '=1+1' WHERE record_id = 'electoral_register:E2'")
        build_flagged_pairs(wh, SOURCES, Keyring.ephemeral())
        assert write_flagged_pairs(wh, tmp_path, 30) == 1
        wh.execute("UPDATE identity.fraud.flagged_pair SET is_restricted = true")
        assert write_flagged_pairs(wh, tmp_path / "none", 30) == 0
    with (tmp_path / "flagged_pairs.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    assert row["Notice"] == NOTICE
    assert row["Other name"] == "'=1+1 JONES"
    assert (row["Rule"], row["Source"]) == ("Single person discount and another adult", "Council tax")
    assert ";" not in row["Evidence for a look"]
    assert row["Record"].startswith("council_tax:")
    assert NOTICE in (tmp_path / "flagged_pairs.csv.stamp.txt").read_text()
    for name in ("flagged_pairs.csv", "flagged_pairs.xlsx"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_an_officer_reads_words_not_codes() -> None:
    assert in_words("link_basis", "scored against each other: name_birth_date_home") == (
        "scored against each other: they agree on forename, surname, birth date and home"
    )
    for whole in ("linked through other records", "not linked: the same name, borne by nobody else"):
        assert in_words("link_basis", whole) == whole
    assert in_words("link_weight", 24.40519) == 24.4
    assert in_words("evidence_for", ["The birth dates agree.", "It is so."]) == "The birth dates agree. It is so."
    assert in_words("evidence_against", []) == "Nothing in the records."


def test_planted_cases_and_look_alikes_are_counted_by_strength() -> None:
    flagged = pl.DataFrame(
        [("spd_second_adult", "A1", "E1", "high"), ("spd_second_adult", "A2", "E2", "low"),
         ("two_tenancies", "T1", "T2", "medium"), ("deceased", "A9", "D9", "high")],
        schema=["rule", "subject_ref", "other_ref", "strength"], orient="row",
    )  # fmt: skip
    planted = pl.DataFrame(
        [("spd_second_adult", "spd_second_adult", True, "A1", "E1"),
         ("spd_second_adult", "spd_second_adult", True, "A7", "E7"),
         ("spd_second_adult", "spd_adult_just_moved", False, "A2", "E2"),
         ("two_tenancies", "two_tenancies", True, "T2", "T1"),
         ("deceased", "exors_account", False, "A8", "D8")],
        schema=["rule", "kind", "guilty", "subject_ref", "other_ref"], orient="row",
    )  # fmt: skip
    by_rule = {row["rule"]: row for row in summarise(evaluate_flags(flagged, planted))}
    spd = by_rule["spd_second_adult"]
    assert (spd["planted"], spd["found"], spd["look_alikes"], spd["look_alikes_low"]) == (2, 1, 1, 1)
    assert by_rule["two_tenancies"]["found_medium_or_high"] == 1
    assert (by_rule["deceased"]["planted"], by_rule["deceased"]["look_alikes_medium_or_high"]) == (0, 0)
