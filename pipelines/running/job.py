"""Running the job from the command line: only if there is something to do, with a line a step, and a report."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipelines import assets as steps
from pipelines.commit_point import Current, run_under_way
from pipelines.faults import BoroughlinkError, plural, printable
from pipelines.governance import audit
from pipelines.governance.actors import person
from pipelines.governance.fitness import require_fit, require_said
from pipelines.inbox import untaken
from pipelines.keys.keyring import LINKING, open_keyring
from pipelines.notices.telling import tell
from pipelines.operations import opened_store
from pipelines.releases.ending import sweep
from pipelines.runs import input_mark
from pipelines.settings import SETTINGS_FILE, DataFolder, load_settings, remember, standing_on
from pipelines.snapshots import NothingPublished
from pipelines.timings import MemoryWatch


def run_and_report(
    data: str,
    landing: str | None,
    sources: str | None,
    select: str | None,
    force: bool,
    monthly: bool = False,
    by: str | None = None,
) -> int:
    """Run on a data folder and print what came out; 0 if all went well, 1 if a step failed or an extract
    was refused.
    """
    from pipelines.reporting.terminal import report

    folder = DataFolder.at(data)
    started = time.perf_counter()
    with MemoryWatch() as memory:
        unchanged, faults = False, run_months(folder, landing, sources) if monthly else []
        if not faults:
            unchanged, faults = run_job(folder, landing, sources, select, force, by)
    parts = {"run": time.perf_counter() - started}
    if faults:
        print("boroughlink: " + "\n".join(faults), file=sys.stderr)
        return 1
    if unchanged:
        say("Nothing has changed since the last run: no new extract, contract, setting or decision. It stands.")
        return 0
    try:
        figures = published_figures(folder)
    except NothingPublished:
        say("Done. Nothing was published, because only a part of the graph was run.")
        return 0
    report(figures, None, parts | {"total": parts["run"]}, memory.peak, False)
    _say_the_head(folder)
    return 1 if figures.refusals.rows else 0


def _say_the_head(folder: DataFolder) -> None:
    """The audit's last entry: kept on paper or elsewhere, it shows later whether anything was cut off."""
    with opened_store(folder) as operations:
        entry, mac = audit.anchor(operations)
    anchor = load_settings(folder).anchor
    kept = f", anchored in {anchor}" if anchor else ""
    say(f"\nThe audit ends with entry {entry}, {mac[:16]}{kept}.")


def run_months(folder: DataFolder, landing: str | None, sources: str | None) -> list[str]:
    """One run for each month of which deliveries wait, but the newest: each stands on its month's last extract date and
    sees nothing later. Returns faults in words; the newest month is left to the run of today.
    """
    from pipelines.definitions import Place

    place = Place.of(folder.root, landing, sources)
    folder.make()
    waiting = untaken(folder, place.landing, place.sources, load_settings(folder).today())
    months = {f"{day:%Y-%m}": day for day in sorted(waiting.days)}  # the last day of each
    for day in list(months.values())[:-1]:
        say(f"{day:%B %Y}")
        with standing_on(day):
            _, faults = run_job(folder, landing, sources, None, force=False)
        if faults:
            return faults
    return []


def run_job(
    folder: DataFolder,
    landing: str | None,
    sources: str | None,
    select: str | None,
    force: bool,
    by: str | None = None,
) -> tuple[bool, list[str]]:
    """Run the job unless nothing has changed; (unchanged, faults in words). `by` is who asked for it, else whoever runs
    this process."""
    from pipelines.definitions import Place, execute

    place = Place.of(folder.root, landing, sources)
    if landing and not place.landing.is_dir():
        raise BoroughlinkError(f"The landing folder {place.landing} is not there.")
    folder.make()
    if Current.read(folder).state is None:
        _remember(place, landing, sources)
    _say_what_lies_there(place)
    settings = load_settings(folder)
    require_said(folder, settings, place.landing)
    if settings.holds == "real":  # said once, before the steps: each would say it again
        open_keyring(folder, settings, LINKING)
        require_fit(folder, settings)
    if not force and not select and _nothing_changed(place):
        _as_time_goes_by(folder)
        return True, []
    say("Running")
    with progress():
        fine, faults = execute(place, f"{by}, by {person()}" if by else person(), select)
    return False, [] if fine else (faults or ["a step failed; `boroughlink status` says why"])


