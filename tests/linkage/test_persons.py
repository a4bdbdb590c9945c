"""Persons, homes and decisions over a small town, from facts to ids."""

import math
from collections.abc import Iterator

import polars as pl
import pytest

from linkage_models.models import Model
from pipelines.linkage import choice
from pipelines.linkage.certainty import calibration_of, least_asked, stop_of
from pipelines.linkage.company import GAINED, load_company, may_gain, name_gainers, with_company
from pipelines.linkage.constraints import load_decisions
from pipelines.linkage.doubts import REVIEW_EDGE
from pipelines.linkage.edges import build_edge
from pipelines.linkage.explain import Looked, explain, explain_person
from pipelines.linkage.graph import NODE_EDGE, load_graph, write_nodes
from pipelines.linkage.homes import HOUSEHOLD, HOUSEHOLD_MEMBER, PROPERTY_ID, build_households, build_property_id
from pipelines.linkage.named_records import UnknownRecord
from pipelines.linkage.persons import LEDGER, MEMBERSHIP, PERSON, build_persons
from pipelines.people.records import RECORD, build_record, build_record_address
from pipelines.people.touched import PERSONS, unsettle
from pipelines.view_edges import COMPANY, EDGE, open_view_edges
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.linkage.facts_of_town import EACH_PERSON, load
from tests.linkage_models.small_town import SOURCES, Town, build

FRAUD = ["council_tax", "benefits", "electoral_register", "housing"]
RISK = ["council_tax", "benefits", "housing", "adult_social_care"]
VIEWS = {"fraud": FRAUD, "risk": RISK, "data_quality": list(SOURCES)}
KEY = b"i" * 32


def linked(
    wh: Warehouse, town: Town, without: tuple[str, ...] = (), decisions: tuple[dict[str, str], ...] = ()
) -> dict[str, int]:
    load(wh, town, without)
    build_record_address(wh)
    build_record(wh, b"k" * 32, EACH_PERSON)
    build_edge(wh, VIEWS)
    return link_again(wh, decisions)


def link_again(wh: Warehouse, decisions: tuple[dict[str, str], ...] = ()) -> dict[str, int]:
    load_decisions(wh, list(decisions))
    figures = build_persons(wh, VIEWS, KEY)
    build_property_id(wh, KEY)
    return figures | build_households(wh, VIEWS, KEY)


@pytest.fixture(scope="module")
def town() -> Town:
    return build(1500, seed=5)


@pytest.fixture(scope="module")
def shared(town: Town) -> Iterator[Warehouse]:
    """Linked once; its users only read."""
    with scratch_warehouse() as wh:
        linked(wh, town)
        yield wh


def test_links_are_right(shared: Warehouse, town: Town) -> None:
    shared.con.register("truth", town.truth)
    found, right, real = shared.rows(
        f"""SELECT count(*) FILTER (l.person_id = r.person_id), count(*) FILTER (l.person_id = r.person_id AND
            a.person_id = b.person_id),
        count(*) FILTER (a.person_id = b.person_id)
        FROM truth a JOIN truth b ON a.record_id < b.record_id
        JOIN {MEMBERSHIP} l ON l.view = 'data_quality' AND l.record_id = a.record_id
        JOIN {MEMBERSHIP} r ON r.view = 'data_quality' AND r.record_id = b.record_id"""
    )[0]
    shared.con.unregister("truth")
    assert right / found > 0.9 and right / real > 0.75  # a town of few names, and a model that expects many


def test_a_view_does_not_know_the_sources_outside_it(shared: Warehouse, town: Town) -> None:
    with scratch_warehouse() as wh:
        linked(wh, town, without=("adult_social_care",))
        for table in (MEMBERSHIP, PERSON, REVIEW_EDGE, HOUSEHOLD, HOUSEHOLD_MEMBER):
            query = f"SELECT * FROM {table} WHERE view = 'fraud'"
            assert shared.rows(query) == wh.rows(query), table


