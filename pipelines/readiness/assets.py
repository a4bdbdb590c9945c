"""Linkage-readiness in the graph."""

from typing import Any

import dagster as dg

from pipelines.assets import Step, step_asset
from pipelines.readiness.measuring import BLOCKING, GROUP, MEND, PAIR, ROW, SOURCE, build_readiness
from pipelines.sources.catalogue import Catalogue


def assets(catalogue: Catalogue[Any]) -> list[dg.AssetsDefinition]:
    """Where people are mentioned at all."""
    if not catalogue.has("person_record"):
        return []

    @step_asset(
        key="quality/readiness",
        deps=["linkage/person"],
        group="quality",
        tables=[SOURCE, PAIR, GROUP, MEND, ROW, BLOCKING],
        description=(
            "How ready each source is to be linked: links that are probably found and missed, records that say too"
            " little, whom that hits most, and which field to mend first, in which rows, for how many links."
        ),
    )
    def readiness(step: Step) -> dict[str, Any]:
        figures = build_readiness(step.wh, step.run.settings.cluster_stop, catalogue.contracts.values())
        first = step.wh.rows(
            f"SELECT source, field, rows, round(links)::BIGINT FROM {MEND} WHERE rows > 0 ORDER BY rank LIMIT 10"
        )
        lines = ["| source | field | rows to mend | links won |", "|---|---|---|---|"]
        lines += [f"| {source} | {field} | {rows} | {links} |" for source, field, rows, links in first]
        return figures | {"what to mend first": dg.MetadataValue.md("\n".join(lines))}

    return [readiness]
