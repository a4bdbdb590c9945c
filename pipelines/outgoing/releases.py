"""The commands of releases: each opens the attributes zone and the store with the keys of releasing alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.exports import write_csv
from pipelines.faults import BoroughlinkError, plural
from pipelines.governance import audit, opt_out
from pipelines.governance.actors import Actor, acting
from pipelines.keys.keyring import RELEASING
from pipelines.operations import Operations, standing_store
from pipelines.outgoing.files import stamp_of, target_of
from pipelines.reading.answer import Answer, Table
from pipelines.reading.overview import old_of
from pipelines.reading.purposes import purposes_at
from pipelines.releases import ending, lifecycle
from pipelines.releases.asking import MEMORY, ask
from pipelines.releases.attacks import Measured
from pipelines.releases.building import build
from pipelines.releases.catalogue import askable, may_ask
from pipelines.releases.desk import Desk
from pipelines.releases.sets import load_set
from pipelines.releases.store import Release, copies, find, holds_key, refusals_noted, releases
from pipelines.releases.zone import open_attributes
from pipelines.settings import DataFolder, Settings, load_settings


@contextmanager
def desk(folder: DataFolder) -> Iterator[tuple[Settings, Operations, Actor]]:
    """Settings, store and who acts. Raises BoroughlinkError when there is no data folder."""
    with standing_store(folder, RELEASING) as operations:  # of no other zone: it can neither read nor link identity
        settings = load_settings(folder)
        yield settings, operations, acting(folder, settings)


def build_release(
    folder: DataFolder, name: str, recipient: str | None, series: str | None, sources: str | None
) -> Answer:
    """Build a release; says what was done to it and what is kept."""
    with desk(folder) as (settings, operations, who):
        with refusals_noted(operations, who, name):
            asked, purposes = load_set(name), purposes_at(folder, sources)
        with open_attributes(folder, settings, operations.keyring, purposes) as wh:
            at = Desk(folder, settings, operations, purposes)
            manifest = build(wh, at, asked, who, recipient=recipient, series=series, stands_on=old_of(folder))
    total, out = manifest["rows"] + manifest["rows_left_out"], manifest["left_out_by_national_data_opt_out"]
    said = [
        f"Built {manifest['release_id']} for {manifest['recipient']}: {manifest['rows']:,} of {total:,} rows "
        f"({manifest['rows'] / total:.1%}), smallest group {manifest['k_measured']}.",
        *([f"{plural(out, 'person', 'people')} left out by the national data opt-out."] if out else []),
        *([_continuity(manifest)] if "series" in manifest else []),
        f"Next: boroughlink release check {manifest['release_id']}",
    ]
    steps = list(manifest["quasi_identifiers"].items())
    return Answer(
        said,
        [("How each column leaves", ("column", "as"), steps), _rows_kept(manifest)],
        {"release": manifest["release_id"], "manifest": manifest},
    )


def check_release(folder: DataFolder, release_id: str, key: str, sources: str | None) -> Answer:
    """Attack a release and say what was found; refused ones stay refused."""
    with desk(folder) as (settings, operations, who):
        purposes = purposes_at(folder, sources)
        with open_attributes(folder, settings, operations.keyring, purposes) as wh:
            release, found = lifecycle.check(wh, Desk(folder, settings, operations, purposes), release_id, key, who)
    said = [
        f"{release_id} is as safe as its profile asks.",
        *([found.says_of_joining] if found.joined is not None else []),
        f"It waits for another person's consent to {release.recipient} and the key "
        f"{release.manifest['recipient_key']}: boroughlink release approve {release_id}",
    ]
    tables = [("What somebody could do with it", ("attack", "found"), _attacks(found)), _rows_kept(release.manifest)]
    return Answer(said, tables, {"release": release_id, "measured": found.plain()})


def approve_release(folder: DataFolder, release_id: str) -> str:
    with desk(folder) as (_, operations, who):
        release = lifecycle.approve(operations, release_id, who)
        return (
            f"{release_id} is approved by {who.login} for {release.recipient} and the key "
            f"{release.manifest['recipient_key']}: boroughlink release publish {release_id}"
        )


def publish_release(folder: DataFolder, release_id: str, out: Path, sources: str | None) -> str:
    target = target_of(folder, out, (".age",))
    with desk(folder) as (settings, operations, who):
        at = Desk(folder, settings, operations, purposes_at(folder, sources))
        lifecycle.publish(at, release_id, target, who)
        release = find(operations, release_id)
    return (
        f"{target} is for {release.recipient} alone, who opens it with `age --decrypt`. To be deleted after "
        f"{release.expires}."
    )


def revoke_release(folder: DataFolder, release_id: str, reason: str, series: bool) -> str:
    with desk(folder) as (_, operations, who):
        taken, marked = ending.revoke(operations, release_id, reason, who, series)
        release = find(operations, release_id)
        goes_on = holds_key(operations, str(release.manifest["key"]))
    name = release.manifest.get("series")
    if series:
        said = f"The series `{name}` has ended and {plural(len(taken), 'release')} of it are revoked"
    else:
        said = f"{release_id} is revoked"
    after = (
        f"its series `{name}` goes on with the same pseudonyms (--series ends it)."
        if name and goes_on
        else "the keys are destroyed, so the pseudonyms match nothing any more."
    )
    return f"{said}: {after} {plural(marked, 'copy', 'copies')} marked: tell {release.recipient} to delete theirs."


def sweep_releases(folder: DataFolder) -> str:
    with desk(folder) as (settings, operations, who):
        swept = ending.sweep(folder, operations, settings.today(), who.login)
    if not swept:
        return "No release is past its day."
    return (
        f"{plural(len(swept), 'release')} past their day: keys destroyed, sealed files removed. Their recipients were "
        f"to delete theirs too: {', '.join(swept)}."
    )


def releases_of(folder: DataFolder) -> Answer:
    """Every release, newest first, and the copies that left."""
    with desk(folder) as (_, operations, _who):
        found = releases(operations)
        rows = [_row(one) for one in found]
        left = [
            (
                one.release_id,
                copy["file"],
                copy["recipient_key"][:16] + "…",
                copy["made_at"][:10],
                copy["revoked_at"] or "",
            )
            for one in found
            for copy in copies(operations, one.release_id)
        ]
    heads = ("release", "state", "purpose", "recipient", "rows", "left out", "made by", "approved by", "delete after")
    copies_heads = ("release", "file", "recipient's key", "made", "revoked")
    return Answer(
        () if rows else ("No release was made yet.",),
        [("Releases", heads, rows)] + ([("Copies that left", copies_heads, left)] if left else []),
    )


def ask_question(
    folder: DataFolder, text: str, purpose: str, preset: str, out: Path | None, sources: str | None
) -> Answer:
    """The protected answer to a question; with `out`, as a stamped CSV too."""
    target = target_of(folder, out, (".csv",)) if out else None
    with desk(folder) as (settings, operations, who):
        purposes = purposes_at(folder, sources)
        with open_attributes(folder, settings, operations.keyring, purposes, MEMORY) as wh:
            asked = ask(wh, operations, purposes, purpose, text, preset, who)
        shown = asked.rows()
        heads = (*asked.table.dims, asked.question.count_as)
        if target:
            write_csv(target, heads, shown, stamp_of(folder, purpose, wh.run_id))
            audit.record(operations, who.login, "table written", asked.table_id, file=target.name, rows=len(shown))
    table = asked.table
    said = [
        f"Counts of {asked.question.unit.split('.')[-1].removesuffix('_id')}s, protected: {table.preset.means}. "
        f"What is not here is fewer than {table.preset.hidden_below}, nobody, or a count beside such.",
        f"Total of what is shown: {table.total:,}. In the register as {asked.table_id}.",
        *([f"Written to {target}"] if target else []),
    ]
    return Answer(said, [("Answer", heads, shown)], {"table": asked.table_id, "total of what is shown": table.total})


def catalogue_of(folder: DataFolder, purpose: str | None, table: str | None, sources: str | None) -> Answer:
    """What can be asked, in words; with a purpose, what that one may ask today."""
    tables = askable()
    if table is not None and table not in tables:
        raise BoroughlinkError(f"`{table}` is no table of the catalogue; one of {', '.join(tables)} is expected.")
    may = may_ask(purposes_at(folder, sources), purpose) if purpose else tables
    listed = [(name, held.grain, "yes" if name in may else "no") for name, held in tables.items()]
    columns = [
        (name, column, said.means, "joins and is counted" if said.kind == "id" else "")
        for name, held in tables.items()
        if table in (None, name)
        for column, said in held.columns.items()
    ]
    heads = ("table", "one row is", f"{purpose} may ask" if purpose else "in the catalogue")
    return Answer(
        ("Ask with `boroughlink query`: SELECT what to count by, count(*) FROM one table, JOIN others USING an id.",),
        [("Tables", heads, listed), ("Columns", ("table", "column", "means", "use"), columns)],
    )


def import_opt_outs(folder: DataFolder, file: Path, list_date: date) -> str:
    with desk(folder) as (settings, operations, who):
        people = opt_out.import_list(operations, file.expanduser().resolve(), list_date, settings.today(), who)
    return f"{plural(people, 'person', 'people')} on the list of {list_date}: the next run marks those it knows."


def _rows_kept(manifest: dict[str, Any]) -> Table:
    """What share of the rows of each ward and value is in the release."""
    kept = [(by, value, share) for by, told in manifest["rows_kept_by"].items() for value, share in told.items()]
    return "Rows kept", ("by", "value", "kept"), kept


def _row(one: Release) -> tuple[Any, ...]:
    m = one.manifest
    return (
        one.release_id, one.state, one.purpose, one.recipient, m["rows"], m["rows_left_out"], m.get("made_by", ""),
        m.get("approved_by", ""), one.expires,
    )  # fmt: skip


def _continuity(manifest: dict[str, Any]) -> str:
    told = manifest["continuity"]
    if told["after"] is None:
        return f"It begins the series `{manifest['series']}`."
    return (
        f"It goes on after {told['after']}: {told['share_that_goes_on']:.1%} of its people go on, "
        f"{told['people_new']:,} are new, {told['people_gone']:,} are gone, {told['of_whom_merged']:,} of them merged."
    )


def _attacks(found: Measured) -> list[tuple[str, str]]:
    share = "{:.2%}".format
    return [
        ("smallest group in the release (k)", f"{found.k:,}"),
        ("smallest group in the whole population", f"{found.k_population:,}"),
        ("rows alone in their group", f"{found.unique:,}"),
        ("mean risk, by a register of everyone", share(found.mean_risk)),
        ("mean risk, knowing who is in it", share(found.mean_risk_in_release)),
        ("highest risk, knowing who is in it", share(found.max_risk)),
        ("row named right, guessing among those that fit", share(found.linked)),
        *((f"the same, knowing the person's {c}", share(v)) for c, v in found.linked_knowing.items()),
        *((f"row found alone, knowing the person's {c}", share(v)) for c, v in found.singled_out.items()),
        ("rows that differ from every other in some column", share(found.singled_out_by_all)),
        *((f"fewest values of {c} in a group (l)", str(v)) for c, v in found.l.items()),
        *((f"{c} given away by the group alone", share(v)) for c, v in found.learnt.items()),
        *([("in a household unlike any other", share(found.household))] if found.household is not None else []),
        *([("joins with a release in other hands", share(found.joined))] if found.joined is not None else []),
        *([("fewest rows that share a path over the series", f"{found.path:,}")] if found.path is not None else []),
    ]
