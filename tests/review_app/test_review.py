"""The cluster loop over HTTP, without JavaScript: an item, an answer, the next run, and taking it back."""

import html
import re

import pytest
import sqlalchemy as sa

from pipelines.governance import audit
from pipelines.keys.keyring import STANDING_KEYS, open_keyring
from pipelines.operations import Operations
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import open_snapshot
from pipelines.source_faults import OpenedFault, opened_fault, reported_faults
from pipelines.store_tables import audit_table
from pipelines.warehouse import Warehouse
from review_app.policy import policy
from review_app.preferences import ACTIONS
from tests.review_app.conftest import Reader, reading
from tests.review_app.town import Town, publish


def store(folder: DataFolder) -> Operations:
    return Operations.open(folder, open_keyring(folder, load_settings(folder), STANDING_KEYS))


def decisions(folder: DataFolder) -> list[dict[str, object]]:
    operations = store(folder)
    try:
        return operations.decisions()
    finally:
        operations.close()


def persons_of(folder: DataFolder, *records: str) -> set[str]:
    with open_snapshot(folder) as (wh, _):
        marks = ", ".join("?" * len(records))
        rows = wh.rows(
            "SELECT person_id FROM published.linkage.membership WHERE view = 'data_quality' "
            f"AND record_id IN ({marks})",
            list(records),
        )
    return {person for (person,) in rows}


def item_of(folder: DataFolder, reason: str) -> tuple[str, str, str]:
    with open_snapshot(folder) as (wh, _):
        return wh.rows(
            "SELECT item_id, record_l, record_r FROM published.review.queue WHERE reason = ? AND NOT is_restricted "
            "ORDER BY position LIMIT 1",
            [reason],
        )[0]


def test_decide_in_the_app_run_again_and_see_it_hold(place: DataFolder, founded: tuple[DataFolder, Town]) -> None:
    joined, left, right = item_of(place, "uncertain pair")
    parted, one, other = item_of(place, "weak bridge")
    assert len(persons_of(place, left, right)) == 2 and len(persons_of(place, one, other)) == 1
    with reading(place) as reviewer:
        assert reviewer.item(f"/review/item/{joined}").answer_with("same").status_code == 303
        assert reviewer.item(f"/review/item/{parted}").answer_with("different").status_code == 303
    publish(place, founded[1])
    assert len(persons_of(place, left, right)) == 1
    assert len(persons_of(place, one, other)) == 2
    publish(place, founded[1])  # and in the run after it
    assert len(persons_of(place, left, right)) == 1 and len(persons_of(place, one, other)) == 2


def test_an_answer_carries_who_why_what_was_seen_and_by_which_model(place: DataFolder, reviewer: Reader) -> None:
    item_id, left, right = item_of(place, "uncertain pair")
    reviewer.item(f"/review/item/{item_id}").answer_with("same", reason="a number settles it", note="seen on paper")
    found = next(row for row in decisions(place) if {row["record_l"], row["record_r"]} == {left, right})
    assert found["made_by"] == "Ruth Reviewer" and found["kind"] == "must_link"
    assert found["fingerprint_l"] and found["fingerprint_r"] and found["model_version"]
    operations = store(place)
    assert operations.reason(str(found["reason"])) == "seen on paper"
    with operations.begin() as db:
        events = list(db.scalars(sa.select(audit_table.c.event).where(audit_table.c.object == item_id)))
        details = list(db.scalars(sa.select(audit_table.c.detail)))
    assert events == ["item viewed", "verdict given"]
    assert not any(left in detail for detail in details)  # records go by their keyed names
    assert audit.verify(operations)[1] is None
    operations.close()


def test_taking_back_restores_what_stood_before(place: DataFolder, reviewer: Reader) -> None:
    item_id, *_ = item_of(place, "uncertain pair")
    page = reviewer.item(f"/review/item/{item_id}")
    page.answer_with("same")
    assert [row["kind"] for row in decisions(place)] == ["must_link"] * len(decisions(place)) != []
    back = reviewer.submit("/review/undo")
    assert back.url.path == f"/review/item/{item_id}"
    assert decisions(place) == []
    reviewer.item(f"/review/item/{item_id}").answer_with("different")
    kinds = {row["kind"] for row in decisions(place)}
    assert kinds == {"cannot_link"}
    reviewer.submit("/review/undo")
    assert decisions(place) == []
    assert "nothing of yours to take back" in reviewer.submit("/review/undo").text


