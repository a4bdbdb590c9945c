"""The review room in the graph."""

from collections.abc import Collection
from typing import Any

import dagster as dg

from pipelines.assets import Step, step_asset
from pipelines.review.queue import build_queue
from pipelines.review.stakes import closed_cases, releases_of_tiers
from pipelines.sources.catalogue import Catalogue


def assets(catalogue: Catalogue[Any], built: Collection[str]) -> list[dg.AssetsDefinition]:
    """Where people are linked at all; what rests on an item is read from the assets `built` before."""
    if not catalogue.has("person_record"):
        return []

    @step_asset(
        key="review/queue",
        deps=["linkage/person", *(key for key in ("fraud/flagged_pair", "risk/score") if key in built)],
        zones=("identity", "attributes"),
        group="review",
        tables=[f"identity.review.{name}" for name in ("queue", "member", "beside", "pair", "sample")],
        description=(
            "Match clusters to review, with a plain reason, in the order of what a decision would change, live flagged "
            "pairs and tiers of releases among it: uncertain "
            "pairs, pairs that a rule cut or that fit two persons, weak bridges, contradictions, oversized clusters."
        ),
    )
    def queue(step: Step) -> dict[str, int]:
        operations = step.run.operations
        return build_queue(step.wh, step.run.keyring, closed_cases(operations), releases_of_tiers(operations))

    return [queue]
