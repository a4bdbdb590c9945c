"""What a folder of real people must have before anything is read: said by `doctor`, and kept to by every run."""

import json
import stat
from pathlib import Path

import yaml

from pipelines.faults import Refusal
from pipelines.governance import escrow
from pipelines.inbox import DELIVERY_NAME, MANIFEST
from pipelines.keys.keystore import STORE_FILE, Keystore
from pipelines.settings import SHIPPED_DAGSTER, DataFolder, Settings

#: What `doctor` says of a folder of which nobody has said what it holds.
UNDECLARED = (
    "Nobody has said what this folder holds: `boroughlink run --holds real`, or `--holds synthetic` for invented or "
    "public records, says it once and keeps it in boroughlink.yaml."
)


def lacking(folder: DataFolder, settings: Settings) -> list[str]:
    """What is missing for real data, each as a sentence that says what to arrange; empty over invented data."""
    if settings.holds != "real":
        return []
    wanted = []
    if settings.clock:
        wanted.append(
            "The clock is set: approvals, opt-outs and what may be kept stand on the real day; remove `clock`."
        )
    if not settings.dpia_reference:
        wanted.append("No impact assessment is named: set `dpia_reference` in boroughlink.yaml to its number.")
    if not settings.key_escrow:
        wanted.append("Nobody is told where the spare keys are: set `key_escrow` in boroughlink.yaml to the place.")
    noted = escrow.noted(folder)
    if noted is None or len(noted.get("custodians", ())) < 2:
        wanted.append("The keys are in no escrow of two custodians: `boroughlink keys escrow` makes one.")
    elif noted.get("of") != Keystore.read(folder.keys / STORE_FILE).held:
        wanted.append("The escrow is of other keys than these: make it anew with `boroughlink keys escrow`.")
    if settings.anchor is None:
        wanted.append("The audit is anchored nowhere: set `anchor` in boroughlink.yaml to a file on another system.")
    elif folder.root in settings.anchor.expanduser().resolve().parents:
        wanted.append("The audit's anchor lies in the data folder itself: set `anchor` to a file on another system.")
    if not {"key_custodian", "reid_officer", "data_protection_officer"} <= set(settings.roles):
        wanted.append(
            "Nobody may approve: name the roles key_custodian, reid_officer and data_protection_officer in `roles`."
        )
    if loose := loosely_kept(folder):
        wanted.append(f"Others on this machine can read {loose[0]}: `chmod -R go= {folder.root}`.")
    if telemetry(folder):
        wanted.append("Dagster's telemetry is on: set `telemetry: {enabled: false}` in its dagster.yaml.")
    return wanted


def require_fit(folder: DataFolder, settings: Settings) -> None:
    """Raise Refusal if real data lacks a protection."""
    if wanted := lacking(folder, settings):
        raise Refusal(f"Real data is not touched yet. {' '.join(wanted)} `boroughlink doctor` shows the rest.")


def require_said(folder: DataFolder, settings: Settings, landing: Path) -> None:
    """Raise Refusal at a delivery of which nobody has said whether its people are real: before a byte of it is read.

    What `demo` and `synth` write says in its manifest that nobody in it exists.
    """
    if settings.declared:
        return
    for delivery in sorted(landing.glob("*/*/")):
        if DELIVERY_NAME.fullmatch(delivery.name) and not _invented(delivery / MANIFEST):
            raise Refusal(
                f"{delivery}: nobody has said whether these people are real. Say it once: `boroughlink run --holds "
                "real` (it then says what real people need), or `--holds synthetic` for invented or public records."
            )


def _invented(manifest: Path) -> bool:
    try:
        return json.loads(manifest.read_bytes()).get("synthetic") is True
    except (OSError, ValueError, AttributeError):
        return False


def loosely_kept(folder: DataFolder) -> list[Path]:
    """What in the data folder others than its owner can read."""
    return [
        path
        for path in (folder.root, *folder.root.rglob("*"))
        if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]


def telemetry(folder: DataFolder) -> bool:
    """Whether Dagster would call home."""
    path = folder.dagster / "dagster.yaml"
    path = path if path.exists() else SHIPPED_DAGSTER
    return yaml.safe_load(path.read_text())["telemetry"]["enabled"] is not False
