"""Notices over real servers on loopback: what is told, once, and what becomes of a server that fails or hangs."""

import time
from datetime import date

import pytest

from pipelines.assets import RunHandle
from pipelines.governance import audit
from pipelines.keys.keyring import STORE, Keyring, open_keyring
from pipelines.notices.occasions import FAILED, LATE, REFUSED, Notice, after_run, overdue
from pipelines.notices.telling import notices, send, tell
from pipelines.operations import Operations
from pipelines.scorecard.standing import ScorecardData, SourceStanding
from pipelines.settings import DataFolder, Settings, load_settings
from tests.notices.servers import endless_server, mail_server, web_server

NOTICES = [Notice(REFUSED, "Housing: an extract was refused", "Not so: 3 of 10 rows.", f"mark{n}") for n in range(3)]


@pytest.fixture
def store(tmp_path, monkeypatch):
    for name in ("SMTP_PASSWORD", "WEBHOOK_URL", "WEBHOOK_TOKEN"):
        monkeypatch.delenv(f"BOROUGHLINK_{name}", raising=False)
        monkeypatch.delenv(f"BOROUGHLINK_{name}_FILE", raising=False)
    operations = Operations.open(DataFolder.at(tmp_path / "data").make(), Keyring.ephemeral())
    yield operations
    operations.close()


def by_mail(port: int, **more) -> Settings:
    told = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "notices_timeout": 1}
    return Settings(notices_to="ann@council.example, bob@council.example", **(told | more))


def test_a_mail_goes_to_everyone_once(store):
    with mail_server() as (port, got):
        for run in ("r1", "r2"):
            send(store, by_mail(port), NOTICES[:1], run)
    ((to, message),) = got
    assert to == ["ann@council.example", "bob@council.example"]
    assert "Subject: Boroughlink: Housing: an extract was refused" in message and "3 of 10 rows" in message
    assert [(each["state"], each["run_id"], each["channel"]) for each in notices(store)] == [("sent", "r1", "mail")]


def test_a_webhook_gets_json_and_its_token_from_a_file(store, tmp_path, monkeypatch):
    token = tmp_path / "token"
    token.write_text("secret-token\n")
    token.chmod(0o600)
    monkeypatch.setenv("BOROUGHLINK_WEBHOOK_TOKEN_FILE", str(token))
    with web_server() as (address, got):
        monkeypatch.setenv("BOROUGHLINK_WEBHOOK_URL", address)
        send(store, Settings(), NOTICES[:1], "r1")
    ((headers, told),) = got
    assert headers["Authorization"] == "Bearer secret-token"
    assert told == {"event": REFUSED, "subject": NOTICES[0].subject, "text": NOTICES[0].text, "mark": "mark0"}


def test_a_webhooks_answer_is_not_read_however_much_it_says(store, monkeypatch):
    with web_server(200, answers=500) as (address, got):
        monkeypatch.setenv("BOROUGHLINK_WEBHOOK_URL", address)
        send(store, Settings(), NOTICES[:1], "r1")
    assert notices(store)[0]["state"] == "sent" and int(got[0][0].get("sent", 0)) < 50


@pytest.mark.parametrize("dribbles", [False, True])
def test_a_mail_server_that_hangs_costs_one_deadline_however_much_there_is_to_tell(store, dribbles):
    with endless_server(dribbles) as port:
        begun = time.monotonic()
        send(store, by_mail(port), NOTICES, "r1")
        spent = time.monotonic() - begun
    assert spent < 5
    assert [each["state"] for each in notices(store)] == ["failed"] * 3
    assert all(each["detail"] for each in notices(store))


def test_what_could_not_be_told_is_told_by_the_next_run(store):
    with endless_server(False) as port:
        send(store, by_mail(port), NOTICES[:1], "r1")
    with mail_server() as (port, got):
        send(store, by_mail(port), NOTICES[:1], "r2")
    assert len(got) == 1
    assert [(each["state"], each["run_id"]) for each in notices(store)] == [("sent", "r2"), ("failed", "r1")]
    assert {"notice sent", "notice failed"} <= set(_events(store))


def test_nothing_goes_in_clear_where_tls_was_asked_for(store):
    with mail_server() as (port, got):
        send(store, by_mail(port, smtp_security="starttls"), NOTICES[:1], "r1")
    assert got == []
    assert notices(store)[0]["state"] == "failed"
    send(store, by_mail(25, smtp_host="mail.council.example"), NOTICES[:1], "r2")
    assert "this machine alone" in notices(store)[0]["detail"]


