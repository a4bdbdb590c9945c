"""The files of `export`, and what every file that leaves has: a target, a stamp, a line in the audit before it."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from pipelines.exports import Stamp, write_csv
from pipelines.faults import BoroughlinkError, plural
from pipelines.governance import audit
from pipelines.governance.actors import acting
from pipelines.governance.protection import for_few, protected_persons
from pipelines.governance.purposes import PurposeRefused
from pipelines.operations import opened_store
from pipelines.reading.overview import old_of
from pipelines.reading.purposes import purposes_at
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import open_snapshot, require_linked

# `standing`: linked (the person has more records), alone (no other record of this person was found), nobody (the record
# names no person, so person_id is empty).
CLUSTERS = ("record_id", "source", "source_key", "person_id", "standing")


def write_clusters(folder: DataFolder, out: Path, purpose: str, view: str | None = None) -> str:
    """CLUSTERS of every record of one view, else of the purpose's, each once; protected people stay out."""
    view, target = by_name(folder, purpose, view), target_of(folder, out, (".csv",))
    with open_snapshot(folder) as (wh, place):
        require_linked(wh)
        rows = wh.rows(
            f"""-- one row per record of the view
            SELECT r.record_id, r.source, r.source_key, m.person_id, CASE WHEN m.person_id IS NULL THEN 'nobody'
                WHEN count(*) OVER (PARTITION BY m.person_id) > 1 THEN 'linked' ELSE 'alone' END
            FROM published.people.record r
            LEFT JOIN (FROM published.linkage.membership WHERE view = $view) m USING (record_id)
            WHERE list_contains($sources, r.source) AND coalesce(r.sensitivity, '') NOT IN ({for_few()})
                AND coalesce(m.person_id, '') NOT IN
                    (SELECT person_id FROM ({protected_persons("published")}) WHERE view = $view)
            ORDER BY ALL""",
            {"view": view, "sources": purposes_at(folder, None).sources(view)},
        )
    said = noted(folder, "clusters exported", out, len(rows), purpose)
    stamp = stamp_of(folder, f"clusters of the view {view}", place.name)
    write_csv(target, CLUSTERS, rows, stamp)
    found = Counter(row[-1] for row in rows)
    persons = len({row[3] for row in rows} - {None})
    return (
        f"{said}: {plural(persons, 'person')}; {found['linked']:,} records linked, {found['alone']:,} alone, "
        f"{found['nobody']:,} that name nobody"
    )


def write_label_sample(folder: DataFolder, out: Path, pairs: int, purpose: str, view: str | None = None) -> str:
    """A random sample of compared pairs for reviewers to label, with inclusion probabilities."""
    from pipelines.linkage.labelling import COLUMNS, draw

    view, target = by_name(folder, purpose, view), target_of(folder, out, (".csv",))
    with open_snapshot(folder) as (wh, place):
        rows = list(draw(wh, view, pairs))
    said = noted(folder, "label sample exported", out, len(rows), purpose)
    write_csv(target, COLUMNS, rows, stamp_of(folder, f"pairs of the view {view} to label", place.name))
    return said


def write_flagged(folder: DataFolder, out: Path, purpose: str) -> str:
    """The flagged pairs, as the fraud team gets them."""
    from pipelines.fraud.hand_over import write_one

    if by_name(folder, purpose) != "fraud":
        raise PurposeRefused(f"Flagged pairs are for preventing fraud: `{purpose}` has no use for them.")
    target = target_of(folder, out, (".csv", ".xlsx"))
    with open_snapshot(folder) as (wh, _):
        pairs = int(wh.scalar("SELECT count(*) FROM published.fraud.flagged_pair"))
        said = noted(folder, "flagged pairs exported", out, pairs, purpose)
        write_one(wh, target, load_settings(folder).export_days, "published.fraud.flagged_pair")
    return said


def by_name(folder: DataFolder, purpose: str, view: str | None = None) -> str:
    """The view that a purpose may be handed people of by name: the one asked for, if it serves the purpose as a whole,
    else its own. Raises PurposeRefused."""
    purposes = purposes_at(folder, None)
    stated = purposes.require_view(purpose)
    if not stated.identifiable:
        raise PurposeRefused(f"`{purpose}` never gets people by name; `boroughlink release` serves it.")
    if view is not None and view != stated.view:
        purposes.require(purpose, purposes.sources(view))
    return view or stated.view


def target_of(folder: DataFolder, out: Path, suffixes: tuple[str, ...]) -> Path:
    """Where a file that leaves goes; raises BoroughlinkError for a wrong ending, no folder, or the data folder."""
    target = out.expanduser().resolve()
    if target.is_relative_to(folder.root):
        raise BoroughlinkError(
            f"--out: {target.parent} is in the data folder, where nobody looks for what left and no day of deletion "
            "reaches it. Name a folder outside."
        )
    if target.suffix.lower() not in suffixes:
        raise BoroughlinkError(f"--out must end in {' or '.join(suffixes)}.")
    if not target.parent.is_dir():
        raise BoroughlinkError(f"The folder {target.parent} is not there.")
    return target


def stamp_of(folder: DataFolder, purpose: str, run_id: str) -> Stamp:
    """The stamp of a file that leaves today."""
    settings = load_settings(folder)
    expires = settings.today() + timedelta(days=settings.export_days)
    return Stamp(purpose, run_id, expires, stands_on=old_of(folder))


def noted(folder: DataFolder, event: str, out: Path, rows: int, purpose: str) -> str:
    """Note in the audit that a file is about to leave, before a byte of it is written; what to say once it has."""
    with opened_store(folder) as operations:
        audit.record(operations, acting(folder).login, event, out.name, rows=rows, purpose=purpose)
    return f"{plural(rows, 'row')} written to {out}"
