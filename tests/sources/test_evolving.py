"""Contracts that evolve: layouts, columns and codes by date; a layout that drifts is told column by column."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.quality.gate import gate
from pipelines.sources.contract_files import ContractError
from pipelines.sources.contracts import Contract
from pipelines.sources.facts_build import build_fact
from pipelines.sources.intake import take_in
from pipelines.warehouse import Warehouse
from tests.sources.library import BORROWERS, CONTRACT, DAY, both, deliver, make_contract

SEP, OCT = date(2026, 9, 30), DAY
DRIFT = "SELECT reason, column_name, record, value FROM identity.staged.fault WHERE kind = 'layout' ORDER BY record"
LAYOUTS = CONTRACT.replace(
    "tables:\n",
    """layouts:
  systems: [borrower, loan]
  flat: [member]
tables:
  - name: member
    file: flat.csv
    grain: one borrower
    why: who borrows
    key: [card]
    slot: {key: card, name: [name]}
    columns:
      - {name: card, personal: identifier}
      - {name: name, personal: name}
""",
)
PERSONS = """\
-- one row per borrower, from whichever layout has shown the card last
SELECT * FROM (
    SELECT record_id, card AS source_key, occupant, 'member' AS role, NULL AS title, NULL AS forename, NULL AS middle,
        NULL AS surname, name AS name_text, NULL AS former_surname, born AS birth_date, NULL AS sex,
        NULL AS death_date, NULL AS nino, NULL AS nhs_number, NULL AS phone, NULL AS email, NULL AS sensitivity,
        extract_date, valid_from, valid_to, loaded_run
    FROM (SELECT * EXCLUDE (visits) FROM ${borrower} UNION ALL BY NAME SELECT * FROM ${member})
)
QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY extract_date DESC) = 1
"""


def test_delivery_matches_exactly_one_layout(wh: Warehouse, tmp_path: Path, landing: Path) -> None:
    make_contract(tmp_path, LAYOUTS)
    (tmp_path / "sources" / "library" / "person_record.sql").write_text(PERSONS)
    contract = make_contract(tmp_path, LAYOUTS)
    flat = "card,name\n2,BEN CANARY\n3,CAT CANARY\n"
    deliver(landing, both(), SEP)
    deliver(landing, {"flat.csv": flat}, OCT)
    deliver(landing, {"borrower.csv": BORROWERS}, date(2026, 11, 1))
    deliver(landing, both() | {"flat.csv": flat}, date(2026, 11, 2))
    found = take_in(wh, contract, landing, None, gate(wh))
    assert [intake.state for intake in found] == ["accepted", "accepted", "refused", "refused"]
    assert "no layout of the contract (for `systems` it lacks loan.csv; for `flat` it lacks flat.csv)" in str(found[2])
    assert "several layouts (systems, flat)" in (found[3].reason or "")
    build_fact(wh, "person_record", {"library": contract})
    assert wh.rows(
        "SELECT source_key, birth_date, valid_from, valid_to FROM identity.facts.person_record ORDER BY 1"
    ) == [("1", date(1980, 2, 1), SEP, OCT), ("2", None, OCT, None), ("3", None, OCT, None)]


def test_columns_and_codes_belong_to_their_years(wh: Warehouse, tmp_path: Path, landing: Path) -> None:
    text = CONTRACT.replace(
        "      - {name: visits, type: integer, personal: none}\n",
        "      - {name: visits, type: integer, personal: none, until: 2026-09-30}\n"
        "      - {name: kind, personal: none, required: true, since: 2026-10-01, severity: {valid: critical},\n"
        "         codes: {A: adult, C: child, S: {means: senior, until: 2026-10-31}}}\n",
    )
    contract = make_contract(tmp_path, text)
    new = "Card No,name,born,kind\n1,ANNE CANARY,01/02/1980,S\n"
    deliver(landing, both(), SEP)
    deliver(landing, both(new), OCT)
    deliver(landing, both(new), date(2026, 11, 1))  # S is no longer in the list
    deliver(landing, both(BORROWERS + "3,CAT,,1\n"), date(2026, 11, 2))  # last year's layout
    found = take_in(wh, contract, landing, None, gate(wh))
    assert [intake.state for intake in found] == ["accepted", "accepted", "refused", "refused"]
    assert "borrower.kind holds only codes that the contract lists" in (found[2].reason or "")
    assert "lacks the column kind" in (found[3].reason or "")
    assert wh.rows("SELECT card, visits, kind, valid_to FROM identity.staged.library__borrower ORDER BY ALL") == [
        ("1", 3, None, OCT),
        ("1", None, "S", None),
        ("2", 0, None, OCT),
    ]


HEADERS = {
    "added": ("Card No,name,born,visits,email", [("column_added", None, 5, "email")]),
    "gone": ("Card No,name,visits", [("column_gone", "born", None, None)]),
    "renamed, alike": ("Card No,name,visits_made,born", [("column_renamed", "visits", 3, "visits_made")]),
    "renamed, in its place": ("Card No,name,dob,visits", [("column_renamed", "born", 3, "dob")]),
    "moved": ("Card No,born,name,visits", [("columns_moved", "born", 2, None)]),
    "no header: names of persons are not kept": (
        "1,ANNE CANARY,01/02/1980,3",
        [("column_added", None, place, None) for place in range(1, 5)]
        + [("column_gone", name, None, None) for name in ("card", "name", "born", "visits")],
    ),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_drift_is_told_column_by_column(wh: Warehouse, library: Contract, landing: Path, kind: str) -> None:
    header, drift = HEADERS[kind]
    deliver(landing, both(f"{header}\n" + ",".join("1" for _ in header.split(",")) + "\n"))
    state = take_in(wh, library, landing, None)[0].state
    assert state == ("accepted" if kind == "moved" else "refused")
    assert wh.rows(DRIFT) == drift


def test_column_of_another_type_is_not_taken_in_empty(wh: Warehouse, library: Contract, landing: Path) -> None:
    rows = "".join(f"{card},SOMEONE,1980-02-{card % 28 + 1:02},1\n" for card in range(60))
    deliver(landing, both("Card No,name,born,visits\n" + rows))
    reason = take_in(wh, library, landing, None)[0].reason or ""
    assert "60 of 60 values of the column born can't be read as a date (%d/%m/%Y)" in reason
    assert "they look like dates written %Y-%m-%d" in reason
    assert wh.rows(DRIFT) == [("type_changed", "born", None, "dates written %Y-%m-%d")]


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("layouts:\n", "layouts:\n  third: [nothing]\n", "third: names `nothing`"),
        ("  flat: [member]\n", "", "one layout only"),
        ("{name: card, personal: identifier}", "{name: card, personal: identifier, since: 2026-01-01}", "names `card`"),
        ("personal: birth_date", "personal: birth_date, since: 2026-01-01, until: 2025-01-01", "`until` is before"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    with pytest.raises(ContractError, match=r"line \d+") as error:
        make_contract(tmp_path, LAYOUTS.replace(right, wrong, 1))
    assert says in str(error.value)
