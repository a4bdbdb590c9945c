"""The one Definitions: every asset of every room, one job, one schedule, one sensor."""

import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from pipelines.assets import DATA_ENV, LANDING_ENV, SOURCES_ENV, STARTED_BY_TAG, RunHandle
from pipelines.faults import BoroughlinkError
from pipelines.fraud.assets import assets as fraud_assets
from pipelines.governance import audit
from pipelines.governance.actors import person
from pipelines.governance.purposes import PurposeContradiction, Purposes, purposes_file
from pipelines.keys.keyring import TRAINING, open_keyring
from pipelines.linkage.assets import assets as linkage_assets
from pipelines.linkage.shelf import SHIPPED, Shelf
from pipelines.notices.telling import tell
from pipelines.operations import opened_store
from pipelines.people.assets import assets as people_assets
from pipelines.places.assets import assets as places_assets
from pipelines.publication.assets import assets as publication_assets
from pipelines.quality.assets import assets as quality_assets
from pipelines.quality.checks import CHECKS
from pipelines.readiness.assets import assets as readiness_assets
from pipelines.residents.assets import assets as residents_assets
from pipelines.review.assets import assets as review_assets
from pipelines.risk.assets import assets as risk_assets
from pipelines.schedules import landing_sensor, nightly
from pipelines.settings import SHIPPED_DAGSTER, DataFolder, load_settings, located
from pipelines.sources.assets import assets as sources_assets
from pipelines.sources.assets import extract_specs
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.contract_files import load_contracts
from pipelines.stopping import STOPPED, listening, stop_asked

JOB = "boroughlink"
#: Runs that `execute` began in this process -> who asked for each.
_started_here: dict[str, str] = {}


@dataclass(frozen=True)
class Place:
    """Where a run happens: the data folder, the inbox, the contracts; `notices` says whether people are told."""

    folder: DataFolder
    landing: Path
    sources: Path
    notices: bool = True

    @classmethod
    def of(cls, data: Path | str, landing: Path | str | None = None, sources: Path | str | None = None) -> "Place":
        folder = DataFolder.at(data)
        return cls(folder, *located(folder, landing, sources))


def build_definitions(place: Place) -> dg.Definitions:
    """Definitions for one data folder and one set of contracts.

    Assets whose facts no contract provides are left out; the report names them. Raises BoroughlinkError when a
    contract or setting has a mistake.
    """
    settings = load_settings(place.folder)
    contracts = load_contracts(place.sources)
    stated = purposes_file(place.sources)
    purposes = Purposes.load(contracts.values(), settings.today(), stated)
    catalogue = Catalogue(contracts)
    assets = sources_assets(catalogue, CHECKS)
    for room in (
        quality_assets,
        places_assets,
        people_assets,
        linkage_assets,
        readiness_assets,
        residents_assets,
        fraud_assets,
        risk_assets,
    ):
        assets.extend(room(catalogue))
    assets.extend(review_assets(catalogue, {"/".join(key.path) for each in assets for key in each.keys}))
    built = [key for definition in assets for key in definition.keys]
    used = {dep for definition in assets for deps in definition.asset_deps.values() for dep in deps}
    leaves = sorted("/".join(key.path) for key in built if key not in used)
    titles = {name: each.title for name, each in contracts.items()}
    idle = [name for name, each in contracts.items() if each.level == "person" and not each.facts]
    assets.extend(publication_assets(leaves, place.sources, titles, idle))
    upstream = _upstream(assets)
    job = dg.define_asset_job(
        JOB, selection=dg.AssetSelection.all(), description="Everything, from landed extracts to a linked borough."
    )

    @dg.resource(description="The run under way: lock, work copies, keys, the operational store.")
    def borough(init: dg.InitResourceContext) -> Iterator[RunHandle]:
        handle = RunHandle(
            place.folder,
            lambda run: Purposes.load(contracts.values(), run.settings.today(), stated),
            place.landing,
            _who(init.dagster_run),
            (lambda run, failed: tell(place.folder, run.summary(), failed)) if place.notices else None,
            upstream,
            whole=_is_whole(init.dagster_run),
        )
        with listening():
            try:
                yield handle
            finally:
                handle.close()

    return dg.Definitions(
        assets=[
            *(definition.map_asset_specs(lambda spec: _with_basis(spec, purposes)) for definition in assets),
            *(_with_basis(spec, purposes) for spec in extract_specs(catalogue)),
        ],
        jobs=[job],
        schedules=[nightly(job, settings)],
        sensors=[landing_sensor(job, place, settings)],
        resources={"borough": borough},
        executor=dg.in_process_executor,
    )


def _is_whole(run: dg.DagsterRun | None) -> bool:
    """Whether a run comes to the step that publishes, unless it is stopped."""
    return run is not None and (not run.asset_selection or dg.AssetKey("published") in run.asset_selection)


def _with_basis(spec: dg.AssetSpec, purposes: Purposes) -> dg.AssetSpec:
    """The asset with its purpose and the basis on which each source may be read, as Dagster's pages show it."""
    purpose = purposes.purposes[spec.tags["purpose"]]
    rows = [
        f"| {source} | {basis.basis} | {basis.gateway or ''} | {basis.expires} |"
        for source in purposes.sources(purpose.name)
        if (basis := purposes.contracts[source].purposes.get(purpose.name))
    ]
    table = "\n".join(["| source | basis | gateway | until |", "|---|---|---|---|", *rows])
    return spec.merge_attributes(metadata={"purpose": purpose.title, "basis": dg.MetadataValue.md(table)})


