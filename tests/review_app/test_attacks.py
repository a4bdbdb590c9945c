"""The app as somebody attacks it: from outside, and from each seat inside."""

import json
import re
from html import unescape
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

from pipelines.keys.keyring import STANDING_KEYS, open_keyring
from pipelines.keys.pseudonyms import record_name
from pipelines.operations import Operations
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import open_snapshot
from pipelines.store_tables import audit_table
from review_app.app import COOKIE, create_app
from review_app.policy import policy
from review_app.roles import User
from review_app.routes.account import _OURS
from tests.review_app.conftest import Reader, reading
from tests.review_app.test_review import decisions, item_of


def audit_of(folder: DataFolder) -> list[tuple[str, str, dict[str, object]]]:
    operations = Operations.open(folder, open_keyring(folder, load_settings(folder), STANDING_KEYS))
    try:
        with operations.begin() as db:
            rows = db.execute(sa.select(audit_table).order_by(audit_table.c.seq)).mappings().all()
        return [(row["event"], row["object"], json.loads(row["detail"])) for row in rows]
    finally:
        operations.close()


@pytest.mark.parametrize("origin", [None, "null", "https://localhost", "http://localhost.evil.example", "http://x"])
def test_a_post_that_does_not_say_it_comes_from_here_is_refused(place: DataFolder, origin: str | None) -> None:
    with reading(place) as reader:
        token = reader.csrf()
        del reader.headers["origin"]
        head = {"origin": origin} if origin else {}
        answer = reader.post("/choices", data={"csrf": token, "key-same": "q"}, headers=head)
        assert answer.status_code == 403 and "Nothing was saved" in answer.text


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "/\t/evil", "https://evil", "", "/a\r\nb", "/%5c/"]
)
def test_signing_in_leads_to_no_other_host(path: str) -> None:
    assert not _OURS.fullmatch(path)
    assert all(_OURS.fullmatch(ours) for ours in ("/", "/review", "/review/item/q_abc", "/flagged/f_1.2"))


def test_a_session_that_was_left_can_not_be_played_back(place: DataFolder) -> None:
    with reading(place) as reader:
        copied = reader.cookies[COOKIE]
        assert reader.get("/review").status_code == 200
        reader.submit("/sign-out")
        reader.cookies.clear()
        reader.cookies.set(COOKIE, copied)
        assert reader.get("/review", follow_redirects=False).headers["location"] == "/sign-in"


