"""What the owner of a source gets, by the real command: the page, the scorecard as a file, the rows to mend."""

import csv
import json
import re
from pathlib import Path

import polars as pl

from tests.end_to_end.conftest import Borough, boroughlink


def test_the_page_lies_beside_the_report_and_names_nobody(borough: Borough) -> None:
    page = Path(boroughlink("quality", "--page", "--data", borough.data).stdout.strip())
    html = page.read_text(encoding="utf-8")
    assert (page.parent / "report.html").exists() and "What to mend first" in html and "Expected recall" in html
    people = pl.read_parquet(borough.truth / "persons.parquet")
    names = {f"{first} {last}".lower() for first, last in people.select("forename", "surname").rows()}
    said = html.lower()
    assert not [name for name in names if name in said]


def test_readiness_foretells_recall_and_what_to_mend(borough: Borough) -> None:
    told = json.loads(boroughlink("quality", "--readiness", "--json", "--data", borough.data).stdout)
    recall = {row["source"]: row["expected recall"] for row in told["Readiness"]}
    assert 0.8 < recall["council_tax"] <= 1
    most = [int(re.findall(r"\d+", str(row["links won"]))[-1]) for row in told["What to mend first"]]
    assert most[0] >= most[-1] > 0


def test_the_scorecard_leaves_as_a_file_of_counts(borough: Borough, tmp_path: Path) -> None:
    out = tmp_path / "housing.csv"
    boroughlink("quality", "export", "--source", "housing", "--out", out, "--data", borough.data)
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert {row["principle"] for row in rows} == {"accurate", "valid", "reliable", "timely", "relevant", "complete"}
    assert {row["source"] for row in rows} == {"Housing tenancies"}
    assert "Counts and words only" in (tmp_path / "housing.csv.stamp.txt").read_text()
    assert boroughlink("quality", "export", "--out", tmp_path / "all.xlsx", "--data", borough.data).returncode == 0


def test_rows_to_mend_are_told_by_their_references(borough: Borough, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    told = json.loads(boroughlink("quality", "--readiness", "--json", "--data", borough.data).stdout)
    first = told["What to mend first"][0]
    boroughlink("quality", "rows", first["source"], first["field"], "--out", out, "--data", borough.data)
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert 0 < len(rows) <= first["rows to mend"]
    keys = set(pl.read_parquet(borough.truth / "records.parquet")["source_key"])
    assert {row["row (key in the source system)"].lstrip("'") for row in rows} <= keys
    refused = boroughlink(
        "quality", "rows", "housing", "no.such.rule", "--out", out, "--data", borough.data, fine=False
    )
    assert refused.returncode == 1 and "no rule of that name" in refused.stdout + refused.stderr
