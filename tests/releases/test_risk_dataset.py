"""A release: pseudonyms that no two share, small groups out, order that tells nothing, a manifest that is true."""

import csv
import hashlib
import json
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.releases.disclosure import LEVELS, ReleaseRefused
from pipelines.releases.risk_dataset import COLUMNS, build_release, load_policy
from pipelines.warehouse import Warehouse, scratch_warehouse

POLICY = load_policy()
ONE, TWO = b"1" * 32, b"2" * 32


def scored(wh: Warehouse, people: int = 3000) -> None:
    """People over two wards, ten deciles and two sexes, few of them very old."""
    wh.execute(
        "CREATE TABLE attributes.attributes.person AS SELECT printf('id%05d', i) AS person_id, "
        "printf('home%05d', i // 2) AS household_id, age_from, "
        "printf('%02d-%02d', age_from, age_from + 4) AS age_band, if(i % 2 = 0, 'F', 'M') AS sex, "
        "if(i % 3 = 0, 'Leigh', 'Milton') AS ward, (i % 5 * 2 + 1)::INTEGER AS imd_decile, 'high' AS link_quality "
        "FROM (SELECT i, if(i % 100 = 7, 90, 20 + i % 4 * 5)::INTEGER AS age_from FROM range(?) AS t(i))",
        [people],
    )
    wh.execute(
        "CREATE TABLE attributes.risk.score AS SELECT person_id, 'card' AS scorecard, '1' AS version, "
        "? AS index_month, if(age_from = 90, 'high', 'lower') AS tier, "
        "if(person_id = 'id00003', ['Lives alone', 'Rare'], ['Lives alone']) AS reasons "
        "FROM attributes.attributes.person",
        [date(2026, 10, 1)],
    )
    wh.execute(
        "CREATE TABLE attributes.risk.reason AS FROM (VALUES ('Lives alone', 'lives_alone'), ('Rare', 'rare'), "
        "('In a deprived area', 'imd_decile')) AS t(reason, factor)"
    )


def release(folder: Path, key: bytes = ONE, people: int = 3000) -> tuple[dict[str, Any], list[dict[str, str]]]:
    with scratch_warehouse() as wh:
        scored(wh, people)
        manifest = build_release(wh, POLICY, key, folder)
    with (folder / "risk_stratification.csv").open(encoding="utf-8", newline="") as file:
        return manifest, list(csv.DictReader(file))


def test_no_group_is_smaller_than_k_and_few_rows_are_lost(tmp_path: Path) -> None:
    manifest, rows = release(tmp_path)
    groups = Counter((row["age_band"], row["sex"], row["ward"], row["imd"]) for row in rows)
    assert min(groups.values()) == manifest["k_measured"] >= POLICY.k
    assert manifest["rows"] == len(rows) == 3000 - manifest["rows_left_out"]
    assert manifest["rows_left_out"] <= POLICY.refuse_above * 3000
    assert len(groups) == manifest["groups"]


def test_two_releases_share_no_pseudonym_and_no_order(tmp_path: Path) -> None:
    _, one = release(tmp_path / "1", ONE)
    _, two = release(tmp_path / "2", TWO)
    _, again = release(tmp_path / "3", ONE)
    assert not {row["person"] for row in one} & {row["person"] for row in two}
    assert not {row["household"] for row in one} & {row["household"] for row in two}
    assert [row["ward"] for row in one] != [row["ward"] for row in two]
    assert one == again
    assert len({row["person"] for row in one}) == len(one)
    assert len({row["household"] for row in one}) == len({row["household"] for row in again}) < len(one)


def test_nothing_of_the_inner_ids_leaves(tmp_path: Path) -> None:
    release(tmp_path)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert b"id000" not in content
        assert b"home0" not in content
        assert path.stat().st_mode & 0o777 == 0o600


def test_rare_reasons_are_cut(tmp_path: Path) -> None:
    manifest, rows = release(tmp_path)
    assert manifest["rows_with_reasons_shortened"] == 1
    assert {row["reasons"] for row in rows} == {"Lives alone"}


def test_a_reason_never_tells_what_its_column_was_made_coarser_to_hide(tmp_path: Path) -> None:
    told = {}
    for name, people in (("fine", 1500), ("coarse", 500)):
        with scratch_warehouse() as wh:
            scored(wh, people)
            wh.execute("UPDATE attributes.risk.score SET reasons = ['In a deprived area'] WHERE tier = 'high'")
            manifest = build_release(wh, POLICY, ONE, tmp_path / name)
            told[name] = wh.scalar("SELECT count(*) FROM protected WHERE list_contains(reasons, 'In a deprived area')")
            assert wh.scalar("SELECT count(*) FROM protected WHERE list_contains(reasons, 'Lives alone')") > 0
            coarse = manifest["quasi_identifiers"]["imd"] != LEVELS["imd"][0][0]
            assert (told[name] == 0) == coarse, manifest["quasi_identifiers"]
            assert ("imd_decile" in manifest["reasons_withheld_because_their_column_was_made_coarser"]) == coarse
    assert told["coarse"] == 0 < told["fine"]


def test_the_manifest_is_true_and_promises_nothing(tmp_path: Path) -> None:
    manifest, rows = release(tmp_path)
    assert json.loads((tmp_path / "manifest.json").read_text()) == manifest
    for file in manifest["files"]:
        content = (tmp_path / file["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
    assert "anonymous" not in json.dumps(manifest).lower()
    assert manifest["status"] == "personal data, pseudonymised"
    frame = pl.read_parquet(tmp_path / "risk_stratification.parquet")
    assert tuple(frame.columns) == COLUMNS
    assert frame["person"].to_list() == [row["person"] for row in rows]


def test_too_small_a_population_is_refused_with_the_costly_columns(tmp_path: Path) -> None:
    with pytest.raises(ReleaseRefused, match=r"costs most: .*age_band"):
        release(tmp_path, people=12)
    assert not list(tmp_path.iterdir())


def test_a_column_gets_coarser_only_where_that_saves_rows(tmp_path: Path) -> None:
    with scratch_warehouse() as wh:
        scored(wh, 1500)
        loose = build_release(wh, replace(POLICY, suppress_at_most=0.05), ONE, tmp_path / "loose")
        tight = build_release(wh, replace(POLICY, suppress_at_most=0), ONE, tmp_path / "tight")
        with pytest.raises(ReleaseRefused):
            build_release(wh, replace(POLICY, coarser=(), refuse_above=0), ONE, tmp_path / "none")
    assert loose["quasi_identifiers"] == {column: LEVELS[column][0][0] for column in POLICY.quasi_identifiers}
    assert loose["rows_left_out"] == 5  # people of 90 and over in one ward
    assert tight["rows_left_out"] == 0
    assert tight["quasi_identifiers"]["ward"] == "borough"
    assert tight["quasi_identifiers"]["imd"] == "tenth"
