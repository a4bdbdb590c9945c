"""Proving a contract on its newest delivery: taken in on trial, facts built, nothing kept."""

from collections.abc import Sequence
from typing import Any

from pipelines.faults import plural
from pipelines.quality.gate import gate
from pipelines.reading.answer import Answer
from pipelines.settings import DataFolder, load_settings, located
from pipelines.sources.contract_files import load_contract
from pipelines.sources.facts_build import build_fact
from pipelines.sources.intake import take_in
from pipelines.sources.landing import delivery_folders
from pipelines.stewardship.zone import trial_zone


def check(folder: DataFolder, name: str, sources: str | None, landing: str | None) -> tuple[bool, Answer]:
    """Load a contract, take its newest delivery in on trial, build its facts; does it stand, and what is missing?"""
    inbox, home = located(folder, landing, sources)
    contract = load_contract(home / name / "contract.yaml")
    today = load_settings(folder).today()
    missing = [
        f"`{purpose}` was agreed until {b.expires}" for purpose, b in contract.purposes.items() if b.expires < today
    ]
    if not contract.facts and contract.level == "person":
        missing.append("nothing of it will be linked: say which column is what in `maps`, or write person_record.sql")
    said = [f"{contract.title}: {plural(len(contract.tables), 'table')}, the contract is whole."]
    rows: list[tuple[Any, ...]] = []
    folders = delivery_folders(contract, inbox)
    if not folders:
        missing.append(f"no delivery of it lies in {inbox / name}: nothing could be read")
        return False, Answer([*said, *_told(missing)])
    with trial_zone((inbox, home)) as wh:
        wh.as_of = today
        newest = inbox / name / folders[-1].name
        taken = next(found for found in take_in(wh, contract, inbox, None, gate(wh)) if found.folder == newest)
        said.append(f"{newest.name}: {taken.state}{f', {taken.reason}' if taken.reason else ''}.".replace("..", "."))
        for table, count in (taken.rows or {}).items():
            rows.append((table, count))
        if taken.state == "accepted":
            said.append(f"{plural(taken.set_aside, 'row')} and {plural(taken.value_faults, 'value')} set aside.")
            facts = [(f"fact {fact}", build_fact(wh, fact, {name: contract})) for fact in contract.facts]
            missing += [f"{fact} comes out empty" for fact, count in facts if not count]
            rows += facts
            failed = (
                "SELECT DISTINCT sentence FROM identity.quality.result WHERE NOT passed AND extract_date = ? ORDER BY 1"
            )
            missing += [f"not so: {sentence}" for (sentence,) in wh.rows(failed, [taken.extract_date])]
        else:
            missing.append(f"the newest delivery was {taken.state}")
    return not missing, Answer(
        [*said, *_told(missing)], [("Taken in on trial", ("table", "rows"), rows)] if rows else []
    )


def _told(missing: Sequence[str]) -> list[str]:
    return [f"Missing: {said.rstrip('.')}." for said in missing] or ["Nothing is missing."]
