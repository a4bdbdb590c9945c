"""Bad extracts thrown in any order among six months of good ones: the good data is complete at the end, and what
arrived later, twice or corrected gives the same history."""

import json
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pipelines.quality.gate import gate
from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract
from pipelines.sources.intake import take_in
from pipelines.warehouse import scratch_warehouse
from tests.sources.library import LOANS, both, deliver
from tests.sources.test_bad_files import SPOILT

MONTHS = [date(2026, month, 28) for month in range(5, 11)]
HEAD = "Card No,name,born,visits\n"
HISTORY = (
    "SELECT card, name, born, visits, extract_date, valid_from, valid_to FROM identity.staged.library__borrower "
    "ORDER BY ALL"
)


def good(month: date) -> str:
    """Some two hundred borrowers; each month a few come, go and change."""
    number = MONTHS.index(month)
    rows = [f"{card},PERSON {card},01/02/19{card % 70 + 20},{number if card % 9 == number else 0}"
            for card in range(number * 4, 200 + number * 5)]  # fmt: skip
    return HEAD + "\n".join(rows) + "\n"


def _manifest(change: dict[str, object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        stated = json.loads((folder / "manifest.json").read_text())
        stated["files"][0] |= change
        (folder / "manifest.json").write_text(json.dumps(stated))

    return spoil


def _unmanifested(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _linked(folder: Path) -> None:
    (folder / "borrower.csv").rename(folder.parent.parent / f"{folder.name}.away")
    (folder / "borrower.csv").symlink_to(folder.parent.parent / f"{folder.name}.away")


def _lost(folder: Path) -> None:
    (folder / "borrower.csv").unlink()


def _doubled(folder: Path) -> None:
    (folder / "BORROWER.csv").write_text(HEAD)


HARM = {
    "hash": _manifest({"sha256": "0" * 64}), "size": _manifest({"bytes": 1}), "rows": _manifest({"rows": 1}),
    "no manifest": _unmanifested, "link": _linked, "file lost": _lost, "two of one name": _doubled,
}  # fmt: skip
#: Faults of the whole that the gate and the history see, as what is sent in the place of a month. A third of the rows
#: is none in what comes late, before all others: a source may treble until its next extract.
ODD = {
    "a quarter of the rows": lambda month: "\n".join(good(month).split("\n")[:51]) + "\n",
    "four times": lambda month: good(month) + "".join(f"{card},SOMEONE {card},,0\n" for card in range(5000, 5700)),
    "dates turned round": lambda month: good(month).replace("01/02/19", "1902-01-"),
}


def soak(folder: Path, library: Contract, archive: Archive, seed: int, share: float) -> tuple[list[object], int]:
    """Deliver six months in random order, bad extracts in between; the history, and how many bad ones were thrown."""
    draw = random.Random(seed)
    events: list[tuple[str, date]] = [("good", month) for month in MONTHS]
    kinds = [f"file:{kind}" for kind in SPOILT] + [f"harm:{kind}" for kind in HARM] + [f"odd:{kind}" for kind in ODD]
    thrown = draw.sample(kinds, round(share * len(kinds)))
    events += [(kind, draw.choice(MONTHS)) for kind in thrown] + [("again", draw.choice(MONTHS)) for _ in range(3)]
    draw.shuffle(events)
    counts = dict.fromkeys(MONTHS, 0)
    in_already: set[date] = set()
    with scratch_warehouse(as_of=date(2026, 11, 30)) as wh:
        for kind, month in events:
            if kind == "again" and month not in in_already:
                continue
            if kind.startswith("odd:") and not in_already - {month}:
                continue  # nothing to hold its rows against
            counts[month] += 1
            sort, _, name = kind.partition(":")
            content: str | bytes = good(month)
            if sort == "file":
                content = SPOILT[name][0]
            elif sort == "odd":
                content = ODD[name](month)
            lines = content.count(b"\n" if isinstance(content, bytes) else "\n") - 1  # type: ignore[arg-type]
            inbox = folder / f"{len(list(folder.iterdir()))}"
            rows = {"borrower.csv": lines, "loan.csv": LOANS.count("\n") - 1}
            delivered = deliver(inbox, both(content), month, suffix=f".{counts[month]}", rows=rows)
            if sort == "harm":
                HARM[name](delivered)
            found = take_in(wh, library, inbox, archive, gate(wh))
            states = [intake.state for intake in found]
            assert states == [{"good": "accepted", "again": "skipped"}.get(kind, states[0])], (kind, found)
            if kind not in ("good", "again"):
                known = ("skipped",) if sort == "harm" and month in in_already else ()  # its files are in, unharmed
                assert states[0] in ("refused", "waiting", *known), (kind, found)
            if kind == "good":
                in_already.add(month)
        return wh.rows(HISTORY), len(thrown)


def undisturbed(folder: Path, library: Contract) -> list[object]:
    with scratch_warehouse(as_of=date(2026, 11, 30)) as wh:
        for month in MONTHS:
            deliver(folder, both(good(month)), month)
        take_in(wh, library, folder, None, gate(wh))
        return wh.rows(HISTORY)


def _same_as_undisturbed(tmp_path: Path, library: Contract, archive: Archive, seeds: range, share: float) -> None:
    (tmp_path / "calm").mkdir()
    calm = undisturbed(tmp_path / "calm", library)
    assert len(calm) > 200
    for seed in seeds:
        (tmp_path / f"storm{seed}").mkdir()
        history, thrown = soak(tmp_path / f"storm{seed}", library, archive, seed, share)
        assert thrown >= 6
        assert history == calm, f"seed {seed}"


def test_good_data_is_complete_after_a_few_bad_extracts(tmp_path: Path, library: Contract, archive: Archive) -> None:
    _same_as_undisturbed(tmp_path, library, archive, range(1), 0.2)


@pytest.mark.prove
def test_good_data_is_complete_after_every_kind_of_bad_extract(
    tmp_path: Path, library: Contract, archive: Archive
) -> None:
    _same_as_undisturbed(tmp_path, library, archive, range(3301, 3304), 1.0)
