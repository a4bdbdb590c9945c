"""The fraud room in the graph."""

from typing import Any

import dagster as dg

from pipelines.assets import Step, step_asset
from pipelines.fraud.hand_over import write_flagged_pairs
from pipelines.fraud.rules import READ, RULES, build_flagged_pairs
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.window import how_facts_pass

OWNER = "counter-fraud@southend.example"


def assets(catalogue: Catalogue[Any]) -> list[dg.AssetsDefinition]:
    """Nothing, where no rule has the facts it needs; every rule needs to know where a record lives."""
    if not catalogue.has("person_record", "address") or not any(catalogue.has(*rule.needs) for rule in RULES):
        return []

    @step_asset(
        key="fraud/flagged_pair",
        deps=["linkage/person", "places/address_uprn", *catalogue.deps(*READ)],
        group="fraud",
        purpose="fraud",
        owner=OWNER,
        tables=["identity.fraud.flagged_pair", "identity.fraud.explained", "identity.fraud.rule"],
        description=(
            "Pairs of records worth an officer's look, by four rules, with evidence for and against in words, what "
            "explains the others, and what a look may save. No assumption can be made from a pair."
        ),
    )
    def flagged_pair(step: Step) -> dict[str, int]:
        passing = how_facts_pass(step.purposes, step.purpose, READ)
        return build_flagged_pairs(step.wh, step.sources, step.run.keyring, passing)

    @step_asset(
        key="fraud/hand_over",
        deps=["fraud/flagged_pair"],
        group="fraud",
        purpose="fraud",
        owner=OWNER,
        kinds=("xlsx", "csv"),
        description="The flagged pairs as XLSX and CSV for the fraud team: formula-safe, stamped, for the owner alone.",
    )
    def hand_over(step: Step) -> dict[str, int]:
        folder = step.run.work / "exports" / "fraud" / step.run.run_id
        return {"pairs written": write_flagged_pairs(step.wh, folder, step.run.settings.export_days)}

    return [flagged_pair, hand_over]
