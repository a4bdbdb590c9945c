"""What a folder holds: said once, before anything is read; of real people there is no way back."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.faults import BoroughlinkError, Refusal
from pipelines.governance import audit
from pipelines.governance.fitness import require_said
from pipelines.keys.for_good import HOLDS_REAL
from pipelines.keys.keyring import Keyring
from pipelines.operations import Operations
from pipelines.outgoing.files import target_of
from pipelines.running.job import keep_what_it_holds
from pipelines.settings import SETTINGS_FILE, DataFolder, load_settings
from pipelines.store_tables import audit_table


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.at(tmp_path / "data").make()


@pytest.mark.parametrize(
    ("manifest", "passes"),
    [({"synthetic": True}, True), ({"synthetic": "true"}, False), ({}, False), (None, False), ([], False)],
)
def test_a_delivery_is_taken_in_once_somebody_has_said_what_it_is(folder, manifest, passes) -> None:
    delivery = folder.landing / "library" / "2026-10-31"
    delivery.mkdir(parents=True)
    if manifest is not None:
        (delivery / "manifest.json").write_text(json.dumps(manifest))
    if passes:
        require_said(folder, load_settings(folder), folder.landing)
        return
    with pytest.raises(Refusal, match="run --holds real"):
        require_said(folder, load_settings(folder), folder.landing)
    keep_what_it_holds(folder, "synthetic")
    require_said(folder, load_settings(folder), folder.landing)
    with pytest.raises(BoroughlinkError, match="says `holds: synthetic`"):
        keep_what_it_holds(folder, "real")


def test_of_real_people_there_is_no_way_back(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keyring.ephemeral()
    file = folder.root / SETTINGS_FILE
    file.write_text("holds: real\n")
    store = Operations.open(folder, keys)
    audit.record(store, "ann", HOLDS_REAL, "folder")
    store.close()
    Operations.open(folder, keys).close()
    for said in ("holds: synthetic\n", ""):
        file.write_text(said)
        with pytest.raises(Refusal, match=r"has held real people since .* write `holds: real`"):
            Operations.open(folder, keys)
    monkeypatch.setenv("BOROUGHLINK_HOLDS", "synthetic")
    with pytest.raises(Refusal, match="held real people"):
        Operations.open(folder, keys)
    noting = Operations.open(folder, keys, lenient=True)  # the refusal itself can be noted
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), noting.begin() as db:
        db.execute(sa.delete(audit_table))
    noting.close()


@pytest.mark.parametrize("name", ["holds", "operations_url", "oidc_issuer", "roles"])
def test_over_real_people_the_environment_says_nothing_that_protects(folder, monkeypatch, name) -> None:
    (folder.root / SETTINGS_FILE).write_text("holds: real\n")
    monkeypatch.setenv(f"BOROUGHLINK_{name.upper()}", "postgresql+psycopg://elsewhere/x")
    with pytest.raises(BoroughlinkError, match="can't be said from outside"):
        load_settings(folder)


def test_no_traceback_is_told_of_real_people(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOROUGHLINK_DEBUG", "1")
    load_settings(folder)
    (folder.root / SETTINGS_FILE).write_text("holds: real\n")
    with pytest.raises(BoroughlinkError, match="is for invented people"):
        load_settings(folder)


def test_no_file_leaves_into_the_data_folder(folder: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder.published)
    for place in (folder.root, folder.published, folder.landing, tmp_path / "link", folder.root / "x" / ".."):
        with pytest.raises(BoroughlinkError, match="in the data folder"):
            target_of(folder, place / "out.csv", (".csv",))
    assert target_of(folder, tmp_path / "out.csv", (".csv",)) == (tmp_path / "out.csv").resolve()
