"""The places room in the graph."""

from typing import Any

import dagster as dg

from pipelines.assets import Step, step_asset
from pipelines.places.address_uprn import ADDRESS_CANDIDATE, ADDRESS_UPRN, build_address_uprn
from pipelines.places.gazetteer import TABLES, build_gazetteer
from pipelines.sources.catalogue import Catalogue

GAZETTEER_SOURCE = "llpg"


def assets(catalogue: Catalogue[Any]) -> list[dg.AssetsDefinition]:
    """Where a source holds addresses; without the gazetteer every one of them stays unmatched, and the step says so.
    Where people are mentioned without any, the gazetteer stands alone: later rooms read its tables, empty or not."""
    if not catalogue.has("address") and not catalogue.has("person_record"):
        return []
    staged = [f"staged/{GAZETTEER_SOURCE}"] if GAZETTEER_SOURCE in catalogue.contracts else []

    @step_asset(
        key="places/gazetteer",
        deps=staged,
        group="places",
        tables=TABLES,
        description=(
            "Every property of the land and property gazetteer with parent, successor, class, ward and deprivation; "
            "beside it every wording of its address with a normalised key, and every reference by which another system "
            "knows it."
        ),
    )
    def gazetteer(step: Step) -> dict[str, int]:
        return build_gazetteer(step.wh)

    @step_asset(
        key="places/address_uprn",
        deps=["places/gazetteer", *catalogue.deps("address")],
        group="places",
        tables=[ADDRESS_UPRN, ADDRESS_CANDIDATE],
        description=(
            "The UPRN of every address: given, by cross-reference, by a normalised key that means one property, or by "
            "Splink with a clear lead. An address that stops at a building of several homes has the building's; what"
            " stays ambiguous keeps its candidates and no UPRN."
        ),
    )
    def address_uprn(step: Step) -> dict[str, float]:
        return build_address_uprn(step.wh)

    return [gazetteer, address_uprn] if catalogue.has("address") else [gazetteer]
