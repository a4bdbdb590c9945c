"""A source is added by what docs/sources.md says and by nothing else: its folder, its extract, the commands."""

import csv
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from pipelines.settings import SHIPPED_SOURCES
from tests.end_to_end.conftest import boroughlink

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
CONTRACT = next(
    block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if block.startswith("name: library")
)
DAY = "2026-10-31"


@pytest.fixture(scope="module")
def council(landed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A register of electors and a gazetteer as they are, and beside them a library whose members are electors."""
    home = tmp_path_factory.mktemp("council")
    for name in ("electoral_register", "llpg"):
        shutil.copytree(landed / "landing" / name, home / "landing" / name)
        shutil.copytree(SHIPPED_SOURCES / name, home / "sources" / name)
    (home / "sources" / "library").mkdir()
    (home / "sources" / "library" / "contract.yaml").write_text(CONTRACT, encoding="utf-8")
    with next((home / "landing" / "electoral_register").glob("*/register.csv")).open(encoding="utf-8-sig") as file:
        electors = [row for row in csv.DictReader(file) if row["elector_forename"] and row["property_address_1"]]
    head = ["card", "Given names", "Family name", "born", "house", "street", "town", "postcode"]
    rows = [
        [f"L{number:05}", e["elector_forename"], e["elector_surname"], e["elector_dob"] and "", e["property_address_1"],
         e["property_address_2"], e["property_address_3"], e["property_post_code"]]
        for number, e in enumerate(electors[::5])
    ]  # fmt: skip
    delivery = home / "landing" / "library" / DAY
    delivery.mkdir(parents=True)
    with (delivery / "members.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])
    content = (delivery / "members.csv").read_bytes()
    entry = {"name": "members.csv", "rows": len(rows), "bytes": len(content)}
    entry["sha256"] = hashlib.sha256(content).hexdigest()
    said = {"source": "library", "extract_date": DAY, "synthetic": True, "files": [entry]}
    (delivery / "manifest.json").write_text(json.dumps(said))
    boroughlink("run", "--data", home / "data", "--landing", home / "landing", "--sources", home / "sources")
    return home


def test_it_is_read_and_checked(council: Path) -> None:
    data = council / "data"
    listed = json.loads(boroughlink("sources", "list", "--data", data, "--json").stdout)["Sources"]
    (library,) = [row for row in listed if row["source"] == "library"]
    assert library["rows"] > 200 and library["state"] == "accepted" and library["last extract"] == DAY
    assert (library["level"], library["owner"], library["kept"]) == ("person", "Libraries", "730 days")
    assert library["promised every"] == "35 days" and library["may serve"] == "data_quality"
    scored = boroughlink("quality", "--data", data, "--json", fine=False).stdout
    assert "library" in scored
    assert boroughlink("sources", "check", "library", "--data", data, fine=False).returncode in (0, 1)


def test_it_is_linked_and_exported(council: Path) -> None:
    boroughlink("export", "clusters", "--data", council / "data", "--out", council / "clusters.csv")
    with (council / "clusters.csv").open(encoding="utf-8-sig") as file:
        persons: dict[str, set[str]] = {}
        for row in csv.DictReader(file):
            if row["standing"] == "nobody":
                continue
            persons.setdefault(row["person_id"], set()).add(row["source"])
    members = [sources for sources in persons.values() if "library" in sources]
    together = sum(sources >= {"library", "electoral_register"} for sources in members)
    assert len(members) > 200 and together > 0.8 * len(members)


def test_it_took_nothing_but_its_folder() -> None:
    assert not (SHIPPED_SOURCES / "library").exists()
    assert "place of birth" not in CONTRACT and CONTRACT.count("maps:") == 1
