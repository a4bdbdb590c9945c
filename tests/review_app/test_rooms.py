"""The other rooms over HTTP: flagged pairs, runs, approvals, audit; and what goes wrong underneath them."""

import csv
import io
import json
import re
import shutil
import time
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.commit_point import Current
from pipelines.exports import NO_ASSUMPTION
from pipelines.governance import anchors, approvals, audit
from pipelines.governance.actors import Actor
from pipelines.keys.keyring import STORE, open_keyring
from pipelines.operations import Operations
from pipelines.scorecard.standing import PrincipleStanding, RuleStanding, ScorecardData, SourceStanding
from pipelines.settings import DataFolder, load_settings, remember
from pipelines.snapshots import published_place
from pipelines.source_faults import report_fault, reported_faults
from pipelines.store_tables import audit_table
from review_app.flagged import Flag
from review_app.published import Published
from review_app.starting import started
from tests.review_app.conftest import reading
from tests.review_app.town import Town, publish

DPO = "data_protection_officer"


def store(folder: DataFolder) -> Operations:
    return Operations.open(folder, open_keyring(folder, load_settings(folder), STORE))


@pytest.mark.parametrize(
    ("since", "said"),
    [(date(2026, 10, 30), "1 day"), (date(2026, 9, 1), "2 months"), (date(2024, 10, 30), "2 years"),
     (date(2025, 10, 30), "12 months"), (date(2026, 9, 5), "56 days"), (None, "0 days")],
)  # fmt: skip
def test_how_long_a_pair_stands_is_said_as_people_say_it(since: date | None, said: str) -> None:
    assert Flag({"subject_from": since, "other_from": None}, "A rule").long(date(2026, 10, 31)) == said


def test_the_list_is_masked_narrowed_and_carries_the_notice(place: DataFolder) -> None:
    with reading(place, "Fred Fraud", "fraud_officer") as fred:
        every = fred.get("/flagged").text
        assert NO_ASSUMPTION in every and not re.findall(r"REF-\d", every) and "f_1<" not in every  # f_1 is restricted
        count = int(re.findall(r"<strong>(\d+) pairs", every)[0])
        for query, fewer in (("ward=Victoria", True), ("strength=low", True), ("least=3900", True), ("days=9999", True),
                             ("rule=two_tenancies", False), ("state=new", False), ("owner=nobody", False)):  # fmt: skip
            found = re.findall(r"<strong>(\d+) pairs?", fred.get(f"/flagged?{query}").text)
            assert (int(found[0]) if found else 0) < count if fewer else int(found[0]) == count, query
        assert "No pair is like that" in fred.get("/flagged?ward=Nowhere&page=-3").text
        fred.submit("/flagged/f_2", {"step": "take"})
        assert "1 pair" in fred.get("/flagged?owner=Fred%20Fraud").text
        assert fred.get("/flagged/f_1").status_code == 404


def test_a_file_is_masked_unless_a_reason_is_given_and_runs_nothing(place: DataFolder) -> None:
    with reading(place, "Fred Fraud", "fraud_officer") as fred:
        step = {"step": "close", "outcome": "customer_error", "amount": "1,250", "note": "=Letter ABC-7 sent."}
        fred.submit("/flagged/f_2", step)
        plain = fred.submit("/flagged/export", {"kind": "csv"})
        rows = list(csv.DictReader(io.StringIO(plain.text)))
        assert rows and all(row["Notice"] == NO_ASSUMPTION for row in rows)
        assert all(re.fullmatch(r"([A-Z]\. ?)+|not held", row["Name"]) for row in rows)
        assert not any("REF-" in value for row in rows for value in row.values())
        assert fred.submit("/flagged/export", {"kind": "csv", "names": "on"}).status_code == 422
        named = fred.submit("/flagged/export", {"kind": "csv", "names": "on", "reason": "Letters go out on Monday."})
        assert "REF-2" in named.text
        masked, told = (
            next(row for row in csv.DictReader(io.StringIO(file.text)) if row["Pair"] == "f_2")
            for file in (plain, named)
        )
        assert masked["Outcome, pounds"] == "1250.00" and masked["Last worked on"] and masked["Notes"] == ""
        assert told["Notes"].endswith("Fred Fraud: =Letter ABC-7 sent.")  # a day before it: no formula
        book = fred.submit("/flagged/export", {"kind": "xlsx"})
        assert book.content[:2] == b"PK"


