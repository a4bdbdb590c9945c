"""An invented borough through the real pipeline, and tables of what it linked copied out as Parquet."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from pipelines.definitions import Place, execute
from pipelines.runs import Run
from pipelines.settings import DataFolder, write_settings


def ran(data: Path, landing: Path, day: date, select: str | None = None) -> DataFolder:
    """A new data folder after one run, of all assets or a selection, on `day`. Ends the benchmark if it failed."""
    folder = DataFolder.at(data).make()
    write_settings(folder, holds="synthetic", clock=day.isoformat())
    fine, faults = execute(Place.of(folder.root, landing), "benchmark", select)
    if not fine:
        raise SystemExit("\n".join(faults))
    return folder


def copy_out(folder: DataFolder, tables: Mapping[str, Path]) -> None:
    """Write tables of the identity zone, named schema.table, to Parquet files. Of invented people only."""
    run = Run.begin(folder, "benchmark")
    try:
        with run.warehouse(("identity",)) as wh:
            for table, target in tables.items():
                beside = run.work / f"{table}.parquet"
                wh.execute(f"COPY identity.{table} TO '{beside}' (FORMAT parquet)")
                target.write_bytes(beside.read_bytes())
    finally:
        run.abandon("only read")