def _upstream(assets: Sequence[dg.AssetsDefinition]) -> dict[str, frozenset[str]]:
    """Of each asset the sources from which it is built, itself one or not."""
    deps = {key: of for definition in assets for key, of in definition.asset_deps.items()}

    @cache
    def above(key: dg.AssetKey) -> frozenset[str]:
        here = frozenset({key.path[1]}) if key.path[0] == "staged" else frozenset[str]()
        return here.union(*(above(dep) for dep in deps.get(key, ())))

    return {"/".join(key.path): above(key) for key in deps}


def dagster_home(folder: DataFolder) -> Path:
    """Make a data folder Dagster's home: its settings are the dagster.yaml at the top of the checkout.

    Raises BoroughlinkError for a path that Dagster would read as the address of a database with options.
    """
    if set("?%") & set(str(folder.root)):
        raise BoroughlinkError(f"The data folder's path may hold neither ? nor %: {folder.root}.")
    folder.make()
    shutil.copyfile(SHIPPED_DAGSTER, folder.dagster / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(folder.dagster)
    return folder.dagster


def execute(place: Place, started_by: str, select: str | None = None) -> tuple[bool, list[str]]:
    """Run the job in this process; whether it went well, and what failed, in words.

    The run's history lies with the data folder, where Dagster's pages show it.
    """
    try:
        return _execute(place, started_by, select)
    except (SQLAlchemyError, sqlite3.Error):  # its own history; the run was abandoned, or the next start rolls it back
        raise BoroughlinkError(
            f"Dagster's history in {place.folder.dagster} can't be written or read: the disk is full, or it is damaged "
            "(it may be removed). The last good state stays."
        ) from None


def _execute(place: Place, started_by: str, select: str | None) -> tuple[bool, list[str]]:
    dagster_home(place.folder)
    try:
        definitions = build_definitions(place)
    except PurposeContradiction as why:
        _note_refusal(place.folder, started_by, why)
        raise
    _ensure_model(place.folder)
    quiet: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.get() as instance:
        chosen = None
        if select:
            chosen = _chosen(definitions, select)
        run_id = str(uuid.uuid4())
        _started_here[run_id] = started_by
        with listening(), _history_held_open(instance, run_id), _stopped_as_canceled(instance, run_id):
            result = definitions.resolve_job_def(JOB).execute_in_process(
                instance=instance,
                run_id=run_id,
                run_config=quiet,
                tags={STARTED_BY_TAG: started_by},
                asset_selection=chosen,
                raise_on_error=False,
            )
        failures = [event for event in result.all_events if event.is_step_failure]
        if not result.success and stop_asked():
            instance.report_run_canceled(result.dagster_run)
            return False, [STOPPED]
        faults = [_said(event) for event in failures]
    return result.success, list(dict.fromkeys(faults))


def _note_refusal(folder: DataFolder, started_by: str, why: PurposeContradiction) -> None:
    """Enter in the audit that a run was refused before it began."""
    with opened_store(folder) as operations:
        audit.record(operations, started_by, "purposes refused", "run", why=str(why))


@contextmanager
def _history_held_open(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Keep the files of Dagster's history open while a run writes to them.

    It opens and closes them at each event; whenever nobody else has one open, SQLite folds its log back into the file
    and waits for the disk: a tenth of the time of a small run. A history on a server has no such files.
    """
    storage: Any = instance.event_log_storage
    with ExitStack() as stack:
        if hasattr(storage, "path_for_shard"):
            for shard in ("index", run_id):
                with storage.run_connection(shard):  # makes what is not there yet
                    pass
                held = stack.enter_context(closing(sqlite3.connect(storage.path_for_shard(shard))))
                held.execute("SELECT count(*) FROM sqlite_master").fetchall()
        yield


def _ensure_model(folder: DataFolder) -> None:
    """Raise BoroughlinkError now, not half-way through a run, if the model of the settings can't be had."""
    settings = load_settings(folder)
    if settings.model != SHIPPED:
        Shelf.of(folder, open_keyring(folder, settings, TRAINING)).load(settings.model)


def _chosen(definitions: dg.Definitions, select: str) -> list[dg.AssetKey]:
    """The assets of a selection. Raises BoroughlinkError when it can't be read or names none."""
    try:
        selection = dg.AssetSelection.from_string(select)
        chosen = sorted(selection.resolve(list(definitions.resolve_asset_graph().assets_defs)))
    except dg.DagsterError:
        chosen = []
    if not chosen:
        raise BoroughlinkError("--select names no asset: write for instance 'group:fraud' or '+key:places/property'.")
    return chosen


@contextmanager
def _stopped_as_canceled(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """A run that is stopped before its first step, or between two, is told of as stopped, too."""
    try:
        yield
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        if (run := instance.get_run_by_id(run_id)) and not run.is_finished:
            instance.report_run_canceled(run)
        raise KeyboardInterrupt from None


def _said(event: dg.DagsterEvent) -> str:
    """Why a step failed: the sentence it raised, and with --debug the whole trace."""
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    return failure.error.to_string() if failure.error else f"{event.step_key} failed"


def _who(run: dg.DagsterRun | None) -> str:
    """Who started a run. Whoever launches one on Dagster's pages writes its tags: none of them names a person."""
    if run and run.run_id in _started_here:
        return _started_here[run.run_id]
    tags = run.tags if run else {}
    for what in ("schedule", "sensor"):
        if named := tags.get(f"dagster/{what}_name"):
            return f"{what} {named}, by {person()}"
    return f"{person()}, by Dagster's page"


def _from_environment() -> dg.Definitions:
    return build_definitions(
        Place.of(os.environ.get(DATA_ENV, "boroughlink-data"), os.environ.get(LANDING_ENV), os.environ.get(SOURCES_ENV))
    )


if os.environ.get(DATA_ENV):
    defs = _from_environment()
