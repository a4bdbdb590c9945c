"""XML extracts: several tables out of one file, keys of the elements around, and nothing that expands or calls out."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.sources.contract_files import ContractError, load_contract
from pipelines.sources.contracts import Contract
from pipelines.sources.intake import take_in
from pipelines.warehouse import Warehouse
from tests.sources.library import DAY, deliver

CONTRACT = """\
name: clubs
title: Clubs
system: Made up
level: person
owner: Youth
steward: youth@example.org
description: Children and their visits to clubs.
retention_days: 365
refresh_days: 31
control: manifest
date_format: "%Y-%m-%d"
purposes:
  data_quality: {basis: public task, expires: 2030-01-01}
tables:
  - name: child
    file: clubs.xml
    format: xml
    rows: Return/Children/Child
    grain: one child
    why: who comes
    key: [child]
    columns:
      - {name: child, path: "@id", personal: identifier}
      - {name: Forename, path: Name/Given, personal: name}
      - {name: Born, type: date, personal: birth_date}
      - {name: Taken, path: ../../Header/Taken, type: date, personal: none}
      - {name: Note, path: Notes/Note, keep: false, personal: free_text}
  - name: visit
    file: clubs.xml
    format: xml
    rows: Return/Children/Child/Visits/Visit
    grain: one visit
    why: how often
    may_be_empty: true
    columns:
      - {name: child, path: ../../@id, personal: identifier}
      - {name: club, path: ../../Home/Club, personal: none}
      - {name: day, path: ., type: date, required: true, personal: none}
