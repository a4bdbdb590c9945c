"""Nobody approves what they asked for, by any route."""

import itertools
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from pipelines.faults import BoroughlinkError
from pipelines.governance import actors, approvals, audit
from pipelines.governance.actors import Actor, acting, actor, canonical
from pipelines.governance.approvals import ApprovalRefused
from pipelines.keys.keyring import Keyring
from pipelines.keys.row_macs import RowChanged
from pipelines.operations import Operations
from pipelines.settings import DataFolder, Settings, load_settings, standing_on
from pipelines.store_tables import audit_table, request_table

REASON = "the social worker asked who this is"
PEOPLE = Settings(logins={"ann.smith": ("asmith", "1002345")}, roles={"custodian": ("bob", "asmith")})


@pytest.fixture
def store(tmp_path):
    operations = Operations.open(DataFolder.at(tmp_path / "data").make(), Keyring.ephemeral())
    yield operations
    operations.close()


def events(store):
    with store.begin() as db:
        return list(db.execute(sa.select(audit_table.c.actor, audit_table.c.event).order_by(audit_table.c.seq)))


@pytest.mark.parametrize(
    "spelling",
    ["ann.smith", "Ann.Smith", " ANN.SMITH ", "COUNCIL\\ann.smith", "ann.smith@council.gov.uk", "ａｎｎ.smith",
     "asmith", "ASmith@council.gov.uk", "COUNCIL\\1002345"],
)  # fmt: skip
def test_one_person_has_one_login_however_it_is_spelt(store, spelling):
    assert canonical(spelling, PEOPLE) == "ann.smith"
    request = approvals.ask(store, actor("ann.smith", PEOPLE), "erasure", "x", REASON)
    with pytest.raises(ApprovalRefused, match="another person"):
        approvals.approve(store, actor(spelling, PEOPLE), request)
    assert events(store)[-1] == ("ann.smith", "erasure approval denied")


@pytest.mark.parametrize("login", ["", "  ", "@council.gov.uk", "COUNCIL\\", "a\nb", "x" * 121])
def test_nobody_acts_without_a_name(login):
    with pytest.raises(BoroughlinkError, match="login"):
        canonical(login)


def test_any_name_that_the_asker_goes_by_rules_an_approval_out(store):
    through_sudo = Actor("bob", names=frozenset({"ann.smith"}))
    request = approvals.ask(store, through_sudo, "erasure", "x", REASON)
    for name, other in itertools.product(("bob", "ann.smith"), ("bob", "ann.smith", "carol")):
        with pytest.raises(ApprovalRefused):
            approvals.approve(store, Actor(name, names=frozenset({other})), request)
    with pytest.raises(ApprovalRefused):
        approvals.approve(store, Actor("carol", names=frozenset({"ann.smith"})), request)
    assert approvals.approve(store, Actor("carol"), request).answered_by == "carol"


def test_variables_make_nobody_another_person(tmp_path, monkeypatch):
    folder = DataFolder.at(tmp_path)
    myself = actors.person()
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME", "SUDO_USER", "SUDO_UID"):
        monkeypatch.setenv(name, "somebody.else")
    assert actors.person() == myself
    assert acting(folder, Settings()).names >= {canonical(myself)}
    monkeypatch.setenv(actors.PLAYED, "somebody.else")
    assert acting(folder, Settings()).login == "somebody.else"
    with pytest.raises(BoroughlinkError, match="nobody plays"):
        acting(folder, Settings(holds="real"))


def test_over_real_data_the_environment_makes_nobody_another_and_no_day_another(tmp_path, monkeypatch):
    folder = DataFolder.at(tmp_path)
    (tmp_path / "boroughlink.yaml").write_text("holds: real\nanchor: /mnt/elsewhere/anchor\n")
    assert load_settings(folder).holds == "real"
    monkeypatch.setenv(actors.PLAYED, "somebody.else")
    for name, said in (("HOLDS", "synthetic"), ("CLOCK", "2026-01-01"), ("ANCHOR", "/dev/null"), ("KEY_ESCROW", "x")):
        with monkeypatch.context() as outside, pytest.raises(BoroughlinkError, match=f"{name.lower()}` stands in"):
            outside.setenv(f"BOROUGHLINK_{name}", said)
            acting(folder)
    with standing_on(date(2026, 1, 31)):  # a month of `run --monthly`, which says so itself
        assert load_settings(folder).today() == date(2026, 1, 31)
    monkeypatch.setenv("BOROUGHLINK_HOLDS", "real")
    assert load_settings(folder).clock is None


