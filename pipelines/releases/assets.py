"""The releases room in the graph."""

import json
import secrets
from typing import Any

import dagster as dg
import sqlalchemy as sa

from pipelines.assets import Step, step_asset
from pipelines.operations import payload_table
from pipelines.releases.disclosure import ReleaseRefused
from pipelines.releases.risk_dataset import build_release, load_policy
from pipelines.sources.catalogue import Catalogue

TOLD = ("release", "purpose", "rows", "rows_left_out", "k_asked", "k_measured")


def assets(catalogue: Catalogue[Any]) -> list[dg.AssetsDefinition]:
    """Nothing, where there are no scores to release."""
    if not catalogue.has("care_episode"):
        return []

    @step_asset(
        key="releases/risk_stratification",
        deps=["risk/score"],
        group="releases",
        zones=("attributes",),
        purpose="risk",
        owner="commissioning@southend.example",
        kinds=("csv", "parquet"),
        description=(
            "Tier and reasons by pseudonym, with a key of its own, rows shuffled, groups under ten made coarser or "
            "left out, and a manifest with what was measured. Personal data still: pseudonymised. Where groups stay "
            "too small, nothing is released and the figures say why."
        ),
    )
    def risk_stratification(step: Step) -> dict[str, Any]:
        policy = load_policy()
        step.purposes.require(policy.purpose, step.sources)
        release_id = f"{policy.name}-{step.run.run_id}"
        key = secrets.token_bytes(32)
        folder = step.run.work / "releases" / policy.purpose / release_id
        try:
            manifest = build_release(step.wh, policy, key, folder)
        except ReleaseRefused as why:
            step.run.notes.setdefault("left_out", {})[policy.name] = str(why)
            return {"rows": 0, "refused": str(why)}
        key_id = secrets.token_hex(16)
        sealed = step.run.keyring.encrypt("fields", key, key_id.encode())
        with step.run.operations.begin() as db:  # the key lies sealed, to be destroyed when the release expires
            db.execute(sa.insert(payload_table).values(payload_id=key_id, sealed=sealed))
        step.run.operations.add_release(
            release_id=release_id,
            run_id=step.run.run_id,
            purpose=policy.purpose,
            recipient=policy.recipient,
            state="built",
            row_count=manifest["rows"],
            expires=manifest["delete_after"],
            manifest=json.dumps({**manifest, "key": key_id}),
        )
        told = {name: manifest[name] for name in TOLD}
        step.run.notes.setdefault("releases", []).append(told)
        return told

    return [risk_stratification]