def test_a_session_ends_after_a_day_whatever_is_done_in_it(place: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with reading(place) as reader:
        assert reader.get("/review", follow_redirects=False).status_code == 200
        monkeypatch.setitem(policy(), "session_hours", -1)
        assert reader.get("/review", follow_redirects=False).headers["location"] == "/sign-in"


def test_signing_in_changes_the_session_and_its_token(place: DataFolder) -> None:
    app = create_app(place, [User("Ruth", frozenset({"reviewer"}))])
    with Reader(app) as reader:
        fixed = re.findall(r'name="csrf" value="([^"]+)"', reader.get("/sign-in").text)[0]
        reader.post("/sign-in", data={"csrf": fixed, "name": "Ruth"})
        assert reader.post("/choices", data={"csrf": fixed}).status_code == 403
    app.state.house.published.close()
    app.state.house.operations.close()


def test_over_https_the_cookie_is_bound_to_the_host(place: DataFolder) -> None:
    app = create_app(place, [User("Ruth", frozenset({"reviewer"}))], https=True)
    with Reader(app, base_url="https://localhost") as reader:
        answer = reader.get("/sign-in")
        assert answer.headers["set-cookie"].startswith(f"__Host-{COOKIE}=") and "secure" in answer.headers["set-cookie"]
        assert "max-age" in answer.headers["strict-transport-security"]
    app.state.house.published.close()
    app.state.house.operations.close()


def test_no_one_asks_for_a_part_that_is_not_theirs(place: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks tell what others answered, labels feed the calibration, casting decides: none is had by asking for it."""
    monkeypatch.setitem(policy(), "second_share", 1.0)
    item_id, *_ = item_of(place, "uncertain pair")
    with reading(place) as ruth, reading(place, "Rob Reviewer") as rob:
        sampled = ruth.item("/review/sample").item_id
        assert ruth.get(f"/review/item/{sampled}").status_code == 404
        for part in ("gold", "sample"):
            assert ruth.get(f"/review/item/{item_id}?part={part}").status_code == 404
            forged = ruth.item(f"/review/item/{item_id}")
            forged.fields["part"] = part
            assert forged.answer_with("same").status_code == 404
        assert decisions(place) == []
        ruth.item(f"/review/item/{item_id}").answer_with("same")
        # who may give the second look gets it blind, whatever the address says
        text = rob.get(f"/review/item/{item_id}").text
        assert "scores are hidden" in text and "Ruth Reviewer" not in text and "to 1 for" not in text
        second = rob.item(f"/review/item/{item_id}")
        keys = open_keyring(place, load_settings(place), STANDING_KEYS)
        left, right = (record_name(keys, record) for record in second.records[:2])
        assert rob.get(f"/review/item/{item_id}/pair", params={"left": left, "right": right}).status_code == 403
        assert second.answer_with("different").status_code == 303
        for one in (ruth, rob):
            casting = one.get(f"/review/item/{item_id}?part=adjudication")
            assert casting.status_code == 403 and "a third person decides" in casting.text
            forged = ruth.submit(
                f"/review/item/{item_id}",
                {"verdict": "same", "part": "adjudication", "version": second.fields["version"]},
            )
            assert forged.status_code == 403


def test_no_address_holds_a_sources_key(place: DataFolder) -> None:
    """Browsers keep addresses, and so does a proxy's log."""
    with reading(place) as ruth:
        item = ruth.item()
        addresses = [unquote(unescape(link)) for link in re.findall(r'(?:href|action|src)="([^"]+)"', item.text)]
        assert any("/pair?" in address for address in addresses)
        keys = {record.split(":", 1)[1] for record in item.records}
        assert not any(key in address for key in keys for address in addresses)


def protected(folder: DataFolder) -> tuple[str, str, str, str]:
    """An unflagged record of somebody who is protected by another record: id, surname, forename, person."""
    with open_snapshot(folder) as (wh, _):
        return wh.rows(
            "SELECT r.record_id, r.surname, r.forename, m.person_id FROM published.linkage.membership AS m "
            "JOIN published.people.record AS r USING (record_id) WHERE m.view = 'data_quality' "
            "AND r.sensitivity IS NULL AND r.forename IS NOT NULL AND m.person_id IN (SELECT person_id FROM "
            "published.linkage.membership JOIN published.people.record USING (record_id) WHERE view = 'data_quality' "
            "AND sensitivity IS NOT NULL) ORDER BY r.record_id LIMIT 1"
        )[0]


def test_no_record_of_a_protected_person_is_found(place: DataFolder, reviewer: Reader) -> None:
    record, surname, forename, person = protected(place)
    why = {"reason": "A letter came back unopened."}
    found = reviewer.submit("/search", {"surname": surname, "forename": forename} | why).text
    assert "record" in found and record not in found and person not in found
    item = reviewer.item()
    path = f"/review/item/{item.item_id}/find"
    assert record not in reviewer.submit(path, {"surname": surname, "forename": forename}).text
    assert reviewer.submit(path, {"add": record}).status_code == 404
    assert decisions(place) == []


@pytest.mark.parametrize(
    "wanted",
    [{"year": "1961", "postcode": "S"}, {"surname": "S", "year": "1961"}, {"forename": "J", "year": "1961"},
     {"postcode": "SS0", "forename": "A"}],
)  # fmt: skip
def test_a_search_lists_no_strangers(reviewer: Reader, wanted: dict[str, str]) -> None:
    answer = reviewer.submit("/search", wanted | {"reason": "Just to have a look round."})
    assert answer.status_code == 422 and "would list strangers" in answer.text


def test_searches_are_slower_than_a_harvest(reviewer: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(policy(), "searches_a_minute", 3)
    wanted = {"surname": "SMITH", "forename": "J", "reason": "A letter came back."}
    assert [reviewer.submit("/search", wanted).status_code for _ in range(5)] == [200, 200, 200, 429, 429]


def test_ones_own_records_come_by_no_way(place: DataFolder) -> None:
    with open_snapshot(place) as (wh, _):
        flag_id, record = wh.rows(
            "SELECT flag_id, subject_record_id FROM published.fraud.flagged_pair WHERE NOT is_restricted LIMIT 1"
        )[0]
    with reading(place, "Fred Fraud", "fraud_officer", "reviewer") as fred:
        assert flag_id in fred.get("/flagged").text and fred.get(f"/flagged/{flag_id}").status_code == 200
        assert fred.submit("/declarations", {"kind": "relative", "record": record}).status_code == 200
        assert f'"/flagged/{flag_id}"' not in fred.get("/flagged").text
        assert fred.get(f"/flagged/{flag_id}").status_code == 404
        assert fred.submit(f"/flagged/{flag_id}/unmask", {"reason": "I want to know about him"}).status_code == 404
        assert fred.submit(f"/flagged/{flag_id}", {"step": "close", "outcome": "no_issue"}).status_code == 404
        assert flag_id not in fred.submit("/flagged/export", {"kind": "csv"}).text.split()
        item = fred.item()
        assert fred.submit(f"/review/item/{item.item_id}/find", {"add": record}).status_code == 404


def test_a_declaration_goes_only_with_a_second_person(place: DataFolder) -> None:
    with reading(place) as ruth, reading(place, "Dora Data", "data_protection_officer") as dora:
        item = ruth.item()
        ruth.submit("/declarations", {"kind": "self", "record": item.records[0]})
        alone = ruth.submit("/declarations", {"withdraw": "1"})
        assert alone.status_code == 422 and ruth.get(f"/review/item/{item.item_id}").status_code == 403
        assert (
            "waits for a second person"
            in ruth.submit(
                "/declarations", {"withdraw": "1", "ask": "1", "reason": "The record is somebody else's."}
            ).text
        )
        assert ruth.submit("/declarations", {"withdraw": "1"}).status_code == 422
        asked = re.findall(r'action="(/approvals/\w+)"', dora.get("/approvals").text)[0]
        dora.submit(asked, {"answer": "approve"})
        assert ruth.submit("/declarations", {"withdraw": "1"}).status_code == 200
        assert ruth.get(f"/review/item/{item.item_id}").status_code == 200


def test_whatever_shows_a_record_is_found_by_who_looked(place: DataFolder) -> None:
    """Items, pairs, searches inside an item, reports, cases and unmasking: each names the records that it shows."""
    with reading(place) as ruth:
        item = ruth.item()
        link = re.findall(r'href="(/review/item/[^"]+/pair\?[^"]+)"', item.text)
        ruth.get(f"/review/item/{item.item_id}/fault")
        ruth.get(f"/review/item/{item.item_id}/find")
        if link:
            ruth.get(link[0].replace("&amp;", "&"))
    with reading(place, "Fred Fraud", "fraud_officer") as fred:
        fred.submit("/flagged/f_3/unmask", {"reason": "Preparing the letter to them."})
    with open_snapshot(place) as (wh, _):
        (pair,) = wh.rows(
            "SELECT subject_record_id, other_record_id FROM published.fraud.flagged_pair WHERE flag_id = 'f_3'"
        )
    keyring = open_keyring(place, load_settings(place), STANDING_KEYS)
    told = audit_of(place)
    for event, records in (
        ("item viewed", item.records), ("fault opened", item.records), ("search opened", item.records[:1]),
        ("flagged pair viewed", pair), ("flagged pair unmasked", pair), *([("pair viewed", [])] if link else []),
    ):  # fmt: skip
        named = next(detail["records"] for name, _, detail in told if name == event)
        assert {record_name(keyring, record) for record in records} <= set(named), event  # type: ignore[call-overload]
    with reading(place, "Dora Data", "data_protection_officer") as dora:
        answer = dora.submit("/audit", {"what": "who", "record": pair[0]}).text
        assert "flagged pair unmasked" in answer and "Fred Fraud" in answer
        with open_snapshot(place) as (wh, _):
            person = wh.rows("SELECT person_id FROM published.linkage.membership WHERE record_id = ?", [pair[0]])[0][0]
        assert "flagged pair unmasked" in dora.submit("/audit", {"what": "who", "record": person}).text


@pytest.mark.parametrize(
    ("path", "data"),
    [("/review/undo", {"number": "9" * 40}), ("/review/undo", {"number": "٣" * 30}),
     ("/flagged/f_3", {"step": "close", "outcome": "no_issue", "amount": "NaN"}),
     ("/flagged/f_3", {"step": "close", "outcome": "no_issue", "amount": "-Infinity"}),
     ("/flagged/f_3", {"step": "close", "outcome": "no_issue", "amount": "1e400"}),
     ("/declarations", {"withdraw": "9" * 300}), ("/declarations", {"kind": "self", "record": "\x00"}),
     ("/search", {"surname": "x" * 5000, "year": "9" * 80, "reason": "as long as it can be"})],
)  # fmt: skip
def test_numbers_that_are_none_are_answered_calmly(place: DataFolder, path: str, data: dict[str, str]) -> None:
    with reading(place, "Eve", "reviewer", "fraud_officer") as eve:
        assert eve.submit(path, data).status_code in (200, 422)


def test_a_case_shows_what_officers_wrote_with_the_names_only(place: DataFolder) -> None:
    with reading(place, "Fred Fraud", "fraud_officer") as fred:
        fred.submit("/flagged/f_3", {"step": "note", "note": "Called Mrs Bramberry on Monday"})
        assert "Bramberry on Monday" not in fred.get("/flagged/f_3").text
        shown = fred.submit("/flagged/f_3/unmask", {"reason": "Preparing the letter to them."})
        assert "Bramberry on Monday" in shown.text
        cookie = fred.cookies[COOKIE]
        fred.get("/flagged/f_2")
        fred.cookies.clear()
        fred.cookies.set(COOKIE, cookie)  # a cookie of the time when it was open opens nothing again
        assert "Bramberry on Monday" not in fred.get("/flagged/f_3").text


def test_the_guardian_can_leave_an_item_for_later(place: DataFolder) -> None:
    with open_snapshot(place) as (wh, _):
        ((item_id,),) = wh.rows("SELECT item_id FROM published.review.queue WHERE is_restricted LIMIT 1")
    with reading(place, "Grace Guardian", "caldicott_guardian") as guardian:
        page = guardian.item(f"/review/restricted/{item_id}")
        assert page.answer_with("skip").headers["location"] == "/review/restricted"


def test_faults_and_logs_tell_no_value(
    place: DataFolder,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("JOHN SECRETNAME of 1 ELM ROAD")

    monkeypatch.setattr("review_app.dossier.household", broken)
    with reading(place) as reader:
        answer = reader.get("/review/next")
        assert answer.status_code == 500 and "did not foresee" in answer.text
        assert answer.headers["cache-control"] == "no-store" and "SECRETNAME" not in answer.text + caplog.text


def test_pages_about_people_are_stored_nowhere(place: DataFolder) -> None:
    with reading(place, "Eve", "reviewer", "fraud_officer", "data_protection_officer") as eve:
        for path in ("/review/next", "/flagged", "/flagged/f_2", "/audit", "/review/item/q_none"):
            assert eve.get(path).headers["cache-control"] == "no-store"
        for path, data in (("/flagged/export", {"kind": "csv"}), ("/audit", {"what": "export"})):
            assert eve.submit(path, data).headers["cache-control"] == "no-store"


def test_an_item_that_was_opened_with_its_scores_is_no_second_look(
    place: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(policy(), "second_share", 1.0)
    item_id, *_ = item_of(place, "uncertain pair")
    with reading(place) as ruth, reading(place, "Rob Reviewer") as rob:
        early = rob.item(f"/review/item/{item_id}")
        ruth.item(f"/review/item/{item_id}").answer_with("same")
        late = early.answer_with("same")
        assert late.status_code == 409 and "Somebody else has answered" in late.text
        assert rob.item(f"/review/item/{item_id}").answer_with("same").status_code == 303  # blind, as the second look


@pytest.mark.parametrize(("first", "status"), [("same", 200), ("unsure", 404)])
def test_a_check_is_an_item_that_two_answered_alike(
    place: DataFolder, monkeypatch: pytest.MonkeyPatch, first: str, status: int
) -> None:
    monkeypatch.setitem(policy(), "second_share", 1.0)
    item_id, *_ = item_of(place, "uncertain pair")
    with reading(place) as ruth, reading(place, "Rob Reviewer") as rob, reading(place, "Tess Third") as tess:
        ruth.item(f"/review/item/{item_id}").answer_with(first)
        rob.item(f"/review/item/{item_id}").answer_with("same")
        check = tess.item(f"/review/item/{item_id}?part=gold")
        assert check.answer.status_code == status
        assert ruth.get(f"/review/item/{item_id}?part=gold").status_code == 404
        if status == 200:
            told = check.answer_with("different", follow=True).text
            assert "Two colleagues said “same person”" in told and "it was a check" in told
