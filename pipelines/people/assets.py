"""The people room in the graph."""

from typing import Any

import dagster as dg

from pipelines.assets import Step, step_asset
from pipelines.governance.purposes import VIEWS
from pipelines.people.records import RECORD, RECORD_ADDRESS, build_record, build_record_address
from pipelines.people.repeats import may_repeat
from pipelines.sources.catalogue import Catalogue


def assets(catalogue: Catalogue[Any]) -> list[dg.AssetsDefinition]:
    """Where people are mentioned at all."""
    if not catalogue.has("person_record"):
        return []
    places = ["places/address_uprn" if catalogue.has("address") else "places/gazetteer"]

    @step_asset(
        key="people/record",
        deps=[*places, *catalogue.deps("person_record", "residence", "address")],
        group="people",
        tables=[RECORD, RECORD_ADDRESS],
        description=(
            "Every current mention of a person in one shape: names read and standardised, placeholders and impossible "
            "identifiers dropped, latest address and UPRN. Beside it, every stay of every record."
        ),
    )
    def record(step: Step) -> dict[str, int]:
        views = {view: step.purposes.sources(view) for view in VIEWS}
        build_record_address(step.wh, views)
        stated = {name: each.each_person for name, each in catalogue.contracts.items() if each.each_person}
        counts = build_record(step.wh, step.run.keyring.key("fingerprint"), stated, views)
        step.run.notes["may_repeat"] = may_repeat(step.wh, stated)
        return counts

    return [record]