def test_row_order_and_threads_do_not_matter(shared: Warehouse, town: Town) -> None:
    shuffled = Town(town.records.sample(fraction=1, shuffle=True, seed=9), town.truth)
    with scratch_warehouse(threads=3) as wh:
        linked(wh, shuffled)
        assert shared.rows(f"SELECT * FROM {MEMBERSHIP} ORDER BY ALL") == wh.rows(
            f"SELECT * FROM {MEMBERSHIP} ORDER BY ALL"
        )
        kept = "record_l, record_r, match_weight, match_key, tier"
        assert shared.rows(f"SELECT {kept} FROM {EDGE} ORDER BY ALL") == wh.rows(
            f"SELECT {kept} FROM {EDGE} ORDER BY ALL"
        )


def test_a_second_run_changes_nothing(town: Town) -> None:
    with scratch_warehouse() as wh:
        linked(wh, town)
        tables = (MEMBERSHIP, PERSON, LEDGER, HOUSEHOLD, HOUSEHOLD_MEMBER, PROPERTY_ID)
        before = {table: wh.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in tables}
        link_again(wh)
        assert {table: wh.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in tables} == before


def test_edges_hold_no_value(shared: Warehouse) -> None:
    columns = set(shared.columns(EDGE))
    assert not columns & {"forename", "surname", "birth_date", "nino", "forename_l", "surname_l"}
    assert {
        "record_l",
        "record_r",
        "source_l",
        "source_r",
        "match_weight",
        "match_probability",
        "tier",
        "gamma_forename",
    } <= columns
    assert shared.scalar(f"SELECT count(*) FROM {EDGE} WHERE record_l >= record_r") == 0


def test_ids_say_nothing_and_differ_between_views(shared: Warehouse) -> None:
    ids = [row[0] for row in shared.rows(f"SELECT person_id FROM {PERSON}")]
    assert len(set(ids)) == len(ids) and all(len(i) == 17 and i[0] == "p" for i in ids)


def decision(wh: Warehouse, kind: str, left: str, right: str) -> dict[str, str]:
    seen = dict(wh.rows(f"SELECT record_id, fingerprint FROM {RECORD} WHERE record_id IN (?, ?)", [left, right]))
    return {
        "kind": kind,
        "record_l": left,
        "record_r": right,
        "fingerprint_l": seen[left],
        "fingerprint_r": seen[right],
    }


def together(wh: Warehouse, left: str, right: str) -> bool:
    return (
        len(
            wh.rows(
                f"SELECT DISTINCT person_id FROM {MEMBERSHIP} WHERE view = 'data_quality' AND record_id IN (?, ?)",
                [left, right],
            )
        )
        == 1
    )


def test_decisions_hold_until_the_record_changes(town: Town) -> None:
    with scratch_warehouse() as wh:
        linked(wh, town)
        strong = wh.rows(f"SELECT record_l, record_r FROM {EDGE} ORDER BY match_weight DESC, record_l LIMIT 1")[0]
        strangers = wh.rows(f"SELECT min(record_id), max(record_id) FROM {RECORD} WHERE source = 'housing'")[0]
        apart, joined = decision(wh, "cannot_link", *strong), decision(wh, "must_link", *strangers)
        assert together(wh, *strong) and not together(wh, *strangers)
        link_again(wh, (apart, joined))
        assert not together(wh, *strong) and together(wh, *strangers)
        assert wh.scalar(f"SELECT count(*) FROM {LEDGER} WHERE event = 'split' AND view = 'data_quality'") >= 1
        link_again(wh, (apart, joined | {"fingerprint_l": "0" * 32}))
        assert not together(wh, *strangers)
        assert (
            wh.scalar(
                f"SELECT count(*) FROM {REVIEW_EDGE} WHERE view = 'data_quality' AND reason LIKE 'decision suspended%'"
            )
            == 1
        )


def test_one_household_per_home_and_time(shared: Warehouse) -> None:
    assert (
        shared.scalar(f"SELECT count(*) FROM (SELECT view, uprn FROM {HOUSEHOLD} GROUP BY ALL HAVING count(*) > 1)")
        == 0
    )
    missing = shared.scalar(
        f"SELECT count(*) FROM {MEMBERSHIP} m JOIN {RECORD} r USING (record_id) WHERE r.uprn IS NOT NULL AND"
        f" m.view = 'fraud'"
        f" AND m.person_id NOT IN (SELECT person_id FROM {HOUSEHOLD_MEMBER} WHERE view = 'fraud')"
    )
    assert missing == 0


