"""The scorecard's data: states, scores, trends, lateness and reported faults, from counts that stand in a snapshot."""

from datetime import date

import pytest

from pipelines.scorecard.sparkline import change_in_words, in_words, sparkline
from pipelines.scorecard.standing import ScorecardData, late_sources, scorecard_data
from pipelines.source_faults import ReportedFault
from pipelines.warehouse import Warehouse, scratch_warehouse

RESULT = """CREATE TABLE identity.quality.result (judgement BIGINT, run_id VARCHAR, source VARCHAR, extract_date DATE,
    principle VARCHAR, dimension VARCHAR, rule VARCHAR, sentence VARCHAR, table_name VARCHAR, column_name VARCHAR,
    rows BIGINT, failures BIGINT, share DOUBLE, allowed DOUBLE, severity VARCHAR, passed BOOLEAN, judged BOOLEAN,
    reason VARCHAR, owner VARCHAR)"""
# judgement, extract, principle, rule, rows, failures, severity, passed
JUDGED = (
    (1, "2026-08-31", "valid", "form", 100, 0, "warning", True),
    (1, "2026-08-31", "complete", "filled", 100, 1, "critical", True),
    (2, "2026-09-30", "valid", "form", 100, 10, "warning", False),
    (2, "2026-09-30", "complete", "filled", 100, 0, "critical", True),
    (3, "2026-10-31", "valid", "form", 100, 20, "warning", False),
    (3, "2026-10-31", "complete", "filled", 100, 40, "critical", False),
)


@pytest.fixture
def wh():
    with scratch_warehouse(as_of=date(2026, 11, 1)) as warehouse:
        warehouse.execute(RESULT)
        for number, extract, principle, rule, rows, failures, severity, passed in JUDGED:
            says = f"{rule} holds."
            values = [number, f"run{number}", "housing", extract, principle, None, rule, says, "member", "dob"]
            counts = [rows, failures, failures / rows, 0.05, severity, passed, True, None, "Housing"]
            warehouse.execute(f"INSERT INTO identity.quality.result VALUES ({', '.join('?' * 19)})", values + counts)
        warehouse.table(
            "identity.quality.promise",
            "SELECT * FROM (VALUES ('housing', 'Housing tenancies', 'Housing', 'h@x', 35), ('llpg', 'Gazetteer', 'GIS',"
            " 'g@x', 30)) t(source, title, owner, steward, refresh_days)",
        )
        yield warehouse


def accepted(wh: Warehouse, day: str) -> None:
    wh.table("identity.meta.intake", f"SELECT 'housing' AS source, DATE '{day}' AS extract_date, 'accepted' AS state")


def test_state_score_change_and_trend(wh):
    data = scorecard_data(wh, catalog="identity")
    (gazetteer, housing) = data.sources
    valid, complete = housing.of("valid"), housing.of("complete")
    assert (valid.state, valid.score, valid.change) == ("warns", 80.0, -10.0)
    assert [point.score for point in valid.trend] == [100.0, 90.0, 80.0]
    assert (complete.state, complete.faults) == ("fails", ("filled holds. Not so in 40 of 100 rows.",))
    assert (housing.state, gazetteer.state) == ("fails", "not judged")
    assert data.counts == {"fails": 1, "warns": 1, "holds": 0, "not judged": 10}


def test_a_rule_says_since_when_it_fails(wh):
    housing = scorecard_data(wh, catalog="identity").sources[1]
    assert housing.of("valid").rules[0].since == date(2026, 9, 30)
    assert housing.of("complete").rules[0].since == date(2026, 10, 31)


def test_a_source_is_late_whatever_its_last_extract_was_like(wh):
    accepted(wh, "2026-09-20")
    data = scorecard_data(wh, catalog="identity")
    (late,) = late_sources(data)
    assert (late.source, late.late_days, late.of("timely").state) == ("housing", 7, "warns")
    assert late.of("timely").faults[0] == "The next extract was due by 25 October 2026, 7 days ago."
    accepted(wh, "2026-10-31")
    assert late_sources(scorecard_data(wh, catalog="identity")) == []


def test_reported_faults_stand_under_the_principle_they_break(wh):
    def fault(number, kind, column, day):
        return ReportedFault(number, "housing", "r_x", column, kind, "ann", day, "open", "ann", day)

    told = [
        fault(1, "missing", "dob", "2026-10-02"),
        fault(2, "missing", "dob", "2026-10-01"),
        fault(3, "duplicate", None, "2026-10-03"),
    ]
    housing = scorecard_data(wh, told, "identity").sources[1]
    assert next((each.words, each.count, each.oldest) for each in housing.reported) == (
        "a value is missing",
        2,
        "2026-10-01",
    )
    assert (housing.of("complete").reported, housing.of("reliable").reported) == (2, 1)


def test_it_survives_json_and_an_empty_snapshot(wh):
    data = scorecard_data(wh, catalog="identity")
    assert ScorecardData.from_json(data.to_json()) == data
    with scratch_warehouse() as empty:
        assert scorecard_data(empty, catalog="identity").sources == ()


def test_a_sparkline_says_in_words_what_it_draws():
    drawn = sparkline([90.0, None, 100.0], "Housing, valid")
    assert "3 extracts, oldest first: 90.0, not judged, 100.0" in drawn and 'role="img"' in drawn
    assert sparkline([99.0], "x") == sparkline([None, 99.0], "x") == ""
    assert "&lt;b&gt;" in sparkline([1.0, 2.0], "<b>")
    assert in_words([1.0, 2.0]).endswith("1.0, 2.0")
    assert [change_in_words(each) for each in (None, 0.0, 1.2, -3.0)] == [
        "First score",
        "No change",
        "Up 1.2",
        "Down 3.0",
    ]
