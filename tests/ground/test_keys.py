import multiprocessing
import pickle
import subprocess
import sys

import pytest

from pipelines.keys import keyring
from pipelines.keys.keyring import STANDING_KEYS, STORE, KeyFault, Keyring, open_keyring
from pipelines.keys.pseudonyms import pseudonym
from pipelines.settings import DataFolder, Settings

SYNTHETIC, REAL = Settings(holds="synthetic"), Settings(holds="real")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("BOROUGHLINK_KEK", "BOROUGHLINK_KEK_FILE", "BOROUGHLINK_KEK_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    return DataFolder.at(tmp_path / "data").make()


def test_keys_last_and_differ(folder):
    first = open_keyring(folder, SYNTHETIC, STANDING_KEYS)
    assert open_keyring(folder, SYNTHETIC, STANDING_KEYS).keys == first.keys
    assert len(set(first.keys.values())) == len(first.keys)
    assert "invented people only" in first.origin


def test_a_process_gets_only_the_keys_it_asks_for(folder):
    ring = open_keyring(folder, SYNTHETIC, ("published",))
    assert set(ring.keys) == {"published"}
    with pytest.raises(KeyFault, match="`identity`"):
        ring.key("identity")


def test_real_data_needs_a_key_from_outside(folder):
    with pytest.raises(KeyFault, match="BOROUGHLINK_KEK_FILE"):
        open_keyring(folder, REAL, STANDING_KEYS)


@pytest.mark.parametrize("source", ["env", "file", "command"])
def test_kek_from_outside(folder, tmp_path, monkeypatch, source):
    secret = "ab" * 32
    if source == "env":
        monkeypatch.setenv("BOROUGHLINK_KEK", secret)
    elif source == "file":
        path = tmp_path / "kek"
        path.write_text(secret)
        path.chmod(0o400)
        monkeypatch.setenv("BOROUGHLINK_KEK_FILE", str(path))
    else:
        monkeypatch.setenv("BOROUGHLINK_KEK_COMMAND", f"echo {secret}")
    ring = open_keyring(folder, REAL, STANDING_KEYS)
    assert ring.keys
    assert secret not in repr(ring) + ring.origin
    monkeypatch.setenv("BOROUGHLINK_KEK", "cd" * 32)
    with pytest.raises(KeyFault, match="does not open"):
        open_keyring(folder, REAL, STANDING_KEYS)


def test_a_crash_writes_no_memory_to_a_disk():
    said = "import resource; from boroughlink.cli import cli; cli(['keys', '--help'], standalone_mode=False); "
    said += "print(resource.getrlimit(resource.RLIMIT_CORE))"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "(0, 0)"


def test_a_key_file_of_another_is_refused(folder, tmp_path, monkeypatch):
    path = tmp_path / "kek"
    path.write_text("ab" * 32)
    path.chmod(0o400)
    monkeypatch.setenv("BOROUGHLINK_KEK_FILE", str(path))
    assert open_keyring(folder, REAL, STORE)
    owner = keyring._owner
    monkeypatch.setattr(keyring, "_owner", lambda of: 4321 if of == path else owner(of))
    with pytest.raises(KeyFault, match=r"belongs to another \(user id 4321\)"):
        open_keyring(folder, REAL, STORE)


def test_a_key_file_that_others_can_read_is_refused(folder, tmp_path, monkeypatch):
    path = tmp_path / "kek"
    path.write_text("ab" * 32)
    path.chmod(0o644)
    monkeypatch.setenv("BOROUGHLINK_KEK_FILE", str(path))
    with pytest.raises(KeyFault, match="chmod 600"):
        open_keyring(folder, REAL, STANDING_KEYS)


@pytest.mark.parametrize("text", ["[]", '{"keys": []}', '{"keys": {"identity": 5}}', "{", "\xff"])
def test_a_damaged_keystore_is_said(folder, text):
    open_keyring(folder, SYNTHETIC, STANDING_KEYS)
    (folder.keys / "keystore.json").write_text(text, encoding="latin-1")
    with pytest.raises(KeyFault, match="damaged"):
        open_keyring(folder, SYNTHETIC, STANDING_KEYS)


@pytest.mark.parametrize("command", ["/no/such/thing", "false", "'", "printf '\\377'"])
def test_a_key_command_that_gives_no_key_is_said(folder, monkeypatch, command):
    monkeypatch.setenv("BOROUGHLINK_KEK_COMMAND", command)
    with pytest.raises(KeyFault, match="BOROUGHLINK_KEK_COMMAND"):
        open_keyring(folder, REAL, STANDING_KEYS)


def test_processes_that_come_at_once_make_one_set_of_keys(folder):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        made = pool.map(_identity_key, [folder] * 8)
    assert len(set(made)) == 1


def _identity_key(folder):
    return open_keyring(folder, SYNTHETIC, STANDING_KEYS).key("identity")


@pytest.mark.parametrize(
    "held", ["identity.duckdb", "operations.sqlite", "archive/5e1f", "published/run", "releases/r"]
)
def test_lost_keystore_over_existing_data_is_not_replaced(folder, held):
    open_keyring(folder, SYNTHETIC, STANDING_KEYS)
    (folder.root / held).write_bytes(b"x")
    (folder.keys / "keystore.json").unlink()
    with pytest.raises(KeyFault, match="escrow"):
        open_keyring(folder, SYNTHETIC, STANDING_KEYS)


def test_sealed_values_are_bound_to_their_place():
    ring = Keyring.ephemeral()
    sealed = ring.encrypt("fields", b"secret", b"row 1")
    assert ring.decrypt("fields", sealed, b"row 1") == b"secret"
    with pytest.raises(KeyFault):
        ring.decrypt("fields", sealed, b"row 2")


def test_a_keyring_is_never_written_down():
    with pytest.raises(TypeError):
        pickle.dumps(Keyring.ephemeral())


def test_releases_under_two_keys_share_no_pseudonym():
    one, two = b"1" * 32, b"2" * 32
    ids = [f"{i:032x}" for i in range(500)]
    first, second = pseudonym(one, "person", ids), pseudonym(two, "person", ids)
    assert not set(first) & set(second)
    assert len(set(first)) == 500
    assert not set(first) & set(pseudonym(one, "household", ids))
    assert all(name.startswith("p_") and len(name) == 28 for name in first)