"""
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<Return xmlns:x="urn:x">\n<Header><Taken>2026-10-31</Taken></Header>\n'
ANNE = (
    '<x:Child id="1"><Name><Given>ANNE &amp; CO</Given></Name><Born>2015-02-01</Born>\n'
    "<Visits><Visit>2026-09-01</Visit><Visit>2026-09-08</Visit></Visits><Home><Club>A</Club></Home></x:Child>\n"
)
BEN = '<Child id="2"><Name><Given>BEN CANARY</Given></Name><Born/><Notes><Note>CANARY</Note></Notes></Child>\n'
GOOD = f"{HEAD}<Children>\n{ANNE}{BEN}</Children></Return>\n"


@pytest.fixture
def clubs(tmp_path: Path) -> Contract:
    return make(tmp_path)


def make(folder: Path, text: str = CONTRACT) -> Contract:
    home = folder / "sources" / "clubs"
    home.mkdir(parents=True, exist_ok=True)
    (home / "contract.yaml").write_text(text)
    return load_contract(home / "contract.yaml")


def take(wh: Warehouse, clubs: Contract, landing: Path, text: str | bytes, rows: int) -> tuple[str, str, list[str]]:
    deliver(landing, {"clubs.xml": text}, DAY, rows={"clubs.xml": rows}, source="clubs")
    found = take_in(wh, clubs, landing, None)[0]
    return found.state, found.reason or "", list(found.notes)


def test_tables_of_one_file_with_keys_of_the_elements_around(wh: Warehouse, clubs: Contract, landing: Path) -> None:
    assert take(wh, clubs, landing, GOOD, 4)[0] == "accepted"
    assert wh.rows("SELECT child, forename, born, taken FROM identity.staged.clubs__child ORDER BY 1") == [
        ("1", "ANNE & CO", date(2015, 2, 1), DAY),
        ("2", "BEN CANARY", None, DAY),
    ]
    # the club stands after the visits that it belongs to: they wait for it
    assert wh.rows("SELECT child, club, day FROM identity.staged.clubs__visit ORDER BY day") == [
        ("1", "A", date(2026, 9, 1)),
        ("1", "A", date(2026, 9, 8)),
    ]
    assert "note" not in wh.columns("identity.staged.clubs__child")


def test_row_faults_have_their_line(wh: Warehouse, clubs: Contract, landing: Path) -> None:
    twice = '<Child id="3"><Name><Given>CAT</Given><Given>DOG</Given></Name></Child>\n'
    again, odd = BEN, '<Child id="4"><Born>31/31/2015</Born><Shoe>9</Shoe></Child>\n'
    text = f"{HEAD}<Children>\n{ANNE}{BEN}{twice}{again}{odd}</Children></Return>"
    state, _, notes = take(wh, clubs, landing, text, 7)
    assert state == "accepted"
    assert wh.rows("SELECT line, reason, column_name, kind FROM identity.staged.fault ORDER BY line") == [
        (8, "element_repeated", None, "row"),
        (9, "key_repeated", "child", "row"),
        (10, "not_a_date", "born", "value"),
    ]
    assert any("1 kind of element that the contract doesn't name (first in line 10)" in note for note in notes)


LAUGHS = '<!DOCTYPE Return [<!ENTITY a "CANARY"><!ENTITY b "&a;&a;&a;&a;">]>\n<Return><Children>&b;</Children></Return>'
OUTSIDE = '<!DOCTYPE Return SYSTEM "http://example.org/x.dtd">\n<Return/>'
SPOILT = {
    "entities that expand": (LAUGHS, "line 1", "document type"),
    "a DTD elsewhere": (OUTSIDE, "line 1", "document type"),
    "an entity that nobody declared": (GOOD.replace("CANARY", "&who;"), "line 7", "not well-formed XML at column"),
    "cut off": (GOOD[:-40], "line 7", "cut off"),
    "elements crossed": (GOOD.replace("</Given></Name><Born/>", "</Name></Given><Born/>"), "line 7", "mismatched tag"),
    "two documents": (GOOD + GOOD, "line 9", "not well-formed"),
    "another source's": ("<Other><Child/></Other>", "line 1", "another source's file"),
    "CSV": ("id,Given\n1,CANARY\n", "clubs.xml", "is no XML"),
    "a workbook": (b"PK\x03\x04CANARY", "clubs.xml", "not XML text"),
    "another encoding": (GOOD.replace("UTF-8", "windows-1252"), "line 1", "says that it is not utf-8"),
    "no row": (f"{HEAD}</Return>", "clubs.xml", "no rows"),
    "two of one": (GOOD.replace("<Taken>", "<Taken>2026-10-30</Taken><Taken>"), "line 3", "more than once"),
    "endless value": (GOOD.replace("2026-10-31", "9" * 1_100_000), "line 3", "more than 1,000,000 characters"),
    "endless nesting": (HEAD + "<Children>" * 3 + "<a>" * 200_000, "line 4", "cut off"),
    "rows lost": (GOOD.replace(BEN, ""), "clubs.xml", "holds 3 rows, but manifest.json says 4"),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_spoilt_document_is_refused(wh: Warehouse, clubs: Contract, landing: Path, kind: str) -> None:
    text, where, says = SPOILT[kind]
    state, reason, _ = take(wh, clubs, landing, text, 0 if kind == "no row" else 4)
    assert state == "refused"
    assert where in reason and says in reason
    assert "CANARY" not in reason
    assert not wh.exists("identity.staged.clubs__child")


def test_long_value_sets_its_row_aside(wh: Warehouse, clubs: Contract, landing: Path) -> None:
    text = GOOD.replace("BEN CANARY", "B" * 1_100_000)
    assert take(wh, clubs, landing, text, 4)[0] == "accepted"
    assert wh.rows("SELECT line, reason FROM identity.staged.fault") == [(7, "line_too_long")]


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("    rows: Return/Children/Child\n", "", "`rows` and `format: xml` go together"),
        ('path: "@id"', 'path: "../../../../Id"', "leads nowhere"),
        (
            "    format: xml\n    rows: Return/Children/Child/",
            "    format: xlsx\n    rows: Return/Children/Child/",
            "rows",
        ),
        ("    may_be_empty: true\n", "    may_be_empty: true\n    sheet: One\n", "are for `format: xlsx`"),
    ],
)
def test_contract_that_contradicts_its_format(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    with pytest.raises(ContractError, match=r"line \d+") as error:
        make(tmp_path, CONTRACT.replace(right, wrong, 1))
    assert says in str(error.value)
