"""What a source's steward does, by the real command: prove it, see what was set aside, mend and release it, tell the
system's owner; and draft the next contract."""

import csv
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from pipelines.settings import SHIPPED_SOURCES
from tests.end_to_end.conftest import boroughlink


@pytest.fixture(scope="module")
def stood(landed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A data folder of one source with two rows set aside, and where its contract is."""
    home = tmp_path_factory.mktemp("stewardship")
    shutil.copytree(landed / "landing" / "deaths", home / "landing" / "deaths")
    shutil.copytree(SHIPPED_SOURCES / "deaths", home / "sources" / "deaths")
    manifest = next((home / "landing" / "deaths").glob("*/manifest.json"))
    extract = manifest.parent / "deaths.csv"
    lines = extract.read_text().splitlines()
    lines += ["," + lines[1].split(",", 1)[1], lines[2] + ",MORE"]
    content = ("\n".join(lines) + "\n").encode()
    extract.write_bytes(content)
    stated = json.loads(manifest.read_text())
    stated["files"][0] |= {"rows": len(lines) - 1, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest.write_text(json.dumps(stated))
    places = ("--landing", home / "landing", "--sources", home / "sources")
    boroughlink("run", "--data", home / "data", *places)
    return home, home / "data"


def test_rows_are_mended_and_released(stood: tuple[Path, Path]) -> None:
    home, data = stood
    waiting = json.loads(boroughlink("sources", "quarantine", "list", "--data", data, "--json").stdout)["Quarantine"]
    assert [row["what is wrong"].split()[0] for row in waiting] == ["the", "more"]
    boroughlink("sources", "quarantine", "list", "deaths", "--out", home / "mend.csv", "--data", data)
    with (home / "mend.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[0]["registration_id"] = "R999999"
    with (home / "mended.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerow(rows[0])
    mended = ("sources", "quarantine", "release", "deaths", home / "mended.csv", "--data", data)
    assert "1 row of deaths, deaths, released" in boroughlink(*mended).stdout
    again = boroughlink(*mended, fine=False)
    assert again.returncode == 1
    assert "waits nowhere" in again.stderr
    entries = boroughlink("audit", "verify", "--data", data).stdout
    assert "unbroken" in entries


def test_owner_gets_a_report_without_personal_values(stood: tuple[Path, Path]) -> None:
    home, data = stood
    boroughlink("sources", "report", "deaths", "--out", home / "report.csv", "--data", data)
    told = (home / "report.csv").read_text()
    assert "deaths.csv,deaths," in told
    assert "Lines and columns only" in (home / "report.csv.stamp.txt").read_text()
    with next((home / "landing" / "deaths").glob("*/deaths.csv")).open(encoding="utf-8-sig") as file:
        people = list(csv.DictReader(file))
    told_words = set(told.replace('"', ",").split(","))
    for column in ("surname", "forenames", "usual_address", "postcode", "registration_id", "date_of_birth"):
        assert not told_words & {person[column] for person in people if person[column]}, column


def test_contract_is_proved_and_the_next_one_drafted(stood: tuple[Path, Path]) -> None:
    home, data = stood
    listed = json.loads(boroughlink("sources", "list", "--data", data, "--json").stdout)["Sources"]
    assert [(row["source"], row["state"], row["rows"] > 40) for row in listed] == [("deaths", "accepted", True)]
    proved = boroughlink("sources", "check", "deaths", "--data", data, fine=False)
    assert "fact person_record" in proved.stdout
    assert "set aside" in proved.stdout
    extract = next((home / "landing" / "deaths").glob("*/deaths.csv"))
    boroughlink("sources", "new", "registrar", extract, "--out", home / "new")
    draft = (home / "new" / "registrar" / "contract.yaml").read_text()
    assert '{name: "date_of_birth", type: date, personal: birth_date}' in draft
    assert "key: [registration_id]" in draft
    with extract.open(encoding="utf-8-sig") as file:
        for person in csv.DictReader(file):
            assert person["postcode"] not in draft or not person["postcode"]
            assert person["surname"] not in draft
    refused = boroughlink("sources", "check", "registrar", "--sources", home / "new", "--data", data, fine=False)
    assert refused.returncode == 1
    assert "title: is empty" in refused.stderr
