"""The doctor proves a fresh folder's protections, and sees what is loose or lacking."""

from pipelines.custody.doctor import examine
from pipelines.governance.fitness import UNDECLARED
from pipelines.settings import DataFolder, write_settings


def test_every_protection_of_a_fresh_folder_holds(tmp_path):
    folder = DataFolder.at(tmp_path / "data")
    assert [finding.said for finding in examine(folder) if not finding.fine] == [UNDECLARED]
    write_settings(folder, holds="synthetic")
    findings = examine(folder)
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
