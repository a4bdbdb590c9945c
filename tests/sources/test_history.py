"""Extracts in any order of arrival give one history; corrections show; occupants of a slot are told apart."""

import itertools
from datetime import date
from pathlib import Path

import pytest

from pipelines.sources.contracts import Contract
from pipelines.sources.intake import take_in
from pipelines.sources.slots import latest
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.sources.library import both, deliver

STAGED = "identity.staged.library__borrower"
HEAD = "Card No,name,born,visits\n"
JAN, FEB, MAR, APR = (date(2026, month, 28) for month in (1, 2, 3, 4))
EXTRACTS = {  # 1 stays, 2 changes in March, 3 goes and comes back, 4 comes in April
    JAN: "1,ANNE,,0\n2,BEN,,0\n3,CAT,,0\n",
    FEB: "1,ANNE,,0\n2,BEN,,0\n",
    MAR: "1,ANNE,,0\n2,BEN,,5\n3,CAT,,0\n",
    APR: "1,ANNE,,0\n2,BEN,,5\n3,CAT,,0\n4,DAN,,0\n",
}
HISTORY = [
    ("1", 0, JAN, None, APR),
    ("2", 0, JAN, MAR, FEB),
    ("2", 5, MAR, None, APR),
    ("3", 0, JAN, FEB, JAN),
    ("3", 0, MAR, None, APR),
    ("4", 0, APR, None, APR),
]


def history(wh: Warehouse) -> list[tuple[object, ...]]:
    return wh.rows(f"SELECT card, visits, valid_from, valid_to, extract_date FROM {STAGED} ORDER BY card, valid_from")


@pytest.mark.parametrize(
    "order", list(itertools.permutations(EXTRACTS))[::5], ids=lambda order: "-".join(f"{d:%b}" for d in order)
)
def test_any_order_of_arrival_gives_one_history(order: tuple[date, ...], library: Contract, tmp_path: Path) -> None:
    with scratch_warehouse(as_of=date(2026, 12, 1)) as wh:
        for day in order:
            deliver(tmp_path / f"{day}", both(HEAD + EXTRACTS[day]), day)
            take_in(wh, library, tmp_path / f"{day}", None)
        assert history(wh) == HISTORY


def test_correction_supersedes_and_says_so(wh: Warehouse, library: Contract, landing: Path) -> None:
    for day in (JAN, FEB):
        deliver(landing, both(HEAD + EXTRACTS[day]), day)
    deliver(landing, both(HEAD + "1,ANNE,,9\n"), APR)
    take_in(wh, library, landing, None)
    deliver(landing, both(HEAD + EXTRACTS[MAR]), MAR)
    deliver(landing, both(HEAD + EXTRACTS[APR]), APR, suffix=".2")
    found = take_in(wh, library, landing, None)
    assert [intake.state for intake in found] == ["skipped", "skipped", "accepted", "skipped", "accepted"]
    assert any("supersedes" in note for note in found[-1].notes)
    assert history(wh) == HISTORY
    states = wh.rows("SELECT extract_date, state, reason FROM identity.meta.intake WHERE state = 'superseded'")
    assert states == [(APR, "superseded", "corrected by delivery 5")] * 2


def test_extract_that_repeats_the_last_one_is_harmless(wh: Warehouse, library: Contract, landing: Path) -> None:
    for day in (JAN, FEB, MAR):
        deliver(landing, both(HEAD + EXTRACTS[JAN]), day)
    take_in(wh, library, landing, None)
    assert {row[2:] for row in history(wh)} == {(JAN, None, MAR)}


SLOTS = [  # name and birth date month after month, and the occupant that each is
    ("a typing error", [("MR JOHN SMITH", ""), ("MR JOHN SMTIH", "")], [1, 1]),
    ("a married name", [("MISS ANNA WHITE", ""), ("MRS ANNA BLACK", "")], [1, 1]),
    ("only the title is shared", [("MRS ANNA WHITE", ""), ("MRS ZOË OKORO", "")], [1, 2]),
    ("another person", [("MR JOHN SMITH", ""), ("PRIYA NAIR", "")], [1, 2]),
    ("one birth date", [("J S", "01/02/1980"), ("PRIYA NAIR", "01/02/1980")], [1, 1]),
    ("executors", [("MR JOHN SMITH", ""), ("EXORS OF JOHN SMITH DECD", "")], [1, 1]),
    ("three in a row", [("MR JOHN SMITH", ""), ("PRIYA NAIR", ""), ("WEI CHEN", "")], [1, 2, 3]),
    ("back again", [("MR JOHN SMITH", ""), ("PRIYA NAIR", ""), ("SMITH JOHN", "")], [1, 2, 1]),
    ("short names alike", [("LI WU", ""), ("LI WU", "")], [1, 1]),
    ("name left blank", [("MR JOHN SMITH", ""), ("", "")], [1, 1]),
]


