import csv
import json
import stat
from collections import Counter

from pipelines.linkage.labelling import calibrate_here
from pipelines.review.decisions import read_decisions
from pipelines.settings import DataFolder
from pipelines.snapshots import open_snapshot
from tests.end_to_end.conftest import boroughlink


def clusters(borough, path, view="data_quality"):
    boroughlink("export", "clusters", "--data", borough.data, "--out", path, "--view", view)
    return path.read_bytes()


def test_clusters_hold_every_record_once_and_say_how_it_stands(borough, tmp_path):
    rows = list(csv.DictReader(clusters(borough, tmp_path / "c.csv").decode().splitlines()))
    of_person = Counter(row["person_id"] for row in rows)
    for row in rows:
        stands = "nobody" if not row["person_id"] else "linked" if of_person[row["person_id"]] > 1 else "alone"
        assert row["standing"] == stands
    assert {row["standing"] for row in rows} >= {"linked", "alone"}
    with open_snapshot(DataFolder.at(borough.data)) as (wh, _):
        known = wh.rows("SELECT record_id FROM published.people.record WHERE sensitivity IS NULL")
    listed = {row["record_id"] for row in rows}
    assert len(listed) == len(rows)
    # records of a person with a protected record stay out
    assert 0 <= len(known) - len(listed & {record for (record,) in known}) < 0.01 * len(known)


def test_the_report_answers_what_came_out(borough):
    for word in ("council_tax", "UPRN", "persons", "households", "precision", "recall", "planted", "report.html"):
        assert word.lower() in borough.printed.lower(), word


def test_links_hold_against_the_truth(borough):
    judged = json.loads(boroughlink("evaluate", "--data", borough.data, "--truth", borough.truth, "--json").stdout)
    links = judged["judged"]["links"]["pairs"]
    assert links["precision"] >= 0.985
    assert links["recall"] >= 0.85


def test_links_are_estimated_without_the_truth_too(borough):
    told = json.loads(boroughlink("evaluate", "--data", borough.data, "--json").stdout)
    (row,) = [row for row in told["Links as estimated"] if row["view"] == "data_quality"]
    assert row["linked pairs"] > 0 and row["review from"] < row["links from"]


def test_reviewers_get_a_random_sample_and_their_labels_calibrate(borough, tmp_path):
    """The sample is drawn with the probabilities it states; labelled, it gives a calibration of these very records."""
    sample = tmp_path / "sample.csv"
    boroughlink("export", "label-sample", "--data", borough.data, "--out", sample, "--pairs", 600)
    rows = sample.read_text().splitlines()
    assert rows[0].split(",")[:5] == ["kind", "record_l", "record_r", "same", "inclusion_probability"]
    assert 500 < len(rows) - 1 < 700
    said = boroughlink("synth", "--out", borough.root, "--labels", sample).stdout
    assert "pairs labelled" in said
    labels = read_decisions(sample)
    assert {each["same"] for each in labels} == {True, False}
    with open_snapshot(DataFolder.at(borough.data)) as (wh, _):
        found = calibrate_here(wh, labels, "the sample of this test", "data_quality")
        pairs = wh.scalar("SELECT count(*) FROM published.linkage.edge")
    assert found.here and found.labels == len(labels)
    # what was drawn stands for about as many pairs as there are
    assert 0.7 < sum(1 / each["inclusion_probability"] for each in labels) / pairs < 1.3


def test_the_inbox_is_empty_and_the_archive_unreadable(borough):
    assert not [path for path in (borough.data / "landing").rglob("*") if path.is_file()]
    archived = [path for path in (borough.data / "archive").rglob("*") if path.is_file()]
    assert len(archived) >= 15
    assert not any(b"account_ref" in path.read_bytes() for path in archived)


def test_everything_left_behind_is_private(borough):
    loose = [p for p in borough.data.rglob("*") if stat.S_IMODE(p.lstat().st_mode) & 0o077]
    assert loose == []


def test_readers_are_served(borough):
    (run,) = [path for path in (borough.data / "published").iterdir() if path.is_dir()]
    assert (run / "report.html").read_text().startswith("<!doctype html>") or (
        run / "report.html"
    ).stat().st_size > 10_000
    assert list((borough.data / "exports" / "fraud").rglob("*.xlsx"))
    assert list((borough.data / "exports" / "fraud").rglob("*.csv"))
    (manifest,) = (borough.data / "releases").rglob("manifest.json")
    assert "anonym" not in manifest.read_text().replace("pseudonym", "").lower()


def test_reading_commands_answer_in_words_and_in_json(borough):
    for command in ("status", "quality", "purposes"):
        assert boroughlink(command, "--data", borough.data).stdout.strip()
        assert json.loads(boroughlink(command, "--data", borough.data, "--json").stdout)
    assert "unbroken" in boroughlink("audit", "verify", "--data", borough.data).stdout
    findings = json.loads(boroughlink("doctor", "--data", borough.data, "--json").stdout)
    assert all(finding["fine"] for finding in findings)


def test_running_again_changes_nothing_and_says_so(borough, tmp_path):
    mine = borough.copy(tmp_path / "again")
    before = (mine.data / "published" / "CURRENT").read_bytes()
    assert "Nothing has changed" in boroughlink("run", "--data", mine.data).stdout
    assert (mine.data / "published" / "CURRENT").read_bytes() == before


def test_a_forced_run_keeps_every_id(borough, tmp_path):
    mine = borough.copy(tmp_path / "forced")
    before = {view: clusters(mine, tmp_path / f"b-{view}.csv", view) for view in ("data_quality", "fraud", "risk")}
    boroughlink("run", "--data", mine.data, "--force")
    for view, rows in before.items():
        assert clusters(mine, tmp_path / f"a-{view}.csv", view) == rows


def test_views_read_only_what_their_purpose_may(borough, tmp_path):
    sources = {}
    for view in ("data_quality", "fraud", "risk"):
        lines = clusters(borough, tmp_path / f"{view}.csv", view).decode().splitlines()[1:]
        sources[view] = {line.split(",")[1] for line in lines}
    assert "adult_social_care" not in sources["fraud"]
    assert not sources["risk"] & {"electoral_register", "deaths"}
    assert sources["data_quality"] >= {"adult_social_care", "electoral_register", "deaths", "council_tax"}


def test_another_borough_in_the_same_folder_is_refused(borough):
    done = boroughlink("demo", "--out", borough.root, "--people", 3000, "--seed", 8, fine=False)
    assert done.returncode == 1
    assert "another borough" in done.stderr
