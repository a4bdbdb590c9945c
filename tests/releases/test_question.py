"""Questions: a closed language, counts only, protected, noted; nothing reaches a file, a setting or a row."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import numpy as np
import pytest
import sqlalchemy as sa
import yaml

from pipelines.governance.actors import Actor
from pipelines.governance.opt_out import OptOutMissing, import_list
from pipelines.governance.purposes import PurposeRefused
from pipelines.keys.keyring import Keyring
from pipelines.keys.row_macs import RowChanged
from pipelines.operations import Operations
from pipelines.releases import asking, register
from pipelines.releases.asking import Asked, ask
from pipelines.releases.catalogue import askable, catalogue, may_ask
from pipelines.releases.protected_table import presets
from pipelines.releases.question import QuestionRefused, read
from pipelines.releases.register import table_table
from pipelines.releases.seen import open_views, seen_as
from pipelines.releases.sets import ReleaseRefused
from pipelines.risk.attributes import TABLES, build_attributes
from pipelines.risk.scorecard import build_scores, index_month, load_scorecard
from pipelines.settings import DataFolder, now
from pipelines.store_tables import audit_table
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.fraud.given import lay as lay_facts
from tests.releases.borough import TODAY, lay, nhs_list, opt_out, purposes
from tests.risk.test_attributes import GIVEN, households

REFUSED = yaml.safe_load((Path(__file__).parent / "questions.yaml").read_text(encoding="utf-8"))
PURPOSES, ANN, SEEN = purposes(), Actor("ann"), seen_as("commissioning")
BY_WARD = "SELECT ward, count(*) FROM person GROUP BY ward"


@pytest.fixture
def wh() -> Iterator[Warehouse]:
    with scratch_warehouse(TODAY, "run-1") as opened:
        lay(opened, 1500)
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Operations]:
    operations = Operations.open(DataFolder.at(tmp_path / "data").make(), Keyring.ephemeral())
    yield operations
    operations.close()


def asked(
    wh: Warehouse, store: Operations, text: str, rule: str = "k10", purpose: str = "commissioning", who: Actor = ANN
) -> Asked:
    return ask(wh, store, PURPOSES, purpose, text, rule, who)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["ask"][:50])
def test_what_the_language_does_not_hold_is_refused_and_noted(wh: Warehouse, store: Operations, case: dict) -> None:
    with pytest.raises(QuestionRefused) as refused:
        asked(wh, store, case["ask"])
    assert case["says"].lower() in str(refused.value).lower()
    with store.begin() as db:
        assert db.scalars(sa.select(audit_table.c.event)).all() == ["release refused"]


def test_counts_are_protected_and_only_of_people(wh: Warehouse, store: Operations) -> None:
    answer = asked(wh, store, "SELECT p.age_band, count(*) AS people FROM person p WHERE p.ward = 'Leigh' GROUP BY ALL")
    true = dict(wh.rows(f"SELECT age_band, count(*) FROM {SEEN}.person WHERE ward = 'Leigh' GROUP BY 1"))
    assert set(true) == {"20-29", "30-39", "90+"}  # by ten years, as the purpose sees them
    shown = dict(answer.rows())
    assert min(true.values()) < 10 and len(shown) < len(true) - 1  # the small one and another beside it are not there
    assert all(true[band] >= 10 and count % 5 == 0 and abs(count - true[band]) <= 2 for band, count in shown.items())
    assert answer.question.count_as == "people"
    twice = asked(wh, store, "SELECT count(*) FROM person p JOIN service_flag s USING (person_id)")
    people = wh.scalar("SELECT count(DISTINCT person_id) FROM attributes.attributes.service_flag")
    assert abs(twice.table.total - people) <= 2


def test_a_table_that_subtracted_from_an_earlier_one_gives_a_few_people_away_is_refused(
    wh: Warehouse, store: Operations
) -> None:
    first = asked(wh, store, BY_WARD)
    assert asked(wh, store, BY_WARD).table_id == first.table_id  # the same again tells nothing new
    asked(wh, store, "SELECT ward, count(*) FROM person WHERE sex = 'F' GROUP BY ward")
    with pytest.raises(ReleaseRefused, match=rf"With the table {first.table_id} .* fewer than 10"):
        asked(
            wh, store, "SELECT ward, count(*) FROM person WHERE NOT (age_from >= 90 AND ward = 'Leigh') GROUP BY ward"
        )
    with pytest.raises(ReleaseRefused, match="gives away"):
        asked(wh, store, "SELECT count(*) FROM person WHERE NOT (age_from >= 90 AND ward = 'Leigh')")
    with store.begin() as db:
        assert "release refused" in db.scalars(sa.select(audit_table.c.event)).all()


VERY_OLD = "NOT (p.age_from >= 90 AND p.ward = 'Leigh')"


@pytest.mark.parametrize(
    ("first", "then"),
    [  # a cell, a total; one cell under another name; a cell of two things; people as homes
        (BY_WARD, f"SELECT count(*) FROM person p WHERE p.ward = 'Leigh' AND {VERY_OLD}"),
        (f"SELECT count(*) FROM person p WHERE p.ward = 'Leigh' AND {VERY_OLD}", BY_WARD),
        (BY_WARD, f"SELECT lower(p.ward), count(*) FROM person p WHERE ward = 'Leigh' AND {VERY_OLD} GROUP BY ALL"),
        (
            "SELECT sex, ward, count(*) FROM person GROUP BY ALL",
            f"SELECT ward, count(*) FROM person p WHERE sex = 'M' AND {VERY_OLD} GROUP BY ward",
        ),
        (
            "SELECT count(DISTINCT household_id) FROM person WHERE sex = 'M' AND ward = 'Leigh'",
            f"SELECT ward, count(*) FROM person p WHERE sex = 'M' AND ward = 'Leigh' AND {VERY_OLD} GROUP BY ward",
        ),
    ],
)
def test_a_cell_is_held_against_whatever_counts_nearly_as_many(
    wh: Warehouse, store: Operations, first: str, then: str
) -> None:
    asked(wh, store, first)
    with pytest.raises(ReleaseRefused, match="gives away a group of fewer than 10"):
        asked(wh, store, then)


def test_a_cell_that_is_hidden_beside_a_small_one_gives_nothing_away(wh: Warehouse, store: Operations) -> None:
    """By ward, 495 below 90 in Leigh and five above: neither is shown, so 500 in all tells nothing."""
    asked(wh, store, BY_WARD)
    shown = asked(wh, store, "SELECT age_from >= 90, count(*) FROM person WHERE ward = 'Leigh' GROUP BY 1").rows()
    assert shown == []


def test_nothing_tells_that_one_person_of_a_description_exists(wh: Warehouse, store: Operations) -> None:
    """Who knows a neighbour's ward, age and sex asks for that one person, and whether somebody helps them."""
    wh.execute("UPDATE attributes.attributes.person SET ward = 'Shore' WHERE person_id = 'id00107'")
    helped = "SELECT {}count(*) FROM person p JOIN service_flag s USING (person_id) WHERE p.ward = '{}'{}"
    for dims, grouped in (("", ""), ("p.age_band, s.service, ", " GROUP BY ALL")):
        there, nobody = (asked(wh, store, helped.format(dims, ward, grouped)) for ward in ("Shore", "Nowhere"))
        assert there.rows() == nobody.rows() == []
    with store.begin() as db:
        told = db.scalars(sa.select(audit_table.c.detail).where(audit_table.c.event == "question answered")).all()
    assert {json.loads(one)["cells"] for one in told} == {0} and "hidden" not in told[0]


