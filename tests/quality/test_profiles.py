"""A few months of one source: calm ones raise nothing, each sudden change raises its rule, and no value is kept."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines.quality.evidence import evidence
from pipelines.quality.gate import judge
from pipelines.quality.profiles import PROFILE, Profile, history, profile
from pipelines.quality.steadiness import steadiness
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.intake import INTAKE, Candidate, make_intake_tables
from pipelines.sources.staging import CandidateTable
from pipelines.warehouse import Warehouse, scratch_warehouse

CONTRACT = load_contracts(Path(__file__).parent / "sources")["lettings"]
FIRST, MONTHS, PEOPLE = date(2026, 6, 15), 5, 1000
NEXT = FIRST + timedelta(days=30 * MONTHS)
CANARY = "Zebediah Quillfeather"
STEADY = ("spread", "changed", "gone", "repeated", "fill_drop", "stalled", "row_count_warning")


def month(wh: Warehouse, number: int, spoil: str = "") -> Candidate:
    """The lettings as they stand in a month: each month fifty new holders, fifty others move."""
    wh.execute("CREATE SCHEMA IF NOT EXISTS memory.incoming")
    home, holder = CONTRACT.candidate("home"), CONTRACT.candidate("holder")
    people, since = PEOPLE + 50 * number, f"{number} - i // 50 % 20"
    wh.execute(
        f"""CREATE OR REPLACE TABLE {home} AS
            SELECT 'H' || 10000 + i AS home_ref, 999000000000 + i AS uprn, 'SS0 7CI' AS postcode, i AS _record
            FROM range({people}) AS r(i)"""
    )
    wh.execute(
        f"""CREATE OR REPLACE TABLE {holder} AS
            SELECT 'H' || 10000 + i AS home_ref, 1::INTEGER AS person_no, CASE WHEN i = 7 THEN '{CANARY}' ELSE
                   repeat(chr((97 + i % 26)::INTEGER), (3 + hash(i) % 9)::INTEGER) || ' Example' END AS full_name,
                   DATE '1940-02-03' + (hash(i) % 20000)::INTEGER AS dob,
                   CASE WHEN i % 4 > 0 THEN 'ZZ' || lpad(i::VARCHAR, 6, '0') || 'T' END AS ni_no,
                   NULL::VARCHAR AS nhs_number, CASE WHEN i % 3 > 0 THEN 'SEC' ELSE 'INT' END AS tenure,
                   DATE '2020-01-01' + (i % 900)::INTEGER AS from_date,
                   CASE WHEN {since} = 0 THEN DATE '2026-06-01' END AS to_date, i AS _record
            FROM range({people}) AS r(i)"""
    )
    for statement in filter(None, spoil.split(";")):
        wh.execute(statement.replace("${holder}", holder))
    tables = {
        name: CandidateTable(table, int(wh.scalar(f"SELECT count(*) FROM {table}")), 0, {})
        for name, table in (("home", home), ("holder", holder))
    }
    before: dict[str, int | None] = dict.fromkeys(tables, PEOPLE + 50 * (number - 1) if number else None)
    return Candidate(CONTRACT, FIRST + timedelta(days=30 * number), number + 1, tables, before)


def sudden(wh: Warehouse, candidate: Candidate) -> set[str]:
    """Rules against earlier extracts that fail."""
    wh.as_of = candidate.extract_date
    found = judge(wh, candidate)
    return {r.rule.name for r in found.results if not r.passed and r.rule.name.endswith(STEADY)}


@pytest.fixture(scope="module")
def wh() -> Iterator[Warehouse]:
    """Five calm months, each taken in; what they raised stands in `raised`."""
    with scratch_warehouse(as_of=NEXT) as warehouse:
        make_intake_tables(warehouse)
        for number in range(MONTHS):
            candidate = month(warehouse, number)
            assert sudden(warehouse, candidate) == set()
            for name, table in candidate.tables.items():
                warehouse.execute(
                    f"CREATE OR REPLACE TABLE {CONTRACT.staged(name)} AS SELECT * EXCLUDE (_record), "
                    f"DATE '{candidate.extract_date}' AS extract_date, NULL::DATE AS valid_to FROM {table.name}"
                )
                warehouse.execute(
                    "INSERT INTO identity.meta.intake (delivery, source, extract_date, state, table_name, rows, supply)"
                    " VALUES (?, 'lettings', ?, 'accepted', ?, ?, 'full')",
                    [candidate.delivery, candidate.extract_date, name, table.rows],
                )
        yield warehouse


def test_a_calm_month_raises_nothing(wh: Warehouse) -> None:
    assert sudden(wh, month(wh, MONTHS)) == set()


@pytest.mark.parametrize(
    ("fault", "spoil", "rules"),
    [
        (
            "day and month swapped",
            "UPDATE ${holder} SET dob = make_date(year(dob), day(dob), month(dob)) WHERE day(dob) <= 12",
            {"holder.dob.changed"},
        ),
        (
            "names cut off",
            "UPDATE ${holder} SET full_name = full_name[:8]",
            {"holder.full_name.changed", "holder.full_name.spread"},
        ),
        ("new keys", "UPDATE ${holder} SET person_no = person_no + 1", {"holder.gone", "holder.person_no.spread"}),
        (
            "rows under a second number",
            "INSERT INTO ${holder} SELECT * REPLACE (2 AS person_no) FROM ${holder}",
            {"holder.person_no.spread", "holder.repeated", "holder.row_count_warning"},
        ),
        (
            "a column that came emptier",
            "UPDATE ${holder} SET ni_no = NULL WHERE _record % 3 = 0",
            {"holder.ni_no.changed", "holder.ni_no.fill_drop", "holder.ni_no.spread"},
        ),
        (
            "one code for all",
            "UPDATE ${holder} SET tenure = 'INT'",
            {"holder.tenure.changed", "holder.tenure.spread"},
        ),
    ],
)
def test_a_sudden_change_raises_its_rules(wh: Warehouse, fault: str, spoil: str, rules: set[str]) -> None:
    assert sudden(wh, month(wh, MONTHS, spoil)) == rules, fault


SHIFTED = (
    "UPDATE ${holder} SET person_no = _record, full_name = home_ref, ni_no = full_name, nhs_number = ni_no, "
    "tenure = nhs_number, from_date = dob, to_date = from_date"
)


def test_columns_that_shifted_refuse_the_extract(wh: Warehouse) -> None:
    found = judge(wh, month(wh, MONTHS, SHIFTED))
    assert not found.accepted
    assert "holder.in_place" in {result.rule.name for result in found.refusals}


def test_what_moves_with_the_year_is_fine_as_lately_or_as_a_year_ago_once_a_year_is_known() -> None:
    yearly = CONTRACT.tables[1].model_copy(update={"seasonal": ("spread",)})
    contract = CONTRACT.model_copy(update={"tables": (yearly,)})
    key = ("holder", "tenure", "code")
    a_year_ago, lately, new = {"SEC": 900, "INT": 100}, {"SEC": 100, "INT": 900}, {"SEC": 500, "INT": 500}

    def told(now: dict[str, int], year_before: list[dict[str, int]]) -> object:
        found = steadiness(contract, {key: now}, [{key: lately}], [{key: each} for each in year_before])
        return found["holder.tenure.spread"]

    assert told(new, []) is None
    assert told(lately, [a_year_ago]) == told(a_year_ago, [a_year_ago]) == "SELECT 1000 AS rows, 0 AS failures"
    assert told(new, [a_year_ago]) == "SELECT 1000 AS rows, 400 AS failures"


@pytest.mark.parametrize(
    ("dates", "fault"),
    [
        ("day - (_record % 300)::INTEGER", "day - (_record % 300 + 2000)::INTEGER"),  # always of the last year
        ("DATE '2020-02-03'", "DATE '2010-02-03'"),  # all of one day, that is five years ago as of this month
    ],
)
def test_a_year_that_passes_moves_no_date(dates: str, fault: str) -> None:
    def told(wh: Warehouse, earlier: list[Profile], day: date, value: str) -> tuple[Profile, object]:
        value = value.replace("day", f"DATE '{day}'")
        candidate = replace(month(wh, 0, f"UPDATE ${{holder}} SET from_date = {value}"), extract_date=day)
        now = profile(wh, candidate)
        return now, steadiness(CONTRACT, now, earlier, [])["holder.from_date.spread"]

    with scratch_warehouse() as wh:
        earlier: list[Profile] = []
        for day in (date(2024, 10, 15), date(2024, 11, 15), date(2024, 12, 15), date(2025, 1, 15), date(2025, 2, 15)):
            now, said = told(wh, earlier, day, dates)
            assert said == ("SELECT 1000 AS rows, 0 AS failures" if earlier else None), day
            earlier.insert(0, now)
        _, said = told(wh, earlier, date(2025, 3, 15), fault)
        assert said == "SELECT 1000 AS rows, 1000 AS failures"


@pytest.mark.parametrize(
    ("known", "rows", "verdict"),
    [
        (None, 450, True),  # the end of a school year takes half
        (None, 350, False),
        ((-360, 500), 450, True),
        ((-360, 500), 350, False),
        ((-360, 990), 450, False),
        ((30, 1000), 2400, True),  # the end of a school year lies between it and the one that has come
        ((30, 1000), 2600, False),
    ],
)
def test_how_many_rows_a_table_of_the_year_must_have_follows_a_year_ago(
    known: tuple[int, int] | None, rows: int, verdict: bool
) -> None:
    yearly = CONTRACT.tables[0].model_copy(update={"seasonal": ("rows",)})
    contract = CONTRACT.model_copy(update={"tables": (yearly,), "checks": ()})
    with scratch_warehouse() as wh:
        make_intake_tables(wh)
        if known:
            wh.execute(
                f"INSERT INTO {INTAKE} (delivery, source, extract_date, state, supply, table_name, rows)"
                " VALUES (1, ?, ?, 'accepted', 'full', 'home', ?)",
                [contract.name, NEXT + timedelta(days=known[0]), known[1]],
            )
        table = CandidateTable("nowhere", rows, 0, {})
        found = evidence(wh, Candidate(contract, NEXT, 2, {"home": table}, {"home": 1000}), {})
    assert (found["home.critical.low"] <= rows <= found["home.critical.high"]) is verdict
    assert (found["home.warning.low"] is None) is (known is None or known[0] > 0)


def test_a_feed_that_stopped_is_seen(wh: Warehouse) -> None:
    last = month(wh, MONTHS - 1)
    again = Candidate(CONTRACT, NEXT, MONTHS + 1, last.tables, last.previous)
    assert sudden(wh, again) >= {"holder.stalled", "home.stalled"}


def test_the_sender_may_announce_a_break(wh: Warehouse) -> None:
    spoiled = month(wh, MONTHS, "UPDATE ${holder} SET person_no = person_no + 1, tenure = 'INT'")
    announced = Candidate(CONTRACT, NEXT, MONTHS + 1, spoiled.tables, dict.fromkeys(spoiled.tables))
    assert sudden(wh, announced) == set()


def test_only_counts_of_many_rows_are_kept(wh: Warehouse) -> None:
    kept = wh.rows(f"SELECT column_name, measure, cell, count FROM {PROFILE}")
    assert len(kept) > 100
    assert all(count >= 10 for _, _, cell, count in kept if cell != "few")
    known = {"SEC", "INT", "no code", "yes", "no", "few", "ahead"}
    assert {cell for _, _, cell, _ in kept if not cell.lstrip("-").replace(".", "").isdigit()} <= known
    assert not [row for row in kept if "Zebediah" in repr(row) or "Quillfeather" in repr(row)]


def test_history_is_of_accepted_extracts_alone(wh: Warehouse) -> None:
    sudden(wh, month(wh, MONTHS))  # judged, never taken in
    assert list(history(wh, CONTRACT, NEXT + timedelta(days=1))) == [
        FIRST + timedelta(days=30 * number) for number in reversed(range(MONTHS))
    ]
