"""The linkage room in the graph."""

from typing import Any

import dagster as dg

from linkage_models.models import version_name
from pipelines.assets import Step, step_asset
from pipelines.governance.purposes import VIEWS
from pipelines.linkage.certainty import THRESHOLD
from pipelines.linkage.constraints import load_decisions
from pipelines.linkage.doubts import REVIEW_EDGE
from pipelines.linkage.edges import RULE, build_edge
from pipelines.linkage.homes import HOUSEHOLD, HOUSEHOLD_MEMBER, PROPERTY_ID, build_households, build_property_id
from pipelines.linkage.persons import LEDGER, MEMBERSHIP, PERSON, build_persons
from pipelines.linkage.reviewed import calibrated_by_review, random_answers
from pipelines.linkage.shelf import Shelf, keep_trained
from pipelines.sources.catalogue import Catalogue
from pipelines.view_edges import COMPANY, EDGE


def assets(catalogue: Catalogue[Any]) -> list[dg.AssetsDefinition]:
    """Where people are mentioned at all."""
    if not catalogue.has("person_record"):
        return []

    @step_asset(
        key="linkage/edge",
        deps=["people/record"],
        group="linkage",
        tables=[EDGE, RULE],
        description=(
            "Every compared pair of records with its match weight: certain rules first, then the Splink person model."
        ),
    )
    def edge(step: Step) -> dict[str, float | str]:
        views = {view: step.purposes.sources(view) for view in VIEWS}
        shelf = Shelf.of(step.run.folder, step.run.keyring)
        answers = random_answers(step.run.operations)
        linked = build_edge(
            step.wh, views, shelf.load(step.run.settings.model), shelf.free(version_name(step.wh.as_of)),
            lambda model: calibrated_by_review(step.wh, model, answers, views),
        )  # fmt: skip
        if linked.trained:
            keep_trained(step.run, shelf, linked.model)
        return linked.figures()

    @step_asset(
        key="linkage/person",
        deps=["linkage/edge", *catalogue.deps("former_key")],
        group="linkage",
        tables=[PERSON, MEMBERSHIP, LEDGER, REVIEW_EDGE, COMPANY, f"identity.{THRESHOLD}"],
        description=(
            "Persons: a clustering per purpose view under constraints, ids that last, a ledger of what was"
            " created, joined, "
            "left, merged, split and retired, and the pairs for review."
        ),
    )
    def person(step: Step) -> dict[str, int | str]:
        decided = load_decisions(step.wh, step.run.operations.decisions())
        views = {view: step.purposes.sources(view) for view in VIEWS}
        settings = step.run.settings
        asked = settings.target_precision, settings.cluster_stop, settings.states_target
        figures = build_persons(step.wh, views, step.run.keyring.key("ids"), *asked)
        return figures | {"decisions held": decided.must + decided.cannot, "decisions suspended": decided.suspended}

    @step_asset(
        key="linkage/household",
        deps=["linkage/person"],
        group="linkage",
        tables=[HOUSEHOLD, HOUSEHOLD_MEMBER, PROPERTY_ID],
        description="Households as dated intervals at a home, per purpose view, and the random id of every property.",
    )
    def household(step: Step) -> dict[str, int | str]:
        key = step.run.keyring.key("ids")
        build_property_id(step.wh, key)
        return build_households(step.wh, VIEWS, key)

    return [edge, person, household]
