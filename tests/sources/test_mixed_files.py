# ruff: noqa: E501
"""AddressBase: one file of many record types, with header and trailer, told apart strictly."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contract
from pipelines.sources.contracts import Contract
from pipelines.sources.intake import take_in
from pipelines.warehouse import Warehouse
from tests.sources.library import DAY, deliver

LINES = [
    '10,"COUNCIL",1590,2026-10-31,1,2026-10-31,06:00:00,"2.0","F"',
    '11,"I",1,16100001,1,1590,2,1990-01-01,1,8,0,1990-01-01,,2026-10-31,1990-01-01,588000.0,185000.0,51.54,0.71,589498.0,186498.0,51.54,0.71,10',
    '15,"I",2,16100001,"ORCHARD ROAD","","SOUTHEND-ON-SEA","SOUTHEND-ON-SEA","ENG",1990-01-01,,2026-10-31,1990-01-01',
    '21,"I",3,999000000001,1,2,1990-01-01,,588000.0,185000.5,51.54,0.71,1,1590,"E",1990-01-01,,2026-10-31,1990-01-01,"D","SS2 4KM",0',
    '23,"I",4,999000000001,"1590X000000001","10005859",1,"1590CT",1990-01-01,,2026-10-31,1990-01-01',
    '24,"I",5,999000000001,"1590L000000001","ENG",1,1990-01-01,,2026-10-31,1990-01-01,,"",,"","THE ""OLD"", FORGE",1,"",,"","",16100001,"1","","","Y"',
    '28,"I",6,999000000001,50000001,"","","","",1,"","ORCHARD ROAD","","","SOUTHEND-ON-SEA","SS2 4KM","S","1A","","","","","","",1990-01-01,1990-01-01,,2026-10-31,1990-01-01',
    '29,"LLPG","","","","COUNCIL","D","COUNCIL",999000000000,1590,"British National Grid","Metres",2026-10-31,"ABP",2026-10-31,"ENG","UTF-8"',
    '32,"I",8,999000000001,"1590C000000001","RD04","AddressBase Premium Classification Scheme",1.0,1990-01-01,,2026-10-31,1990-01-01',
    "99,0,7,2026-10-31,06:00:00",
]
ONSUD = "UPRN,GRIDGB1E,GRIDGB1N,PCDS,LAD25CD,WD25CD,lsoa21cd,msoa21cd\n999000000001,588000,185000,SS2 4KM,E06000033,E05002212,E01015814,E02003280\n"
LSOA = "lsoa21cd,lsoa21nm,WD25CD,WD25NM,imd25_rank,imd25_score,imd25_decile\nE01015814,Southend 001A,E05002212,Belfairs,20000,14.5,6\n"


@pytest.fixture
def llpg() -> Contract:
    return load_contract(SHIPPED_SOURCES / "llpg" / "contract.yaml")


def take(wh: Warehouse, llpg: Contract, landing: Path, lines: list[str], end: str = "\n") -> tuple[str, str]:
    files = {"addressbase_premium.csv": "\n".join(lines) + end, "onsud.csv": ONSUD, "lsoa.csv": LSOA}
    deliver(
        landing, files, DAY, rows={"addressbase_premium.csv": len(lines), "onsud.csv": 1, "lsoa.csv": 1}, source="llpg"
    )
    found = take_in(wh, llpg, landing, None)[0]
    return found.state, found.reason or ""


@pytest.mark.parametrize("counted", [7, 8], ids=["metadata not counted", "metadata counted"])
def test_records_go_to_their_tables(wh: Warehouse, llpg: Contract, landing: Path, counted: int) -> None:
    assert take(wh, llpg, landing, [*LINES[:-1], f"99,0,{counted},2026-10-31,06:00:00"])[0] == "accepted"
    assert wh.rows("SELECT uprn, x_coordinate::DOUBLE, postcode_locator FROM identity.staged.llpg__blpu") == [
        (999000000001, 588000.0, "SS2 4KM")
    ]
    assert wh.rows("SELECT sao_text, sao_start_number, pao_start_number, usrn FROM identity.staged.llpg__lpi") == [
        ('THE "OLD", FORGE', None, 1, 16100001)
    ]
    assert wh.rows("SELECT source, cross_reference FROM identity.staged.llpg__xref") == [("1590CT", "10005859")]
    assert wh.scalar("SELECT count(*) FROM identity.staged.llpg__successor") == 0
    assert "pro_order" not in wh.columns("identity.staged.llpg__blpu")


SPOILT: list[tuple[str, Callable[[list[str]], list[str]], str]] = [
    ("no trailer", lambda lines: lines[:-1], "doesn't end with its one trailer record"),
    ("trailer in the middle", lambda lines: [*lines[:-2], lines[-1], lines[-2]], "doesn't end with its one trailer"),
    ("two records lost", lambda lines: [*lines[:4], *lines[6:]], "another number of records than the 5 there"),
    ("an unknown type", lambda lines: [*lines[:-1], "77,1", lines[-1]], "another number of records than the 8 there"),
    (
        "no properties",
        lambda lines: [line for line in lines if line[:2] not in ("21", "99")] + ["99,0,6,,"],
        "no record of type 21",
    ),
]


@pytest.mark.parametrize(("kind", "spoil", "says"), SPOILT, ids=[case[0] for case in SPOILT])
def test_incomplete_file_is_refused(
    wh: Warehouse, llpg: Contract, landing: Path, kind: str, spoil: Callable[[list[str]], list[str]], says: str
) -> None:
    state, reason = take(wh, llpg, landing, spoil(LINES))
    assert state == "refused"
    assert says in reason


def test_cut_off_in_a_line(wh: Warehouse, llpg: Contract, landing: Path) -> None:
    state, reason = take(wh, llpg, landing, [*LINES[:3], LINES[3][:60]], end="")
    assert state == "refused"
    assert "cut off in its last line" in reason


def test_line_of_a_wrong_width_is_set_aside(wh: Warehouse, llpg: Contract, landing: Path) -> None:
    lines = [*LINES[:5], LINES[4].replace("X000000001", "X000000002") + ",extra", *LINES[5:-1], "99,0,8,,"]
    assert take(wh, llpg, landing, lines)[0] == "accepted"
    assert wh.rows("SELECT line, reason FROM identity.staged.fault") == [(6, "wrong_number_of_fields")]
    assert wh.scalar("SELECT count(*) FROM identity.staged.llpg__xref") == 1
