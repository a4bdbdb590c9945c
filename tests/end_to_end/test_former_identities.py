"""Whoever was adopted or has another recognised gender stands in the borough under two names: nothing that a run
publishes or hands out brings the two together."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.governance.protection import NEVER_LINK, flags
from pipelines.publication.snapshot import PUBLISHED
from pipelines.settings import DataFolder
from pipelines.snapshots import open_snapshot
from tests.end_to_end.canaries import search
from tests.end_to_end.conftest import Borough

FLAGGED = "(SELECT record_id FROM published.people.record WHERE sensitivity IN ('adoption', 'gender_recognition'))"


@pytest.fixture(scope="module")
def people(borough: Borough) -> pl.DataFrame:
    """One row a record of somebody never to be linked, with the flag and the name as it is now."""
    truth = {name: pl.read_parquet(borough.truth / f"{name}.parquet") for name in ("protected", "persons", "records")}
    never = truth["protected"].filter(pl.col("flag").is_in(list(flags(NEVER_LINK))))
    named = never.join(truth["persons"].select("person_id", "forename", "surname"), on="person_id")
    records = truth["records"].with_columns(record_id=pl.format("{}:{}#1", "source", "source_key"))
    return records.join(named, on="person_id").select("record_id", "person_id", "flag", "forename", "surname")


def test_flags_reach_more_records_than_bear_them(borough: Borough, people: pl.DataFrame) -> None:
    with open_snapshot(DataFolder.at(borough.data)) as (wh, _), wh.given(people):
        hidden, stands = wh.rows(
            "SELECT count(*) FILTER (r.sensitivity IS NOT NULL), count(*) FROM given "
            "JOIN published.people.record r USING (record_id)"
        )[0]
    assert people["person_id"].n_unique() < hidden <= stands


def test_no_record_of_theirs_that_is_known_to_be_is_joined_or_shown(borough: Borough, people: pl.DataFrame) -> None:
    with open_snapshot(DataFolder.at(borough.data)) as (wh, _), wh.given(people):
        assert wh.scalar(f"SELECT count(*) FROM given WHERE record_id IN {FLAGGED}") > 8
        for table in ("linkage.edge", "linkage.review_edge"):
            found = f"SELECT count(*) FROM published.{table} WHERE record_l IN {FLAGGED} OR record_r IN {FLAGGED}"
            assert wh.scalar(found) == 0, table
        others = wh.scalar(
            "SELECT count(*) FROM published.linkage.membership a JOIN published.linkage.membership b "
            f"USING (view, person_id) WHERE a.record_id IN {FLAGGED} AND a.record_id <> b.record_id"
        )
        assert others == 0


def test_no_cluster_holds_both_names(borough: Borough, people: pl.DataFrame) -> None:
    with open_snapshot(DataFolder.at(borough.data)) as (wh, _), wh.given(people):
        both = wh.rows(
            """-- one row per person of a view under whose id one true person stands with two names
            SELECT m.view, m.person_id
            FROM given g JOIN published.people.record r USING (record_id)
            JOIN published.linkage.membership m USING (record_id)
            WHERE length(r.forename) > 1
            GROUP BY m.view, m.person_id, g.person_id, g.flag
            -- names may have changed places on a form: a word that begins as today's does is today's
            HAVING count(DISTINCT list_bool_or(list_transform([r.forename, r.surname], lambda word:
                upper(left(word, 2)) = upper(left(if(g.flag = 'adoption', g.surname, g.forename), 2))))) > 1"""
        )
    assert both == []


def test_no_file_that_is_handed_out_names_such_a_record(borough: Borough) -> None:
    with open_snapshot(DataFolder.at(borough.data)) as (wh, _):
        held = wh.rows(FLAGGED)
    names = [record_id.encode() for (record_id,) in held]
    files = [path for path in Path(borough.data / "exports").rglob("*") if path.is_file()]
    assert names and files
    for path in files:
        content = path.read_bytes()
        assert not any(name in content for name in names), path.name


def test_review_tables_hold_no_value_of_anyone(borough: Borough, tmp_path: Path) -> None:
    """Canaries: the surnames and national insurance numbers of the borough, in any form."""
    persons = pl.read_parquet(borough.truth / "persons.parquet")
    canaries = persons.filter(pl.col("surname").str.len_chars() > 6)["surname"].unique().sort().to_list()[:150]
    with open_snapshot(DataFolder.at(borough.data)) as (wh, _):
        canaries += [nino for (nino,) in wh.rows("SELECT DISTINCT nino FROM published.people.record LIMIT 60") if nino]
        tables = [name for name in PUBLISHED if name.startswith(("review.", "differences."))]
        for name in tables:
            (tmp_path / name).write_text(wh.frame(f"SELECT * FROM published.{name}").write_ndjson(), encoding="utf-8")
        assert wh.scalar("SELECT count(*) FROM published.review.queue") > 0
        (tmp_path / "canary").mkdir()
        (tmp_path / "canary" / "record").write_text(
            wh.frame("SELECT surname FROM published.people.record").write_ndjson(), encoding="utf-8"
        )
    assert search(tmp_path / "canary", canaries, exceptions=("none",)), "the search must find people where they are"
    (tmp_path / "canary" / "record").unlink()
    assert len(canaries) > 150 and search(tmp_path, canaries, exceptions=("none",)) == {}


def test_review_shows_a_protected_person_only_as_restricted(borough: Borough) -> None:
    with open_snapshot(DataFolder.at(borough.data)) as (wh, _):
        open_items = (
            "SELECT count(*) FROM published.review.member m JOIN published.review.queue q USING (item_id) "
            "JOIN published.people.record r USING (record_id) WHERE r.sensitivity IS NOT NULL AND NOT q.is_restricted"
        )
        assert wh.scalar(open_items) == 0
        for table in ("review.beside", "review.sample"):
            columns = [c for c in wh.columns(f"published.{table}") if c.startswith("record_")]
            for column in columns:
                assert wh.scalar(f"SELECT count(*) FROM published.{table} WHERE {column} IN {FLAGGED}") == 0, (
                    table,
                    column,
                )