@pytest.mark.parametrize(
    ("status", "address", "why"),
    [
        (500, None, "answered 500"),
        (302, None, "answered 302"),
        (204, "http://hooks.example/x", "https://"),
        (204, "ftp://127.0.0.1/", "https://"),
        (204, "http://127.0.0.1:1/", "can't be used"),
    ],
)
def test_a_webhook_that_fails_is_noted(store, monkeypatch, status, address, why):
    with web_server(status) as (here, _):
        monkeypatch.setenv("BOROUGHLINK_WEBHOOK_URL", address or here)
        send(store, Settings(notices_timeout=2), NOTICES[:1], "r1")
    (noted,) = notices(store)
    assert noted["state"] == "failed" and why in noted["detail"]


def test_a_secret_that_others_may_read_is_not_used(store, tmp_path, monkeypatch):
    url = tmp_path / "url"
    url.write_text("https://hooks.example/CANARY")
    url.chmod(0o644)
    monkeypatch.setenv("BOROUGHLINK_WEBHOOK_URL_FILE", str(url))
    send(store, Settings(), NOTICES[:1], "r1")
    (noted,) = notices(store)
    assert "chmod 600" in noted["detail"] and "CANARY" not in str(noted)


def test_no_way_out_is_set_up_by_default(store):
    send(store, Settings(), NOTICES, "r1")
    assert notices(store) == []


def test_a_run_tells_of_its_failure_and_of_refused_extracts():
    refused = {"state": "refused", "extract_date": "2026-10-31", "reason": "Not so: dob is filled (4 of 10 rows fail)"}
    accepted = {"state": "accepted", "extract_date": "2026-10-31", "reason": None}
    summary = {"run_id": "r1", "notes": {"intake": {"housing": [refused], "llpg": [accepted]}}}
    failed, told = after_run(summary, "people/record: the disk is full", {"housing": "Housing tenancies"})
    assert failed.event == FAILED and "the disk is full" in failed.text
    assert told.event == REFUSED and told.subject == "Housing tenancies: an extract was refused"
    assert "4 of 10 rows fail" in told.text
    assert next(iter(after_run(summary | {"run_id": "r2"}, None, {}))).mark == told.mark


def test_a_late_source_is_told_once_for_the_extract_that_is_missing():
    def standing(late: int) -> ScorecardData:
        came = date(2026, 9, 1)
        source = SourceStanding("housing", "Housing", "Owner", "h@x", came, 35, late, "warns", (), ())
        return ScorecardData("r", date(2026, 11, 1), (source,))

    (first,), (again,) = overdue(standing(3)), overdue(standing(4))
    assert first.event == LATE and first.mark == again.mark and "3 days late" in first.text
    assert list(overdue(standing(0))) == []


def _events(store: Operations) -> list[str]:
    from sqlalchemy import select

    from pipelines.store_tables import audit_table

    assert audit.verify(store)[1] is None
    with store.begin() as db:
        return list(db.scalars(select(audit_table.c.event)))


def a_run_that_fails(folder: DataFolder) -> RunHandle:
    ended = lambda run, failed: tell(folder, run.summary(), failed)  # noqa: E731 - as the definitions do
    handle = RunHandle(folder, lambda run: None, folder.landing, "ann", ended)
    handle.run.notes["intake"] = {"housing": [{"state": "refused", "extract_date": "2026-10-31", "reason": "Not so."}]}
    handle.failed = "people/record: the disk is full"
    handle.close()
    return handle


def test_the_end_of_a_run_is_told_and_stands_in_the_store(tmp_path, monkeypatch):
    folder = DataFolder.at(tmp_path / "data").make()
    with web_server() as (address, got):
        monkeypatch.setenv("BOROUGHLINK_WEBHOOK_URL", address)
        handle = a_run_that_fails(folder)
    assert [told["event"] for _, told in got] == [FAILED, REFUSED]
    assert "the disk is full" in got[0][1]["text"] and handle.run.run_id in got[0][1]["text"]
    operations = Operations.open(folder, open_keyring(folder, load_settings(folder), STORE))
    assert [each["state"] for each in notices(operations)] == ["sent", "sent"]
    operations.close()


def test_a_run_ends_though_the_webhook_hangs_or_the_settings_are_at_fault(tmp_path, monkeypatch):
    monkeypatch.setenv("BOROUGHLINK_NOTICES_TIMEOUT", "1")
    with endless_server(True) as port:
        monkeypatch.setenv("BOROUGHLINK_WEBHOOK_URL", f"http://127.0.0.1:{port}/")
        begun = time.monotonic()
        handle = a_run_that_fails(DataFolder.at(tmp_path / "data").make())
        assert handle.run.over and time.monotonic() - begun < 10
    folder = DataFolder.at(tmp_path / "other").make()
    (folder.root / "boroughlink.yaml").write_text("notices_to: nobody")
    tell(folder, {"run_id": "r", "notes": {}}, "failed")
