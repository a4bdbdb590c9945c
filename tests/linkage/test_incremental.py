"""A run after a change gives what a run from nothing gives, and scores only what changed."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from linkage_models.models import NAMES_OF, pinned
from pipelines.linkage.choice import Choice
from pipelines.linkage.constraints import load_decisions
from pipelines.linkage.doubts import REVIEW_EDGE
from pipelines.linkage.edges import SCORING, Linked, build_edge
from pipelines.linkage.homes import HOUSEHOLD, HOUSEHOLD_MEMBER, build_households
from pipelines.linkage.persons import MEMBERSHIP, PERSON, build_persons
from pipelines.people.records import RECORD, STANDARDISED, build_record, build_record_address
from pipelines.view_edges import EDGE
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.linkage.facts_of_town import EACH_PERSON, load
from tests.linkage_models.small_town import SOURCES, Town, build

VIEWS = {"fraud": ["council_tax", "benefits", "electoral_register", "housing"], "data_quality": list(SOURCES)}


def prepared(wh: Warehouse, records: pl.DataFrame) -> int:
    """Returns how many records were standardised."""
    load(wh, Town(records, pl.DataFrame()))
    build_record_address(wh)
    return build_record(wh, b"k" * 32, EACH_PERSON)["standardised now"]


def changed(records: pl.DataFrame, rng: np.random.Generator, share: float = 0.04) -> pl.DataFrame:
    """The records of the next delivery: some gone, some new under another key, some with another value."""
    fate = rng.random(records.height) / share
    kept = records.with_columns(pl.Series("fate", fate)).filter(pl.col("fate") > 0.25)
    other = pl.Series("other", rng.permutation(kept.height))
    swap = {
        column: pl.when(pl.col("fate").is_between(low, high)).then(pl.col(column).gather(other)).otherwise(column)
        for column, low, high in (
            ("surname", 0.25, 0.4), ("birth_date", 0.4, 0.55), ("home_key", 0.55, 0.7), ("forename", 0.65, 0.8),
        )
    }  # fmt: skip
    moved = kept.with_columns(**swap)
    copies = moved.filter(pl.col("fate").is_between(0.8, 1.0)).with_columns(
        pl.col("record_id", "source_key").str.replace("^([^#]*)", "${1}new")
    )
    return pl.concat([moved, copies]).drop("fate")


DECISIONS = ("must_link", "cannot_link")


def decisions(wh: Warehouse, rng: np.random.Generator) -> list[dict[str, str]]:
    """Random decisions about pairs: some scored, some of strangers."""
    scored = wh.rows(f"SELECT record_l, record_r FROM {EDGE} ORDER BY record_l, record_r")
    strangers = wh.rows(f"SELECT min(record_id), max(record_id) FROM {RECORD} GROUP BY surname ORDER BY surname")
    pairs = [scored[place] for place in rng.integers(0, len(scored), 6)]
    pairs += [strangers[place] for place in rng.integers(0, len(strangers), 2)]
    pairs = [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]
    kinds = rng.choice(DECISIONS, len(pairs)).tolist()
    return [{"kind": kind, "record_l": a, "record_r": b} for kind, (a, b) in zip(kinds, pairs, strict=True)]


def persons(wh: Warehouse, decided: list[dict[str, str]]) -> set[frozenset[str]]:
    """The persons of the view fraud as sets of records; those of the others must stand beside them."""
    load_decisions(wh, decided)
    build_persons(wh, VIEWS, b"i" * 32)
    members = wh.rows(f"SELECT list(record_id) FROM {MEMBERSHIP} WHERE view = 'fraud' GROUP BY person_id")
    return {frozenset(records) for (records,) in members}


def homes(wh: Warehouse) -> list[tuple[object, ...]]:
    """Households without their ids, and with them what their tables say of them."""
    build_households(wh, VIEWS, b"i" * 32)
    return wh.rows(
        f"""SELECT view, h.uprn, h.from_date, h.to_date, h.persons,
            list((m.person_id, m.from_date, m.to_date, m.evidence, m.is_main) ORDER BY m.person_id)
        FROM {HOUSEHOLD} h JOIN {HOUSEHOLD_MEMBER} m USING (view, household_id) GROUP BY ALL ORDER BY ALL"""
    )


def edges(wh: Warehouse) -> list[tuple[object, ...]]:
    return wh.rows(f"FROM {EDGE} ORDER BY record_l, record_r")


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    yield build(700, seed=17)


@pytest.mark.parametrize("seed", [1, 2])
def test_edges_after_a_change_are_those_of_a_run_from_nothing(town: Town, seed: int) -> None:
    rng = np.random.default_rng(seed)
    with scratch_warehouse() as wh:
        prepared(wh, town.records)
        assert build_edge(wh).afresh == "no edges of an earlier run"
        persons(wh, decisions(wh, rng))
        assert homes(wh)
        before = dict(wh.rows(f"SELECT record_id, person_id FROM {MEMBERSHIP} WHERE view = 'fraud'"))
        records = changed(town.records, rng)
        assert 0 < prepared(wh, records) < records.height / 10
        built: Linked = build_edge(wh)
        assert built.afresh is None and 0 < built.scored.pairs < built.pairs / 2
        assert all(built.changes[kind] for kind in ("new", "changed", "vanished", "unchanged"))
        found = edges(wh)
        decided = decisions(wh, rng)
        told = persons(wh, decided)
        housed = homes(wh)
        assert homes(wh) == housed
        for table in (HOUSEHOLD, HOUSEHOLD_MEMBER):
            wh.execute(f"DROP TABLE {table}")
        assert homes(wh) == housed
        kept = dict(wh.rows(f"SELECT record_id, person_id FROM {MEMBERSHIP} WHERE view = 'fraud'"))
        whole = {frozenset(r for r in before if before[r] == each) for each in set(before.values())} & told
        assert whole and all(kept[record] == before[record] for records in whole for record in records)
        ids = wh.rows(f"SELECT view, record_id, person_id FROM {MEMBERSHIP} ORDER BY ALL")
        people = wh.rows(f"SELECT * FROM {PERSON} ORDER BY ALL")
        assert ids == wh.rows(f"SELECT m.* FROM {MEMBERSHIP} m JOIN {PERSON} p USING (view, person_id) WHERE p.status ="
                              " 'current' ORDER BY ALL")  # fmt: skip
        doubts = wh.rows(f"SELECT * FROM {REVIEW_EDGE} ORDER BY ALL")
        wh.execute(f"DROP TABLE {SCORING}")
        assert build_edge(wh).afresh
        assert edges(wh) == found  # weights to the last bit
        part = wh.rows(f"FROM {RECORD} ORDER BY record_id")
        wh.execute(f"DROP TABLE {STANDARDISED}")
        build_record(wh, b"k" * 32, EACH_PERSON)
        assert wh.rows(f"FROM {RECORD}") == part
        assert persons(wh, decided) == told
        assert wh.rows(f"SELECT * FROM {PERSON} ORDER BY ALL") == people
        assert wh.rows(f"SELECT * FROM {REVIEW_EDGE} ORDER BY ALL") == doubts
        for table in (MEMBERSHIP, PERSON):
            wh.execute(f"DROP TABLE {table}")
        assert persons(wh, decided) == told
        assert wh.rows(f"SELECT * FROM {REVIEW_EDGE} ORDER BY ALL") == doubts


def test_another_model_scores_all_pairs_and_says_so(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with scratch_warehouse() as wh:
        prepared(wh, town.records)
        first = build_edge(wh)
        assert build_edge(wh).scored.pairs == 0
        other = first.model.for_population(first.model.population * 2)
        monkeypatch.setattr("pipelines.linkage.edges.choose_model", lambda *_: Choice(other, "for the test"))
        found = build_edge(wh)
        assert found.afresh == "the model changed" and found.scored.pairs == found.pairs
        renamed = replace(other, version=f"{other.version}, again")  # of the same numbers
        monkeypatch.setattr("pipelines.linkage.edges.choose_model", lambda *_: Choice(renamed, "for the test"))
        build_edge(wh)
        assert wh.rows(f"SELECT DISTINCT model_version FROM {EDGE}") == [(renamed.version,)]


def test_splink_writes_the_query_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with scratch_warehouse() as wh:
        prepared(wh, town.records)
        first = build_edge(wh)
        wh.execute(f"UPDATE {RECORD} SET middle = 'QQ' WHERE record_id IN (SELECT min(record_id) FROM {RECORD})")
        renamed = Choice(replace(first.model, version="renamed"), "for the test")
        monkeypatch.setattr("linkage_models.linker.Linker", None)  # it can't be asked again
        with monkeypatch.context() as patch, pytest.raises(TypeError):
            patch.setattr("pipelines.linkage.edges.choose_model", lambda *_: renamed)
            build_edge(wh)
        wh.execute("DROP VIEW record_to_score")  # left by what failed
        assert build_edge(wh).scored.pairs > 0


def test_oversized_blocks_are_no_reason_to_score_all_pairs(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the same blocks are oversized, the pairs of unchanged records are the same; else all are scored."""
    monkeypatch.setattr("linkage_models.person.blocking.LARGEST_BLOCK", 6)
    with scratch_warehouse() as wh:
        prepared(wh, town.records)
        assert any(rule.note for rule in build_edge(wh).scored.rules)
        some = f"(SELECT record_id FROM {RECORD} ORDER BY record_id LIMIT 10)"
        wh.execute(f"UPDATE {RECORD} SET sex = 'F', middle = 'QQ' WHERE record_id IN {some}")
        assert build_edge(wh).afresh is None
        found = edges(wh)
        wh.execute(f"DROP TABLE {SCORING}")
        build_edge(wh)
        assert edges(wh) == found
        wh.execute(f"UPDATE {RECORD} SET nino = 'AB123456C' WHERE record_id IN {some}")
        assert build_edge(wh).afresh == "the set of oversized blocks changed"


