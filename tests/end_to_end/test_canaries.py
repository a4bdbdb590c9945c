import base64
import csv
import hashlib
import shutil
import zipfile

import pytest

from pipelines.custody.scanning import scan
from pipelines.governance.opt_out import is_nhs_number
from pipelines.keys.keyring import RELEASING, STANDING_KEYS, open_keyring
from pipelines.operations import opened_store
from pipelines.releases.sealed import contents_of
from pipelines.releases.store import releases
from pipelines.settings import DataFolder, load_settings, write_settings
from tests.end_to_end.canaries import EXCEPTIONS, NAMELESS, plant, plant_protected, search
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


def no_byte_names_anyone(landed, tmp_path, people, each):
    landing = tmp_path / "landing"
    shutil.copytree(landed / "landing", landing)
    names, records = plant_protected(landing)
    surnames, numbers = plant(landing, people, each)
    planted = [*surnames, *numbers]
    named_in = {name.split("/")[0] for name in search(landing, surnames, exceptions=("none",))}
    assert named_in == {path.name for path in landing.iterdir()} - NAMELESS
    data = tmp_path / "data"
    DataFolder.at(data).make()
    write_settings(DataFolder.at(data), holds="synthetic", clock="2026-11-01")
    boroughlink("opt-out", "import", nhs_list(landing, tmp_path), "--date", "2026-10-31", "--data", data)
    done = boroughlink("run", "--data", data, "--landing", landing)
    released = boroughlink("release", "build", "risk_stratification", "--data", data)
    (tmp_path / "printed").mkdir()
    (tmp_path / "printed" / "out.txt").write_text(done.stdout + done.stderr + released.stdout + released.stderr)
    for command in (("status",), ("quality",), ("quality", "--readiness"), ("quality", "--page"), ("purposes",)):
        told = boroughlink(*command, "--data", data)
        (tmp_path / "printed" / f"{''.join(command)}.txt").write_text(told.stdout + told.stderr)
    assert search(tmp_path / "printed", planted) == {}
    assert search(data, [*planted, *names]) == {}
    assert {".dagster", "operations.sqlite", "releases"} <= {path.name for path in data.iterdir()}
    nobody_shows_the_protected(data, tmp_path / "handed", names, records)
    assert search(tmp_path / "handed", planted, exceptions=("flagged-pairs.csv",)) == {}
    what_is_encrypted_names_nobody_who_should_not_be_there(DataFolder.at(data), tmp_path / "opened", planted, surnames)
    assert EXCEPTIONS == ("exports/fraud",)
    assert search(data / "exports", planted, exceptions=("none",)), "the search must find people where they are"


def what_is_encrypted_names_nobody_who_should_not_be_there(folder, opened, planted, surnames):
    """With the keys: nobody in the attributes and the release, everybody in identity."""
    settings, opened_files = load_settings(folder), 0
    ring = open_keyring(folder, settings, STANDING_KEYS)
    opened.mkdir()
    with opened_store(folder, RELEASING) as operations:
        for release in releases(operations):
            for name, content in contents_of(folder, operations, release).items():
                (opened / name).write_bytes(content)
                opened_files += 1
    assert opened_files == 2 and search(opened, planted) == {}
    attributes = scan(folder.attributes, planted, patterns=False, keyring=ring)
    assert attributes.hits == {} and not attributes.sealed and not attributes.closed
    everyone = scan(folder.identity, surnames, patterns=False, keyring=ring)
    assert everyone.hits == {"identity.duckdb": {"canary": len(surnames)}}
    sealed = {name.partition("/")[0].partition(":")[0] for name in scan(folder.root, patterns=False).sealed}
    assert sealed == {"archive", "attributes.duckdb", "identity.duckdb", "published", "releases"}


def nhs_list(landing, tmp_path):
    """An opt-out list of one client of social care."""
    (cld,) = landing.glob("adult_social_care/*/cld.csv")
    numbers = [row["NHS Number"] for row in csv.DictReader(cld.open(encoding="latin-1"))]
    chosen = next(number for number in numbers if is_nhs_number("".join(number.split())))
    (tmp_path / "opt_out.csv").write_text(f"nhs_number\n{chosen}\n")
    return tmp_path / "opt_out.csv"


def test_no_byte_outside_the_fraud_export_names_anyone(landed, tmp_path):
    no_byte_names_anyone(landed, tmp_path, 20, 15)


@pytest.mark.prove
def test_no_byte_outside_the_fraud_export_names_any_of_two_hundred(landed, tmp_path):
    no_byte_names_anyone(landed, tmp_path, 200, 200)
