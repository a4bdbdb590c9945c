"""The last step: publish."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import dagster as dg

from pipelines.assets import Step, step_asset
from pipelines.publication.snapshot import build_snapshot, keep_tiers
from pipelines.readiness.readiness_data import readiness_data
from pipelines.releases.ending import sweep
from pipelines.releases.store import releases
from pipelines.reporting.figures import collect
from pipelines.reporting.page import render
from pipelines.reporting.quality_page import PAGE, render_quality, what_first
from pipelines.runs import input_mark
from pipelines.scorecard.standing import scorecard_data
from pipelines.settings import write_atomically
from pipelines.source_faults import reported_faults

#: What the report says of a release, and in which states one counts as standing.
NO_FACT = (
    "its contract maps nothing: `maps` in its table says which column is a forename, a surname, a birth date"
    " (`boroughlink sources new` drafts it), or a file such as person_record.sql makes facts of it"
)
RELEASE_TOLD = ("release", "purpose", "rows", "rows_left_out", "k_asked", "k_measured")
STANDING = ("checked", "approved", "published")


def assets(
    after: Sequence[str], sources: Path, titles: Mapping[str, str], idle: Sequence[str] = ()
) -> list[dg.AssetsDefinition]:
    """The `published` asset, downstream of everything named in `after` (asset keys).

    `sources` is the folder of contracts, `titles` what each source is called, `idle` are sources that provide no fact.
    """

    @step_asset(
        key="published",
        deps=after,
        group="publication",
        zones=("identity", "attributes", "published", "tiers"),
        description=(
            "What readers get: an encrypted read-only snapshot, the figures and the report page. The run becomes real "
            "when this step has ended and `CURRENT` moves; until then it has changed nothing that anyone can see."
        ),
    )
    def published(step: Step) -> dict[str, int]:
        rows = build_snapshot(step.wh) | keep_tiers(step.wh)
        sweep(step.run.folder, step.run.operations, step.run.settings.today(), step.run.started_by)
        told = [one.manifest for one in releases(step.run.operations) if one.state in STANDING]
        step.run.notes |= {"council": step.run.settings.council, "titles": dict(titles)}
        step.run.notes["left_out"] = {f"All links of {titles[source]}": NO_FACT for source in idle}
        step.run.notes["releases"] = [{name: manifest[name] for name in RELEASE_TOLD} for manifest in told]
        figures = collect(step.wh, step.run.summary())
        write_atomically(step.run.work / "published" / "figures.json", figures.to_json().encode())
        write_atomically(step.run.work / "published" / "report.html", render(figures).encode())
        scores = scorecard_data(step.wh, reported_faults(step.run.operations), "identity")
        write_atomically(step.run.work / "published" / "scorecard.json", scores.to_json().encode())
        ready = readiness_data(step.wh, "identity")
        write_atomically(
            step.run.work / "published" / "what_first.json", json.dumps(what_first(scores, ready)).encode()
        )
        quality = render_quality(scores, ready, figures.council, figures.synthetic)
        write_atomically(step.run.work / "published" / PAGE, quality.encode())
        step.run.publish_with(input_mark(step.run.folder, sources, step.run.operations))
        return {f"rows of {name}": count for name, count in rows.items()}

    return [published]