@pytest.mark.parametrize("rule", ["sacro", "midpoint6"])
def test_a_rule_by_which_a_few_questions_tell_of_one_person_is_not_for_questions(
    wh: Warehouse, store: Operations, rule: str
) -> None:
    """By exact counts |A| + |B| - |A or B| is the count of A and B, with every single answer large."""
    with pytest.raises(QuestionRefused, match=f"`{rule}` is for tables that are fixed beforehand.* opensafely, k10"):
        asked(wh, store, BY_WARD, rule)


def test_what_multiplies_the_rows_of_one_person_is_refused(wh: Warehouse, store: Operations) -> None:
    """The time that an answer takes would tell how many rows somebody has."""
    joined = "SELECT count(*) FROM person p" + "".join(f" JOIN {{}} s{at} USING (person_id)" for at in range(3))
    with pytest.raises(QuestionRefused, match="can stand 2 times"):
        asked(wh, store, joined.format(*["service_flag"] * 3))
    with pytest.raises(QuestionRefused, match="4 tables at most"):
        asked(wh, store, joined.format("claim", "score", "claim") + " JOIN tenancy t USING (person_id)")


@pytest.mark.parametrize("deep", ["(" * 1900 + "sex = 'F'" + ")" * 1900, "NOT " * 900 + "sex = 'F'"])
def test_a_question_nested_too_deeply_is_refused_and_noted(wh: Warehouse, store: Operations, deep: str) -> None:
    with pytest.raises(QuestionRefused, match="nested too deeply"):
        asked(wh, store, f"SELECT count(*) FROM person WHERE {deep}")
    with store.begin() as db:
        assert db.scalars(sa.select(audit_table.c.event)).all() == ["release refused"]


