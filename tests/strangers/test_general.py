"""The general design: dear rules are left out, plain difference is bounded, a pair's rules fit their mark."""

import duckdb
import numpy as np
import pytest

from linkage_models.maximisation import Learnt, maximise
from linkage_models.observed import observe, settings_of
from linkage_models.person import blocking
from linkage_models.person.comparisons import CONTACT, TWINS
from linkage_models.person.designs import COUNCIL, GENERAL
from linkage_models.person.general import BIRTH_DATE, FORENAME, HOME, RELATIVES, weigh_relatives
from linkage_models.person.records import link_table
from linkage_models.thresholds import MOST_DAYS_UNPROVED, RELATIVE_SHARE, TWIN_SHARE
from linkage_models.training import misspelt_rather_than_same
from pipelines.people.records import RECORD
from pipelines.warehouse import scratch_warehouse
from tests.strangers.linking import link, people

NAMELESS = ", ".join(f"NULL::VARCHAR AS {column}" for column in ("initial", "middle", "email"))


def test_blocks_too_dear_for_the_records_are_left_out_by_name_and_the_rest_stay_in_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocking, "_NARROWER", ())
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE t AS SELECT i AS unique_id, i // 900 AS crowd, i // 2 AS couple FROM range(9000) t(i)"
        )
        rules = {"crowd": ("crowd",), "couple": ("couple",)}
        planned = blocking.plan(con, "t", rules, spare=True)
        assert [each.cost.rule for each in planned] == ["crowd", "couple"]
        assert planned[0].cost.pairs == 0 and "left out" in (planned[0].cost.note or "")
        assert planned[1].cost.pairs == 4500
        blocking.block(con, "t", planned, "pair")
        assert con.execute("SELECT count(*), min(rules) FROM pair").fetchall() == [(4500, 2)]


def test_training_may_not_take_households_for_persons() -> None:
    # three pairs of a family for every pair of one person: unbounded, the family would be the match
    levels = {
        "home": [{"m_probability": 0.9, "u_probability": 1e-4}, {"m_probability": 0.1, "u_probability": 1 - 1e-4}],
        "forename": [{"m_probability": 0.9, "u_probability": 0.02}, {"m_probability": 0.1, "u_probability": 0.98}],
    }
    patterns = {
        "gamma_home": np.array([1, 1, 0, 0]), "gamma_forename": np.array([1, 0, 1, 0]),
        "pairs": np.array([1000, 3000, 2000, 0]),
    }  # fmt: skip
    free = maximise(("home",), patterns, levels, (1e7, 1e-4))
    held = maximise(("home",), patterns, levels, (1e7, 1e-4), {"home": [1.0, 1.0], "forename": [1.0, 0.1]})
    assert held.m["forename"][1] <= 0.1 + 1e-9 < free.m["forename"][1]
    assert held.matches < free.matches


def test_namesakes_of_a_common_name_teach_nothing_of_birth_dates() -> None:
    """Pairs of one name and two birth dates: many of a name that one in 8 bears, few of one that one in 4,096 does."""
    levels = {
        "forename": [{"m_probability": 0.9, "u_probability": 0.001, "tf_adjustment_column": "forename"},
                     {"m_probability": 0.1, "u_probability": 0.999}],
        "birth_date": [{"m_probability": 0.9, "u_probability": 1e-4}, {"m_probability": 0.1, "u_probability": 1.0}],
    }  # fmt: skip
    patterns = {
        "gamma_forename": np.array([1, 1, 1, 1]), "gamma_birth_date": np.array([1, 0, 1, 0]),
        "pairs": np.array([500, 20_000, 500, 50]),
    }  # fmt: skip
    known = (1e6, 1e-3)
    blind = maximise(("every",), patterns, levels, known)
    told = maximise(("every",), patterns | {"shared": np.array([-3.0, -3.0, -12.0, -12.0])}, levels, known)
    assert told.m["birth_date"][1] < 0.1 < blind.m["birth_date"][1]


@pytest.mark.parametrize(("address", "bounded"), [(None, True), ("7 Elm Road", False)])
def test_where_days_of_birth_alone_prove_a_person_other_days_are_seldom_one_persons(
    address: str | None, bounded: bool
) -> None:
    rows = people(60, 3)
    rows = [{**row, "address_text": address, "postcode": None} for row in rows]
    with scratch_warehouse() as wh:
        link(wh, {"clinic": rows})
        link_table(wh.con, RECORD, "listed")
        chosen = observe(wh.con, "listed", GENERAL, 1_000, 1).chosen
    most = {level.words: level.most for each in chosen if each.name == "birth_date" for level in each.levels}
    assert (most["other days of birth"] == MOST_DAYS_UNPROVED) is bounded
    assert (most["same year of birth, or same day and month"] == MOST_DAYS_UNPROVED) is bounded
    # hardly a birth is known by its year alone, so hardly a pair can differ so
    assert (most["years of birth two or three apart, day unknown"] < MOST_DAYS_UNPROVED) is bounded
    assert most["same day of birth"] == 1.0


@pytest.mark.parametrize(("same", "near", "refused"), [(5.0, 90.0, True), (90.0, 5.0, False)])
def test_a_model_whose_people_are_misspelt_rather_than_the_same_is_refused(
    same: float, near: float, refused: bool
) -> None:
    held = {"same forename": same, "forenames one letter apart": near}
    counts = np.array([held.get(level.words, 0.0) for level in FORENAME.levels])
    learnt = Learnt(("every",), 5, 100.0, {"forename": counts}, {})
    assert misspelt_rather_than_same([FORENAME], learnt) is refused


