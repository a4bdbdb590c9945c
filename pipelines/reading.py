"""The reading commands: each opens the published snapshot only, and answers in tables or JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commit_point import Current, run_under_way
from pipelines.exports import Stamp, write_csv
from pipelines.faults import BoroughlinkError, plural
from pipelines.governance import audit
from pipelines.governance.actors import acting
from pipelines.governance.keys import COMPARING, STORE, open_keyring
from pipelines.governance.protection import protected_persons
from pipelines.governance.pseudonyms import record_name
from pipelines.governance.purposes import PurposeRefused, Purposes, purposes_file
from pipelines.inbox import untaken
from pipelines.judging import estimated, judge, judge_known, judgement_tables, known_tables
from pipelines.notices.telling import notices
from pipelines.operations import Operations
from pipelines.settings import DataFolder, load_settings, located
from pipelines.snapshots import open_snapshot

if TYPE_CHECKING:
    from pipelines.differences.comparing import Differences


@dataclass(frozen=True)
class Answer:
    """What a reading command says: a sentence or two, and tables (title, columns, rows)."""

    said: Sequence[str] = ()
    tables: Sequence[tuple[str, Sequence[str], Sequence[Sequence[Any]]]] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        named = {title: [dict(zip(columns, row, strict=True)) for row in rows] for title, columns, rows in self.tables}
        return {"said": list(self.said)} | dict(self.data) | named

    def print(self) -> None:
        from rich.console import Console
        from rich.table import Table

        console = Console(highlight=False, width=None if Console().is_terminal else 140)
        for line in self.said:
            console.print(line, markup=False)
        for title, columns, rows in self.tables:
            table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
            for place, column in enumerate(columns):
                numeric = bool(rows) and all(isinstance(row[place], int | float) for row in rows)
                table.add_column(column, justify="right" if numeric else "left", overflow="fold")
            for row in rows:
                table.add_row(*(_text(value) for value in row))
            console.print()
            console.print(table)


def status_of(folder: DataFolder) -> Answer:
    """What is published and which sources stand on an old extract, what waits, who runs."""
    if not folder.root.exists():
        raise BoroughlinkError(f"There is no data folder at {folder.root}.")
    current = Current.read(folder)
    waiting = untaken(folder, *located(folder), load_settings(folder).today())
    operations = _operations(folder)
    try:
        runs, told = operations.runs()[:10], notices(operations)[:10]
    finally:
        operations.close()
    said = [
        f"Published: {current.published or 'nothing yet'}",
        f"Waiting in the landing folder: {plural(len(waiting.signatures), 'delivery', 'deliveries')}"
        + (f", and {waiting.not_due:,} not whole or not due" if waiting.not_due else ""),
        "A run is under way." if run_under_way(folder) else "No run is under way.",
    ]
    if current.published:
        said += old_of(folder)
    rows = [
        (
            run["run_id"],
            run["state"],
            "yes" if run["published"] else "no",
            run["started_by"],
            run["started_at"][:19],
            json.loads(run["summary"] or "{}").get("why", ""),
        )
        for run in runs
    ]
    heard = [(each["at"][:19], each["subject"], each["channel"], each["state"], each["detail"] or "") for each in told]
    return Answer(
        said,
        [
            ("Runs", ("run", "state", "published", "started by", "started (UTC)", "why not"), rows),
            *([("Notices", ("at (UTC)", "about", "by", "state", "why not"), heard)] if heard else []),
        ],
        {"published": current.published, "waiting": len(waiting.signatures), "not due": waiting.not_due},
    )


def quality_of(folder: DataFolder) -> Answer:
    """The scorecard and the faults behind it."""
    from pipelines.quality.scorecard import faults, scorecard

    with open_snapshot(folder) as (wh, place):
        scores = scorecard(wh, "published")
        failed = [
            (fault.source, fault.principle, fault.severity, fault.sentence, fault.failures, fault.rows)
            for fault in faults(wh, "published")
        ]
    grid: dict[str, dict[str, str]] = {}
    for score in scores:
        grid.setdefault(score.source, {})[score.principle] = score.state
    principles = ("accurate", "valid", "reliable", "timely", "relevant", "complete")
    rows = [
        (source, *(states.get(principle, "no check") for principle in principles)) for source, states in grid.items()
    ]
    return Answer(
        (f"Run {place.name}",),
        [
            ("Scorecard", ("source", *principles), rows),
            ("What failed", ("source", "principle", "severity", "rule", "failures", "of"), failed),
        ],
    )


def purposes_of(folder: DataFolder, sources: str | None = None) -> Answer:
    """Purposes, and the sources that may serve each today."""
    purposes = purposes_at(folder, sources)
    rows = [
        (
            p.name,
            p.title,
            "" if p.view == "none" else p.view,
            "by name" if p.identifiable else "pseudonymised" if p.profile != "open" else "as counts",
            ", ".join(purposes.sources(p.name)),
            ", ".join(sorted(set(purposes.contracts) - set(purposes.sources(p.name)))) or "none",
        )
        for p in purposes.purposes.values()
    ]
    return Answer((), [("Purposes", ("purpose", "what for", "view", "people appear", "reads", "never reads"), rows)])


def purpose_of(folder: DataFolder, name: str, sources: str | None = None) -> Answer:
    """One purpose: on what basis each source serves it, what is missing for the others, how each column passes."""
    purposes = purposes_at(folder, sources)
    if name not in purposes.purposes:
        raise BoroughlinkError(f"`{name}` is no purpose; one of {', '.join(purposes.purposes)} is expected.")
    p = purposes.purposes[name]
    reads = purposes.sources(name)
    said = [
        f"{p.title}: {p.description}",
        f"National data opt-out: {p.opt_out}.",
        *([f"Kept {p.retention_days:,} days."] if p.retention_days else []),
        *(
            [f"Approved by: {', '.join(p.approvers)}; by the Caldicott Guardian where health data is read."]
            * bool(p.approvers)
        ),
    ]
    bases = [
        (source, b.basis, b.gateway, b.assessment, b.agreement, ", ".join(b.approved_by), str(b.expires))
        for source in reads
        if (b := purposes.contracts[source].purposes.get(name))
    ]
    lacking = [(source, purposes.refusal(name, source)) for source in sorted(set(purposes.contracts) - set(reads))]
    columns = [
        (source, column, purposes.contracts[source].classes[column], str(how))
        for source in reads
        for column, how in purposes.treatment_of(name, source).items()
    ]
    heads = ("source", "basis", "gateway", "assessment", "agreement", "approved by", "until")
    return Answer(
        said,
        [
            ("On what basis", heads, bases),
            ("What is missing", ("source", "why"), lacking),
            ("How each column passes", ("source", "column", "personal", "treatment"), columns),
        ],
    )


def explanation_of(
    folder: DataFolder, left: str, right: str | None, purpose: str, sources: str | None = None
) -> Answer:
    """Why two records were linked or not; with one id, what holds that person together.

    Noted in the audit before it is shown, and only what is a record or person: a name typed in their place would stand
    there in clear.
    """
    from pipelines.linkage.explain import Looked, explain, explain_person

    settings = load_settings(folder)
    purposes = purposes_at(folder, sources)
    purposes.require(purpose, {record.split(":", 1)[0] for record in (left, right) if right and record})
    view = purposes.purposes[purpose].view
    operations = _operations(folder)
    try:
        with open_snapshot(folder) as (wh, _):
            at = Looked(view, operations.decisions(), "published", settings.cluster_stop)
            if right:
                told = explain(wh, left, right, at)
                named = sorted(record_name(operations.keyring, record) for record in (left, right))
                audit.record(operations, acting(folder).login, "pair explained", purpose, records=named)
            else:
                told = explain_person(wh, left, at)
                held = wh.rows(
                    "SELECT DISTINCT split_part(record_id, ':', 1) FROM published.linkage.membership "
                    "WHERE view = ? AND person_id = ?",
                    [view, left],
                )
                purposes.require(purpose, {source for (source,) in held})
                audit.record(operations, acting(folder).login, "person explained", purpose, person=left)
    finally:
        operations.close()
    return Answer(told.sentences, told.tables)


def difference_of(folder: DataFolder, before: str | None, after: str | None) -> Answer:
    """What differs between two published runs; without names, between the last two."""
    from pipelines.differences.comparing import compare, published_run

    runs = published_run(folder, before, newest=1), published_run(folder, after)
    operations = _operations(folder, COMPARING)
    try:
        found = compare(folder, load_settings(folder), operations.keyring, runs, operations.decisions())
    finally:
        operations.close()
    return told(found)


def told(found: "Differences") -> Answer:
    """Differences in words and tables."""
    from pipelines.differences.telling import sentences, tables

    return Answer(list(sentences(found)), tables(found), {"differences": found.plain()})


def lineage_of(folder: DataFolder, identifier: str, view: str | None = None, purpose: str = "data_quality") -> Answer:
    """What became of an id, from the ledger of the published run; noted in the audit before it is shown."""
    from pipelines.linkage.lineage import resolve

    purposes_at(folder, None).require_view(purpose)
    with open_snapshot(folder) as (wh, _):
        found = resolve(wh, identifier, view, catalog="published")
    operations = _operations(folder)
    try:
        audit.record(operations, acting(folder).login, "id resolved", purpose, person=identifier)
    finally:
        operations.close()
    of = "records" if found.kind == "person" else "stays"
    rows = [(e.run, e.event, e.id, e.other_id, e.members, e.reason) for e in found.events]
    data = {"kind": found.kind, "view": found.view, "current": list(found.current), "since": found.since}
    columns = ("run", "event", "id", "other id", of, "reason")
    return Answer(found.said(), [("Ledger", columns, rows)], data | {"parts": list(found.parts)})


def evaluation_of(folder: DataFolder, truth: Path | None, with_stock: bool = False) -> Answer:
    """Links, addresses and flags against the truth of an invented borough, or links against a CSV of who is who;
    without either, what can be estimated."""
    if truth is None:
        return Answer(*estimated(folder))
    truth = truth.expanduser().resolve()
    if truth.is_file():
        judged = judge_known(folder, truth, with_stock)
        return Answer(*known_tables(judged), {"judged": judged})
    judged = judge(folder, truth, with_stock)
    said, tables = judgement_tables(judged)
    return Answer(said, tables, {"judged": judged})


def write_clusters(folder: DataFolder, out: Path, purpose: str, view: str | None = None) -> str:
    """record_id, source, source_key, person_id of one view, else of the purpose's; protected people stay out."""
    view, target = by_name(folder, purpose, view), target_of(out, (".csv",))
    with open_snapshot(folder) as (wh, place):
        rows = wh.rows(
            "SELECT m.record_id, r.source, r.source_key, m.person_id FROM published.linkage.membership m "
            "JOIN published.people.record r USING (record_id) WHERE m.view = ? AND (m.view, m.person_id) NOT IN "
            f"({protected_persons('published')}) ORDER BY ALL",
            [view],
        )
    said = noted(folder, "clusters exported", out, len(rows), purpose)
    stamp = stamp_of(folder, f"clusters of the view {view}", place.name)
    write_csv(target, ("record_id", "source", "source_key", "person_id"), rows, stamp)
    return said


