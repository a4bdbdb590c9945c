import pytest

from pipelines.custody.doctor import examine
from pipelines.faults import BoroughlinkError
from pipelines.governance.keys import STANDING_KEYS, open_keyring
from pipelines.operations import Operations
from pipelines.review.decisions import DecisionFileFault, import_file, read_decisions
from pipelines.settings import SETTINGS_FILE, DataFolder, Settings, load_settings, write_settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"timezone: Nowhere/X", "setting `timezone`"),
        (b"memory_limit: lots", "setting `memory_limit`"),
        (b"nightly_at: '99:99'", "setting `nightly_at`"),
    ],
)
def test_a_setting_that_cannot_be_is_named(tmp_path, text, said):
    folder = DataFolder.at(tmp_path / "data").make()
    (folder.root / SETTINGS_FILE).write_bytes(text)
    with pytest.raises(BoroughlinkError, match=said):
        load_settings(folder)


def test_every_protection_of_a_fresh_folder_holds(tmp_path):
    findings = examine(DataFolder.at(tmp_path / "data"))
    assert len(findings) >= 12
    assert [f for f in findings if not f.fine] == []


def test_doctor_sees_a_loose_file_and_missing_papers(tmp_path, monkeypatch):
    folder = DataFolder.at(tmp_path / "data").make()
    monkeypatch.setenv("BOROUGHLINK_KEK", "ab" * 32)
    write_settings(folder, holds="real")
    (folder.exports / "left.csv").write_text("x")
    (folder.exports / "left.csv").chmod(0o644)
    bad = {f.what: f.said for f in examine(folder) if not f.fine}
    assert set(bad) == {"Only the owner can read the data folder", "Fit for the data it holds"}
    assert all(name in bad["Fit for the data it holds"] for name in ("dpia_reference", "key_escrow", "keys escrow"))


GOOD = "kind,record_l,record_r,same,reason\nmust_link,a,b,,twins ruled out\ncannot_link,c,d,,\nlabel,a,b,yes,\n"


def test_a_file_of_decisions_is_taken_once(tmp_path):
    folder = DataFolder.at(tmp_path / "data").make()
    path = tmp_path / "d.csv"
    path.write_text(GOOD)
    assert import_file(folder, path).startswith("3 decisions")
    assert "nothing added" in import_file(folder, path)
    operations = Operations.open(folder, open_keyring(folder, Settings(), STANDING_KEYS))
    assert sorted(d["kind"] for d in operations.decisions()) == ["cannot_link", "label", "must_link"]
    operations.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind,record_l,record_r,reason\nmust_link,a,b,"two\n\nlines"\nmust_link,a,\n', "line 5: fewer"),
        ("kind,record_l,record_r,reason\nmust_link,a,b,a\u2028b\nnonsense,a,c,\n", "line 3, column kind"),
        ("kind,record_l\nmust_link,a\n", "line 1: the column record_r is missing"),
        ("kind,record_l,record_r,note\n", "line 1: 1 column unknown"),
        ("kind,record_l,record_r\nsame,a,b\n", "line 2, column kind"),
        ("kind,record_l,record_r\nmust_link,a,\n", "line 2, column record_r: empty"),
        ("kind,record_l,record_r\nmust_link,a,a\n", "against itself"),
        ("kind,record_l,record_r\nmust_link,a,b\ncannot_link,b,a\n", "line 3: the same pair stands on line 2"),
        ("kind,record_l,record_r,same\nlabel,a,b,maybe\n", "line 2, column same"),
        ("kind,record_l,record_r,same,inclusion_probability\nlabel,a,b,yes,2\n", "inclusion_probability"),
        ("kind,record_l,record_r\nmust_link,a\n", "line 2: fewer fields"),
        ("kind,record_l,record_r\nmust_link,a,b,c\n", "line 2: more fields"),
        ("kind,record_l,record_r\n", "holds no decision"),
        ("kind,record_l,record_r\nmust_link,a," + "b" * 200_000, "can't be read as CSV"),
        ("", "missing"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path, text, said):
    path = tmp_path / "d.csv"
    path.write_text(text)
    with pytest.raises(DecisionFileFault, match=said):
        read_decisions(path)


def test_missing_and_binary_files(tmp_path):
    with pytest.raises(DecisionFileFault, match="not there"):
        read_decisions(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DecisionFileFault, match="not UTF-8"):
        read_decisions(tmp_path / "b.csv")