def test_splitting_off_needs_ticks_and_parts_the_ticked(
    place: DataFolder, founded: tuple[DataFolder, Town], reviewer: Reader
) -> None:
    with open_snapshot(place) as (wh, _):
        ((item_id,),) = wh.rows(
            "SELECT item_id FROM published.review.queue WHERE NOT is_restricted ORDER BY members DESC, item_id LIMIT 1"
        )
    page = reviewer.item(f"/review/item/{item_id}")
    none = page.answer_with("split")
    assert none.status_code == 422 and "Tick the records to split off" in none.text
    assert page.answer_with("split", record=page.records).status_code == 422
    preview = page.answer_with("preview", record=page.records[:1])
    assert re.search(r"Split off the ticked.*?persons:", preview.text, re.S)
    assert page.answer_with("split", record=["a:b#1"]).status_code == 422
    assert page.answer_with("split", record=page.records[:1]).status_code == 303
    publish(place, founded[1])
    assert persons_of(place, page.records[0]).isdisjoint(persons_of(place, *page.records[1:]))


def test_a_stale_page_is_told_so_and_saves_nothing(place: DataFolder, reviewer: Reader) -> None:
    item_id, *_ = item_of(place, "uncertain pair")
    page = reviewer.item(f"/review/item/{item_id}")
    page.fields["version"] = "another"
    assert page.answer_with("same").status_code == 409
    assert decisions(place) == []


def test_two_tabs_and_the_back_button_answer_once(place: DataFolder, reviewer: Reader) -> None:
    item_id, *_ = item_of(place, "uncertain pair")
    one, other = (reviewer.item(f"/review/item/{item_id}") for _ in range(2))
    assert one.answer_with("same").status_code == 303
    again = other.answer_with("different")
    assert again.status_code == 409 and "answered this item already" in again.text
    assert {row["kind"] for row in decisions(place)} == {"must_link"}


def test_a_lease_keeps_an_item_from_others_and_the_first_answer_decides(place: DataFolder) -> None:
    with reading(place) as ruth, reading(place, "Rob Reviewer") as rob:
        mine = ruth.item()
        assert rob.item().item_id != mine.item_id
        held = rob.item(f"/review/item/{mine.item_id}")
        assert "Ruth Reviewer has this item open" in held.text
        assert held.answer_with("same").status_code == 303
        late = mine.answer_with("different")
        assert late.status_code == 409 and "Somebody else has answered" in late.text


def test_not_sure_goes_to_a_second_reviewer_blind_and_two_answers_that_differ_to_a_third(place: DataFolder) -> None:
    item_id, *_ = item_of(place, "uncertain pair")
    with reading(place) as ruth, reading(place, "Rob Reviewer") as rob, reading(place, "Tess Third") as tess:
        ruth.item(f"/review/item/{item_id}").answer_with("unsure")
        second = rob.item(f"/review/item/{item_id}?part=second")
        assert "scores are hidden" in second.text and "to 1 for" not in second.text
        own = ruth.item(f"/review/item/{item_id}?part=second").answer_with("same")
        assert own.status_code == 409
        assert second.answer_with("same").status_code == 303
        assert {row["kind"] for row in decisions(place)} == {"must_link"}

        disputed = twice_looked_at(place)
        ruth.item(f"/review/item/{disputed}").answer_with("same")
        rob.item(f"/review/item/{disputed}?part=second").answer_with("different")
        assert {row["kind"] for row in decisions(place)} == {"must_link", "unsure"}  # contested pairs hold nothing
        assert "1 item</a><span>You have the casting" in re.sub(
            r" on which two colleagues differ", "", tess.get("/review").text
        )
        casting = tess.item("/review/disputes")
        assert casting.item_id == disputed and "Ruth Reviewer" in casting.text
        assert casting.answer_with("different").status_code == 303
        assert any(row["kind"] == "cannot_link" for row in decisions(place))


