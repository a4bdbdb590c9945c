"""Six months of a borough in any order of arrival: the good data is complete, and as if it had come in order."""

import random
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from pipelines.quality.gate import gate
from pipelines.running.job import run_and_report
from pipelines.settings import SHIPPED_SOURCES, DataFolder, write_settings
from pipelines.snapshots import open_snapshot
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.facts_build import build_fact
from pipelines.sources.intake import take_in
from pipelines.warehouse import scratch_warehouse
from synthetic_data.borough import RENDERERS, make_borough

CONTRACTS = load_contracts(SHIPPED_SOURCES)
FEW = ("llpg", "council_tax", "housing", "electoral_register", "benefits")
LINKED = ("housing", "electoral_register")
Facts = dict[str, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def borough(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("six") / "borough"
    make_borough(out, 600, 4, months=6)
    return out


def deliveries(borough: Path, sources: Sequence[str], months: int = 6) -> list[Path]:
    return [path for source in sources for path in sorted((borough / "landing" / source).iterdir())[-months:]]


def taken(folders: Sequence[Path], sources: Sequence[str], scratch: Path) -> Facts:
    """Every fact after the deliveries have come, one at a time in this order, through the gate."""
    contracts = {source: CONTRACTS[source] for source in sources}
    with scratch_warehouse(as_of=date(2026, 10, 31)) as wh:
        for number, folder in enumerate(folders):
            source = folder.parent.name
            shutil.copytree(folder, scratch / str(number) / source / folder.name)
            (intake,) = take_in(wh, contracts[source], scratch / str(number), None, gate(wh))
            assert intake.state == "accepted", (source, folder.name, intake.reason)
        found = {}
        for fact in sorted({fact for contract in contracts.values() for fact in contract.facts}):
            build_fact(wh, fact, contracts)
            # who came first under a reused slot is a matter of arrival: an occupant's number never changes
            told = [c for c in wh.columns(f"identity.facts.{fact}") if c not in ("loaded_run", "record_id", "occupant")]
            found[fact] = wh.rows(f"SELECT {', '.join(told)} FROM identity.facts.{fact} ORDER BY ALL")
        return found


def in_any_order(borough: Path, sources: Sequence[str], tmp_path: Path, seeds: Sequence[int], months: int = 6) -> None:
    folders = deliveries(borough, sources, months)
    by_month = sorted(folders, key=lambda path: (path.name, path.parent.name))
    usual = taken(by_month, sources, tmp_path / "usual")
    assert len(folders) == months * len(sources) and all(usual.values())
    for seed in seeds:
        order = random.Random(seed).sample(folders, len(folders))
        shuffled = taken(order, sources, tmp_path / f"seed{seed}")
        for fact, rows in usual.items():
            assert shuffled[fact] == rows, (seed, fact)


def test_facts_are_the_same_in_any_order(borough: Path, tmp_path: Path) -> None:
    in_any_order(borough, FEW, tmp_path, [1], months=4)


@pytest.mark.prove
def test_facts_of_all_sources_are_the_same_in_any_order(borough: Path, tmp_path: Path) -> None:
    in_any_order(borough, sorted(RENDERERS), tmp_path, [2, 3, 4])


@pytest.mark.prove
def test_persons_are_the_same_in_any_order(borough: Path, tmp_path: Path) -> None:
    """Through the whole job: once in order, once in three runs of months out of order."""
    months = sorted({path.name for path in deliveries(borough, LINKED)})
    found = []
    for name, batches in (("in order", [months]), ("out of order", [months[3:4], months[5:] + months[:1], months[1:]])):
        folder = DataFolder.at(tmp_path / name).make()
        write_settings(folder, holds="synthetic", clock="2026-11-01")
        for source in LINKED:
            shutil.copytree(SHIPPED_SOURCES / source, tmp_path / "sources" / source, dirs_exist_ok=True)
        for batch in batches:
            for source in LINKED:
                for month in batch:
                    if (borough / "landing" / source / month).exists():
                        shutil.copytree(
                            borough / "landing" / source / month, folder.landing / source / month, dirs_exist_ok=True
                        )
            assert run_and_report(str(folder.root), None, str(tmp_path / "sources"), None, False) == 0
        with open_snapshot(folder) as (wh, _):
            found.append(
                wh.rows(
                    "SELECT list(split_part(record_id, '#', 1) ORDER BY record_id) FROM published.linkage.membership "
                    "GROUP BY view, person_id ORDER BY ALL"
                )
            )
    assert found[0] == found[1]
