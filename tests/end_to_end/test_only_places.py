"""A folder whose sources name nobody runs; in the first run already a source is held against the gazetteer."""

import csv
import shutil
from datetime import date
from pathlib import Path

import pytest

from pipelines.settings import SHIPPED_SOURCES, DataFolder
from pipelines.snapshots import open_snapshot
from tests.end_to_end.conftest import boroughlink
from tests.sources.library import deliver, head

DAY = date(2026, 10, 31)
BINS = (
    head("bins", "Bins", "Where bins are emptied.").replace("level: person", "level: property")
    + """\
tables:
  - name: round
    file: round.csv
    grain: one property
    why: where bins are emptied
    key: [uprn]
    place: {uprn: uprn}
    columns:
      - {name: uprn, type: bigint, personal: none}
      - {name: day, personal: none}
"""
)


@pytest.fixture(scope="module")
def folder(landed: Path, tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A gazetteer and, before it by name, a round of bins: 60 properties of the gazetteer and six of none."""
    home = tmp_path_factory.mktemp("places")
    shutil.copytree(landed / "landing" / "llpg", home / "landing" / "llpg")
    shutil.copytree(SHIPPED_SOURCES / "llpg", home / "sources" / "llpg")
    (home / "sources" / "bins").mkdir()
    (home / "sources" / "bins" / "contract.yaml").write_text(BINS, encoding="utf-8")
    with next((home / "landing" / "llpg").glob("*/addressbase_premium.csv")).open(encoding="utf-8") as file:
        properties = [row[3] for row in csv.reader(file) if row[0] == "21"]
    rows = [*properties[:60], *map(str, range(1, 7))]
    deliver(home / "landing", {"round.csv": "uprn,day\n" + "".join(f"{row},Mon\n" for row in rows)}, DAY, source="bins")
    boroughlink("run", "--data", home / "data", "--landing", home / "landing", "--sources", home / "sources")
    return DataFolder.at(home / "data")


def test_it_is_published_and_told_of(folder: DataFolder) -> None:
    assert "bins" in boroughlink("sources", "list", "--data", folder.root).stdout
    assert "Bins" in Path(boroughlink("quality", "--page", "--data", folder.root).stdout.strip()).read_text()


def test_what_is_named_before_the_gazetteer_is_held_against_it(folder: DataFolder) -> None:
    with open_snapshot(folder) as (wh, _):
        assert wh.rows(
            "SELECT rows, failures, judged FROM published.quality.result WHERE rule = 'round.uprn.known_uprn'"
        ) == [(66, 6, True)]
