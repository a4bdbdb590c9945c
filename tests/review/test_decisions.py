"""Files of decisions: taken in once, all or none; what is wrong is named by line and column."""

import pytest

from pipelines.keys.keyring import STANDING_KEYS, open_keyring
from pipelines.operations import Operations
from pipelines.review.decisions import DecisionFileFault, import_file, read_decisions
from pipelines.settings import DataFolder, Settings

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
