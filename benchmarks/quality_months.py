"""Quality rules over calm months and planted faults: false alarms a month, faults stopped and raised.

`--months` is the folder that `boroughlink synth --months 14 --people 20000` wrote. Its extracts go through intake and
gate month by month, as they would; each alarm outside the two incidents that the generator plants (a batch of swapped
dates, a migration) is false. Then every fault of quality_faults.yaml is done to the files of the newest month, one at
a time, and taken in against the history. Goals: at most one false alarm a month; every critical fault stopped; 95 % of
the others raised.
"""

import argparse
import hashlib
import json
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import yaml

from pipelines.quality.evidence import reads
from pipelines.quality.gate import GateResult, gate
from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.assets import precedence
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.contracts import Contract
from pipelines.sources.intake import Candidate, Verdict, take_in
from pipelines.warehouse import Warehouse, scratch_warehouse

QUIET = 2  # months that make the history before alarms are counted: a first load has none, a second one move


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--months", type=Path, required=True, help="folder with landing/ and truth/")
    given = asked.parse_args()
    contracts = load_contracts(SHIPPED_SOURCES)
    landing, failing = given.months / "landing", defaultdict[str, set[str]](set)
    *before, newest = days_of(landing)
    with scratch_warehouse() as wh:
        begun = time.process_time()
        alarms = calm(wh, contracts, landing, before, failing)
        print(f"{len(alarms)} months, {time.process_time() - begun:.1f} CPU s", flush=True)
        done = list(faults(wh, contracts, landing, before[-1], newest))
        alarms |= calm(wh, contracts, landing, [newest], failing)
    tell_alarms(alarms, planted(given.months / "truth"))
    tell_faults(done)


def calm(
    wh: Warehouse, contracts: dict[str, Contract], landing: Path, days: list[date], failing: dict[str, set[str]]
) -> dict[date, list[str]]:
    """Take in the months; by month the rules that fail and did not in the month before, as `source rule`.

    `failing` holds by source what failed in the month before the first, and then in the last.
    """
    alarms: dict[date, list[str]] = {}
    for day, seen in months(wh, contracts, landing, days):
        told = []
        for found in seen:
            failed = {result.rule.name for result in found.results if not result.passed}
            told += [f"{found.source} {name}" for name in sorted(failed - failing[found.source])]
            failing[found.source] = failed
        alarms[day] = told
    return alarms


def tell_alarms(alarms: dict[date, list[str]], incidents: list[tuple[date, str]]) -> None:
    """Print each alarm after the months that only make the history, and how many were false."""
    false = 0
    for day, told in list(alarms.items())[QUIET:]:
        for alarm in told:
            known = any(day in (on, following(on, alarms)) and where(what, alarm) for on, what in incidents)
            false += not known
            print(day, "incident" if known else "FALSE   ", alarm)
    for on, what in incidents:
        print(on, what, "seen" if any(where(what, alarm) for alarm in alarms[on]) else "NOT SEEN")
    counted = len(alarms) - QUIET
    print(f"false alarms: {false} in {counted} months, {false / counted:.2f} a month (goal 1)", flush=True)


def tell_faults(done: list[tuple[dict[str, Any], str, list[str]]]) -> None:
    """Print each planted fault with what became of it, and the shares that were met."""
    for fault, became, rules in done:
        fine = became == "stopped" or became == fault["must"]
        print(f"{'' if fine else 'MISSED '}{fault['source']} {fault['file']}: {fault['fault']}: {became}", *rules[:4])
    for must, goal in (("stopped", "100 %"), ("warned", "95 %")):
        asked = [became for fault, became, _ in done if fault["must"] == must]
        met = sum(became in ("stopped", must) for became in asked)
        print(f"{must}: {met} of {len(asked)} ({met / len(asked):.1%}), goal {goal}")


def faults(
    wh: Warehouse, contracts: dict[str, Contract], landing: Path, last: date, newest: date
) -> Iterator[tuple[dict[str, Any], str, list[str]]]:
    """Each planted fault: what became of the delivery, and the rules that fail and don't without the fault.

    The gate's verdict is noted and the delivery turned away, so that each fault meets the same history.
    """
    wh.as_of = newest + timedelta(days=1)
    fine: dict[str, set[str]] = {}
    for fault in yaml.safe_load((Path(__file__).parent / "quality_faults.yaml").read_text(encoding="utf-8")):
        source = contracts[fault["source"]]
        if source.name not in fine:
            fine[source.name] = judged(wh, source, landing / source.name / str(newest), None, last)[1]
        refused, failed = judged(wh, source, landing / source.name / str(newest), fault, last)
        new = sorted(failed - fine[source.name])
        yield fault, "stopped" if refused else "warned" if new else "unseen", new


def judged(
    wh: Warehouse, contract: Contract, delivery: Path, fault: dict[str, Any] | None, last: date
) -> tuple[bool, set[str]]:
    """Whether intake or gate refuse a delivery with the fault in it, and the rules that fail."""
    seen: list[GateResult] = []
    judge = gate(wh, seen)

    def turned_away(candidate: Candidate) -> Verdict:
        judge(candidate)
        return Verdict(False, "a trial")

    with TemporaryDirectory() as scratch:
        copy = Path(scratch) / contract.name / delivery.name
        shutil.copytree(delivery, copy)
        if fault:
            spoil(copy, fault, delivery.parent / str(last))
        take_in(wh, contract, Path(scratch), None, turned_away)
    failed = {result.rule.name for found in seen for result in found.results if not result.passed}
    return not seen or not seen[0].accepted, failed


def spoil(copy: Path, fault: dict[str, Any], last: Path) -> None:
    """Do a fault to a file of a delivery, and make its manifest fit: the sender knows of nothing."""
    path = copy / fault["file"]
    if fault.get("from") == "last":
        shutil.copyfile(last / fault["file"], path)
    else:
        with duckdb.connect() as con:
            con.execute("CREATE TABLE given AS FROM read_csv(?, all_varchar = true, nullstr = '\\N')", [str(path)])
            con.execute(f"COPY ({fault['do']}) TO '{path}' (HEADER)")
    manifest = copy / "manifest.json"
    said = json.loads(manifest.read_text())
    (named,) = (each for each in said["files"] if each["name"] == fault["file"])
    content = path.read_bytes()
    with duckdb.connect() as con:
        rows = con.execute("SELECT count(*) FROM read_csv(?, all_varchar = true)", [str(path)]).fetchall()[0][0]
    named |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "rows": rows}
    manifest.write_text(json.dumps(said))


def days_of(landing: Path) -> list[date]:
    return sorted({date.fromisoformat(path.name) for path in landing.glob("*/*") if path.is_dir()})


def months(
    wh: Warehouse, contracts: dict[str, Contract], landing: Path, days: list[date]
) -> Iterator[tuple[date, list[GateResult]]]:
    """Take in month by month, every source, in the order of a run; what the gate found of each."""
    first = precedence({name: reads(contract) for name, contract in contracts.items()})
    in_order = sorted(contracts.values(), key=lambda contract: -first[contract.name])
    for day in days:
        wh.as_of, wh.run_id = day + timedelta(days=1), f"run-{day}"
        seen: list[GateResult] = []
        for contract in in_order:
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