@pytest.fixture(autouse=True)
def _second_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the items that a test names are looked at twice."""
    monkeypatch.setitem(policy(), "second_share", 0.0)


def twice_looked_at(place: DataFolder) -> str:
    """Another open item, chosen for a second look from now on."""
    with open_snapshot(place) as (wh, _):
        found = wh.rows(
            "SELECT item_id FROM published.review.queue WHERE reason = 'cut edge' AND NOT is_restricted LIMIT 1"
        )
    policy()["second_share"] = 1.0
    return str(found[0][0])


def test_a_random_pair_becomes_a_label_with_its_chance(place: DataFolder, reviewer: Reader) -> None:
    page = reviewer.item("/review/sample")
    assert page.item_id.startswith("s_") and "scores are hidden" in page.text
    assert page.answer_with("same").headers["location"] == "/review/sample"
    (label,) = decisions(place)
    assert label["kind"] == "label" and label["same"] == 1 and 0 < float(str(label["inclusion_probability"])) <= 1
    assert reviewer.item("/review/sample").item_id != page.item_id
    reviewer.submit("/review/undo")
    assert decisions(place) == []


def test_the_queue_runs_dry_calmly(place: DataFolder, reviewer: Reader) -> None:
    for _ in range(40):
        page = reviewer.item()
        if "/review/done" in page.path:
            break
        page.answer_with("same")
    else:
        pytest.fail("the queue never ended")
    assert "Nothing waits" in reviewer.get("/review").text


def test_a_reviewer_never_gets_records_of_himself_or_his_household(place: DataFolder, reviewer: Reader) -> None:
    page = reviewer.item()
    assert reviewer.submit("/declarations", {"kind": "self", "record": "nobody"}).status_code == 422
    assert reviewer.submit("/declarations", {"kind": "self", "record": page.records[0]}).status_code == 200
    refused = reviewer.get(f"/review/item/{page.item_id}")
    assert refused.status_code == 403 and "This item is not for you" in refused.text
    assert reviewer.item().item_id != page.item_id
    with open_snapshot(place) as (wh, _):
        shared = wh.rows(
            "SELECT DISTINCT q.item_id FROM published.review.member q JOIN published.linkage.household_member h "
            "USING (person_id) WHERE h.household_id IN (SELECT household_id FROM published.linkage.household_member "
            "JOIN published.linkage.membership USING (view, person_id) WHERE record_id = ?)",
            [page.records[0]],
        )
    for (item_id,) in shared:
        assert reviewer.get(f"/review/item/{item_id}").status_code == 403


def test_restricted_items_are_for_their_own_queue(place: DataFolder, reviewer: Reader) -> None:
    with open_snapshot(place) as (wh, _):
        ((item_id,),) = wh.rows("SELECT item_id FROM published.review.queue WHERE is_restricted LIMIT 1")
    assert reviewer.get(f"/review/item/{item_id}").status_code == 403
    assert reviewer.get("/review/restricted").status_code == 403
    with reading(place, "Grace Guardian", "caldicott_guardian") as guardian:
        assert item_id in guardian.get("/review/restricted").text
        page = guardian.item(f"/review/restricted/{item_id}")
        why = [html.unescape(link) for link in re.findall(r'href="([^"]+/pair\?[^"]+)"', page.text)]
        assert why and all(link.startswith(f"/review/restricted/{item_id}/pair") for link in why)
        assert "Why these two" in guardian.get(why[0]).text and reviewer.get(why[0]).status_code == 403
        assert page.answer_with("same").headers["location"] == "/review/restricted"


def test_finding_a_record_elsewhere_and_joining_it(place: DataFolder, reviewer: Reader) -> None:
    page = reviewer.item()
    with open_snapshot(place) as (wh, _):
        ((wanted, forename, surname),) = wh.rows(
            "SELECT record_id, forename, surname FROM published.people.record WHERE sensitivity IS NULL AND is_person "
            "AND forename IS NOT NULL AND record_id NOT IN (SELECT record_id FROM published.review.member) "
            "ORDER BY record_id LIMIT 1"
        )
    path = f"/review/item/{page.item_id}/find"
    assert "0 records" in reviewer.submit(path, {"surname": "nobody", "forename": "x"}).text
    assert wanted in reviewer.submit(path, {"surname": surname, "forename": forename}).text
    assert reviewer.submit(path, {"add": wanted}).status_code == 200
    assert [row["kind"] for row in decisions(place)] == ["must_link"]
    assert reviewer.get(f"/review/item/{page.item_id}").status_code == 200  # still open


def test_a_fault_is_reported_and_the_item_still_waits(place: DataFolder, reviewer: Reader) -> None:
    page = reviewer.item()
    path = f"/review/item/{page.item_id}/fault"
    assert (
        reviewer.submit(
            path, {"record": page.records[0], "kind": "wrong_value", "field": "born", "note": ""}
        ).status_code
        == 422
    )
    done = reviewer.submit(path, {"record": page.records[0], "kind": "wrong_value", "field": "born", "note": "1961"})
    assert "Reported to the owner" in done.text
    operations = store(place)
    (told,) = reported_faults(operations)
    assert (told.source, told.column, told.kind) == (page.records[0].split(":")[0], "birth_date", "wrong_value")
    assert opened_fault(operations, told.fault_id) == OpenedFault(page.records[0], "1961", "")
    operations.close()
    assert page.answer_with("same").status_code == 303


def test_asking_for_evidence_says_what_and_keeps_the_item(place: DataFolder, reviewer: Reader) -> None:
    page = reviewer.item()
    assert page.answer_with("evidence").status_code == 422
    assert page.answer_with("evidence", note="the school knows").status_code == 303
    assert reviewer.item().item_id != page.item_id
    assert reviewer.item(f"/review/item/{page.item_id}").answer_with("same").status_code == 303


def test_a_pair_shows_why_in_a_drawing_and_a_table(place: DataFolder, reviewer: Reader) -> None:
    page = reviewer.item()
    link = re.findall(r'href="(/review/item/[^"]+/pair\?[^"]+)"', page.text)
    if link:
        text = reviewer.get(link[0].replace("&amp;", "&")).text
        assert "<svg" in text and "Before looking" in text
    assert "app-waterfall" in page.text and "The same as a table" in page.text
    assert reviewer.get(f"/review/item/{page.item_id}/pair?left=a&right=b").status_code == 404


def test_blind_mode_hides_scores(place: DataFolder, reviewer: Reader) -> None:
    assert "app-waterfall" in reviewer.item().text
    keys = {f"key-{action}": key for action, (_, key) in ACTIONS.items()}
    reviewer.submit("/choices", keys | {"blind": "on"})
    page = reviewer.item()
    assert "app-waterfall" not in page.text and "scores are hidden" in page.text
    assert 'data-shortcuts="off"' in page.text


def test_what_else_rests_on_an_answer_is_told_to_those_who_may_know(
    place: DataFolder, founded: tuple[DataFolder, Town]
) -> None:
    item_id, *_ = item_of(place, "uncertain pair")

    def rests(wh: Warehouse) -> None:
        wh.execute(
            "UPDATE identity.review.queue SET flags = ['f_2', 'f_none'], releases = ['risk-2026-10'] WHERE item_id = ?",
            [item_id],
        )

    publish(place, founded[1], rests)
    path, flagged, tier = f"/review/item/{item_id}", "decides a flagged pair worth £3,980", "tier in release"
    with reading(place) as ruth:
        text = ruth.get(path).text
        assert flagged not in text and tier not in text and "f_2" not in text
    with reading(place, "Fred Both", "reviewer", "fraud_officer") as fred:
        assert flagged in fred.get(path).text and tier not in fred.get(path).text
        fred.submit("/flagged/f_2", {"step": "close", "outcome": "no_issue"})
        assert flagged not in fred.get(path).text
    with reading(place, "Ina Owner", "reviewer", "information_asset_owner") as ina:
        assert f"{tier} risk-2026-10" in ina.get(path).text and flagged not in ina.get(path).text
