"""Keys in their custodians' hands, the audit's questions, and what real data waits for."""

import shutil
import sys

import pyrage
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from boroughlink.cli import cli
from pipelines.custody import auditing, keyholding
from pipelines.custody.asking import answered
from pipelines.custody.doctor import examine
from pipelines.faults import BoroughlinkError, Refusal
from pipelines.governance import actors, audit, escrow
from pipelines.governance.approvals import ApprovalRefused
from pipelines.keys.keyring import JOBS, LINKING, READING, RELEASING, STANDING_KEYS, STORE, KeyFault, open_keyring
from pipelines.operations import opened_store, standing_store
from pipelines.runs import Run
from pipelines.settings import DataFolder, Settings, write_settings
from pipelines.store_tables import audit_table

WHY = "the spare copy of this year, as agreed"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("BOROUGHLINK_KEK", "BOROUGHLINK_KEK_FILE", "BOROUGHLINK_KEK_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    made = DataFolder.at(tmp_path / "data").make()
    open_keyring(made, Settings(), ())
    return made


@pytest.fixture
def as_(monkeypatch):
    return lambda name: monkeypatch.setenv(actors.PLAYED, name)


def custodians(tmp_path, *names):
    return [(name, tmp_path / f"{name}.key", escrow.make_custodian(tmp_path / f"{name}.key")) for name in names]


def asked(said):
    return said.split("request ")[1].split(".")[0]


def events(folder):
    with standing_store(folder) as store, store.begin() as db:
        return [tuple(row) for row in db.execute(sa.select(audit_table.c.actor, audit_table.c.event))]


def escrowed(folder, tmp_path, as_, *names):
    held = custodians(tmp_path, *names)
    as_("ann")
    request = asked(keyholding.ask_escrow(folder, [f"{name}={recipient}" for name, _, recipient in held], WHY))
    with pytest.raises(ApprovalRefused):
        answered(folder, request, yes=True)
    as_("bob")
    answered(folder, request, yes=True)
    as_("ann")
    keyholding.make_escrow(folder, request, tmp_path / "escrow")
    return {name: path for name, path, _ in held}


def test_any_two_custodians_restore_lost_keys_and_one_alone_none(folder, tmp_path, as_):
    before = open_keyring(folder, Settings(), STANDING_KEYS).keys
    files = escrowed(folder, tmp_path, as_, "cat", "dan", "eve")
    assert {path.name for path in (tmp_path / "escrow").iterdir()} == {
        f"boroughlink-keys-{pair}.age" for pair in ("cat+dan", "cat+eve", "dan+eve")
    }
    with standing_store(folder):
        pass  # something that the keys sealed
    (folder.keys / "keystore.json").unlink()
    with pytest.raises(KeyFault, match="escrow"):
        open_keyring(folder, Settings(), STORE)
    sealed = tmp_path / "escrow" / "boroughlink-keys-dan+eve.age"
    for wrong in (["dan"], ["eve"], ["cat", "dan"], []):
        with pytest.raises(KeyFault, match="both custodians"):
            keyholding.restored(folder, sealed, [files[name] for name in wrong])
    keyholding.restored(folder, sealed, [files["eve"], files["dan"]])
    assert open_keyring(folder, Settings(), STANDING_KEYS).keys == before
    assert events(folder)[-1] == ("ann", "keys restored")
    with pytest.raises(KeyFault, match="nothing to restore"):
        keyholding.restored(folder, sealed, [files["eve"], files["dan"]])


def test_one_person_is_not_two_custodians_under_any_name_or_spelling_of_a_key():
    one, other = (str(pyrage.x25519.Identity.generate().to_public()) for _ in range(2))
    known = Settings(logins={"ann.smith": ("asmith",)})
    for first, second in (
        (f"ann.smith={one}", f"asmith={other}"),
        (f"ann.smith={one}", f"COUNCIL\\Ann.Smith={other}"),
        (f"ann.smith={one}", f"bob={one}"),
        (f"ann.smith={one}", f"bob={one.upper()}"),
    ):
        with pytest.raises(BoroughlinkError, match="each custodian once"):
            escrow.parsed([first, second], True, known)
    assert set(escrow.parsed([f"ann.smith={one}", f"bob={other}"], True, known)) == {"ann.smith", "bob"}


def test_a_key_that_was_destroyed_does_not_come_back_from_the_escrow(folder, tmp_path, as_):
    files = escrowed(folder, tmp_path, as_, "cat", "dan")
    as_("ann")
    request = asked(keyholding.ask_destruction(folder, "attributes", "the folder ends its service today"))
    as_("bob")
    answered(folder, request, yes=True)
    keyholding.destroyed(folder, request)
    (folder.keys / "keystore.json").unlink()
    keyholding.restored(folder, tmp_path / "escrow" / "boroughlink-keys-cat+dan.age", list(files.values()))
    with pytest.raises(KeyFault, match="`attributes` was destroyed"):
        open_keyring(folder, Settings(), ("attributes",))
    assert open_keyring(folder, Settings(), READING)


def test_a_key_that_an_older_escrow_lacks_is_named_and_made_anew_only_where_nothing_lies_under_it(
    folder, tmp_path, as_
):
    ann, bob = custodians(tmp_path, "ann", "bob")
    held = dict(open_keyring(folder, Settings(), STANDING_KEYS).keys)

    def escrow_without(name):
        out = tmp_path / f"before-{name}"
        kept = {each: key for each, key in held.items() if each != name}
        return escrow.seal(folder, kept, {ann[0]: ann[2], bob[0]: bob[2]}, out)[0]

    files, keystore = [ann[1], bob[1]], folder.keys / "keystore.json"
    older = {name: escrow_without(name) for name in ("identity", "archive", "fields", "audit", "suppression")}
    as_("ann")
    with standing_store(folder) as store, store.begin() as db:
        store.seal(db, "why")
    folder.identity.write_bytes(b"sealed")
    (folder.models / "borough.json").write_text("{}")
    keystore.unlink()
    for name in ("identity", "archive", "fields", "audit"):
        with pytest.raises(KeyFault, match=f"lacks the key `{name}`.*Nothing was changed"):
            keyholding.restored(folder, older[name], files)
        assert not keystore.exists()
    said = keyholding.restored(folder, older["suppression"], files)
    assert "lacks suppression: made anew" in said
    assert open_keyring(folder, Settings(), STORE).keys == {name: held[name] for name in STORE}
    with standing_store(folder) as store:
        audit.record(store, "ann", "erasure carried out", "request")
    keystore.unlink()
    with pytest.raises(KeyFault, match=r"lacks the key `suppression`.*were erased"):
        keyholding.restored(folder, older["suppression"], files)


def test_an_escrow_shows_no_key_and_stays_outside(folder, tmp_path, as_):
    escrowed(folder, tmp_path, as_, "cat", "dan")
    held = b"".join(path.read_bytes() for path in (tmp_path / "escrow").iterdir())
    keys = open_keyring(folder, Settings(), STANDING_KEYS).keys.values()
    assert not any(key in held or key.hex().encode() in held for key in keys)
    with pytest.raises(BoroughlinkError, match="outside"):
        escrow.seal(folder, {}, {}, folder.root / "spare")
    with pytest.raises(BoroughlinkError, match="two custodians"):
        escrow.parsed([f"cat={custodians(tmp_path, 'x')[0][2]}"], real=True)
    with pytest.raises(BoroughlinkError, match="no age key"):
        escrow.parsed(["cat=age1nonsense"], real=False)


def test_a_custodians_key_file_that_others_can_read_is_refused(folder, tmp_path, as_):
    files = escrowed(folder, tmp_path, as_, "cat", "dan")
    files["cat"].chmod(0o644)
    with pytest.raises(KeyFault, match="read by others"):
        escrow.open_escrow(tmp_path / "escrow" / "boroughlink-keys-cat+dan.age", list(files.values()))


def test_rotation_changes_the_wrapping_and_no_key(folder, tmp_path, monkeypatch):
    before = open_keyring(folder, Settings(), STANDING_KEYS).keys
    old = (folder.keys / "demo.kek").read_text()
    keyholding.rotated(folder, None)
    assert (folder.keys / "demo.kek").read_text() != old
    assert open_keyring(folder, Settings(), STANDING_KEYS).keys == before
    with pytest.raises(KeyFault, match="outside the data folder"):
        keyholding.rotated(folder, folder.root / "kek")
    keyholding.rotated(folder, tmp_path / "next")
    with pytest.raises(KeyFault, match="does not open"):
        open_keyring(folder, Settings(), STORE)
    monkeypatch.setenv("BOROUGHLINK_KEK_FILE", str(tmp_path / "next"))
    assert open_keyring(folder, Settings(), STANDING_KEYS).keys == before
    with pytest.raises(KeyFault, match="--new"):
        keyholding.rotated(folder, None)


@pytest.mark.parametrize("written", [False, True])
def test_a_rotation_that_was_cut_off_is_ended_by_the_next_start(folder, written):
    before = open_keyring(folder, Settings(), STANDING_KEYS).keys
    old, store = (folder.keys / "demo.kek").read_bytes(), (folder.keys / "keystore.json").read_bytes()
    keyholding.rotated(folder, None)
    new = (folder.keys / "demo.kek").read_bytes()
    for path, content in ((folder.keys / "demo.next", new), (folder.keys / "demo.kek", old)):
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(0o400)
    if not written:
        (folder.keys / "keystore.json").write_bytes(store)
    assert open_keyring(folder, Settings(), STANDING_KEYS).keys == before
    assert not (folder.keys / "demo.next").exists()


def test_a_key_is_destroyed_by_two_people_and_stays_so(folder, as_):
    as_("ann")
    request = asked(keyholding.ask_destruction(folder, "attributes", "the folder ends its service today"))
    for name in ("ann", "ANN@council.gov.uk", "COUNCIL\\ann"):
        as_(name)
        with pytest.raises(ApprovalRefused):
            answered(folder, request, yes=True)
        with pytest.raises(ApprovalRefused):
            keyholding.destroyed(folder, request)
    as_("bob")
    answered(folder, request, yes=True)
    keyholding.destroyed(folder, request)
    with pytest.raises(KeyFault, match="was destroyed"):
        open_keyring(folder, Settings(), ("attributes",))
    assert open_keyring(folder, Settings(), READING)
    assert ("bob", "destruction of a key done") in events(folder)
    with pytest.raises(BoroughlinkError, match="goes with the whole"):
        keyholding.ask_destruction(folder, "audit", "no more of this audit")


@pytest.mark.parametrize("how", ["cut off", "put back"])
def test_a_destroyed_key_that_is_there_opens_nothing_and_goes(folder, as_, monkeypatch, how):
    """A kill after the entry and before the deed, or an older keystore out of a backup."""
    as_("ann")
    request = asked(keyholding.ask_destruction(folder, "releases", "the folder ends its service today"))
    as_("bob")
    answered(folder, request, yes=True)
    before = (folder.keys / "keystore.json").read_bytes()
    if how == "cut off":
        with monkeypatch.context() as patch:
            patch.setattr(keyholding.keyring, "destroy", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                keyholding.destroyed(folder, request)
    else:
        keyholding.destroyed(folder, request)
        (folder.keys / "keystore.json").write_bytes(before)
    with pytest.raises(Refusal, match="`releases` was destroyed and is there again"), opened_store(folder, RELEASING):
        pass
    if how == "cut off":
        assert "is destroyed" in keyholding.destroyed(folder, request)
    else:
        assert "is destroyed" in keyholding.ask_destruction(folder, "releases", "again")
    with pytest.raises(KeyFault, match="was destroyed"):
        open_keyring(folder, Settings(), RELEASING)
    assert ("bob", "key destroyed again") in events(folder)


def test_each_job_gets_its_keys_and_no_others(folder):
    for held in JOBS.values():
        ring = open_keyring(folder, Settings(), held)
        assert set(ring.keys) == set(held)
        for other in set(STANDING_KEYS) - set(held):
            with pytest.raises(KeyFault, match=f"`{other}`"):
                ring.key(other)
    assert not {"identity", "archive", "attributes"} & set(READING)
    assert "releases" not in LINKING and "identity" not in JOBS["release"]


#: The keys that each command may ask for, over an empty folder; a command that is not here may open the store alone.
MAY_OPEN = {"doctor": set(STANDING_KEYS), "keys": set(STANDING_KEYS), "run": set(LINKING)}
GIVEN = {
    ("status",): {}, ("quality",): {}, ("purposes",): {}, ("requests",): {}, ("audit", "verify"): {},
    ("audit", "user"): {"LOGIN": "ann"}, ("audit", "person"): {"ID": "x"}, ("keys", "list"): {}, ("doctor",): {},
    ("explain",): {"RECORD": "a:1", "OTHER": "b:1"}, ("resolve",): {"ID": "x"}, ("sources", "list"): {},
    ("export", "clusters"): {"--out": "c.csv"}, ("export", "flagged-pairs"): {"--out": "f.csv"},
    ("evaluate",): {}, ("diff",): {},
}  # fmt: skip


@pytest.mark.parametrize("command", GIVEN, ids=" ".join)
def test_a_command_asks_for_no_other_zones_key(folder, command, tmp_path, monkeypatch):
    seen, real = set(), open_keyring

    def watched(folder, settings, names, **more):
        seen.update(names)
        return real(folder, settings, names, **more)

    for module in [m for name, m in sys.modules.items() if name.startswith("pipelines") and hasattr(m, "open_keyring")]:
        monkeypatch.setattr(module, "open_keyring", watched)
    given = [part for name, value in GIVEN[command].items() for part in ((name, value) if name[0] == "-" else (value,))]
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(cli, [*command, *given, "--data", str(folder.root)])
    comparing = {"attributes"} if command == ("diff",) else set()
    assert seen <= MAY_OPEN.get(command[0], set(READING) | comparing)


REAL = {
    "holds": "real",
    "dpia_reference": "DPIA-1",
    "key_escrow": "the safe",
    "roles": {"key_custodian": ["bob"], "reid_officer": ["bob"], "data_protection_officer": ["bob"]},
}


@pytest.fixture
def real(folder, tmp_path, as_, monkeypatch):
    """A folder that has all that real data needs."""
    escrowed(folder, tmp_path, as_, "cat", "dan")
    monkeypatch.delenv(actors.PLAYED)
    kek = tmp_path / "kek"
    shutil.copyfile(folder.keys / "demo.kek", kek)
    kek.chmod(0o400)
    monkeypatch.setenv("BOROUGHLINK_KEK_FILE", str(kek))
    write_settings(folder, **REAL, anchor=str(tmp_path / "elsewhere" / "heads"))
    (tmp_path / "elsewhere").mkdir()
    return folder


def test_real_data_with_every_protection_runs(real):
    Run.begin(real).abandon("only tried")
    assert [finding.said for finding in examine(real) if not finding.fine] == []


def change(folder, **values):
    import yaml

    path = folder.root / "boroughlink.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in (yaml.safe_load(path.read_text()) | values).items() if v}))


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        (lambda f: change(f, dpia_reference=None), "dpia_reference"),
        (lambda f: change(f, key_escrow=None), "key_escrow"),
        (lambda f: change(f, anchor=None), "anchor"),
        (lambda f: change(f, anchor=str(f.root / "heads")), "anchor"),
        (lambda f: change(f, roles={"key_custodian": ["bob"]}), "roles"),
        (lambda f: (f.keys / "escrow.json").unlink(), "keys escrow"),
        (lambda f: (f.keys / "escrow.json").write_text('{"custodians": ["a", "b"], "of": {}}'), "other keys"),
        (lambda f: (f.keys / "escrow.json").chmod(0o644), "can read"),
        (lambda f: (f.dagster / "dagster.yaml").write_text("telemetry: {enabled: true}"), "telemetry"),
    ],
)
def test_real_data_waits_for_each_protection(real, lacks, said):
    lacks(real)
    (real.dagster / "dagster.yaml").chmod(0o600) if (real.dagster / "dagster.yaml").exists() else None
    with pytest.raises(Refusal, match=said):
        Run.begin(real)
    assert any(said in finding.said for finding in examine(real) if not finding.fine)


def test_refusals_stand_in_the_audit_where_the_store_opens(folder, tmp_path, monkeypatch):
    with standing_store(folder):
        pass
    kek = tmp_path / "kek"
    shutil.copyfile(folder.keys / "demo.kek", kek)
    kek.chmod(0o644)
    monkeypatch.setenv("BOROUGHLINK_KEK_FILE", str(kek))
    with pytest.raises(KeyFault, match="chmod") as fault:
        open_keyring(folder, Settings(), STORE)
    auditing.enter_refusal(folder, fault.value)
    kek.chmod(0o400)
    assert events(folder)[-1][1] == "refused"
    monkeypatch.setenv("BOROUGHLINK_KEK_FILE", str(tmp_path / "none"))
    auditing.enter_refusal(folder, fault.value)  # nothing can be entered: no other fault comes of it
