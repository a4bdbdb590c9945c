"""Figures are counted from what a run holds; what is not there says so."""

from collections.abc import Iterator
from datetime import date

import pytest

from pipelines.reporting.figures import COUNTED, Figures, collect
from pipelines.reporting.rows import AddressMatch, ClusterSize, Coverage, Fault, LinkBand, Overlap, Refusal, SourceTable
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.reporting.sample import figures

JUNE, JULY = date(2026, 6, 30), date(2026, 7, 31)


@pytest.fixture
def wh() -> Iterator[Warehouse]:
    with scratch_warehouse() as opened:
        yield opened


def make(wh: Warehouse, name: str, columns: str, *rows: str) -> None:
    wh.table(f"identity.{name}", f"SELECT * FROM (VALUES {', '.join(rows)}) AS t({columns})")


def take_in(wh: Warehouse) -> None:
    make(
        wh,
        "meta.intake",
        "delivery, source, extract_date, table_name, rows, set_aside, state, reason, synthetic",
        f"(1, 'homes', DATE '{JUNE}', 'tenancy', 90, 1, 'accepted', NULL, true)",
        f"(2, 'homes', DATE '{JULY}', 'tenancy', 100, 2, 'accepted', NULL, true)",
        f"(3, 'homes', DATE '{JUNE}', 'tenancy', 91, 1, 'accepted', NULL, true)",
        f"(4, 'homes', DATE '{JUNE}', 'tenancy', 91, 1, 'refused', 'too few rows', true)",
        f"(5, 'register', DATE '{JULY}', 'elector', NULL, NULL, 'refused', 'cut off at line 9', true)",
    )


def link(wh: Warehouse) -> None:
    """Persons p1 (homes twice, register), p2 (homes), p3 (register) in the widest view."""
    make(
        wh,
        "people.record",
        "record_id, source",
        "('h1', 'homes')",
        "('h2', 'homes')",
        "('h3', 'homes')",
        "('e1', 'register')",
        "('e2', 'register')",
    )
    make(
        wh,
        "linkage.membership",
        "view, record_id, person_id",
        "('data_quality', 'h1', 'p1')",
        "('data_quality', 'h2', 'p1')",
        "('data_quality', 'e1', 'p1')",
        "('data_quality', 'h3', 'p2')",
        "('data_quality', 'e2', 'p3')",
        "('risk', 'h3', 'q1')",
    )
    make(
        wh,
        "linkage.household",
        "view, household_id, to_date",
        "('data_quality', 'x', NULL)",
        f"('data_quality', 'y', DATE '{JUNE}')",
    )


def test_an_empty_run_says_of_each_part_why_it_is_not_there(wh: Warehouse) -> None:
    found = collect(wh, {})
    for count in COUNTED:
        part = getattr(found, count.part)
        assert part.rows == () and part.absent, count.part
    assert found.steps.absent and found.releases.absent and found.scorecard.absent
    assert not found.synthetic


def test_the_newest_extract_counts_whenever_it_was_taken_in(wh: Warehouse) -> None:
    take_in(wh)
    assert collect(wh, {}).sources.rows == (SourceTable("homes", "tenancy", JULY, 100, 2),)


def test_a_refusal_stands_until_a_newer_extract_replaces_it(wh: Warehouse) -> None:
    take_in(wh)
    assert collect(wh, {}).refusals.rows == (Refusal("register", JULY, "cut off at line 9"),)


def test_faults_are_those_of_the_newest_extract(wh: Warehouse) -> None:
    take_in(wh)
    make(
        wh,
        "staged.fault",
        "source, delivery, table_name, column_name, reason, kind",
        "('homes', 1, 'tenancy', 'cot', 'not_a_date', 'value')",
        "('homes', 2, 'tenancy', 'cot', 'not_a_date', 'value')",
        "('homes', 2, 'tenancy', 'cot', 'not_a_date', 'value')",
        "('homes', 2, 'tenancy', NULL, 'key_missing', 'row')",
    )
    assert collect(wh, {}).faults.rows == (
        Fault("homes", "tenancy", "cot", "value", "not_a_date", 2),
        Fault("homes", "tenancy", None, "row", "key_missing", 1),
    )


