"""The scanner finds everyone who is there, in every disguise, and nobody who is not."""

import base64
import bz2
import gzip
import hashlib
import json
import lzma
import random
import sqlite3
import tarfile
import zipfile
import zlib

import duckdb
import polars as pl
import pyrage
import pytest
import xlsxwriter
from click.testing import CliRunner

from boroughlink.cli import cli
from pipelines import warehouse
from pipelines.custody.scanning import scan
from pipelines.keys.keyring import Keyring
from pipelines.sources.archive import Archive
from pipelines.sources.file_faults import inspect

CANARIES = [f"Qzvex{a}{b}ward" for a in "abcdefghijklmnopqrst" for b in "abcdefghij"]
DISGUISES = {
    "plain": lambda v: v.encode(),
    "upper": lambda v: v.upper().encode(),
    "reversed": lambda v: v[::-1].encode(),
    "utf16": lambda v: v.encode("utf-16-le"),
    "hex": lambda v: v.encode().hex().encode(),
    "base64": lambda v: base64.b64encode(b"x" + v.encode() + b" and more"),
    "sha256": lambda v: hashlib.sha256(v.lower().encode()).hexdigest().encode(),
    "md5": lambda v: hashlib.md5(v.encode()).hexdigest().encode(),
    "sha1": lambda v: hashlib.sha1(v.upper().encode()).hexdigest().encode(),
}


def test_two_hundred_of_two_hundred_in_every_disguise(tmp_path):
    for name, disguise in DISGUISES.items():
        (tmp_path / name).write_bytes(b"\n".join(b"before " + disguise(value) + b" after" for value in CANARIES))
    assert scan(tmp_path, CANARIES, patterns=False).hits == {name: {"canary": 200} for name in sorted(DISGUISES)}


def test_two_hundred_of_two_hundred_in_every_container(tmp_path):
    text, rows = "\n".join(CANARIES), [(value,) for value in CANARIES]
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("inside.gz", gzip.compress(text.encode()))
    (tmp_path / "b.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "inner.txt").write_text(text)
    with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "inner.txt", "inner.txt")
    (tmp_path / "inner.txt").unlink()
    pl.DataFrame({"v": CANARIES}).write_parquet(tmp_path / "d.parquet", compression="zstd")
    with xlsxwriter.Workbook(tmp_path / "e.xlsx") as book:
        page = book.add_worksheet()
        for number, value in enumerate(CANARIES):
            page.write(number, 0, value)
    with sqlite3.connect(tmp_path / "f.sqlite") as con:
        con.execute('CREATE TABLE "t""2" (v)')
        con.executemany('INSERT INTO "t""2" VALUES (?)', rows)
    with duckdb.connect(tmp_path / "g.duckdb") as con:
        con.execute('CREATE TABLE "t""2" (v VARCHAR)')
        con.executemany('INSERT INTO "t""2" VALUES (?)', rows)
    (tmp_path / "h.bz2").write_bytes(bz2.compress(text.encode()))
    (tmp_path / "i.xz").write_bytes(lzma.compress(text.encode()))
    (tmp_path / "j.zlib").write_bytes(zlib.compress(text.encode()))
    names = ["a.zip", "b.gz", "c.tar.gz", "d.parquet", "e.xlsx", "f.sqlite", "g.duckdb", "h.bz2", "i.xz", "j.zlib"]
    assert scan(tmp_path, CANARIES, patterns=False).hits == {name: {"canary": 200} for name in names}


def test_what_is_encrypted_is_opened_with_the_keys_alone(tmp_path):
    ring = Keyring.ephemeral()
    con = warehouse.connect(tmp_path, (tmp_path,), "200MB", 1)
    warehouse.attach(con, "identity", tmp_path / "identity.duckdb", ring.key("identity"))
    con.execute("CREATE TABLE identity.facts.t AS SELECT unnest(?) AS v", [CANARIES])
    con.close()
    bare = scan(tmp_path, CANARIES)
    assert bare.hits == {} and bare.sealed == ["identity.duckdb: an encrypted database; --keys-of opens it"]
    assert scan(tmp_path, CANARIES, keyring=ring, patterns=False).sealed == []
    assert scan(tmp_path, CANARIES, keyring=ring, patterns=False).hits == {"identity.duckdb": {"canary": 200}}
    assert scan(tmp_path, CANARIES, keyring=Keyring.ephemeral(b"other")).closed


@pytest.mark.parametrize(
    ("kind", "there", "not_there"),
    [
        ("NI number", "QQ 12 34 56 C AB123456D", "GB123456A AB123456E XAB123456AB"),
        ("NHS number", "9434765919 943 476 5919", "9434765918 1234567890 0000000000 1.9434765919"),
        ("UPN", "H801200001001", "A801200001002"),
        ("UPRN", '"uprn": 100090123456', "100090123456"),
        ("e-mail", "ann@example.org", "ann at example.org"),
        ("phone", "07700 900123 +447700900123", "20261031070000"),
        ("name with postcode", "Ann Smith, 3 Acacia Avenue, SS1 2AB", "Ann Smith; SS1"),
    ],
)
def test_patterns(tmp_path, kind, there, not_there):
    (tmp_path / "x.txt").write_text(not_there)
    assert kind not in scan(tmp_path).hits.get("x.txt", {})
    (tmp_path / "x.txt").write_text(f"so: {there} .")
    assert kind in scan(tmp_path).hits["x.txt"]