def test_explain_says_why(shared: Warehouse) -> None:
    strong = shared.rows(f"SELECT record_l, record_r FROM {EDGE} ORDER BY match_weight DESC, record_l LIMIT 1")[0]
    told = explain(shared, *strong, Looked("data_quality"))
    assert "one person" in told.sentences[0] and any("compared because" in each for each in told.sentences)
    weight = shared.scalar(f"SELECT match_weight FROM {EDGE} WHERE record_l = ? AND record_r = ?", list(strong))
    assert f"{weight:+.1f} bits" in told.sentences[1]
    ((_, columns, steps),) = [table for table in told.tables if table[0] == "Evidence"]
    assert columns[2:4] == ("weight", "total")
    assert sum(step[2] for step in steps) == pytest.approx(steps[-1][3], abs=0.05)
    with pytest.raises(UnknownRecord, match="The second is not in the view data_quality: no source of this run"):
        explain(shared, strong[0], "nobody:1#1", Looked("data_quality"))


def test_explain_names_what_kept_a_pair_from_being_compared_and_apart(shared: Warehouse) -> None:
    left, right = shared.rows(
        f"SELECT min(record_id), max(record_id) FROM {RECORD} JOIN {MEMBERSHIP} USING (record_id) "
        "WHERE source = 'electoral_register' AND view = 'data_quality'"
    )[0]
    made = decision(shared, "cannot_link", left, right) | {
        "decision_id": 12,
        "made_at": "2026-10-03T",
        "made_by": "ann",
    }
    told = explain(shared, left, right, Looked("data_quality", [made]))
    text = "\n".join(told.sentences)
    assert "never compared" in text, text
    assert "Decision 12 of 2026-10-03, by ann, keeps" in text
    assert "holds a person only once" in text and "on average the evidence weighs" in text
    tables = {title: rows for title, _, rows in told.tables}
    assert tables["Decisions on these records"] == [(12, "2026-10-03", "ann", "cannot link", left, right, "holds")]
    compared = shared.scalar(f"SELECT count(*) FROM {EDGE} WHERE record_l = ? AND record_r = ?", [left, right])
    assert compared == 0


def test_explain_a_person_shows_where_it_would_break(shared: Warehouse) -> None:
    person, records = shared.rows(
        f"SELECT person_id, count(*) AS n FROM {MEMBERSHIP} WHERE view = 'data_quality' GROUP BY 1 ORDER BY 2 DESC, 1"
    )[0]
    told = explain_person(shared, person, Looked("data_quality"))
    assert f"{records} records" in told.sentences[0]
    tables = {title: rows for title, _, rows in told.tables}
    holding = tables["What holds it together, strongest first"]
    assert len(tables["Records"]) == records and len(holding) == records - 1
    assert [row[2] for row in holding] == sorted((row[2] for row in holding), reverse=True)
    with pytest.raises(UnknownRecord, match="no person of the view fraud"):
        explain_person(shared, person, Looked("fraud"))


def test_a_record_never_to_be_linked_is_compared_with_none(shared: Warehouse) -> None:
    left, right = shared.rows(f"SELECT record_l, record_r FROM {EDGE} ORDER BY match_weight DESC, record_l LIMIT 1")[0]
    shared.execute("BEGIN TRANSACTION")
    try:
        shared.execute(f"UPDATE {RECORD} SET sensitivity = 'adoption' WHERE record_id = ?", [left])
        told = explain(shared, left, right, Looked("data_quality"))
    finally:
        shared.execute("ROLLBACK")
    assert told.tables == ()
    assert [sentence.split(":")[0] for sentence in told.sentences] == [
        "One of the two records is marked as never to be linked"
    ]


