"""The residents room in the graph."""

from typing import Any

import dagster as dg

from pipelines.assets import Step, step_asset
from pipelines.governance.purposes import VIEWS
from pipelines.residents.residents import TABLES, build_residents
from pipelines.sources.catalogue import Catalogue

POPULATION_SOURCE = "population"


def assets(catalogue: Catalogue[Any]) -> list[dg.AssetsDefinition]:
    """Where a source says that somebody lives somewhere; without known totals residents are listed, not reconciled."""
    if not catalogue.has("person_record", "residence"):
        return []
    totals = [f"staged/{POPULATION_SOURCE}"] if POPULATION_SOURCE in catalogue.contracts else []

    @step_asset(
        key="residents/resident",
        deps=["linkage/household", *totals, *catalogue.deps("discount")],
        group="residents",
        tables=TABLES,
        description=(
            "Who lives in the borough on the day of the run, per purpose view: resident, probably, left, dead, counted"
            " twice or unknown, with the signs that say so; and those counts beside the known population by ward, sex"
            " and age."
        ),
    )
    def resident(step: Step) -> dict[str, float]:
        return build_residents(step.wh, {view: step.purposes.sources(view) for view in VIEWS}, step.wh.as_of)

    return [resident]
