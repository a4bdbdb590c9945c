"""How a plain function becomes a Dagster asset: one decorator, used by every room's assets.py.

A step opens only the zones it names, is timed, reports counts, and fails with one clear sentence: never a value.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines.faults import BoroughlinkError, Refusal
from pipelines.governance import audit
from pipelines.governance.fitness import require_said
from pipelines.governance.purposes import Purposes
from pipelines.runs import Run
from pipelines.settings import DataFolder, load_settings
from pipelines.stopping import stop_asked
from pipelines.warehouse import Warehouse

DATA_ENV, LANDING_ENV, SOURCES_ENV = "BOROUGHLINK_DATA", "BOROUGHLINK_LANDING", "BOROUGHLINK_SOURCES"
STARTED_BY_TAG = "boroughlink/started_by"
INTEGRATED_DATA = "integrated-data@southend.example"  # who owns a step that no reader's team does
OLD = "stands on old extracts"  # metadata of whatever is built from a source whose newest extract was not taken in

#: Called with (step, "start" | "done" | "failed"); the command line shows progress with it.
listeners: list[Callable[[str, str], None]] = []


class RunHandle:
    """The one `Run` of a Dagster run, begun by its first step."""

    def __init__(
        self,
        folder: DataFolder,
        purposes: Callable[[Run], Purposes],
        landing: Path,
        started_by: str,
        ended: Callable[[Run, str | None], None] | None = None,
        upstream: Mapping[str, frozenset[str]] | None = None,
        whole: bool = False,
    ) -> None:
        """`ended` is told of the run once it is over, and why it failed, if it did; `upstream` names of each step the
        sources that it stands on; a `whole` run publishes at its end, or was stopped."""
        self.whole = whole
        self.folder, self.landing, self.started_by, self.ended = folder, landing, started_by, ended
        self.upstream = upstream or {}
        self._purposes = purposes
        self._run: Run | None = None
        self._refused: Exception | None = None
        self.failed: str | None = None

    @property
    def run(self) -> Run:
        if self._refused is not None:  # asked once: a step half-way along must not begin what the first could not
            raise self._refused
        if self._run is None:
            try:
                require_said(self.folder, load_settings(self.folder), self.landing)
                self._run = Run.begin(self.folder, self.started_by)
            except Exception as fault:
                self._refused = fault
                raise
        return self._run

    @property
    def begun(self) -> bool:
        """Whether there is a run, and with it a store to write to."""
        return self._run is not None

    @cached_property
    def purposes(self) -> Purposes:
        return self._purposes(self.run)

    def close(self) -> None:
        """The commit point, if every step went well; else nothing of the run stays."""
        if self._run is None or self._run.over:
            return
        if self.whole and not self._run.publishing:  # stopped between two steps, where no step could say so
            self.failed = self.failed or "stopped before its end"
        try:
            if self.failed:
                self._run.abandon(self.failed)
            else:
                self._run.commit()
        except Exception:
            self.failed = self.failed or "what it had made could not be put in its place"
            raise
        finally:
            if self.ended:
                self.ended(self._run, self.failed)


@dataclass(frozen=True)
class Step:
    """What a room's function gets: the warehouse with the zones it asked for, the run, and the sources it may read; and
    `checks`, to which it adds the results of the asset's checks."""

    name: str
    wh: Warehouse
    run: Run
    purpose: str
    purposes: Purposes
    landing: Path
    upstream: frozenset[str] = frozenset()
    checks: list[dg.AssetCheckResult] = field(default_factory=list)

    @property
    def stands_on(self) -> tuple[str, ...]:
        """Which sources above this step stand on an old extract, and why: a sentence each."""
        return tuple(words for source, words in sorted(self.run.old_sources.items()) if source in self.upstream)

    @property
    def sources(self) -> tuple[str, ...]:
        """Sources with a live basis for this step's purpose."""
        return self.purposes.sources(self.purpose)