@pytest.mark.parametrize(("kind", "names", "occupants"), SLOTS, ids=[case[0] for case in SLOTS])
def test_slot_reused_is_another_record(
    wh: Warehouse, library: Contract, landing: Path, kind: str, names: list[tuple[str, str]], occupants: list[int]
) -> None:
    for day, (name, born) in zip((JAN, FEB, MAR), names, strict=False):
        deliver(landing, both(HEAD + f"7,{name},{born},0\n8,SOMEONE ELSE,,0\n"), day)
    take_in(wh, library, landing, None)
    name = latest(wh, library, library.table("borrower"))
    found = wh.rows(f"SELECT occupant, record_id, valid_to IS NULL FROM {name} WHERE card = '7' ORDER BY occupant")
    current = occupants[-1]
    assert found == [(number, f"library:7#{number}", number == current) for number in sorted(set(occupants))]


def test_late_extract_never_renumbers(wh: Warehouse, library: Contract, landing: Path) -> None:
    for day, name in ((JAN, "JOHN SMITH"), (MAR, "WEI CHEN")):
        deliver(landing, both(HEAD + f"7,{name},,0\n"), day)
    take_in(wh, library, landing, None)
    deliver(landing, both(HEAD + "7,PRIYA NAIR,,0\n"), FEB)
    take_in(wh, library, landing, None)
    name = latest(wh, library, library.table("borrower"))
    assert wh.rows(f"SELECT occupant, name, valid_from FROM {name} ORDER BY occupant") == [
        (1, "JOHN SMITH", JAN),
        (2, "WEI CHEN", MAR),
        (3, "PRIYA NAIR", FEB),
    ]


@pytest.mark.parametrize("corrected", [JAN, FEB])
def test_correction_never_hands_a_number_on(corrected: date, wh: Warehouse, library: Contract, landing: Path) -> None:
    """Whoever sat in a slot by an extract that is corrected later keeps the number: the next one never inherits it."""
    for day, name in ((JAN, "JOHN SMITH"), (FEB, "PRIYA NAIR"), (MAR, "WEI CHEN")):
        deliver(landing, both(HEAD + f"7,{name},,0\n"), day)
    take_in(wh, library, landing, None)
    deliver(landing, both(HEAD + "7,WEI CHEN,,0\n"), corrected, suffix=".2")
    take_in(wh, library, landing, None)
    name = latest(wh, library, library.table("borrower"))
    other = ("PRIYA NAIR", 2) if corrected == JAN else ("JOHN SMITH", 1)
    assert wh.rows(f"SELECT name, occupant FROM {name} ORDER BY occupant") == sorted(
        [other, ("WEI CHEN", 3)], key=lambda row: row[1]
    )
    # the next extract neither forgets the number nor gives it away
    deliver(landing, both(HEAD + "7,OLA BANK,,0\n"), APR)
    take_in(wh, library, landing, None)
    name = latest(wh, library, library.table("borrower"))
    assert wh.rows(f"SELECT occupant FROM {name} WHERE name = 'OLA BANK'") == [(4,)]


def test_only_occupant_that_a_correction_replaces(wh: Warehouse, library: Contract, landing: Path) -> None:
    for suffix, name in (("", "JOHN SMITH"), (".2", "WEI CHEN")):
        deliver(landing, both(HEAD + f"7,{name},,0\n"), JAN, suffix=suffix)
        take_in(wh, library, landing, None)
    name = latest(wh, library, library.table("borrower"))
    assert wh.rows(f"SELECT name, record_id FROM {name}") == [("WEI CHEN", "library:7#2")]
