"""Households: who lived in one home, and when."""

from datetime import date

import duckdb

from linkage_models.households import form_households

STAYS = """
    ('old', 'council_tax', 'p_old', 1, DATE '2010-01-01', DATE '2015-06-30', false),
    ('new', 'council_tax', 'p_new', 1, DATE '2016-02-01', NULL, true),
    ('gone', 'council_tax', 'p_gone', 1, DATE '2016-02-01', NULL, true),
    ('gone, registered', 'deaths', 'p_gone', 1, NULL, DATE '2026-03-01', false),
    ('brief', 'council_tax', 'p_brief', 1, DATE '2015-06-10', DATE '2016-02-11', false),
    ('care', 'adult_social_care', 'p_care', 2, DATE '2020-01-01', NULL, true)
"""


def households() -> dict[str, tuple[int, date | None, date | None]]:
    con = duckdb.connect()
    columns = "record_id, source, person_id, uprn, from_date, to_date, is_current"
    con.execute(f"CREATE TABLE stay AS SELECT * FROM (VALUES {STAYS}) AS t({columns})")
    con.execute("CREATE TABLE dead AS SELECT 'all' AS view, 'p_gone' AS person_id, DATE '2026-03-01' AS death_date")
    membership, addresses = (
        "(SELECT 'all' AS view, record_id, source, person_id FROM stay)",
        "(SELECT * EXCLUDE (source, person_id) FROM stay)",
    )
    form_households(con, membership, addresses, "dead", "(SELECT 2 AS uprn)")
    rows = con.execute("SELECT person_id, group_no, from_date, to_date FROM household_now").fetchall()
    assert {group for _, group, *_ in rows} == {1, 2, 3}
    return {person: (group, start, end) for person, group, start, end in rows}


def test_people_of_one_home_are_one_household_while_their_stays_overlap() -> None:
    found = households()
    assert found["p_new"][0] == found["p_gone"][0]
    assert len({found[person][0] for person in ("p_old", "p_brief", "p_new")}) == 3, (
        "a few days are a move, no household"
    )


def test_a_death_ends_a_stay_and_does_not_unsay_its_beginning() -> None:
    assert households()["p_gone"][1:] == (date(2016, 2, 1), date(2026, 3, 1))


def test_a_care_home_is_no_household() -> None:
    assert "p_care" not in households()
