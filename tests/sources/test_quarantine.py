"""Rows set aside can be mended: they enter the history of their extract, once, and only if they can be read."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.sources.contracts import Contract
from pipelines.sources.fault_words import WORDS
from pipelines.sources.intake import take_in
from pipelines.sources.quarantine import ID, ReleaseFault, release, rows_to_mend
from pipelines.warehouse import Warehouse
from tests.sources.library import BORROWERS, DAY, both, deliver

NEXT = date(2026, 11, 15)
BAD = BORROWERS + ",CAT CANARY,01/02/1990,1\n4,DAN CANARY,,2,MORE\n1,AGAIN CANARY,,1\n"
STAGED = "SELECT card, name, valid_from, valid_to FROM identity.staged.library__borrower ORDER BY card, valid_from"


@pytest.fixture
def waiting(wh: Warehouse, library: Contract, landing: Path) -> Warehouse:
    deliver(landing, both(BAD), DAY)
    assert take_in(wh, library, landing, None)[0].set_aside == 3
    return wh


def mended(number: int, card: str, born: str = "01/02/1990", table: str = "borrower") -> dict[str, str]:
    return {ID: f"1/{table}/{number}", "Card No": card, "name": "MENDED", "born": born, "visits": "1"}


def test_list_gives_what_is_needed_to_mend(waiting: Warehouse, library: Contract) -> None:
    assert rows_to_mend(waiting, library, library.table("borrower")) == [
        ("1/borrower/3", None, "", "CAT CANARY", "01/02/1990", "1"),
        ("1/borrower/4", "4,DAN CANARY,,2,MORE", None, None, None, None),
        ("1/borrower/5", None, "1", "AGAIN CANARY", "", "1"),
    ]
    reasons = [row[0] for row in waiting.rows("SELECT DISTINCT reason FROM identity.meta.fault")]
    assert set(reasons) <= set(WORDS)
    assert not {"value", "row_text"} & set(waiting.columns("identity.meta.fault"))


def test_mended_rows_enter_history_as_if_their_extract_had_held_them(
    waiting: Warehouse, library: Contract, landing: Path
) -> None:
    table = library.table("borrower")
    assert release(waiting, library, table, [mended(3, "3"), mended(4, "4")]) == 2
    assert waiting.rows(STAGED)[2:] == [("3", "MENDED", DAY, None), ("4", "MENDED", DAY, None)]
    assert waiting.rows("SELECT rows, set_aside FROM identity.meta.intake WHERE table_name = 'borrower'") == [(4, 1)]
    assert [row[0] for row in rows_to_mend(waiting, library, table)] == ["1/borrower/5"]
    assert not waiting.rows("SELECT 1 FROM identity.staged.fault WHERE kind = 'released' AND row_text IS NOT NULL")
    deliver(landing, both(BORROWERS + "3,MENDED,01/02/1990,1\n"), NEXT)  # mended in the system too; 4 has gone
    take_in(waiting, library, landing, None)
    assert waiting.rows(STAGED)[2:] == [("3", "MENDED", DAY, None), ("4", "MENDED", DAY, NEXT)]
    with pytest.raises(ReleaseFault, match="waits nowhere"):
        release(waiting, library, table, [mended(3, "3")])


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([mended(3, "")], "1/borrower/3: Card No is empty"),
        ([mended(3, "3", "1990-31-01")], r"1/borrower/3: born can't be read as a date \(%d/%m/%Y\)"),
        ([mended(3, "3"), mended(4, "3")], "would repeat the key"),
        ([mended(3, "2")], "would repeat the key"),
        ([mended(3, "3"), mended(3, "8")], "comes twice"),
        ([mended(9, "9")], "waits nowhere"),
        ([mended(3, "3", table="loan")], "waits nowhere"),
    ],
)
def test_what_can_not_be_released(waiting: Warehouse, library: Contract, rows: list[dict[str, str]], says: str) -> None:
    before = waiting.rows(STAGED)
    with pytest.raises(ReleaseFault, match=says) as fault:
        release(waiting, library, library.table("borrower"), rows)
    assert "1990-31-01" not in str(fault.value)
    assert waiting.rows(STAGED) == before


def test_superseded_extract_takes_no_rows(waiting: Warehouse, library: Contract, landing: Path) -> None:
    deliver(landing, both(), DAY, suffix=".2")
    take_in(waiting, library, landing, None)
    assert rows_to_mend(waiting, library, library.table("borrower")) == []
    with pytest.raises(ReleaseFault, match="superseded"):
        release(waiting, library, library.table("borrower"), [mended(3, "3")])
