"""What a night touches: the one place that says what a step may not take over from the last run.

Whoever changes what a later step reads notes the records here; the step works on what hangs on them, takes the rest
over, and lets the notes go. It works on everything where it never ran, or what holds for all records is another.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from linkage_models.incremental import difference
from pipelines.warehouse import Warehouse

# One row per step and record that changed, came or went (`lost` is null), or that lost a pair of that weight.
TOUCHED = "identity.people.touched"
# One row per step that has run: a hash of each thing that all it made follows from, in words.
SETTLED = "identity.people.settled"
PERSONS, HOMES = "persons", "homes"


def touch(wh: Warehouse, steps: tuple[str, ...], records: str) -> None:
    """Note for these steps the records of a query of (record_id, lost); not for one that will work on everything."""
    wh.execute(f"CREATE TABLE IF NOT EXISTS {TOUCHED} (step VARCHAR, record_id VARCHAR, lost DOUBLE)")
    settled = {step for (step,) in wh.rows(f"SELECT step FROM {SETTLED}")} if wh.exists(SETTLED) else set()
    for step in settled.intersection(steps):
        wh.execute(f"INSERT INTO {TOUCHED} SELECT '{step}', record_id, lost FROM ({records})")


def unsettle(wh: Warehouse, *steps: str) -> None:
    """Have these steps work on everything."""
    if wh.exists(SETTLED):
        wh.execute(f"DELETE FROM {SETTLED} WHERE step IN (SELECT unnest(?::VARCHAR[]))", [list(steps)])


def why_all(wh: Warehouse, step: str, basis: dict[str, str]) -> str | None:
    """Why a step can't take over what it made in the last run; None if it can, but for what is touched."""
    told = wh.rows(f"SELECT basis FROM {SETTLED} WHERE step = ?", [step]) if wh.exists(SETTLED) else []
    if not told:
        return "nothing of an earlier run to build on"
    differs = difference(json.loads(told[0][0]), basis)
    return f"{' and '.join(differs)} changed" if differs else None


def code_mark(paths: Iterable[Path | str]) -> str:
    """A hash of the files by which a step makes what it makes."""
    return hashlib.sha256(b"".join(Path(path).read_bytes() for path in paths)).hexdigest()


def settle(wh: Warehouse, step: str, basis: dict[str, str]) -> None:
    """Note that a step has seen to all that was touched."""
    wh.execute(f"CREATE TABLE IF NOT EXISTS {SETTLED} (step VARCHAR, basis VARCHAR)")
    unsettle(wh, step)
    wh.execute(f"INSERT INTO {SETTLED} VALUES (?, ?)", [step, json.dumps(basis, sort_keys=True)])
    if wh.exists(TOUCHED):
        wh.execute(f"DELETE FROM {TOUCHED} WHERE step = ?", [step])
