"""Files of a warehouse under encryption: a flipped bit, the module that encrypts, what spills."""

import shutil

import pytest

from pipelines import warehouse
from pipelines.settings import DataFolder, Settings


@pytest.fixture
def folder(tmp_path):
    return DataFolder.at(tmp_path / "data").make()


def test_a_flipped_bit_is_a_refusal(folder):
    con = warehouse.connect(folder.temp, (folder.root,), "200MB", 1)
    path = folder.root / "probe.duckdb"
    try:
        warehouse.attach(con, "identity", path, b"k" * 32)
        con.execute("CREATE TABLE identity.facts.probe AS SELECT range AS n FROM range(100000)")
        con.execute("DETACH identity")
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        wh = warehouse.Warehouse(con, "run", Settings().today())

        def read():
            warehouse.attach(con, "identity", path, b"k" * 32, read_only=True)
            wh.rows("SELECT sum(n) FROM identity.facts.probe")

        with pytest.raises(warehouse.StoreRefused):
            read()
    finally:
        con.close()


def test_a_crypto_module_that_was_changed_is_refused_though_it_was_good_before(folder, tmp_path, monkeypatch):
    """And in the sandbox none is ever loaded unsigned, though the signature of a known one isn't asked again."""
    place = tmp_path / "httpfs.duckdb_extension"
    shutil.copyfile(warehouse._crypto_module(), place)
    monkeypatch.setattr(warehouse, "_crypto_module", lambda: str(place))
    for _ in range(2):
        con = warehouse.connect(folder.temp, (folder.root,), "200MB", 1)
        ((unsigned,),) = con.execute("SELECT current_setting('allow_unsigned_extensions')").fetchall()
        assert not unsigned
        con.close()
    content = bytearray(place.read_bytes())
    content[-10] ^= 1  # in its signature
    place.unlink()  # another file in its place: what is loaded stays mapped
    place.write_bytes(content)
    for _ in range(2):
        with pytest.raises(warehouse.WarehouseError):
            warehouse.connect(folder.temp, (folder.root,), "200MB", 1)
    place.unlink()
    with pytest.raises(warehouse.WarehouseError):
        warehouse.connect(folder.temp, (folder.root,), "200MB", 1)


def test_what_another_process_spilled_in_the_working_folder_is_no_matter(tmp_path, monkeypatch):
    (tmp_path / ".tmp").mkdir()
    (tmp_path / ".tmp" / "duckdb_temp_storage_DEFAULT-0.tmp").write_text("another process's")
    monkeypatch.chdir(tmp_path)
    con = warehouse.connect(tmp_path, (), "100MB", 1)
    settings = "SELECT current_setting('temp_file_encryption'), current_setting('temp_directory')"
    assert con.execute(settings).fetchall() == [(True, str(tmp_path))]