def test_names_are_counted_once_and_anew_where_the_records_have_grown(town: Town) -> None:
    with scratch_warehouse() as wh:
        half = town.records.filter(pl.col("record_id").hash(seed=1) % 2 == 0)
        prepared(wh, half)
        first = build_edge(wh)
        assert first.model.terms != pinned().terms and first.model.mark == pinned().mark
        prepared(
            wh, pl.concat([half, town.records.filter(~pl.col("record_id").is_in(half["record_id"].implode())).head(60)])
        )
        second = build_edge(wh)
        assert second.afresh is None and second.model.terms == first.model.terms
        prepared(wh, town.records)
        third = build_edge(wh)
        assert third.afresh and "term frequencies" in third.afresh and third.model.terms != first.model.terms


def test_a_calibrated_copy_of_an_older_shipped_model_takes_the_names_at_hand(town: Town) -> None:
    shipped = pinned()
    older = shipped.with_terms({"forename": {**shipped.terms["forename"], "OLDER": 1e-4}})
    origin = {"kind": "records", "parameters_of": "person-2020-01-01"}
    for more, counted in (({"parameters_from": "synthetic"}, True), ({}, False)):
        wanted = replace(older, version="ours", card=older.card | {"trained_on": origin | more})
        with scratch_warehouse() as wh:
            prepared(wh, town.records)
            found = build_edge(wh, wanted=wanted).model
            assert found.version == "ours" and (found.terms != older.terms) is counted is (NAMES_OF in found.card)