def test_two_different_people_keep_the_records_apart(place: DataFolder) -> None:
    with reading(place, "Fred Fraud", "fraud_officer") as fred:
        assert fred.submit("/flagged/f_2", {"step": "close"}).status_code == 422
        assert (
            fred.submit("/flagged/f_2", {"step": "close", "outcome": "no_issue", "amount": "much"}).status_code == 422
        )
        assert fred.submit("/flagged/f_2", {"step": "nonsense"}).status_code == 422
        done = fred.submit("/flagged/f_2", {"step": "close", "outcome": "two_people", "amount": "£1,250.50"})
        assert "1,250.50" in done.text and "two different people" in done.text
    operations = store(place)
    (decision,) = operations.decisions()
    assert decision["kind"] == "cannot_link" and decision["made_by"] == "Fred Fraud" and decision["fingerprint_l"]
    operations.close()


def test_a_run_is_started_with_a_name_and_its_fault_is_told(place: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOROUGHLINK_SOURCES", str(place.root / "none"))  # what the child is told ends it soon
    with reading(place, "Ada Analyst", "analyst") as ada:
        assert ada.submit("/runs", {"what": "nonsense"}).status_code == 422
        assert "Started." in ada.submit("/runs", {"what": "start"}).text
        assert "under way already" in ada.submit("/runs", {"what": "preview"}).text
        patience = time.monotonic() + 60
        while (last := started(place)) and last.going and time.monotonic() < patience:
            time.sleep(0.2)
        assert last and not last.going and last.by == "Ada Analyst"
        page = ada.get("/runs").text
        assert "asked for by Ada Analyst" in page and last.said
        assert re.search(r"<td[^>]*>\d+ s</td>", page) and 'published <span class="app-faint">1.2 s' in page
        assert "Nothing is running" in ada.submit("/runs", {"what": "stop"}).text


def test_a_run_is_stopped(place: DataFolder) -> None:
    with reading(place, "Ada Analyst", "analyst") as ada:
        ada.submit("/runs", {"what": "start"})
        assert "Stopping" in ada.submit("/runs", {"what": "stop"}).text
        patience = time.monotonic() + 60
        while started(place).going and time.monotonic() < patience:
            time.sleep(0.1)
        assert not started(place).going
        assert ada.get("/linkage").status_code == 200  # the last good state stands


def test_an_act_of_two_is_answered_by_another_only(place: DataFolder) -> None:
    operations = store(place)
    asked = approvals.ask(operations, Actor("ann"), "erasure", "p1", "They asked us to.", roles=[DPO])
    own = approvals.ask(operations, Actor("dora"), "erasure", "p2", "They asked us to.", roles=[DPO])
    with reading(place, "dora", DPO) as dora, reading(place, "sid", "siro") as sid:
        assert "They asked us to." in dora.get("/approvals").text
        others = sid.get("/approvals").text  # sees that they wait, and no more
        assert "To be answered by" in others and "They asked us to." not in others and asked not in others
        assert "Not answered" in sid.submit(f"/approvals/{asked}", {"answer": "approve"}).text  # not that role
        assert "Not answered" in dora.submit(f"/approvals/{own}", {"answer": "approve"}).text  # asked herself
        assert "Not answered" in dora.submit("/approvals/none", {"answer": "approve"}).text
        assert dora.submit(f"/approvals/{asked}", {"answer": "maybe"}).status_code == 422
        assert "noted in the audit" in dora.submit(f"/approvals/{asked}", {"answer": "approve"}).text
        assert "Not answered" in dora.submit(f"/approvals/{asked}", {"answer": "refuse"}).text
        other = approvals.ask(operations, Actor("ann"), "erasure", "p3", "They asked us to.", roles=[DPO])
        assert "legal claims" in dora.get("/approvals").text
        assert "Say on what" in dora.submit(f"/approvals/{other}", {"answer": "refuse"}).text
        ground = {"answer": "refuse", "exemption": "legal_claims", "because": "A claim of theirs is before the court."}
        assert "noted in the audit" in dora.submit(f"/approvals/{other}", ground).text
    refused = approvals.find(operations, other)
    assert refused.state == "refused" and "17(3)(e)" in refused.said["refused because"]
    assert approvals.find(operations, asked).state == "approved"
    assert approvals.find(operations, own).state == "waiting"
    operations.close()


def test_the_audit_tells_who_looked_at_a_record(place: DataFolder) -> None:
    with reading(place) as ruth:
        page = ruth.item()
        ruth.submit("/search", {"surname": "SMITH", "forename": "J", "reason": "A call from the person."})
    with reading(place, "Dora", DPO) as dora:
        listed = dora.get("/audit").text
        assert "item viewed" in listed and "person searched" in listed and page.records[0] not in listed
        asked = dora.submit("/audit", {"what": "who", "record": page.records[0]}).text
        assert "Ruth Reviewer" in asked and "item viewed" in asked
        assert "0 entries" in dora.submit("/audit", {"what": "who", "record": "nobody"}).text
        assert "unbroken" in dora.submit("/audit", {"what": "verify"}).text
        assert "Ruth Reviewer" in dora.get("/audit?event=item%20viewed&actor=Ruth%20Reviewer").text
        rows = list(csv.DictReader(io.StringIO(dora.submit("/audit", {"what": "export"}).text)))
        assert {"signed in", "item viewed"} <= {row["event"] for row in rows}
        assert dora.submit("/audit", {"what": "nothing"}).status_code == 422


def test_the_app_holds_the_audit_against_the_heads_kept_outside(place: DataFolder, tmp_path: Path) -> None:
    remember(place, anchor=tmp_path / "heads")
    operations = store(place)
    for n in range(5):
        audit.record(operations, "ann", "looked", str(n))
    last, _ = anchors.anchor(operations)
    with operations.begin() as db:
        db.exec_driver_sql("DROP TRIGGER audit_no_delete")
        db.execute(sa.delete(audit_table).where(audit_table.c.seq > last - 3))
    operations.close()
    with reading(place, "Dora", DPO) as dora:  # her own entries fill the gap unbroken
        told = dora.submit("/audit", {"what": "verify"}).text
    assert "is missing, or not as it was written" in told and "unbroken" not in told


def test_a_search_needs_two_things_and_a_reason(place: DataFolder) -> None:
    with reading(place) as ruth:
        assert ruth.submit("/search", {"surname": "SMITH", "reason": "A call from the person."}).status_code == 422
        assert ruth.submit("/search", {"surname": "SMITH", "year": "1960", "reason": "x"}).status_code == 422
        odd = {"surname": "%%", "forename": "'", "year": "²", "reason": "A call from the person."}
        assert "0 records" in ruth.submit("/search", odd).text


def test_agreement_counts_and_ranks_nobody(place: DataFolder) -> None:
    with reading(place) as ruth:
        ruth.item().answer_with("same")
        told = ruth.get("/agreement").text
        assert "Same person" in told and "Ruth Reviewer" not in told.split("<main")[1]


def test_a_new_run_is_noticed_and_an_item_that_is_gone_says_so(
    place: DataFolder, founded: tuple[DataFolder, Town]
) -> None:
    with reading(place) as ruth:
        page = ruth.item()
        before = re.findall(r"run (\d{8}T\d{6}-\w+)", page.text)[0]
        publish(place, founded[1], lambda wh: wh.execute("DELETE FROM identity.review.queue"))
        gone = page.answer_with("same")
        assert gone.status_code == 404 and "not in the published run" in gone.text
        empty = ruth.get("/review").text
        assert "Nothing waits for an answer" in empty and before not in empty


def test_an_item_that_a_run_settles_on_the_way_to_it_gives_way_to_another(
    place: DataFolder, founded: tuple[DataFolder, Town]
) -> None:
    with reading(place) as ruth:
        to = ruth.get("/review/next", follow_redirects=False).headers["location"]
        name = to.rsplit("/", 1)[-1]
        drop = "DELETE FROM identity.review.queue WHERE item_id = ?"
        newest = publish(place, founded[1], lambda wh: wh.execute(drop, [name]))
        assert newest in ruth.get("/review").text
        other = ruth.get(to)
        assert other.status_code == 200 and "Here is another" in other.text and name not in str(other.url)
        assert ruth.get(to).status_code == 404  # asked for by hand


def test_before_the_first_run_and_without_a_snapshot_pages_stay_calm(place: DataFolder) -> None:
    shutil.rmtree(place.published)
    place.published.mkdir()
    with reading(place) as ruth:
        answer = ruth.get("/review")
        assert answer.status_code == 503 and "Nothing is published yet" in answer.text


def test_a_published_run_that_vanishes_is_read_on_and_missed_at_the_next_start(place: DataFolder) -> None:
    with reading(place) as ruth:
        page = ruth.item()
        shutil.rmtree(place.published / Current.read(place).published)
        assert page.answer_with("same").status_code == 303 and ruth.get("/review").status_code == 200
    with reading(place) as ruth:
        answer = ruth.get("/review")
        assert answer.status_code == 503 and "The published run is not there" in answer.text


def test_a_full_disk_saves_nothing_and_says_so(place: DataFolder) -> None:
    with reading(place) as ruth:
        page = ruth.item()
        engine = ruth.app.state.house.operations.engine
        engine.dispose()
        sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1"))
        answer = page.answer_with("same", note="n" * 2000)
        assert answer.status_code == 503 and "could not be saved" in answer.text
        engine.dispose()
        sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
        shown = ruth.get("/review/next")
        assert shown.status_code == 503 and "can’t be shown" in shown.text and page.records[0] not in shown.text
    operations = store(place)
    assert operations.decisions() == []
    operations.close()


def test_an_old_snapshot_stays_open_for_its_last_reader(place: DataFolder, founded: tuple[DataFolder, Town]) -> None:
    published = Published(place)
    with published.read() as old:
        new = publish(place, founded[1])
        with published.read() as fresh:
            assert fresh.run_id == new != old.run_id
        assert old.wh.scalar("SELECT count(*) FROM published.review.queue") > 0
    published.close()


def test_the_quality_page_begins_with_what_to_do_first(place: DataFolder) -> None:
    run = published_place(place)
    kept = {"source": "schools", "title": "Schools", "principles": [], "extract_date": None, "late_days": 0}
    (run / "scorecard.json").write_text(json.dumps({"sources": [kept], "run_id": run.name}))
    (run / "what_first.json").write_text(json.dumps([["Schools: fill in the <home>.", "It would join 12 pairs."]]))
    with reading(place, "Ida Owner", "information_asset_owner") as ida:
        text = ida.get("/quality").text
    assert text.index("Schools: fill in the &lt;home&gt;.") < text.index("It would join 12 pairs.")
    assert text.index("It would join 12 pairs.") < text.index("Scorecard by source and principle")


def test_a_rule_that_is_not_judged_says_why_and_counts_nothing(place: DataFolder) -> None:
    sentence, why = "Each UPRN in home.uprn is in the gazetteer.", "no extract of llpg has been taken in yet"
    counts = ("home", "uprn", 0, 0, 0.0, 0.02, True, False)
    rule = RuleStanding("home.uprn.known_uprn", sentence, "warning", *counts, why, None, "not judged", "")
    accurate = PrincipleStanding("accurate", "Is it so?", "not judged", None, None, (), (), (rule,), 0)
    source = SourceStanding("lettings", "Lettings", "Lettings", "l@x", None, 35, 0, "not judged", (accurate,), ())
    run = published_place(place)
    (run / "scorecard.json").write_text(ScorecardData(run.name, date(2026, 11, 1), (source,)).to_json())
    with reading(place, "Ida Owner", "information_asset_owner") as ida:
        text = ida.get("/quality/lettings").text
    assert why in text and "0 of 0" not in text


def test_the_owner_of_a_source_sees_a_reported_fault_and_says_what_became_of_it(place: DataFolder) -> None:
    with reading(place) as ruth:
        page = ruth.item()
        told = {"record": page.records[0], "kind": "wrong_value", "field": "", "note": "it was 1961"}
        ruth.submit(f"/review/item/{page.item_id}/fault", told)
    operations = store(place)
    (fault,) = reported_faults(operations)
    kept = {"source": fault.source, "title": "The source", "principles": [], "reported": []}
    run = published_place(place)
    (run / "scorecard.json").write_text(json.dumps({"sources": [kept], "run_id": run.name}))
    address = f"/quality/{fault.source}"
    with reading(place, "Ada Analyst", "analyst") as ada:
        assert "1961" not in ada.get(address).text
    with reading(place, "Ida Owner", "information_asset_owner") as ida:
        assert "it was 1961" in ida.get(address).text
        said = {"fault": str(fault.fault_id), "became": "mended", "done": "corrected in the system"}
        assert ida.submit(f"{address}/faults", said | {"done": " "}).status_code == 422
        assert ida.submit(f"{address}/faults", said | {"fault": "x"}).status_code == 422
        assert ida.post(f"{address}/faults", data=said | {"csrf": "forged"}).status_code == 403
        assert "Noted: mended in the source." in ida.submit(f"{address}/faults", said).text
        assert "it was 1961" not in ida.get(address).text
        assert "closed it before you" in ida.submit(f"{address}/faults", said).text
    (closed,) = reported_faults(operations, states=("mended",))
    assert closed.state_by == "Ida Owner"
    with operations.begin() as db:
        opened = sa.select(audit_table.c.event).where(audit_table.c.actor == "Ida Owner")
        assert {"source fault opened", "source fault mended"} <= set(db.scalars(opened))
    operations.close()


def test_a_protected_record_is_not_named_to_the_owner(place: DataFolder) -> None:
    with reading(place) as ruth:
        page = ruth.item()
    source, sealed = page.records[0].split(":")[0], f"{page.records[0].split(':')[0]}:gone/1#1"
    operations = store(place)
    report_fault(operations, source=source, record_id=sealed, column=None, kind="missing", note="CANARY", by="ann")
    operations.close()
    run = published_place(place)
    kept = {"source": source, "title": "The source", "principles": [], "reported": []}
    (run / "scorecard.json").write_text(json.dumps({"sources": [kept], "run_id": run.name}))
    with reading(place, "Ida Owner", "information_asset_owner") as ida:
        text = ida.get(f"/quality/{source}").text
    assert "protected or has been erased" in text and "CANARY" not in text and "gone/1" not in text
