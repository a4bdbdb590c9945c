"""Each rule against given facts and expected pairs (rules.yaml)."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.fraud.rules import build_flagged_pairs, flag_id, load
from pipelines.keys.keyring import Keyring
from pipelines.warehouse import scratch_warehouse
from tests.fraud.given import SOURCES, lay

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("rules.yaml").read_text())
ALLOWED = tuple(source for source in SOURCES if source != "adult_social_care")
KEYS = Keyring.ephemeral()


def spelled(expected: dict[str, str]) -> dict[str, str]:
    return {pair: said.replace(" ", " (") + (")" if " " in said else "") for pair, said in expected.items()}


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_given_facts_give_expected_pairs(case: dict[str, Any]) -> None:
    with scratch_warehouse() as wh:
        lay(wh, case["given"])
        build_flagged_pairs(wh, ALLOWED, KEYS)
        found = wh.rows("SELECT rule, subject_ref, other_ref, strength, reason FROM identity.fraud.flagged_pair")
        explained = wh.rows("SELECT rule, subject_ref, other_ref, reason FROM identity.fraud.explained")
    got = {f"{r} {s} {o}": strength + (f" ({why})" if why else "") for r, s, o, strength, why in found}
    assert got == spelled(case["expected"])
    assert len(got) == len(found), "a pair comes once"
    for pair, why in case.get("explained", {}).items():
        assert {f"{r} {s} {o}": reason for r, s, o, reason in explained}.get(pair) == why


def test_pairs_are_named_the_same_in_every_run_and_differently_under_another_key() -> None:
    pair = ("deceased", "housing:T1", "T1", "deaths:D1", "D1")
    assert flag_id(KEYS, *pair) == flag_id(Keyring.ephemeral(), *pair)
    assert flag_id(KEYS, *pair) != flag_id(Keyring.ephemeral(b"other"), *pair)


def test_value_follows_the_discount_and_its_months() -> None:
    with scratch_warehouse() as wh:
        lay(wh, CASES[0]["given"])
        build_flagged_pairs(wh, ALLOWED, KEYS)
        gross, retained, expected, version = wh.rows(
            "SELECT value_gross, value_retained, expected_retained, values_version FROM identity.fraud.flagged_pair"
        )[0]
    years = load("values.yaml")["kinds"]["single_person_discount"]
    assert float(gross) == pytest.approx(480 * (years["back_years"] + years["forward_years"]))
    assert float(retained) == pytest.approx(float(gross) * 0.11)
    assert float(expected) == pytest.approx(float(retained) * 0.20)
    assert version == load("values.yaml")["version"]


def test_names_that_differ_are_said() -> None:
    twins = next(case for case in CASES if "under two forenames" in case["case"])
    with scratch_warehouse() as wh:
        lay(wh, twins["given"])
        build_flagged_pairs(wh, ALLOWED, KEYS)
        against = wh.rows("SELECT evidence_against FROM identity.fraud.flagged_pair")
    assert against == [(["The forenames or surnames differ; they may be twins or relatives."],)]


def test_sentences_never_accuse() -> None:
    with scratch_warehouse() as wh:
        for number, case in enumerate(CASES):
            if number:
                for (table,) in wh.rows("SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE "
                                        "database_name = 'identity' AND schema_name <> 'meta'"):  # fmt: skip
                    wh.execute(f"DROP TABLE identity.{table}")
            lay(wh, case["given"])
            build_flagged_pairs(wh, ALLOWED, KEYS)
            for sentence, pro, con in wh.rows(
                "SELECT sentence, evidence_for, evidence_against FROM identity.fraud.flagged_pair"
            ):
                said = " ".join([sentence, *pro, *con])
                assert sentence.endswith("Worth an officer's look.")
                assert "{}" not in said
                assert not {"fraud", "guilty", "false", "lied"} & set(said.lower().split())


def test_a_rule_without_its_facts_is_left_out_and_said_so() -> None:
    with scratch_warehouse() as wh:
        lay(wh, CASES[0]["given"])
        wh.execute("DROP TABLE identity.facts.tenancy")
        counts = build_flagged_pairs(wh, ALLOWED, KEYS)
    assert counts["left_out_two_tenancies"] == 1
    assert counts["spd_second_adult_high"] == 1


@pytest.mark.parametrize("case", [case for case in CASES if case["expected"]][::6], ids=lambda case: case["case"])
def test_no_rule_fires_on_the_place_of_a_sealed_person(case: dict[str, Any]) -> None:
    with scratch_warehouse() as wh:
        lay(wh, case["given"])
        wh.execute(
            "CREATE TABLE identity.people.sealed_place AS SELECT DISTINCT uprn, unnest(?) AS source "
            "FROM identity.places.address_uprn WHERE uprn IS NOT NULL",
            [list(ALLOWED)],
        )
        build_flagged_pairs(wh, ALLOWED, KEYS)
        at = wh.rows(
            "SELECT * FROM identity.fraud.flagged_pair WHERE rule IN ('spd_second_adult', 'tenancy_elsewhere')"
        )
        assert at == []
        for name in (c for c in wh.columns("identity.fraud.flagged_pair") if "uprn" in c):
            assert wh.scalar(f"SELECT count({name}) FROM identity.fraud.flagged_pair") == 0
