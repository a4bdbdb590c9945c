"""The risk room in the graph."""

from typing import Any

import dagster as dg

from pipelines.assets import Step, step_asset
from pipelines.risk.attributes import READ, TABLES, activity_joined, build_attributes
from pipelines.risk.backtest import run_backtest
from pipelines.risk.changes import build_changes
from pipelines.risk.opted_out import mark_opted_out
from pipelines.risk.scorecard import build_scores, index_month, load_scorecard
from pipelines.sources.catalogue import Catalogue

OWNER = "commissioning@southend.example"


def assets(catalogue: Catalogue[Any]) -> list[dg.AssetsDefinition]:
    """The attributes store where people are mentioned at all; scores only where care episodes are at hand."""
    if not catalogue.has("person_record"):
        return []

    @step_asset(
        key="attributes/person",
        deps=["linkage/person", "linkage/household", "places/address_uprn", *catalogue.deps(*READ)],
        group="risk",
        zones=("identity", "attributes"),
        purpose="risk",
        owner=OWNER,
        tables=[f"attributes.attributes.{table}" for table in TABLES],
        description=(
            "The attributes store: facts by random person, household and property id, banded and by month. No name, "
            "birth date, address, UPRN, number or free text. Rebuilt every run; risk and releases read this alone."
        ),
    )
    def person(step: Step) -> dict[str, int]:
        build_attributes(step.wh, step.purposes)
        build_changes(step.wh)
        out = mark_opted_out(step.wh, step.run.operations)
        return activity_joined(step.wh) | {"people on the national data opt-out list": out}

    if not catalogue.has("care_episode"):
        return [person]

    @step_asset(
        key="risk/score",
        deps=["attributes/person"],
        group="risk",
        zones=("attributes",),
        purpose="risk",
        owner=OWNER,
        tables=["attributes.risk.score", "attributes.risk.feature", "attributes.risk.tier"],
        description=(
            "Points of the scorecard, tier by top share, and the three reasons that weighed most. Features end before "
            "the index month. A score is never a decision."
        ),
    )
    def score(step: Step) -> dict[str, Any]:
        card = load_scorecard()
        return build_scores(step.wh, card, index_month(step.wh.as_of)) | {"review": card.review(step.wh.as_of)}

    @step_asset(
        key="risk/backtest",
        deps=["attributes/person"],
        group="risk",
        zones=("attributes",),
        purpose="risk",
        owner=OWNER,
        tables=["attributes.risk.measure"],
        description="The scorecard a year ago against what followed: AUC, recall and hit rate of the top 5 %.",
    )
    def backtest(step: Step) -> dict[str, Any]:
        return run_backtest(step.wh, load_scorecard())

    return [person, score, backtest]