def write_label_sample(folder: DataFolder, out: Path, pairs: int, purpose: str, view: str | None = None) -> str:
    """A random sample of compared pairs for reviewers to label, with inclusion probabilities."""
    from pipelines.linkage.labelling import COLUMNS, draw

    view, target = by_name(folder, purpose, view), target_of(out, (".csv",))
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
    target = target_of(out, (".csv", ".xlsx"))
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


def contracts_at(folder: DataFolder, sources: str | None) -> Any:
    """The contracts of the set that is named, else of the one that the folder stands on."""
    from pipelines.sources.contract_files import load_contracts

    return load_contracts(located(folder, sources=sources)[1])


def purposes_at(folder: DataFolder, sources: str | None) -> Purposes:
    """The purposes of today, held against the contracts."""
    path = located(folder, sources=sources)[1]
    contracts = contracts_at(folder, sources).values()
    return Purposes.load(contracts, load_settings(folder).today(), purposes_file(path))


def _operations(folder: DataFolder, keys: Sequence[str] = STORE) -> Operations:
    return Operations.open(folder, open_keyring(folder, load_settings(folder), keys))


def target_of(out: Path, suffixes: tuple[str, ...]) -> Path:
    """Where a file that leaves goes; raises BoroughlinkError for a wrong ending or folder."""
    target = out.expanduser().resolve()
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


def old_of(folder: DataFolder) -> tuple[str, ...]:
    """Which sources of the published run stand on an old extract, and why: a sentence each."""
    from pipelines.sources.footing import old_extracts

    with open_snapshot(folder) as (wh, _):
        return old_extracts(wh, "published")


def noted(folder: DataFolder, event: str, out: Path, rows: int, purpose: str) -> str:
    """Note in the audit that a file is about to leave, before a byte of it is written; what to say once it has."""
    operations = _operations(folder)
    try:
        audit.record(operations, acting(folder).login, event, out.name, rows=rows, purpose=purpose)
    finally:
        operations.close()
    return f"{plural(rows, 'row')} written to {out}"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "" if value is None else str(value)