def test_addresses_are_counted_once_though_history_holds_them_twice(wh: Warehouse) -> None:
    make(wh, "places.address_uprn", "address_id, method", "('homes:1', 'given')", "('homes:2', 'unmatched')")
    make(
        wh,
        "facts.address",
        "address_id, source, valid_to",
        f"('homes:1', 'homes', DATE '{JUNE}')",
        "('homes:1', 'homes', NULL)",
        "('homes:2', 'homes', NULL)",
    )
    assert collect(wh, {}).addresses.rows == (AddressMatch("homes", "given", 1), AddressMatch("homes", "unmatched", 1))


def test_match_weights_fall_into_bands_with_open_ends(wh: Warehouse) -> None:
    weights = (-30.0, -8.0, -4.1, -4.0, 0.0, 3.9, 12.0, 40.0, 95.5)
    make(wh, "linkage.edge", "tier, match_weight", *(f"('model', {weight}::DOUBLE)" for weight in weights))
    assert collect(wh, {}).links.rows == (
        LinkBand("model", -8, 3),
        LinkBand("model", -4, 1),
        LinkBand("model", 0, 2),
        LinkBand("model", 12, 1),
        LinkBand("model", 40, 2),
    )


def test_coverage_and_overlap_count_persons_not_records(wh: Warehouse) -> None:
    link(wh)
    found = collect(wh, {})
    assert found.coverage.rows == (Coverage("homes", 3, 2, 2 / 3), Coverage("register", 2, 2, 2 / 3))
    assert found.overlap.rows == (
        Overlap("homes", "homes", 2),
        Overlap("homes", "register", 1),
        Overlap("register", "homes", 1),
        Overlap("register", "register", 2),
    )


def test_views_and_cluster_sizes(wh: Warehouse) -> None:
    link(wh)
    found = collect(wh, {})
    assert [(v.view, v.records, v.persons, v.households) for v in found.views.rows] == [
        ("data_quality", 5, 3, 1),
        ("risk", 1, 1, 0),
    ]
    assert found.cluster_sizes.rows == (
        ClusterSize("data_quality", 1, 2),
        ClusterSize("data_quality", 3, 1),
        ClusterSize("risk", 1, 1),
    )


def test_explained_pairs_are_counted_but_worth_nothing(wh: Warehouse) -> None:
    make(
        wh,
        "fraud.flagged_pair",
        "rule, strength, expected_retained",
        "('deceased', 'high', 100.5)",
        "('deceased', 'high', 20)",
    )
    make(wh, "fraud.explained", "rule", "('deceased')")
    assert [(p.strength, p.pairs, p.expected) for p in collect(wh, {}).flagged.rows] == [
        ("explained", 1, 0),
        ("high", 2, 120.5),
    ]


def test_a_fact_without_current_rows_is_named_as_what_is_missing(wh: Warehouse) -> None:
    make(wh, "facts.death", "record_id, valid_to", f"('x', DATE '{JUNE}')")
    make(wh, "facts.tenancy", "record_id, valid_to", "('x', NULL::DATE)")
    gaps = {gap.what: gap.why for gap in collect(wh, {}).left_out.rows}
    assert (
        gaps["Flagged pairs: benefit, discount, tenancy or permit of the dead"]
        == "no source at hand provides death facts"
    )
    assert "Flagged pairs: two tenancies of one person" not in gaps


def test_releases_are_those_that_stood_when_the_run_ended(wh: Warehouse) -> None:
    manifest = {"release": "one", "purpose": "risk", "rows": 90, "rows_left_out": 4, "k_asked": 10, "k_measured": 11}
    notes = {"releases": [manifest | {"columns": ["tier"]}]}
    assert [vars(release) for release in collect(wh, {"notes": notes}).releases.rows] == [manifest]


