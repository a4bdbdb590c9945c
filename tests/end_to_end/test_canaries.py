import base64
import hashlib
import shutil
import zipfile

import pytest

from tests.end_to_end.canaries import EXCEPTIONS, plant, plant_protected, search
from tests.end_to_end.conftest import boroughlink


def test_the_search_finds_every_form(tmp_path):
    value = "Qzvexaward"
    hidden = {
        "plain": value.encode(),
        "upper": value.upper().encode(),
        "utf16": value.encode("utf-16-le"),
        "reversed": value[::-1].encode(),
        "hash": hashlib.sha256(value.lower().encode()).hexdigest().encode(),
        "base64": base64.b64encode(value.encode()),
    }
    for name, raw in hidden.items():
        (tmp_path / name).write_bytes(b"before " + raw + b" after")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("inside.txt", value * 50)
    (tmp_path / "clean").write_bytes(b"nothing to see")
    assert set(search(tmp_path, [value])) == {*hidden, "packed.zip"}


def nobody_shows_the_protected(data, handed, names, records):
    """Neither the fraud team's files, nor any export, nor an explanation shows a protected person or their record."""
    handed.mkdir()
    for name in ("clusters", "label-sample", "flagged-pairs"):
        boroughlink("export", name, "--data", data, "--out", handed / f"{name}.csv")
    for source, what in (
        ("council_tax", "birth_date"),
        ("housing", "member.ni_no.form"),
        ("schools", "pupil.dob.range"),
    ):
        boroughlink("quality", "rows", source, what, "--data", data, "--out", handed / f"{source}_rows.csv")
    boroughlink("quality", "export", "--data", data, "--out", handed / "scorecard.xlsx")
    clusters = (handed / "clusters.csv").read_text()
    someone = clusters.splitlines()[1].split(",")[0]
    told = boroughlink("explain", records[0], someone, "--data", data)
    assert "protected" in told.stdout or "never to be linked" in told.stdout
    assert len(names) > 8 and len(records) > 8
    assert search(handed, [*names, *records], exceptions=("none",)) == {}
    assert search(data / "exports", [*names, *records], exceptions=("none",)) == {}
    assert "housing:" in clusters and "schools:pupil/" in clusters


def no_byte_names_anyone(landed, tmp_path, each):
    landing = tmp_path / "landing"
    shutil.copytree(landed / "landing", landing)
    names, records = plant_protected(landing)
    planted = plant(landing, each)
    assert len(planted) > 5 * each
    data = tmp_path / "data"
    done = boroughlink("run", "--data", data, "--landing", landing)
    (tmp_path / "printed").mkdir()
    (tmp_path / "printed" / "out.txt").write_text(done.stdout + done.stderr)
    for command in (("status",), ("quality",), ("quality", "--readiness"), ("quality", "--page"), ("purposes",)):
        told = boroughlink(*command, "--data", data)
        (tmp_path / "printed" / f"{''.join(command)}.txt").write_text(told.stdout + told.stderr)
    assert search(tmp_path / "printed", planted) == {}
    assert search(data, [*planted, *names]) == {}
    nobody_shows_the_protected(data, tmp_path / "handed", names, records)
    assert EXCEPTIONS == ("exports/fraud",)
    assert search(data / "exports", planted, exceptions=("none",)), "the search must find people where they are"


def test_no_byte_outside_the_fraud_export_names_anyone(landed, tmp_path):
    no_byte_names_anyone(landed, tmp_path, 15)


@pytest.mark.prove
def test_no_byte_outside_the_fraud_export_names_any_of_many(landed, tmp_path):
    no_byte_names_anyone(landed, tmp_path, 200)
