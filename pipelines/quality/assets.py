"""The quality room in the graph: the scorecard. The checks themselves hang on the sources (see checks.py)."""

from typing import Any

import dagster as dg

from pipelines.assets import Step, step_asset
from pipelines.quality.agreement import note_agreement
from pipelines.quality.checks import PERSON, agreement_checks, agreement_specs
from pipelines.quality.promises import PRINCIPLE, PROMISE, write_promises
from pipelines.scorecard.standing import judged_principles
from pipelines.sources.catalogue import Catalogue


def assets(catalogue: Catalogue[Any]) -> list[dg.AssetsDefinition]:
    """The scorecard, wherever there is a source; agreement, wherever people are mentioned."""

    @step_asset(
        key="quality/scorecard",
        deps=[f"staged/{source}" for source in catalogue.contracts],
        group="quality",
        tables=["identity.quality.result", PROMISE, PRINCIPLE],
        description=(
            "How each source stands under the six principles (accurate, valid, reliable, timely, relevant, complete): "
            "every rule judged at the gate, with counts, in identity.quality.result."
        ),
    )
    def quality_scorecard(step: Step) -> dict[str, Any]:
        write_promises(step.wh, catalogue.contracts.values())
        lines, states = ["| source | principle | state | score | worst fault |", "|---|---|---|---|---|"], []
        for source, principles in judged_principles(step.wh, "identity").items():
            for each in principles:
                worst = (each.faults or ("",))[0]
                lines.append(f"| {source} | {each.principle} | {each.state} | {each.score} | {worst} |")
                states.append(each.state)
        return {
            "failing": states.count("fails"),
            "warning": states.count("warns"),
            "scorecard": dg.MetadataValue.md("\n".join(lines)),
        }

    if not catalogue.has(PERSON):
        return [quality_scorecard]

    @step_asset(
        key="quality/agreement",
        deps=["linkage/person", "quality/scorecard"],
        group="quality",
        description=(
            "How far sources agree on birth dates and numbers of people whom two of them surely mean: judged once"
            " records are linked, and added to what the gate found of each extract in force."
        ),
        checks=agreement_specs(dg.AssetKey(["quality", "agreement"]), catalogue.contracts.values()),
    )
    def quality_agreement(step: Step) -> dict[str, Any]:
        results = note_agreement(step.wh, [each for each in catalogue.contracts.values() if PERSON in each.facts])
        step.checks.extend(agreement_checks(catalogue.contracts.values(), results))
        return {
            "rules judged": sum(result.judged for result in results),
            "rules failing": sum(not result.passed for result in results),
        }

    return [quality_scorecard, quality_agreement]
