"""Writing the manifest of a delivery for a sender who can't: what its files hold now, counted as intake counts."""

import json
from datetime import date

from pipelines.faults import BoroughlinkError, plural
from pipelines.inbox import MANIFEST
from pipelines.settings import DataFolder, located, write_atomically
from pipelines.sources.contract_files import load_contract
from pipelines.sources.contracts import Table
from pipelines.sources.file_faults import Inspected
from pipelines.sources.landing import Delivery, Manifest, ManifestFile, Supply, delivery_folders, open_delivery
from pipelines.sources.reading import read_file
from pipelines.sources.staging import start_faults
from pipelines.stewardship.zone import trial_zone
from pipelines.warehouse import Warehouse


def announce(
    folder: DataFolder,
    name: str,
    sources: str | None = None,
    landing: str | None = None,
    day: str | None = None,
    synthetic: bool = False,
    changes: bool = False,
    confirmed: bool = False,
) -> str:
    """Write the manifest of a source's newest delivery, or of that in the folder called `day`; return what it says.
    Raises BoroughlinkError where there is one already, or a file can't be what its contract says."""
    inbox, home = located(folder, landing, sources)
    contract = load_contract(home / name / "contract.yaml")
    found = [place for place in delivery_folders(contract, inbox) if day in (None, place.name)]
    if not found:
        raise BoroughlinkError(f"No delivery {f'{day} ' if day else ''}of {name} lies in {inbox / name}.")
    place = found[-1]
    if (place / MANIFEST).exists():
        raise BoroughlinkError(
            f"{name}/{place.name} has a {MANIFEST} already, its sender's word; if that is wrong, ask for the delivery"
            " again, or take it out."
        )
    supply: Supply = "changes" if changes else "full"
    delivery = open_delivery(contract, place, date.max, announced=supply)
    with trial_zone((inbox, home)) as wh:
        start_faults(wh)
        files = tuple(
            ManifestFile(name=file.name, rows=_rows(wh, delivery, file, tables), sha256=file.sha256, bytes=file.size)
            for file, tables in delivery.files
        )
    made = Manifest(
        source=name,
        extract_date=delivery.extract_date,
        synthetic=synthetic,
        confirmed=confirmed,
        supply=supply,
        files=files,
    )
    text = json.dumps(made.model_dump(mode="json"), indent=2) + "\n"
    write_atomically(place / MANIFEST, text.encode())
    rows = sum(entry.rows for entry in files)
    return (
        f"{name}/{place.name}/{MANIFEST}: {plural(len(files), 'file')}, {plural(rows, 'row')}, as they lie there now."
    )


def _rows(wh: Warehouse, delivery: Delivery, file: Inspected, tables: tuple[Table, ...]) -> int:
    return sum(raw.rows + len(raw.broken) for raw in read_file(wh, delivery.contract, file, tables))
