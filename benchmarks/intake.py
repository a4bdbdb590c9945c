"""Intake of every source of a whole borough: seconds, memory, rows; beside it what reading the bytes alone takes.

`python -m benchmarks.intake [--people N] [--borough DIR]`: makes a borough, or takes one that `synth` wrote, and takes
each delivery in through its gate, as a run does, with its archive and its history. The parts add up to the whole.
"""

import argparse
import tempfile
import time
from pathlib import Path

from pipelines import warehouse
from pipelines.keys.keyring import Keyring
from pipelines.quality.gate import gate
from pipelines.settings import SHIPPED_SOURCES, DataFolder, load_settings
from pipelines.sources.archive import Archive
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.intake import take_in
from pipelines.timings import MemoryWatch
from pipelines.warehouse import Warehouse
from synthetic_data.borough import AS_OF, make_borough

SECONDS, GIGABYTES = 40, 2.0  # the budget of a borough of 180,688 people


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=180_688)
    asked.add_argument("--borough", type=Path, help="a folder that synth wrote, in the place of a new one")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        borough = given.borough or Path(scratch) / "borough"
        if given.borough is None:
            make_borough(borough, given.people, 2026)
        measure(borough / "landing", DataFolder.at(Path(scratch) / "data").make())


def measure(landing: Path, folder: DataFolder) -> None:
    """Print one line a source, and the sum beside the budget."""
    contracts, keys, settings = load_contracts(SHIPPED_SOURCES), Keyring.ephemeral(), load_settings(folder)
    bytes_in = sum(path.stat().st_size for path in landing.rglob("*.*"))
    began = time.perf_counter()
    for path in landing.rglob("*.*"):
        path.read_bytes()
    reading = time.perf_counter() - began
    zones = {"identity": (folder.identity, keys.key("identity"))}
    limits = (settings.memory_limit, settings.threads)
    elapsed = processor = 0.0
    rows = 0
    with MemoryWatch() as memory, warehouse.opened(zones, folder.temp, (folder.root, landing), *limits) as con:
        wh, archive = Warehouse(con, "benchmark", AS_OF), Archive(folder.archive, keys.key("archive"))
        for contract in contracts.values():
            wall, spent = time.perf_counter(), time.process_time()
            (taken,) = take_in(wh, contract, landing, archive, gate(wh))
            wall, spent = time.perf_counter() - wall, time.process_time() - spent
            if taken.state != "accepted":
                raise SystemExit(f"{contract.name}: {taken.reason}")
            print(f"{contract.name:<22}{taken.total_rows:>10,} rows {wall:>7.2f} s {spent:>7.2f} CPU s")
            elapsed, processor, rows = elapsed + wall, processor + spent, rows + taken.total_rows
        wall = time.perf_counter()
        wh.execute("CHECKPOINT identity")
        elapsed += time.perf_counter() - wall
    print(f"{'all, on disk':<22}{rows:>10,} rows {elapsed:>7.2f} s {processor:>7.2f} CPU s")
    print(f"budget: {SECONDS} s, {GIGABYTES} GB; memory at its highest {memory.peak / 1e9:.2f} GB")
    print(f"yardstick: reading the {bytes_in / 1e6:.0f} MB alone {reading:.2f} s")


if __name__ == "__main__":
    main()
