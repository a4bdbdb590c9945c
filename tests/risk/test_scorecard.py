"""The scorecard: bins, ties, reasons, leakage, and the back-test, over a hand-made attributes store."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines.faults import BoroughlinkError
from pipelines.risk.backtest import run_backtest
from pipelines.risk.scorecard import (
    LeakageFound,
    Scorecard,
    build_features,
    build_scores,
    index_month,
    load_scorecard,
    require_no_leakage,
    score_sql,
)
from pipelines.warehouse import Warehouse, scratch_warehouse

INDEX = date(2026, 10, 1)
CARD = load_scorecard()


def store(wh: Warehouse, people: int = 400) -> None:
    """A store of people of rising age; every tenth had an assessment and then long-term support."""
    wh.execute(
        "CREATE TABLE attributes.attributes.person AS SELECT printf('%04d', i) AS person_id, "
        "printf('h%04d', i // 2) AS household_id, (20 + i * 75 // ? // 5 * 5)::INTEGER AS age_from, "
        "(i % 10 + 1)::INTEGER AS imd_decile FROM range(?) AS t(i)",
        [people, people],
    )
    wh.execute(
        "CREATE TABLE attributes.attributes.household_member AS SELECT household_id, person_id, "
        "DATE '2015-01-01' AS from_month, NULL::DATE AS to_month FROM attributes.attributes.person"
    )
    wh.execute(
        "CREATE TABLE attributes.attributes.service_flag AS SELECT person_id, 'social_tenancy' AS service, "
        "DATE '2018-01-01' AS from_month, NULL::DATE AS to_month FROM attributes.attributes.person "
        "WHERE person_id::INTEGER % 7 = 0"
    )
    wh.execute(
        "CREATE TABLE attributes.attributes.care_episode AS "
        "SELECT person_id, 'assessment' AS event_type, NULL::VARCHAR AS service_type, DATE '2025-08-01' AS from_month, "
        "NULL::DATE AS to_month FROM attributes.attributes.person WHERE person_id::INTEGER % 10 = 0 UNION ALL "
        "SELECT person_id, 'service', 'Long Term Support: Community', DATE '2026-03-01', DATE '2026-06-01' "
        "FROM attributes.attributes.person WHERE person_id::INTEGER % 20 = 0"
    )


@pytest.mark.parametrize(
    ("factor", "value", "points"),
    [
        ("age_from", 60, 0), ("age_from", 65, 2), ("age_from", 70, 2), ("age_from", 75, 4), ("age_from", 80, 6),
        ("age_from", 85, 8), ("age_from", 90, 9), ("care_request", 0, 4), ("care_request", 11, 4),
        ("care_request", 12, 2), ("care_request", 24, 0), ("imd_decile", 2, 1), ("imd_decile", 3, 0),
        ("short_term_support", 23, 4), ("short_term_support", 24, 0), ("unheard_of", 1, 0),
    ],
)  # fmt: skip
def test_each_bin_edge_gives_its_points(factor: str, value: float, points: int) -> None:
    with scratch_warehouse() as wh:
        wh.execute("CREATE TABLE attributes.risk.feature AS SELECT 'p' AS person_id, ? AS factor, ?::DOUBLE AS value",
                   [factor, value])  # fmt: skip
        assert wh.scalar(f"SELECT score FROM ({score_sql(CARD, 'attributes.risk.feature', INDEX)}\n)") == points


def test_a_score_is_never_split_and_shares_are_told() -> None:
    with scratch_warehouse() as wh:
        store(wh)
        build_scores(wh, CARD, INDEX)
        split = wh.scalar(
            "SELECT count(*) FROM (SELECT score FROM attributes.risk.score GROUP BY score "
            "HAVING count(DISTINCT tier) > 1)"
        )
        tiers = wh.rows("SELECT tier, top_share, persons, actual_share FROM attributes.risk.tier ORDER BY top_share")
        scored = wh.scalar("SELECT count(*) FROM attributes.risk.score")
    assert split == 0
    assert [tier[0] for tier in tiers] == ["very high", "high", "moderate", "lower"]
    assert sum(tier[2] for tier in tiers) == scored == 400
    running = 0.0
    for _, asked, _, actual in tiers:
        running += actual
        assert running <= asked + 1e-9


def test_reasons_are_the_three_heaviest() -> None:
    with scratch_warehouse() as wh:
        wh.execute(
            "CREATE TABLE attributes.risk.feature AS SELECT * FROM (VALUES ('p', 'age_from', 85.0), "
            "('p', 'care_request', 3.0), ('p', 'social_tenancy', 1.0), ('p', 'short_term_support', 2.0), "
            "('p', 'lives_alone', 1.0)) AS t(person_id, factor, value)"
        )
        reasons = wh.scalar(f"SELECT reasons FROM ({score_sql(CARD, 'attributes.risk.feature', INDEX)}\n)")
    assert reasons == [
        "Aged 85 to 89",
        "Asked for care support in the last year",
        "Short-term support in the last two years",
    ]


def test_people_with_long_term_support_are_not_scored_again() -> None:
    with scratch_warehouse() as wh:
        store(wh)
        wh.execute("UPDATE attributes.attributes.care_episode SET to_month = NULL WHERE event_type = 'service'")
        build_features(wh, INDEX)
        assert wh.scalar("SELECT count(DISTINCT person_id) FROM attributes.risk.feature") == 380


def test_unknown_age_gains_no_points_and_children_are_not_scored() -> None:
    with scratch_warehouse() as wh:
        store(wh)
        wh.execute(
            "UPDATE attributes.attributes.person SET age_from = NULL WHERE person_id IN ('0399', '0398', '0397')"
        )
        wh.execute("UPDATE attributes.attributes.person SET age_from = 15 WHERE person_id = '0001'")
        wh.execute("INSERT INTO attributes.attributes.service_flag SELECT '0399', 'council_tax_liable', ?, NULL",
                   [date(2020, 1, 1)])  # fmt: skip
        build_scores(wh, CARD, INDEX)
        scored = dict(
            wh.rows(
                "SELECT person_id, score FROM attributes.risk.score WHERE person_id >= '0397' OR person_id = '0001'"
            )
        )
    assert set(scored) == {"0399"}
    assert scored["0399"] < 3


def test_what_happens_in_or_after_the_index_month_is_not_seen() -> None:
    with scratch_warehouse() as wh:
        store(wh)
        build_features(wh, INDEX)
        before = wh.rows("SELECT * FROM attributes.risk.feature ORDER BY ALL")
        wh.execute("INSERT INTO attributes.attributes.care_episode VALUES ('0001', 'request', NULL, ?, NULL)", [INDEX])
        wh.execute(
            "INSERT INTO attributes.attributes.service_flag VALUES ('0003', 'housing_benefit', ?, NULL)", [INDEX]
        )
        build_features(wh, INDEX)
        assert wh.rows("SELECT * FROM attributes.risk.feature ORDER BY ALL") == before


def test_a_leaking_feature_stops_the_run() -> None:
    with scratch_warehouse() as wh:
        store(wh)
        build_features(wh, INDEX)
        wh.execute("INSERT INTO attributes.risk.feature VALUES ('0001', 'care_request', 0, ?)", [INDEX])
        with pytest.raises(LeakageFound, match="care_request"):
            require_no_leakage(wh, "attributes.risk.feature", INDEX)


def test_backtest_ranks_what_followed() -> None:
    with scratch_warehouse() as wh:
        store(wh)
        measured = run_backtest(wh, CARD)
    assert measured["outcomes"] == 20
    assert measured["auc"] > 0.6
    assert 0 <= measured["recall_top_5_percent"] <= 1


def test_auc_is_the_rank_form() -> None:
    with scratch_warehouse() as wh:
        store(wh, 200)
        measured = run_backtest(wh, CARD)
        rows = wh.rows("SELECT score, outcome FROM attributes.risk.backtest")
    yes = [score for score, outcome in rows if outcome]
    no = [score for score, outcome in rows if not outcome]
    wins = sum((a > b) + (a == b) / 2 for a in yes for b in no)
    assert measured["auc"] == pytest.approx(wins / (len(yes) * len(no)))


def test_index_month_counts_back_over_the_year() -> None:
    assert index_month(date(2026, 1, 31)) == date(2026, 1, 1)
    assert index_month(date(2026, 1, 31), 12) == date(2025, 1, 1)
    assert index_month(date(2026, 1, 31), 1) == date(2025, 12, 1)


@pytest.mark.parametrize(
    ("find", "replace", "said"),
    [
        ("top_share: 0.20", "top_share: 0.01", "rise"),
        ("name: social_tenancy", "name: ethnicity_group", "may not be a factor"),
        ("{from: 75, to: 80, points: 4", "{from: 70, to: 80, points: 4", "overlap"),
    ],
)
def test_a_mistaken_scorecard_is_refused(tmp_path: Path, find: str, replace: str, said: str) -> None:
    text = (Path(__file__).parents[2] / "pipelines/risk/scorecards/home_care_start.yaml").read_text()
    assert find in text
    (tmp_path / "card.yaml").write_text(text.replace(find, replace))
    with pytest.raises(BoroughlinkError, match=said):
        load_scorecard(tmp_path / "card.yaml")


def test_every_factor_names_its_source() -> None:
    assert isinstance(CARD, Scorecard)
    assert all(factor.source and factor.bins for factor in CARD.factors)


def test_a_scorecard_says_when_its_owner_looks_at_it_again() -> None:
    due = CARD.review_by
    assert CARD.review(due) == f"By {due:%-d %B %Y}: {CARD.owner}"
    assert CARD.review(due + timedelta(days=1)).startswith("Overdue since ")