def test_whom_the_register_refused_too_often_waits(
    wh: Warehouse, store: Operations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each refusal says that a small group is there; a mistake in the words says nothing, and is free."""
    import_list(store, nhs_list(tmp_path / "list.csv", "9990000018"), date(2026, 10, 25), TODAY, ANN)
    searching = "SELECT count(*) FROM person WHERE NOT (age_from >= 90 AND ward = 'Leigh')"
    asked(wh, store, "SELECT count(*) FROM person")
    asked(wh, store, "SELECT count(*) FROM person", purpose="risk")
    for _ in range(asking.MOST_REFUSED):
        with pytest.raises(QuestionRefused, match="no SQL"):
            asked(wh, store, "how many?")
        with pytest.raises(ReleaseRefused, match="gives away a group of fewer than 10"):
            asked(wh, store, searching)
    with pytest.raises(QuestionRefused, match=rf"{asking.MOST_REFUSED} of your questions .* the next may be asked on"):
        asked(wh, store, BY_WARD)
    with pytest.raises(QuestionRefused, match="the next may be asked on"):  # another purpose is no second purse
        asked(wh, store, BY_WARD, purpose="risk")
    assert asked(wh, store, BY_WARD, who=Actor("bob"))
    monkeypatch.setattr(asking, "now", lambda: now() + timedelta(days=asking.REFUSED_DAYS + 1))
    assert asked(wh, store, BY_WARD)


def test_whoever_opted_out_is_counted_only_where_the_opt_out_does_not_apply(
    wh: Warehouse, store: Operations, tmp_path: Path
) -> None:
    import_list(store, nhs_list(tmp_path / "list.csv", "9990000018"), date(2026, 10, 25), TODAY, ANN)
    out = [
        row[0] for row in wh.rows("SELECT person_id FROM attributes.attributes.person WHERE ward = 'Leigh' LIMIT 90")
    ]
    opt_out(wh, out)
    question = "SELECT count(*) FROM person p JOIN service_flag s USING (person_id)"
    everyone, without = (asked(wh, store, BY_WARD, purpose=name) for name in ("commissioning", "research"))
    assert dict(everyone.rows())["Leigh"] - dict(without.rows())["Leigh"] == len(out)
    assert dict(everyone.rows())["Milton"] == dict(without.rows())["Milton"]
    assert asked(wh, store, question, purpose="research").question.source.count("opted_out") == 2
    opt_out(wh, out[:2])  # those few could be read off the difference of two purposes
    with pytest.raises(ReleaseRefused, match="gives away"):
        asked(wh, store, "SELECT sex, count(*) FROM person GROUP BY sex")
    opt_out(wh, [], None)
    with pytest.raises(OptOutMissing):
        asked(wh, store, BY_WARD, purpose="research")


def random_filter(rng: np.random.Generator) -> str:
    """A condition that often differs from its neighbour by a few people only."""
    parts = [
        f"age_from >= {rng.choice([20, 25, 30, 90])}",
        f"NOT (age_from >= 90 AND ward = '{rng.choice(['Leigh', 'Milton'])}')",
        f"imd_decile <> {rng.choice([1, 3, 5, 7, 9])}",
        f"sex = '{rng.choice(['F', 'M'])}'",
        f"NOT (age_from >= 90 AND imd_decile = {rng.choice([3, 5, 7])})",
    ]
    return " AND ".join(parts[at] for at in sorted(rng.choice(len(parts), size=rng.integers(1, 4), replace=False)))


def prove_pairs(wh: Warehouse, store: Operations, number: int, seed: int) -> tuple[int, int]:
    """Ask random pairs; none that is answered tells of a small group by subtraction. Returns refused and answered."""
    rng, refused = np.random.default_rng(seed), 0
    for pair in range(number):
        with store.begin() as db:  # each pair begins with a register, and an audit, that know of none
            db.exec_driver_sql("DROP TRIGGER IF EXISTS audit_no_delete")
            for table in (table_table, audit_table):
                db.execute(sa.delete(table))
        one, other = random_filter(rng), random_filter(rng)
        by = str(rng.choice(["ward", "sex", "age_band"]))
        text = "SELECT {by}, count(*) FROM person WHERE {where} GROUP BY {by}"
        first = asked(wh, store, text.format(by=by, where=one))
        try:
            second = asked(wh, store, text.format(by=by, where=other), who=Actor(f"ann{pair}"))
        except ReleaseRefused:
            refused += 1
            continue
        members = dict[str, dict[str, set[str]]]()
        for name, where in (("one", one), ("other", other)):
            rows = wh.rows(f"SELECT coalesce({by}, 'not known'), person_id FROM {SEEN}.person WHERE {where}")
            for cell, person in rows:
                members.setdefault(cell, {"one": set(), "other": set()})[name].add(person)
        for cell, held in members.items():
            if first.table.cells.get((cell,)) is not None and second.table.cells.get((cell,)) is not None:
                more, less = len(held["one"] - held["other"]), len(held["other"] - held["one"])
                assert not ((0 < more < 10 and not less) or (0 < less < 10 and not more)), (one, other, cell)
    return refused, number - refused


def test_random_pairs_of_tables_tell_of_no_small_group(wh: Warehouse, store: Operations) -> None:
    refused, answered = prove_pairs(wh, store, 25, seed=5)
    assert refused and answered


@pytest.mark.prove
def test_a_thousand_random_pairs_of_tables_tell_of_no_small_group(wh: Warehouse, store: Operations) -> None:
    refused, answered = prove_pairs(wh, store, 1_000, seed=6)
    assert refused > 20 and answered > 20


def test_one_more_person_in_the_next_run_is_told_only_in_round_numbers(wh: Warehouse, store: Operations) -> None:
    first = asked(wh, store, BY_WARD)
    wh.run_id = "run-2"
    wh.execute("DELETE FROM attributes.attributes.person WHERE person_id = 'id00003'")
    second = asked(wh, store, BY_WARD)
    assert first.table_id != second.table_id
    assert all(count % 5 == 0 for one in (first, second) for _, count in one.rows())


def test_a_purpose_asks_only_what_its_sources_serve(wh: Warehouse, store: Operations) -> None:
    assert set(may_ask(PURPOSES, "commissioning")) == set(catalogue())
    assert set(catalogue()) - set(may_ask(PURPOSES, "research")) == {"activity"}
    for purpose, says in (
        ("fraud", "asks nothing of the attributes"),
        ("debt", "no view"),
        ("weather", "is no purpose"),
    ):
        with pytest.raises(PurposeRefused, match=says):
            asked(wh, store, BY_WARD, purpose=purpose)
    with pytest.raises(PurposeRefused, match="expired on 2027-12-31"):
        ask(wh, store, purposes(date(2028, 1, 1)), "commissioning", BY_WARD, "k10", ANN)
    with pytest.raises(QuestionRefused, match="no rule of protection"):
        asked(wh, store, BY_WARD, "none")
    with store.begin() as db:
        assert db.scalars(sa.select(audit_table.c.event)).all().count("purpose refused") == 4


def test_each_purpose_asks_its_own_view_of_the_attributes(wh: Warehouse, store: Operations, tmp_path: Path) -> None:
    import_list(store, nhs_list(tmp_path / "list.csv", "9990000018"), date(2026, 10, 25), TODAY, ANN)
    by, fine = "SELECT {0}, count(*) FROM person GROUP BY ALL", "SELECT count(*) FROM person WHERE age_from >= 25"
    assert {row[0] for row in asked(wh, store, by.format("age_band"), purpose="risk").rows()} >= {"20-24", "25-29"}
    assert {row[0] for row in asked(wh, store, by.format("lsoa"), purpose="risk").rows()} >= {"E01000001"}
    assert {row[0] for row in asked(wh, store, by.format("lsoa")).rows()} == {"not known"}
    for purpose in ("risk", "commissioning"):  # the same words are of other people
        people = wh.scalar(f"SELECT count(*) FROM {seen_as(purpose)}.person WHERE age_from >= 25")
        assert abs(asked(wh, store, fine, purpose=purpose).table.total - people) <= 2


def test_a_question_that_takes_too_long_is_stopped(wh: Warehouse, store: Operations) -> None:
    wh.execute("CREATE OR REPLACE TABLE attributes.attributes.household AS SELECT range::VARCHAR AS household_id, "
               "'x' AS property_id, 1 AS persons, 'W' AS ward FROM range(3000000)")  # fmt: skip
    open_views(wh, PURPOSES)
    slow = "SELECT ward, count(DISTINCT household_id) FROM household WHERE ward LIKE '%W%' GROUP BY ward"
    with pytest.raises(QuestionRefused, match=r"took more than 0\.01 seconds"):
        ask(wh, store, PURPOSES, "commissioning", slow, "k10", ANN, seconds=0.01)


def test_the_tables_that_are_out_take_nothing_of_a_questions_time(
    wh: Warehouse, store: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*given: Any) -> None:
        until = monotonic() + 0.8
        while monotonic() < until:  # DuckDB at work all the time, for an interrupt to meet
            wh.scalar("SELECT sum(hash(range)) FROM range(500000)")
        register.require_no_difference(*given)

    monkeypatch.setattr(asking, "require_no_difference", slowly)
    assert ask(wh, store, PURPOSES, "commissioning", BY_WARD, "k10", ANN, seconds=0.5).rows()


def test_a_question_that_is_asked_in_every_run_is_held_against_another_once(
    wh: Warehouse, store: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = may_ask(PURPOSES, "commissioning")
    for run in ("run-1", "run-2", "run-3"):
        register.note(store, run, read(BY_WARD, tables, SEEN), presets()["k10"], "question")
    held: list[str] = []
    real = register.gives_away
    monkeypatch.setattr(register, "gives_away", lambda *given: held.append("table") or real(*given))
    asked(wh, store, "SELECT sex, count(*) FROM person GROUP BY ALL")
    assert held == ["table"]


def test_what_runs_is_written_anew_from_what_was_read() -> None:
    said = read(
        "select /* hint */ ward, count(*) from person where sex = 'F' -- and so on\n group by ward",
        askable(),
        seen_as("risk"),
    )
    assert said.members() == (
        "SELECT DISTINCT person.person_id AS unit, TRY((ward)::VARCHAR) AS d0 "
        "FROM memory.\"risk\".person AS person WHERE TRY(sex = 'F')"
    )
    assert read("SELECT count(*) FROM household", askable(), seen_as("risk")).unit == "household.household_id"


def test_the_catalogue_is_of_the_tables_as_they_are_built() -> None:
    with scratch_warehouse() as wh:
        lay_facts(wh, GIVEN, views=("risk",))
        households(wh)
        build_attributes(wh, PURPOSES)
        build_scores(wh, load_scorecard(), index_month(wh.as_of))
        for name, table in catalogue().items():
            built = wh.columns(f"attributes.{table.schema_}.{name}")
            assert set(built) == set(table.columns), name
    assert set(TABLES) | {"score"} == set(catalogue())


@pytest.mark.parametrize("fails", ["CAST(ward AS INT)", "9223372036854775807 + age", "CAST(ward AS DATE)"])
@pytest.mark.parametrize(
    "asked", ["SELECT {}, count(*) FROM person GROUP BY 1", "SELECT count(*) FROM person WHERE {}"]
)
def test_no_error_tells_that_one_person_exists(fails: str, asked: str) -> None:
    columns = {name: SimpleNamespace(kind=kind) for name, kind in (("person_id", "id"), ("ward", ""), ("age", ""))}
    table = SimpleNamespace(schema_="main", columns=columns, ids=lambda: {"person_id"})
    only_if_there = f"CASE WHEN age > 100 THEN CAST({fails} AS VARCHAR) ELSE ward END = ward"
    question = read(asked.format(only_if_there), {"person": cast(Any, table)}, "attributes.main")
    with duckdb.connect() as con:
        con.execute("ATTACH ':memory:' AS attributes")
        con.execute("CREATE TABLE attributes.main.person AS SELECT 'p1' person_id, 'north' ward, 101::BIGINT age")
        con.execute(question.members()).fetchall()


def test_a_table_that_was_taken_out_of_the_register_stops_questions(wh: Warehouse, store: Operations) -> None:
    first = asked(wh, store, "SELECT ward, count(*) FROM person GROUP BY ward")
    with store.begin() as db:
        db.execute(sa.delete(table_table))
    with pytest.raises(RowChanged, match=f"row {first.table_id}: it is gone"):
        asked(wh, store, "SELECT ward, count(*) FROM person WHERE age_from < 80 GROUP BY ward")