def test_a_pair_has_in_a_view_the_probability_of_its_weight_there(shared: Warehouse) -> None:
    load_decisions(shared, [])
    write_nodes(shared)
    beside = "record_l AS beside_l, record_r AS beside_r"
    shared.execute(
        f"CREATE OR REPLACE TEMP TABLE {GAINED} AS SELECT record_l, record_r, match_weight, 2.5 AS bits, {beside}"
        f" FROM {NODE_EDGE} WHERE record_l % 2 = 0"
    )
    name_gainers(shared)
    everyone = load_graph(shared, may_gain(True), 0.0, -math.inf)
    try:
        with_company(shared, "fraud", VIEWS["fraud"], everyone)
        open_view_edges(shared, "fraud")
        columns = "v.match_weight AS weight, v.match_probability AS said, v.match_weight - e.match_weight AS bits"
        told = shared.frame(f"SELECT {columns} FROM view_edge v JOIN {EDGE} e USING (record_l, record_r)")
        assert set(told["bits"].round(9)) == {0.0, 2.5}
        said = calibration_of(shared).probability(told["weight"].to_numpy())
        assert abs(said - told["said"].to_numpy()).max() < 1e-9
        open_view_edges(shared, "risk")
        assert shared.scalar(f"SELECT count(*) FROM (FROM view_edge EXCEPT FROM {EDGE})") == 0
    finally:
        shared.execute(f"DELETE FROM {COMPANY}")


