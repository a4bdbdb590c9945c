"""Feeds about properties, streets and areas: keyed on the place, naming nobody. The contract is that of the docs."""

import re
from datetime import date
from pathlib import Path

import pytest

from pipelines.quality.gate import gate
from pipelines.sources.contract_files import ContractError, load_contract
from pipelines.sources.contracts import Contract
from pipelines.sources.intake import take_in
from pipelines.warehouse import Warehouse
from tests.sources.library import deliver

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
DEFECTS = next(block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "name: defects" in block)
ROWS = (
    "usrn,defect,reported,severity,reported_by\n16100001,D1,2026-09-30,3,A CANARY\n16100002,D2,2026-10-02,1,B CANARY\n"
)
MISTAKES = [
    ("level: street", "level: person", "for sources about properties, streets or areas"),
    ("personal: name, keep: false", "personal: name", "names nobody"),
    ("place: {usrn: usrn}", "place: {usrn: street}", "no kept column"),
    ("place: {usrn: usrn}", "place: {usrn: usrn, uprn: usrn}", "one of `uprn`, `usrn` and `area`"),
    ("place: {usrn: usrn}", "place: {area: usrn}", "`area` and `kind` go together"),
    ("{name: usrn, type: integer,", "{name: usrn,", "it must be integer or bigint"),
    ("key: [usrn, defect]", "key: [defect]", "keyed on its place"),
    (
        "place: {usrn: usrn}",
        "place: {usrn: usrn}\n    slot: {key: [usrn, defect], name: [severity]}",
        "names persons, but the source is of the level street",
    ),
]


def stated(folder: Path, text: str) -> Contract:
    home = folder / "sources" / "defects"
    home.mkdir(parents=True, exist_ok=True)
    (home / "contract.yaml").write_text(text, encoding="utf-8")
    return load_contract(home / "contract.yaml")


def test_a_feed_of_streets_is_taken_in_and_keeps_no_name(wh: Warehouse, tmp_path: Path) -> None:
    contract = stated(tmp_path, DEFECTS)
    deliver(tmp_path, {"defects.csv": ROWS}, date(2026, 10, 31), source="defects")
    (intake,) = take_in(wh, contract, tmp_path, None, gate(wh))
    assert (intake.state, intake.rows) == ("accepted", {"defect": 2}), intake.reason
    assert contract.table("defect").place is not None and not contract.facts
    assert wh.rows("SELECT usrn, severity FROM identity.staged.defects__defect ORDER BY 1") == [
        (16100001, "3"),
        (16100002, "1"),
    ]
    assert "reported_by" not in wh.columns("identity.staged.defects__defect")


@pytest.mark.parametrize(("right", "wrong", "says"), MISTAKES, ids=[mistake[2] for mistake in MISTAKES])
def test_what_such_a_contract_may_not_state(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    assert right in DEFECTS
    with pytest.raises(ContractError) as error:
        stated(tmp_path, DEFECTS.replace(right, wrong, 1))
    assert says in str(error.value)
