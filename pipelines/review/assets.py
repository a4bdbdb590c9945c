"""The review room in the graph."""

from typing import Any

import dagster as dg

from pipelines.assets import Step, step_asset
from pipelines.review.queue import build_queue
from pipelines.sources.catalogue import Catalogue


def assets(catalogue: Catalogue[Any]) -> list[dg.AssetsDefinition]:
    """Where people are linked at all."""
    if not catalogue.has("person_record"):
        return []

    @step_asset(
        key="review/queue",
        deps=["linkage/person"],
        group="review",
        owner="integrated-data@southend.example",
        tables=[f"identity.review.{name}" for name in ("queue", "member", "beside", "pair", "sample")],
        description=(
            "Match clusters to review, with a plain reason, in the order of what a decision would change: uncertain "
            "pairs, pairs that a rule cut, weak bridges, contradictions, oversized clusters."
        ),
    )
    def queue(step: Step) -> dict[str, int]:
        return build_queue(step.wh, step.run.keyring)

    return [queue]