def test_in_a_namespace_of_ones_own_making_nobody_answers(store, tmp_path):
    """`unshare --map-user` makes a process another person without any right on the machine."""
    request = approvals.ask(store, Actor("ann"), "erasure", "x", REASON)
    said = "from pipelines.governance.actors import acting; from pipelines.settings import DataFolder, Settings; "
    said += f"one = acting(DataFolder.at({str(tmp_path)!r}), Settings()); print(one.login, one.proven, sep='|')"
    inside = ["unshare", "--user", "--map-user=4321", sys.executable, "-c", said]
    done = subprocess.run(inside, capture_output=True, text=True, check=False, env=os.environ | {actors.PLAYED: ""})
    if "unshare" in done.stderr:
        pytest.skip("this machine lets nobody open a user namespace")
    assert done.stdout.strip() == "uid 4321|False"
    with pytest.raises(ApprovalRefused, match="anyone can bear anyone's name"):
        approvals.approve(store, Actor("uid 4321", proven=False), request)
    assert approvals.approve(store, Actor("bob"), request).state == "approved"


def test_the_database_itself_refuses_who_asked(store):
    request = approvals.ask(store, Actor("ann"), "erasure", "x", REASON)
    with pytest.raises(sa.exc.IntegrityError), store.begin() as db:
        db.execute(sa.update(request_table).values(state="approved", answered_by="ann"))
    with store.begin() as db:  # somebody writes an approval in by hand, in no one's name
        db.execute(sa.update(request_table).values(state="approved"))
    with pytest.raises(RowChanged, match="is not as it was written"):
        approvals.standing(store, request, "erasure")
    assert events(store)[-1] == ("boroughlink", "request denied")


def test_only_the_role_answers(store):
    request = approvals.ask(store, actor("carol", PEOPLE), "key", "identity", REASON, roles=["custodian"])
    with pytest.raises(ApprovalRefused, match="`custodian`"):
        approvals.approve(store, actor("dave", PEOPLE), request)
    assert approvals.approve(store, actor("asmith", PEOPLE), request).answered_by == "ann.smith"


def test_an_approval_is_for_one_act_on_one_thing_once(store):
    ann, bob = Actor("ann"), Actor("bob")
    request = approvals.ask(store, ann, "erasure", "x", REASON, particulars={"records": [1, 2]})
    with pytest.raises(ApprovalRefused, match="nobody has approved"):
        approvals.standing(store, request, "erasure")
    given = approvals.approve(store, bob, request)
    assert (given.state, given.answered_by) == ("approved", "bob")
    with pytest.raises(ApprovalRefused, match="another act"):
        approvals.standing(store, request, "release")
    with pytest.raises(ApprovalRefused, match="changed since"):
        approvals.standing(store, request, "erasure", approvals.mark_of({"records": [1, 2, 3]}))
    stands = approvals.standing(store, request, "erasure", approvals.mark_of({"records": [1, 2]}))
    assert stands.said == {"reason": REASON, "records": [1, 2]}
    approvals.done(store, ann, stands)
    for again in (approvals.done, lambda store, who, r: approvals.standing(store, r.request_id, "erasure")):
        with pytest.raises(ApprovalRefused, match="used already"):
            again(store, ann, stands)
    assert [event for _, event in events(store)].count("erasure done") == 1


def test_a_refusal_and_an_old_approval_do_not_stand(store, monkeypatch):
    ann, bob = Actor("ann"), Actor("bob")
    refused = approvals.ask(store, ann, "erasure", "x", REASON)
    approvals.refuse(store, bob, refused)
    with pytest.raises(ApprovalRefused, match="refused already"):
        approvals.approve(store, bob, refused)
    old = approvals.ask(store, ann, "erasure", "x", REASON)
    approvals.approve(store, bob, old)
    later = (datetime.now(UTC) + timedelta(days=15)).isoformat(timespec="milliseconds")
    monkeypatch.setattr(approvals, "timestamp", lambda: later)
    for request, why in ((refused, "refused"), (old, "approval ended")):
        with pytest.raises(ApprovalRefused, match=why):
            approvals.standing(store, request, "erasure")
    assert [event for _, event in events(store)].count("erasure denied") == 2
    assert audit.verify(store)[1] is None


def test_reasons_are_reasons_and_lie_sealed(store):
    with pytest.raises(BoroughlinkError, match="reason"):
        approvals.ask(store, Actor("ann"), "erasure", "x", "x")
    approvals.ask(store, Actor("ann"), "erasure", "x", "Mrs CANARY wrote to us")
    store.engine.dispose()
    from pathlib import Path

    path = Path(store.engine.url.database)
    assert all(b"CANARY" not in part.read_bytes() for part in path.parent.glob(path.name + "*"))
