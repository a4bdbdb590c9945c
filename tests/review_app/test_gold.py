"""Checks whose answer came in a file: among the items, blind, for everyone but whoever labelled them."""

from pathlib import Path

import pytest

from pipelines.review.decisions import import_file
from pipelines.settings import DataFolder
from pipelines.snapshots import open_snapshot
from pipelines.view_edges import OTHERWISE
from pipelines.warehouse import Warehouse
from review_app.clusters import NoSuchItem, pair_alone
from review_app.linkage_report import report
from review_app.policy import policy
from review_app.published import Published
from tests.review_app.conftest import reading
from tests.review_app.town import Town, publish

PAIRS = """-- two records of one person or of two, of nobody protected
WITH plain AS (SELECT * FROM published.linkage.membership WHERE view = 'data_quality' AND person_id NOT IN (
    SELECT person_id FROM published.linkage.membership JOIN published.people.record USING (record_id)
    WHERE sensitivity IS NOT NULL))
SELECT a.record_id, b.record_id FROM plain AS a JOIN plain AS b ON a.record_id < b.record_id
    AND (a.person_id = b.person_id) = ? ORDER BY ALL LIMIT 1"""
PROTECTED = "SELECT record_id FROM published.people.record WHERE sensitivity IS NOT NULL ORDER BY record_id LIMIT 2"


def labelled(place: DataFolder, path: Path, by: str, chance: str = "") -> None:
    with open_snapshot(place) as (wh, _):
        pairs = [(wh.rows(PAIRS, [same])[0], "yes" if same else "no") for same in (True, False)]
        pairs.append((tuple(record for (record,) in wh.rows(PROTECTED)), "no"))
    lines = [f"label,{left},{right},{same},{chance}" for (left, right), same in pairs]
    path.write_text("\n".join(["kind,record_l,record_r,same,inclusion_probability", *lines, ""]), encoding="utf-8")
    import_file(place, path, by)


def test_a_file_of_labels_becomes_checks(place: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(policy(), "gold_every", 1)
    labelled(place, tmp_path / "labels.csv", "Tess Third")
    with reading(place) as ruth:
        told = {}
        for _ in range(2):
            check = ruth.item()
            assert "part=gold" in check.path and "Second look" in check.text and "Blind" in check.text
            assert len(check.records) == 2 and "What speaks" not in check.text
            told[check.item_id] = check.answer_with("same", follow=True).text
        assert all("Saved: same person." in text for text in told.values())
        wrong = [item_id for item_id, text in told.items() if "Its label says “not the same” of this one" in text]
        assert len(told) == 2 and len(wrong) == 1
        assert "part=gold" not in ruth.item().path  # the third is of protected people
        assert ruth.get("/review/item/g_3?part=gold").status_code == 404
        assert ruth.get(f"/review/item/{wrong[0]}?part=gold").status_code == 404  # answered before
        assert ruth.get(f"/review/item/{wrong[0]}").status_code == 404
        assert ruth.get(f"/review/item/{wrong[0]}/find").status_code == 404
        assert "1 of 2" in ruth.get("/agreement").text
    with reading(place, "Tess Third") as tess:
        assert "part=gold" not in tess.item().path


def test_a_random_sample_calibrates_and_checks_nobody(
    place: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(policy(), "gold_every", 1)
    labelled(place, tmp_path / "labels.csv", "Tess Third", "0.5")
    with reading(place) as ruth:
        assert "part=gold" not in ruth.item().path


LINKED = """-- a scored pair of the view (record_l, record_r)
SELECT record_l, record_r FROM identity.linkage.edge
SEMI JOIN (FROM identity.linkage.membership WHERE view = 'data_quality') AS l ON l.record_id = record_l
SEMI JOIN (FROM identity.linkage.membership WHERE view = 'data_quality') AS r ON r.record_id = record_r
ORDER BY match_weight DESC, record_l, record_r LIMIT 3"""


def test_a_pair_by_itself_is_told_as_the_view_of_the_app_sees_it(
    place: DataFolder, founded: tuple[DataFolder, Town]
) -> None:
    pairs: list[tuple[str, str]] = []

    def left_out(wh: Warehouse) -> None:
        """The view compares the second pair no more, and does not read a record of the third."""
        pairs.extend(wh.rows(LINKED))
        columns = "view VARCHAR, record_l VARCHAR, record_r VARCHAR, rules BIGINT, first_rule VARCHAR"
        wh.execute(f"CREATE TABLE IF NOT EXISTS {OTHERWISE} ({columns})")
        wh.execute(f"INSERT INTO {OTHERWISE} VALUES ('data_quality', ?, ?, 0, NULL)", list(pairs[1]))
        wh.execute(
            "DELETE FROM identity.linkage.membership WHERE view = 'data_quality' AND record_id = ?", [pairs[2][0]]
        )

    publish(place, founded[1], left_out)
    published = Published(place)
    try:
        with published.read() as snapshot:
            kept, out = (pair_alone(snapshot, "s_1", 1, *pair, None) for pair in pairs[:2])
            assert [(pair.left, pair.right) for pair in kept.pairs] == [pairs[0]]
            assert out.pairs == [] and out.weight is None and len(out.records) == 2
            with pytest.raises(NoSuchItem):
                pair_alone(snapshot, "s_1", 1, *pairs[2], None)
            drawn = report(snapshot).weights
            assert drawn and drawn["pairs"] < snapshot.wh.scalar("SELECT count(*) FROM published.linkage.edge")
    finally:
        published.close()