def keep_what_it_holds(folder: DataFolder, holds: str) -> None:
    """Write into the settings whether the people are real. Raises BoroughlinkError where they say otherwise."""
    settings = load_settings(folder)
    if settings.declared and settings.holds != holds:
        raise BoroughlinkError(f"{folder.root / SETTINGS_FILE} says `holds: {settings.holds}`: change it there.")
    folder.make()
    remember(folder, holds=holds)


def _remember(place: Any, landing: str | None, sources: str | None) -> None:
    """What the first run is told of places holds for later commands too."""
    told = {name: getattr(place, name) for name, given in (("landing", landing), ("sources", sources)) if given}
    if told:
        remember(place.folder, **told)
        named = " and ".join(f"--{name} {path}" for name, path in told.items())
        say(f"Kept in {place.folder.root / SETTINGS_FILE} for later commands: {named}")


def _say_what_lies_there(place: Any) -> None:
    """Name what no contract knows; raise BoroughlinkError if there is nothing at all to stand on."""
    from pipelines.sources.contract_files import load_contracts

    known = load_contracts(place.sources)
    there = sorted(path.name for path in place.landing.iterdir() if not path.name.startswith("."))
    strange = [name for name in there if name not in known]
    if strange:
        named = ", ".join(printable(name) for name in strange[:10])
        say(f"Left alone in {place.landing}, because no source is called so: {named}. Sources: {', '.join(known)}.")
    if Current.read(place.folder).state is None and not set(there) & set(known):
        raise BoroughlinkError(
            f"No extract lies in {place.landing} and none was ever taken in. Put deliveries there as "
            "<source>/<date>/, or try `boroughlink demo`; docs/sources.md shows the layouts."
        )


def _as_time_goes_by(folder: DataFolder) -> None:
    """What a day brings though nothing else changed: a release is past its day, an extract late."""
    with opened_store(folder) as operations:
        sweep(folder, operations, load_settings(folder).today(), person())
    tell(folder)


def _nothing_changed(place: Any) -> bool:
    folder: DataFolder = place.folder
    waiting = untaken(folder, place.landing, place.sources, load_settings(folder).today())
    if waiting.not_due:
        say(f"{plural(waiting.not_due, 'delivery', 'deliveries')} not whole, or dated after today: waits.")
    there = folder.operations.exists() or load_settings(folder).operations_url
    if waiting or not there or run_under_way(folder):
        return False
    with opened_store(folder) as operations:
        real = [run for run in operations.runs() if run["state"] != "abandoned"]
        return bool(
            real
            and real[0]["published"]
            and real[0]["state"] == "committed"
            and real[0]["input_mark"] == input_mark(folder, place.sources, operations)
        )


@contextmanager
def progress() -> Iterator[None]:
    """A line a step while the job runs."""
    begun: dict[str, float] = {}

    def listen(step: str, event: str) -> None:
        if event == "start":
            begun[step] = time.perf_counter()
            if sys.stdout.isatty():
                print(f"  … {step}", end="\r", flush=True)
        else:
            mark = {"done": "✓", "failed": "✗"}[event]
            print(f"  {mark} {step:<44}{time.perf_counter() - begun[step]:7.1f} s", flush=True)

    steps.listeners.append(listen)
    try:
        yield
    finally:
        steps.listeners.remove(listen)


def say(text: str) -> None:
    """Progress for a person; plain when piped."""
    print(text, flush=True)


def published_figures(folder: DataFolder) -> Any:
    """The figures of the published run."""
    from pipelines.reporting.figures import Figures

    current = Current.read(folder).published
    if current is None:
        raise NothingPublished(f"Nothing is published in {folder.root} yet: `boroughlink run` comes first.")
    place = folder.published / current
    figures = Figures.from_json((place / "figures.json").read_bytes())
    return figures.with_steps(json.loads((place / "run.json").read_text())["timings"])
