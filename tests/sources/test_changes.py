"""Extracts that show changes only: in any order of arrival, among full ones, they give one history."""

import itertools
import json
from datetime import date
from pathlib import Path

import pytest

from pipelines.sources.contract_files import ContractError
from pipelines.sources.intake import take_in
from pipelines.sources.rewinding import rewind_sources
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.sources.library import CONTRACT, deliver, make_contract

WITHOUT_SLOT = CONTRACT.replace("    slot: {key: card, name: [name], birth_date: born}\n", "")
CHANGES = WITHOUT_SLOT.split("  - name: loan")[0].replace(
    "    columns:\n",
    "    changes: what\n    columns:\n      - {name: what, personal: none, codes: {I: new, U: updated, D: gone}}\n",
)
STAGED = "identity.staged.library__borrower"
HEAD = "what,Card No,name,born,visits\n"
JAN, FEB, MAR, APR = (date(2026, month, 28) for month in (1, 2, 3, 4))
EXTRACTS = {  # 1 stays, 2 changes, 3 goes and comes back, 4 comes and is missing in the end
    JAN: ("full", ",1,ANNE,,0\n,2,BEN,,0\n,3,CAT,,0\n"),
    FEB: ("changes", "U,2,BEN,,5\nI,4,DAN,,0\n"),
    MAR: ("changes", "D,3,CAT,,0\n"),
    APR: ("full", ",1,ANNE,,0\n,2,BEN,,5\n,3,CAT,,0\n"),
}
HISTORY = [
    ("1", 0, JAN, None, APR),
    ("2", 0, JAN, FEB, JAN),
    ("2", 5, FEB, None, APR),
    ("3", 0, JAN, MAR, FEB),
    ("3", 0, APR, None, APR),
    ("4", 0, FEB, APR, MAR),
]


def land(landing: Path, day: date) -> None:
    supply, rows = EXTRACTS[day]
    manifest = deliver(landing, {"borrower.csv": HEAD + rows}, day) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"supply": supply}))


def history(wh: Warehouse) -> list[tuple[object, ...]]:
    return wh.rows(f"SELECT card, visits, valid_from, valid_to, extract_date FROM {STAGED} ORDER BY card, valid_from")


@pytest.mark.parametrize(
    "order", list(itertools.permutations(EXTRACTS))[::5], ids=lambda order: "-".join(f"{d:%b}" for d in order)
)
def test_any_order_of_arrival_gives_one_history(order: tuple[date, ...], tmp_path: Path) -> None:
    library = make_contract(tmp_path, CHANGES)
    with scratch_warehouse(as_of=date(2026, 12, 1)) as wh:
        for day in order:
            land(tmp_path / f"{day}", day)
            (taken,) = take_in(wh, library, tmp_path / f"{day}", None)
            assert taken.state == "accepted", taken.reason
        assert history(wh) == HISTORY
        rewind_sources(wh, [library], MAR)  # a past day knows nothing of April
        assert history(wh) == [
            ("1", 0, JAN, None, MAR),
            ("2", 0, JAN, FEB, JAN),
            ("2", 5, FEB, None, MAR),
            ("3", 0, JAN, MAR, FEB),
            ("4", 0, FEB, None, MAR),
        ]


def test_changes_are_refused_where_the_contract_takes_full_extracts(tmp_path: Path) -> None:
    library = make_contract(tmp_path, WITHOUT_SLOT)
    manifest = deliver(tmp_path, {"borrower.csv": "Card No,name,born,visits\n1,ANNE,,0\n"}, JAN) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"supply": "changes"}))
    with scratch_warehouse(as_of=date(2026, 12, 1)) as wh:
        (refused,) = take_in(wh, library, tmp_path, None)
    assert refused.state == "refused" and "takes full extracts" in str(refused.reason)


def test_a_change_needs_a_key_and_no_slot(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="goes with a `key`"):
        make_contract(
            tmp_path, CHANGES.replace("    changes: what\n", "    changes: what\n    slot: {key: card, name: [name]}\n")
        )