@contextmanager
def run_step(
    context: Any, name: str, zones: Sequence[str], purpose: str = "data_quality", read: Sequence[Path] = ()
) -> Iterator[Step]:
    """Open a step of the run under way; turn any fault into one sentence without values."""
    handle: RunHandle = context.resources.borough
    _tell(name, "start")
    try:
        with handle.run.timed(name), handle.run.warehouse(zones, read) as wh:
            above = handle.upstream.get(name, frozenset())
            yield Step(name, wh, handle.run, purpose, handle.purposes, handle.landing, above)
    except Exception as fault:
        if stop_asked():  # in the middle of a statement, which knows no better than to call it an error
            handle.failed = handle.failed or f"{name}: stopped"
            _tell(name, "failed")
            raise KeyboardInterrupt from None
        if isinstance(fault, Refusal) and handle.begun:
            audit.refused(handle.run.operations, handle.started_by, fault)
        said = str(fault) if isinstance(fault, BoroughlinkError) else _unexpected(fault)
        handle.failed = handle.failed or f"{name}: {said}"
        _tell(name, "failed")
        if os.environ.get("BOROUGHLINK_DEBUG"):
            raise
        raise dg.Failure(description=said, allow_retries=False) from None
    except BaseException:  # stopped: what is half built must not be taken for the state
        handle.failed = handle.failed or f"{name}: stopped"
        _tell(name, "failed")
        raise
    _tell(name, "done")


def step_asset(
    *,
    key: str,
    group: str,
    description: str,
    owner: str = INTEGRATED_DATA,
    zones: Sequence[str] = ("identity",),
    deps: Sequence[str] = (),
    tables: Sequence[str] = (),
    purpose: str = "data_quality",
    kinds: Sequence[str] = ("duckdb",),
    checks: Sequence[dg.AssetCheckSpec] = (),
) -> Callable[[Callable[[Step], Mapping[str, Any] | None]], dg.AssetsDefinition]:
    """An asset from a function of a `Step`.

    `key` and `deps` are paths such as `places/property`; `tables` are the full names it builds: the first one's rows
    are the asset's row count. The function may return a mapping of figures, shown as metadata.
    """

    def decorate(function: Callable[[Step], Mapping[str, Any] | None]) -> dg.AssetsDefinition:
        @dg.asset(
            key=dg.AssetKey(key.split("/")),
            deps=[dg.AssetKey(dep.split("/")) for dep in deps],
            group_name=group,
            description=description,
            owners=[owner],
            kinds=set(kinds),
            tags={"purpose": purpose},
            required_resource_keys={"borough"},
            check_specs=checks,
        )
        def step(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            with run_step(context, key, zones, purpose) as opened:
                figures = dict(function(opened) or {})
                if opened.stands_on:
                    figures[OLD] = " ".join(opened.stands_on)
                metadata = table_metadata(opened.wh, tables) | figures
                return dg.MaterializeResult(metadata=metadata, check_results=opened.checks)

        return step

    return decorate


def table_metadata(wh: Warehouse, tables: Sequence[str]) -> dict[str, Any]:
    """Row counts and column schema of tables; the first is the asset's own."""
    found: dict[str, Any] = {}
    for place, name in enumerate(tables):
        if not wh.exists(name):
            continue
        rows = int(wh.scalar(f"SELECT count(*) FROM {name}"))
        if place == 0:
            found["dagster/row_count"] = rows
            schema = wh.rows(f"DESCRIBE {name}")
            found["dagster/column_schema"] = dg.TableSchema([dg.TableColumn(row[0], str(row[1])) for row in schema])
        else:
            found[f"rows of {name.split('.', 1)[1]}"] = rows
    return found


def _unexpected(fault: Exception) -> str:
    """The kind and place of a fault that nobody foresaw, without its text, which may quote a value."""
    place = ""
    trace = fault.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if "site-packages" not in file.parts:
            place = f" at {file.parent.name}/{file.name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(fault).__name__}{place}. Run again with --debug on invented data to see its text."


def _tell(step: str, event: str) -> None:
    for listener in listeners:
        listener(step, event)