def test_steps_and_names_come_from_the_summary_of_the_run(wh: Warehouse) -> None:
    timing = {"step": "facts", "seconds": 1.5, "cpu_seconds": 2.0, "peak_memory": 10}
    found = collect(wh, {"timings": [timing], "notes": {"council": "A council", "titles": {"homes": "Homes"}}})
    assert [vars(step) for step in found.steps.rows] == [timing]
    assert (found.council, found.titles) == ("A council", {"homes": "Homes"})


def test_lists_of_people_are_told_in_one_line_what_only_a_council_asks(wh: Warehouse) -> None:
    make(wh, "facts.person_record", "record_id, valid_to", "('x', NULL::DATE)")
    (gap,) = collect(wh, {}).left_out.rows
    assert gap.what.startswith("What only a council asks")
    make(wh, "facts.death", "record_id, valid_to", "('x', NULL::DATE)")
    assert len(collect(wh, {}).left_out.rows) > 5


def test_crowds_left_out_are_told_by_what_the_rules_say_and_not_by_their_notes(wh: Warehouse) -> None:
    columns, rules = "rule, pairs, note, leaves_out", ("('name', 9, 'narrowed', false)", "('home', 0, 'a crowd', true)")
    make(wh, "linkage.blocking_rule", columns, *rules)
    told = [gap.why for gap in collect(wh, {}).left_out.rows if gap.what.startswith("Pairs within crowds")]
    assert len(told) == 1 and told[0].startswith("by 1 of 2 blocking rules, such as home, a crowd")
    make(wh, "linkage.blocking_rule", columns, rules[0])
    assert not any(gap.what.startswith("Pairs within") for gap in collect(wh, {}).left_out.rows)


def test_what_intake_said_in_this_run_is_told_though_no_table_holds_it(wh: Warehouse) -> None:
    take_in(wh)
    early = {"state": "refused", "extract_date": None, "reason": "a symbolic link", "notes": []}
    waits = {"state": "waiting", "extract_date": "2026-07-31", "reason": "no manifest yet", "notes": []}
    known = {"state": "refused", "extract_date": "2026-07-31", "reason": "cut off at line 9", "notes": []}
    noted = {"state": "accepted", "extract_date": "2026-07-31", "reason": None, "notes": ["3 rows left out"]}
    notes = {"intake": {"homes": [early, noted], "register": [known, waits]}, "left_out": {"risk data": "too few"}}
    notes["may_repeat"] = {"homes": False, "register": True}
    found = collect(wh, {"notes": notes})
    assert found.refusals.rows == (
        Refusal("register", JULY, "cut off at line 9"),
        Refusal("homes", None, "a symbolic link"),
    )
    assert [remark.says for remark in found.remarks.rows] == ["3 rows left out", "waits: no manifest yet"]
    assert vars(found.left_out.rows[0]) == {"what": "risk data", "why": "too few"}
    presumed, open_still = found.left_out.rows[1:3]
    assert "(register)" in presumed.what and "each_person: many" in presumed.why
    assert "(homes)" in open_still.what and "each_person: once" in open_still.why


def test_final_timings_take_the_place_of_those_at_hand_when_the_page_was_written() -> None:
    late = figures().with_steps([{"step": "published", "seconds": 2.0, "cpu_seconds": 1.0, "peak_memory": 5}])
    assert [step.step for step in late.steps.rows] == ["published"]
    assert late.sources == figures().sources


def test_a_run_is_invented_only_if_every_extract_says_so(wh: Warehouse) -> None:
    take_in(wh)
    assert collect(wh, {}).synthetic
    wh.execute("UPDATE identity.meta.intake SET synthetic = false WHERE delivery = 2")
    assert not collect(wh, {}).synthetic


def test_figures_survive_json() -> None:
    assert Figures.from_json(figures().to_json()) == figures()