def test_whoever_a_file_is_called_after_is_found(tmp_path):
    (tmp_path / CANARIES[0]).mkdir()
    (tmp_path / CANARIES[0] / "AB123456C.txt").write_text("nothing")
    assert scan(tmp_path, CANARIES).hits == {f"{CANARIES[0]}/AB123456C.txt": {"canary": 1, "NI number": 1}}


def test_text_as_spreadsheets_save_it_is_read(tmp_path):
    (tmp_path / "unicode.txt").write_text("so: AB 12 34 56 C .", encoding="utf-16")
    assert scan(tmp_path).hits == {"unicode.txt": {"NI number": 1}}


@pytest.mark.parametrize(
    "begins", [b"%PDF-1.7", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd", b"ARROW1", b"PACK\0\0\0\x02"]
)
def test_what_hides_its_text_otherwise_is_not_passed_over(tmp_path, begins):
    (tmp_path / "hidden").write_bytes(begins + zlib.compress(CANARIES[0].encode()))
    with zipfile.ZipFile(tmp_path / "around.zip", "w") as packed:
        packed.write(tmp_path / "hidden", "inside")
    found = scan(tmp_path, CANARIES)
    assert len(found.closed) == 2 and all("scan what is in it" in one for one in found.closed)


def test_a_damaged_database_is_said_and_the_rest_scanned(tmp_path):
    (tmp_path / "a.sqlite").write_bytes(b"SQLite format 3\0" + b"\1" * 3000)
    (tmp_path / "b.txt").write_text(CANARIES[0])
    found = scan(tmp_path, CANARIES)
    assert found.closed == ["a.sqlite: damaged, or in use"] and set(found.hits) == {"b.txt"}


def test_nothing_is_found_in_what_names_nobody(tmp_path):
    rng = random.Random(3)
    (tmp_path / "noise").write_bytes(rng.randbytes(200_000))
    (tmp_path / "words").write_text("rows 1,204 of run 20261031T020000-a1b2c3, 0.993 of pairs\n" * 500)
    assert scan(tmp_path, CANARIES).hits == {}


def test_exceptions_are_named_and_what_is_closed_is_said(tmp_path):
    (tmp_path / "exports" / "fraud").mkdir(parents=True)
    (tmp_path / "exports" / "fraud" / "pairs.csv").write_text(CANARIES[0])
    (tmp_path / "exports" / "fraudulent.csv").write_text(CANARIES[1])
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 no more")
    found = scan(tmp_path, CANARIES, ["exports/fraud"])
    assert set(found.hits) == {"exports/fraudulent.csv"} and found.excepted == ["exports/fraud/pairs.csv"]
    assert found.closed == ["broken.zip: damaged, or protected by a password"]


def test_what_is_encrypted_is_counted_and_named(tmp_path):
    left = tmp_path / "left"
    left.mkdir()
    ring, key = Keyring.ephemeral(), pyrage.x25519.Identity.generate().to_public()
    plain = tmp_path / "extract.csv"
    plain.write_text(f"name\n{CANARIES[0]}\n")
    Archive(left, ring.key("archive")).store(inspect(plain, "utf-8"))
    (archived,) = (path.name for path in left.iterdir())
    (left / "hand_over.age").write_bytes(pyrage.encrypt(CANARIES[0].encode(), [key]))
    (left / "rows.csv.sealed").write_bytes(random.Random(1).randbytes(500))
    with tarfile.open(left / "two.tar", "w") as packed:
        packed.add(left / "hand_over.age", "inner.age")
        packed.add(plain, "inner.csv")
    found = scan(left, CANARIES, patterns=False)
    assert {name.partition(":")[0] for name in found.sealed} == {
        archived,
        "hand_over.age",
        "rows.csv.sealed",
        "two.tar",
    }
    assert found.hits == {"two.tar": {"canary": 1}} and not found.closed
    assert archived in scan(left, CANARIES, patterns=False, keyring=ring).hits
    (left / "two.tar").unlink()
    done = CliRunner().invoke(cli, ["scan", str(left), "--json"])
    told = json.loads(done.output)
    assert done.exit_code == 0 and told["encrypted"] == 3 and len(told["Encrypted"]) == 3
    (left / "broken.zip").write_bytes(b"PK\x03\x04 no more")
    assert CliRunner().invoke(cli, ["scan", str(left)]).exit_code == 1


def test_the_command_says_how_many_and_never_which(tmp_path):
    (tmp_path / "left").mkdir()
    (tmp_path / "left" / "x.log").write_text(f"{CANARIES[0]} ann@example.org")
    (tmp_path / "canaries.txt").write_text("\n".join(CANARIES))
    done = CliRunner().invoke(cli, ["scan", str(tmp_path / "left"), "--canaries", str(tmp_path / "canaries.txt")])
    assert done.exit_code == 1 and "x.log" in done.output and "canary" in done.output
    assert CANARIES[0] not in done.output and "ann@" not in done.output