def test_pairs_that_decide_nothing_change_nothing(shared: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = (f"FROM {MEMBERSHIP}", f"FROM {REVIEW_EDGE}", "FROM identity.linkage.threshold", f"FROM {COMPANY}")
    found, held = [], []
    shared.execute("BEGIN TRANSACTION")
    try:
        for least in (None, -math.inf):
            if least is not None:
                monkeypatch.setattr("pipelines.linkage.persons.least_asked", lambda *_: -math.inf)
            unsettle(shared, PERSONS)
            load_decisions(shared, [])
            build_persons(shared, VIEWS, KEY)
            found.append([sorted(shared.rows(query), key=repr) for query in asked])
            write_nodes(shared)
            load_company(shared)
            at = least_asked(shared, 0.0) if least is None else least
            held.append(len(load_graph(shared, may_gain(True), 0.0, at).edges.left))
    finally:
        shared.execute("ROLLBACK")
    assert found[0] == found[1]
    assert held[0] < held[1] == shared.scalar(f"SELECT count(*) FROM {NODE_EDGE}")


def test_a_stated_target_raises_the_level_of_each_view_until_it_is_expected(shared: Warehouse) -> None:
    members = f"SELECT view, person_id, list(record_id ORDER BY record_id) FROM {MEMBERSHIP} GROUP BY ALL"
    before = {(view, record): set(held) for view, _, held in shared.rows(members) for record in held}
    assert not shared.exists("identity.linkage.stop_level") and stop_of(shared, "risk", 0.0) == 0.0
    shared.execute("BEGIN TRANSACTION")
    try:
        load_decisions(shared, [])
        told = build_persons(shared, VIEWS, KEY, 0.9995, stated=True)
        after = [(view, held) for view, _, held in shared.rows(members)]
        rows = shared.rows("SELECT view, stop, expected FROM identity.linkage.stop_level")
        assert told["clustered"].startswith("everyone") and [view for view, *_ in rows] == sorted(VIEWS)
        assert all(expected >= 0.9995 for *_, expected in rows)
        assert all(stop_of(shared, view, 0.0) == stop > 0 for view, stop, _ in rows)
        # what joins less: persons fall apart, none takes in another's record
        assert len(after) > len({frozenset(held) | {view} for (view, _), held in before.items()})
        assert sum(not before[view, held[0]].issuperset(held) for view, held in after) <= len(after) / 100
    finally:
        shared.execute("ROLLBACK")


def test_a_model_for_other_columns_gives_way_to_one_trained_here(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = choice.pinned()
    other = Model("other", 1, pinned.settings | {"comparisons": pinned.settings["comparisons"][:3]}, pinned.terms)
    monkeypatch.setattr("linkage_models.thresholds.U_PAIRS", 200_000)
    with scratch_warehouse() as wh:
        load(wh, town)
        build_record_address(wh)
        build_record(wh, b"k" * 32, EACH_PERSON)
        found = build_edge(wh, VIEWS, other, "mine")
        assert "trained here, not calibrated: the model other of the settings does not fit" in found.chosen
        assert found.trained and found.model.version == "mine" and found.model.design == "council"
        read_by_all = set.intersection(*map(set, VIEWS.values()))
        assert set(found.model.card["trained_on"]["sources"]) == read_by_all
        again = build_edge(wh, VIEWS, other, "not again")
        assert not again.trained and again.model.version == "mine" and "in an earlier run" in again.chosen
        assert build_edge(wh, VIEWS, found.model).chosen == "mine, as the settings say"


def test_no_people_at_all(town: Town) -> None:
    with scratch_warehouse() as wh:
        figures = linked(wh, Town(town.records.head(0), town.truth.head(0)))
        assert figures["persons in fraud"] == 0


def test_one_source_of_identical_records() -> None:
    row = build(60, seed=1).records.filter(pl.col("source") == "housing").head(1)
    many = pl.concat(
        [row.with_columns(record_id=pl.lit(f"housing:{n}/1#1"), source_key=pl.lit(f"{n}/1")) for n in range(40)]
    )
    with scratch_warehouse() as wh:
        linked(wh, Town(many, pl.DataFrame()))
        assert wh.scalar(f"SELECT count(DISTINCT person_id) FROM {MEMBERSHIP} WHERE view = 'fraud'") == 1


def test_ids_and_decisions_outlast_a_system_that_changes_its_keys(town: Town) -> None:
    with scratch_warehouse() as wh:
        load(wh, town)
        alone = "source = 'housing'"
        wh.execute(f"DELETE FROM identity.facts.person_record WHERE NOT {alone}")
        build_record_address(wh)
        build_record(wh, b"k" * 32, EACH_PERSON)
        build_edge(wh)
        link_again(wh)
        before = dict(wh.rows(f"SELECT record_id, person_id FROM {MEMBERSHIP} WHERE view = 'data_quality'"))
        first, second = sorted(before)[:2]
        apart = {"kind": "cannot_link", "record_l": first, "record_r": second}
        # the new system's keys; one slot of the crosswalk is somebody else's
        wh.execute(
            "INSERT INTO identity.facts.person_record BY NAME SELECT * REPLACE ('housing:N' || source_key || '#1' AS"
            " record_id, 'N' || source_key AS source_key) FROM identity.facts.person_record"
        )
        wh.execute("UPDATE identity.facts.person_record SET valid_to = DATE '2026-11-30' WHERE source_key[1] <> 'N'")
        wrong = sorted(before)[-1]
        wh.execute(
            "UPDATE identity.facts.person_record SET forename = 'Zzyzx', surname = 'Qwyjibo', birth_date ="
            " DATE '1951-02-03' WHERE source_key = 'N' || ? AND valid_to IS NULL",
            [wrong.removeprefix("housing:").removesuffix("#1")],
        )
        wh.table(
            "identity.facts.former_key",
            "SELECT record_id, source_key[2:] AS former_key, DATE '2026-11-30' AS changed_on, source FROM"
            " identity.facts.person_record WHERE valid_to IS NULL",
        )
        build_record_address(wh)
        build_record(wh, b"k" * 32, EACH_PERSON)
        build_edge(wh)
        link_again(wh, (apart,))
        now = dict(wh.rows(f"SELECT record_id, person_id FROM {MEMBERSHIP} WHERE view = 'data_quality'"))
        renamed = {old: f"housing:N{old.removeprefix('housing:')}" for old in before}
        assert set(now) == set(renamed.values())
        assert wrong.endswith("#1") and now[renamed[wrong]] not in before.values()
        alike = [old for old in before if list(before.values()).count(before[old]) == 1 and old != wrong]
        assert len(alike) > 100 and all(now[renamed[old]] == before[old] for old in alike)
        kept = wh.rows("SELECT record_l, record_r FROM cannot_link")
        assert [tuple(sorted(pair)) for pair in kept] == [tuple(sorted((renamed[first], renamed[second])))]
