"""`boroughlink retention`: what has outlived its retention goes, from history, quarantine, archive and the past days
that were reconstructed, and is scanned for again."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.commit_point import Current
from pipelines.faults import BoroughlinkError
from pipelines.governance import audit
from pipelines.governance.actors import person
from pipelines.keys.keyring import open_keyring
from pipelines.reading.answer import Answer, Table
from pipelines.reading.purposes import contracts_at, purposes_at
from pipelines.runs import Run
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import open_snapshot
from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract
from pipelines.sources.retention import Due, left_over, sweep
from pipelines.stewardship.zone import PURPOSE, identity_zone

_FOLDERS = "as-of"


@dataclass(frozen=True)
class PastDay:
    """A reconstructed day that shows rows of a source which nothing within retention shows: the source, its newest
    extract there, and the day from which extracts are kept."""

    day: date
    source: str
    newest: date
    before: date


def past_days_due(folder: DataFolder, contracts: Mapping[str, Contract]) -> list[PastDay]:
    """Reconstructed days that hold a source beyond its retention, one row a day: the source whose time was over first.

    A published folder can't be thinned out: the day goes as a whole, and may be reconstructed again from what remains.
    """
    today, found = load_settings(folder).today(), []
    for path in sorted((folder.root / _FOLDERS).glob("*")):
        day = _day_of(path.name)
        if day is None:
            raise BoroughlinkError(f"{path} is no reconstructed day: remove it.")
        with open_snapshot(DataFolder(folder.root, day)) as (wh, _):
            newest = dict(
                wh.rows(
                    "SELECT source, max(extract_date) FROM published.meta.intake WHERE state = 'accepted' GROUP BY ALL"
                )
            )
        cutoffs = {c.name: today - timedelta(days=c.retention_days) for c in contracts.values() if c.name in newest}
        over = [PastDay(day, name, newest[name], cutoff) for name, cutoff in cutoffs.items() if newest[name] < cutoff]
        found += sorted(over, key=lambda each: each.newest - each.before)[:1]
    return found


def _day_of(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def retention_of(folder: DataFolder, sources: str | None, apply: bool) -> Answer:
    """What has outlived its retention; with `apply` it goes, as a run of its own, is scanned for again, and audited."""
    contracts = contracts_at(folder, sources)
    purposes_at(folder, sources).require(PURPOSE, list(contracts))
    if Current.read(folder).state is None:
        return Answer(("Nothing was ever taken in.",))
    keyring = open_keyring(folder, load_settings(folder), ("archive",))
    archive = Archive(folder.archive, keyring.key("archive"))
    days = past_days_due(folder, contracts)
    found = _swept(folder, contracts, archive, days) if apply else _due(folder, contracts, archive)
    if not found and not days:
        return Answer(("Nothing has outlived its retention.",))
    said: tuple[str, ...] = ("Due, and still there: --apply removes it.",)
    if apply:
        if _due(folder, contracts, archive) or past_days_due(folder, contracts):
            raise BoroughlinkError("After the sweep something that is due is still there: run it again.")
        said = (
            "Removed. A scan of history, quarantine, archive and past days finds nothing left that is due.",
            "What was published before holds it until `boroughlink run` publishes anew, and as old runs are dropped.",
        )
    return Answer(said, [*_due_table(found), *_day_table(days)])


def _due(folder: DataFolder, contracts: Mapping[str, Contract], archive: Archive) -> list[Due]:
    with identity_zone(folder) as wh:
        return left_over(wh, contracts.values(), archive)


def _swept(
    folder: DataFolder, contracts: Mapping[str, Contract], archive: Archive, days: Sequence[PastDay]
) -> list[Due]:
    """Remove what is due, by a run of its own; archived files go once that has become real."""
    with Run.of_its_own(folder) as run:
        with run.warehouse(("identity",)) as wh:
            found = left_over(wh, contracts.values(), archive)
            for each in found:
                sweep(wh, contracts[each.source], each)
            run.notes["retention"] = {each.source: each.rows for each in found}
        for each in found:
            counts = {"rows": each.rows, "faults": each.faults, "files": len(each.files)}
            audit.record(
                run.operations, person(), "retention ended", each.source, before=each.before.isoformat(),
                extracts=len(each.deliveries), run=run.run_id, **counts,
            )  # fmt: skip
        for past in days:
            shutil.rmtree(folder.reconstruction(past.day))
            audit.record(
                run.operations, person(), "retention ended", f"{_FOLDERS}/{past.day}", before=past.before.isoformat(),
                source=past.source, run=run.run_id,
            )  # fmt: skip
    for each in found:
        for sha256 in each.files:
            archive.remove(sha256)
    return found


def _due_table(found: Sequence[Due]) -> list[Table]:
    columns = ("source", "extracts before", "extracts", "rows", "faults", "archived files")
    rows = [(d.source, str(d.before), len(d.deliveries), d.rows, d.faults, len(d.files)) for d in found]
    return [("Retention", columns, rows)] if rows else []


def _day_table(days: Sequence[PastDay]) -> list[Table]:
    columns = ("day", "holds of", "newest extract", "extracts before")
    rows = [(str(d.day), d.source, str(d.newest), str(d.before)) for d in days]
    return [("Past days", columns, rows)] if rows else []
