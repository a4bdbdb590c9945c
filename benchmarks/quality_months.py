"""Quality rules over calm months and planted faults: false alarms a month, faults stopped and raised.

`--months` is the folder that `boroughlink synth --months 14 --people 20000` wrote. Its extracts go through intake and
gate month by month, as they would; each alarm outside the two incidents that the generator plants (a batch of swapped
dates, a migration) is false. Then every fault of quality_faults.yaml is done to the files of the newest month, one at
a time, and taken in against the history. Goals: at most one false alarm a month; every critical fault stopped; 95 % of
the others raised.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from pipelines.quality.gate import GateResult, gate
from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.contracts import Contract
from pipelines.sources.intake import take_in
from pipelines.warehouse import Warehouse, scratch_warehouse

QUIET = 2  # months that make the history before alarms are counted: a first load has none, a second one move


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--months", type=Path, required=True, help="folder with landing/ and truth/")
    given = asked.parse_args()
    contracts = load_contracts(SHIPPED_SOURCES)
    incidents = planted(given.months / "truth")
    with scratch_warehouse() as wh:
        begun = time.process_time()
        alarms: dict[date, list[str]] = {}
        failing: dict[str, set[str]] = defaultdict(set)
        for day, seen in months(wh, contracts, given.months / "landing"):
            told = []
            for found in seen:
                failed = {result.rule.name for result in found.results if not result.passed}
                told += [f"{found.source} {name}" for name in sorted(failed - failing[found.source])]
                failing[found.source] = failed
            alarms[day] = told
        print(f"{len(alarms)} months, {time.process_time() - begun:.1f} CPU s")
        false = 0
        for day, told in list(alarms.items())[QUIET:]:
            for alarm in told:
                known = any(day in (on, following(on, alarms)) and where(what, alarm) for on, what in incidents)
                false += not known
                print(day, "incident" if known else "FALSE   ", alarm)
        calm = len(alarms) - QUIET
        print(f"false alarms: {false} in {calm} months, {false / calm:.2f} a month (goal 1)")


def months(wh: Warehouse, contracts: dict[str, Contract], landing: Path) -> Iterator[tuple[date, list[GateResult]]]:
    """Take in month by month, every source; what the gate found of each."""
    days = sorted({date.fromisoformat(path.name) for path in landing.glob("*/*") if path.is_dir()})
    for day in days:
        wh.as_of, wh.run_id = day + timedelta(days=1), f"run-{day}"
        seen: list[GateResult] = []
        for contract in contracts.values():
            for intake in take_in(wh, contract, landing, None, gate(wh, seen)):
                if intake.state == "refused":
                    print(day, contract.name, intake.reason)
        yield day, [found for found in seen if found.extract_date == day]


def planted(truth: Path) -> list[tuple[date, str]]:
    """The generator's incidents: month, and the file or source."""
    told = json.loads((truth / "incidents.json").read_text())
    return [(date.fromisoformat(each["month"]), each["where"]) for each in told]


def following(day: date, days: dict[date, list[str]]) -> date | None:
    """The month after, in which what went wrong is right again."""
    later = [each for each in sorted(days) if each > day]
    return later[0] if later else None


def where(what: str, alarm: str) -> bool:
    """Whether an alarm stands at the file or source of an incident."""
    source, rule = alarm.split(" ", 1)
    return what in (source, rule.split(".")[0])


if __name__ == "__main__":
    main()