def test_both_designs_fit_the_marks_of_their_rules() -> None:
    for design in (COUNCIL, GENERAL):
        assert len(design.rules) < 63, "a pair's rules are kept as the bits of one number"
        assert frozenset().union(*design.families.values()) <= frozenset(design.rules)


def test_words_that_many_addresses_have_are_no_evidence() -> None:
    with duckdb.connect() as con:
        con.execute(
            "CREATE TEMP TABLE t AS SELECT i AS unique_id,"
            " i || ' ELM' || chr((65 + i)::INT) || ' STREET' AS address_line,"
            " '1990-01-01' AS birth_text, NULL::VARCHAR AS surname_key, NULL::VARCHAR AS forename,"
            " NULL::DATE AS birth_date, NULL::VARCHAR AS postcode,"
            f" NULL::VARCHAR AS home_key, NULL::VARCHAR AS person_number, {NAMELESS}"
            " FROM range(20) t(i)"
        )
        GENERAL.extend(con, "t")
        assert con.execute("SELECT address_words, telling_words FROM t WHERE unique_id = 3").fetchall() == [
            (["3", "ELMD"], ["3", "ELMD"])
        ]


def test_records_that_are_all_alike_are_not_held_at_once() -> None:
    with duckdb.connect(config={"memory_limit": "60MB", "max_temp_directory_size": "0KB", "threads": 1}) as con:
        con.execute(
            "CREATE TEMP TABLE t AS SELECT i AS unique_id, '1 HIGH STREET' AS address_line, '1990-01-01' AS birth_text,"
            " 'LEE' AS surname_key, 'ANN' AS forename, DATE '1990-01-01' AS birth_date, '1000' AS postcode,"
            f" '1' AS home_key, NULL::VARCHAR AS person_number, {NAMELESS},"
            " [hash(i + j) FOR j IN range(20)] AS nino_deletes FROM range(100_000) t(i)"
        )
        GENERAL.extend(con, "t")
        rare = "rare_surname, rare_forename, rare_birth_date, rare_postcode, rare_door"
        assert con.execute(f"SELECT DISTINCT {rare} FROM t").fetchall() == [(None,) * 5]


def test_a_value_is_rare_by_how_many_records_have_it() -> None:
    with duckdb.connect() as con:
        con.execute(
            "CREATE TEMP TABLE t AS SELECT i AS unique_id, (i // 41 + 1) || ' HIGH STREET' AS address_line,"
            " '1990-01-01' AS birth_text, 'LEE' AS surname_key, NULL::VARCHAR AS forename,"
            " DATE '1990-01-01' + (i // 41)::INTEGER AS birth_date, NULL::VARCHAR AS postcode,"
            f" NULL::VARCHAR AS home_key, NULL::VARCHAR AS person_number, {NAMELESS} FROM range(81) t(i)"
        )
        GENERAL.extend(con, "t")
        assert con.execute(
            "SELECT count(rare_surname), count(rare_forename), count(rare_birth_date), min(rare_door),"
            " count(rare_door), count(*) FROM t"
        ).fetchall() == [(0, 0, 40, "2 HIGH", 40, 81)]


@pytest.mark.parametrize(("differ", "joined"), [(0.05, True), (0.001, False)])
def test_another_forename_beside_one_home_and_birth_date_is_damage_or_a_twin_by_how_often_forenames_go_wrong(
    differ: float, joined: bool
) -> None:
    prior = 1e-4
    trained = settings_of([FORENAME, HOME, BIRTH_DATE], prior)
    for comparison in trained["comparisons"]:
        for place, level in enumerate(comparison["comparison_levels"][1:]):
            level |= {"m_probability": 0.5 if place == 0 else differ / 3, "u_probability": 1e-4}
    weigh_relatives(trained, prior)
    forename, home, born = ({x["label_for_charts"]: x for x in c["comparison_levels"]} for c in trained["comparisons"])
    shown = (forename[TWINS], home[HOME.levels[0].words], born[BIRTH_DATE.levels[0].words])
    odds = prior / (1 - prior)
    for level in shown:
        odds *= level["m_probability"] / level["u_probability"]
    assert odds == pytest.approx(differ / TWIN_SHARE)
    assert (odds > 1) == joined


def test_without_birth_dates_a_shared_home_and_telephone_never_join_two_forenames() -> None:
    prior = 1e-4
    trained = settings_of([FORENAME, HOME, CONTACT], prior)
    for comparison in trained["comparisons"]:
        for place, level in enumerate(comparison["comparison_levels"][1:]):
            level |= {"m_probability": 0.5 if place == 0 else 0.03, "u_probability": 1e-4}
    weigh_relatives(trained, prior)
    forename, home, contact = (
        {x["label_for_charts"]: x for x in c["comparison_levels"]} for c in trained["comparisons"]
    )
    odds = prior / (1 - prior)
    for level in (forename[RELATIVES], home[HOME.levels[0].words], contact[CONTACT.levels[0].words]):
        odds *= level["m_probability"] / level["u_probability"]
    assert odds == pytest.approx(0.03 / RELATIVE_SHARE)
