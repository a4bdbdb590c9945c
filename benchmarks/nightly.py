"""A night in which one record in a hundred changed, from facts to ids, beside a run from nothing; CPU seconds.

`--data` names a data folder that has been run; it is read and stays as it is. On a copy the steps first run once, so
that they stand on what this code made. Then the facts change: birth dates, names and homes are given otherwise, records
vanish, others come in under a new key. The people and linkage steps run twice from the same state: as they would that
night, and with what the last run standardised and scored taken away.
Both must give the same persons. Goal: the night costs at most a third; a person keeps the id, all of them, if among the
records that pairs above the stop level tie to theirs, directly or over others, none changed, nor any evidence (a weight
of a pair, alone or in company). A record that goes sets others free to join whom it kept out, so it is not enough that
the person's own records are as they were.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from linkage_models.clustering import components
from linkage_models.thresholds import CLUSTER_STOP
from pipelines.governance.purposes import VIEWS, Purposes
from pipelines.linkage.constraints import load_decisions
from pipelines.linkage.edges import SCORING, build_edge
from pipelines.linkage.homes import build_households
from pipelines.linkage.persons import MEMBERSHIP, build_persons
from pipelines.people.records import RECORD_ADDRESS, STANDARDISED, build_record, build_record_address
from pipelines.people.touched import SETTLED
from pipelines.runs import Run
from pipelines.settings import SHIPPED_SOURCES, DataFolder
from pipelines.sources.contract_files import load_contracts
from pipelines.view_edges import COMPANY, EDGE
from pipelines.warehouse import Warehouse

GOAL = 1 / 3
FACT = "identity.facts.person_record"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", required=True, help="a data folder that has been run")
    asked.add_argument("--share", type=float, default=0.01, help="of the records that change")
    given = asked.parse_args()
    results = {
        mode: night(Path(given.data).resolve(), given.share, mode == "all pairs") for mode in ("night", "all pairs")
    }
    (spent, persons, kept), (full, same, _) = results["night"], results["all pairs"]
    print(f"{'step':22}{'night':>10}{'all pairs':>12}   CPU seconds")
    for step in spent:
        print(f"{step:22}{spent[step]:10.2f}{full[step]:12.2f}")
    for title, steps in (
        ("records to ids", [step for step in spent if step.startswith("linkage")]),
        ("facts to ids", list(spent)),
    ):
        part, whole = (sum(times[step] for step in steps) for times in (spent, full))
        print(f"{title:22}{part:10.2f}{whole:12.2f}   ratio {part / whole:.2f}, goal {GOAL:.2f}")
    print("the same persons either way:", persons == same)
    print("ids that stayed, of persons whom no record and no evidence that changed is tied to: {} of {}".format(*kept))


def night(data: Path, share: float, afresh: bool) -> tuple[dict[str, float], set[tuple[str, str]], tuple[int, int]]:
    """CPU seconds by step, (record, person) of the view data_quality, and how many of how many ids stayed."""
    spent: dict[str, float] = {}

    def timed(step: str, work: Callable[[], Any]) -> Any:
        begun = time.process_time()
        done = work()
        spent[step] = time.process_time() - begun
        return done

    run = Run.begin(DataFolder.at(data), "benchmark")
    try:
        contracts = load_contracts(SHIPPED_SOURCES)
        stated = {name: each.each_person for name, each in contracts.items() if each.each_person}
        purposes = Purposes.load(contracts.values(), run.settings.today())
        views = {view: purposes.sources(view) for view in VIEWS}
        decisions, keys = run.operations.decisions(), run.keyring

        def steps(wh: Warehouse) -> dict[str, float | str]:
            timed("people/record_address", lambda: build_record_address(wh, views))
            timed("people/record", lambda: build_record(wh, keys.key("fingerprint"), stated, views))
            scored = timed("linkage/edge", lambda: build_edge(wh, views)).figures()
            timed("linkage/person", lambda: (load_decisions(wh, decisions), build_persons(wh, views, keys.key("ids"))))
            timed("linkage/household", lambda: build_households(wh, VIEWS, keys.key("ids")))
            return {
                name: value
                for name, value in scored.items()
                if name.startswith(("scored", "records", "pairs s", "pairs c"))
            }

        with run.warehouse(("identity",)) as wh:
            steps(wh)
            before, told_before = people(wh, "data_quality"), evidence(wh)
            touched = change(wh, share)
            if afresh:
                for table in (SCORING, STANDARDISED, RECORD_ADDRESS, SETTLED):
                    wh.execute(f"DROP TABLE IF EXISTS {table}")
            print(steps(wh))
            now, told = people(wh, "data_quality"), evidence(wh)
    finally:
        run.abandon("only measured")
    members: dict[str, set[str]] = {}
    for record, person in before:
        members.setdefault(person, set()).add(record)
    today = dict(now)
    touched |= {record for pair in told_before ^ told for record in pair[:2]}
    touched = tied(touched, told_before | told)
    still = [p for p, records in members.items() if not records & touched]
    stayed = sum(all(today.get(record) == person for record in members[person]) for person in still)
    return spent, now, (stayed, len(still))


def people(wh: Warehouse, view: str) -> set[tuple[str, str]]:
    return set(wh.rows(f"SELECT record_id, person_id FROM {MEMBERSHIP} WHERE view = ?", [view]))


def evidence(wh: Warehouse) -> set[tuple[Any, ...]]:
    """What speaks for and against pairs of records: (record, record, weight, bits in company)."""
    company = f"(SELECT record_l, record_r, bits FROM {COMPANY} WHERE view = 'data_quality')"
    told = f"SELECT record_l, record_r, match_weight, bits FROM {EDGE} LEFT JOIN {company} USING (record_l, record_r)"
    return set(wh.rows(told))


def tied(records: set[str], told: set[tuple[Any, ...]]) -> set[str]:
    """The records, and all that pairs above the stop level tie to them."""
    pairs = [pair[:2] for pair in told if pair[2] + (pair[3] or 0.0) > CLUSTER_STOP]
    place = {name: number for number, name in enumerate({*records, *(name for pair in pairs for name in pair)})}
    ends = np.array([(place[left], place[right]) for left, right in pairs], dtype=np.int64).reshape(-1, 2)
    part = components(len(place), ends[:, 0], ends[:, 1])
    reached = set(part[[place[record] for record in records]].tolist())
    return {name for name, number in place.items() if part[number] in reached}


def change(wh: Warehouse, share: float) -> set[str]:
    """Change that share of the facts, by a hash of the record; returns the records."""
    hit = f"hash(record_id) % {round(1 / share)} = 0"
    kind = "hash(record_id || 'kind') % 5 = {}"
    touched = {record for (record,) in wh.rows(f"SELECT record_id FROM {FACT} WHERE valid_to IS NULL AND {hit}")}
    for number, value in enumerate(("birth_date = birth_date + 31", "surname = surname || 'SON'", "forename = 'ALEX'")):
        wh.execute(f"UPDATE {FACT} SET {value} WHERE valid_to IS NULL AND {hit} AND {kind.format(number)}")
    wh.execute(f"UPDATE {FACT} SET valid_to = extract_date WHERE valid_to IS NULL AND {hit} AND {kind.format(3)}")
    wh.execute(
        f"INSERT INTO {FACT} SELECT * REPLACE (record_id || 'n' AS record_id, source_key || 'n' AS source_key)"
        f" FROM {FACT} WHERE valid_to IS NULL AND {hit} AND {kind.format(4)}"
    )
    return touched


if __name__ == "__main__":
    main()
