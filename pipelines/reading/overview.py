"""What is published and how good it is: `status`, `quality`."""

import json

from pipelines.commit_point import Current, run_under_way
from pipelines.faults import plural
from pipelines.inbox import untaken
from pipelines.notices.telling import notices
from pipelines.operations import opened_store
from pipelines.reading.answer import Answer
from pipelines.scorecard.standing import PRINCIPLES, judged_principles
from pipelines.settings import DataFolder, load_settings, located
from pipelines.snapshots import open_snapshot


def status_of(folder: DataFolder) -> Answer:
    """What is published and which sources stand on an old extract, what waits, who runs."""
    current = Current.read(folder.standing())
    waiting = untaken(folder, *located(folder), load_settings(folder).today())
    with opened_store(folder) as operations:
        runs, told = operations.runs()[:10], notices(operations)[:10]
    said = [
        f"Published: {current.published or 'nothing yet'}",
        f"Waiting in the landing folder: {plural(len(waiting.signatures), 'delivery', 'deliveries')}"
        + (f", and {waiting.not_due:,} not whole or not due" if waiting.not_due else ""),
        "A run is under way." if run_under_way(folder) else "No run is under way.",
    ]
    if current.published:
        said += old_of(folder)
    rows = [
        (
            run["run_id"],
            run["state"],
            "yes" if run["published"] else "no",
            run["started_by"],
            run["started_at"][:19],
            json.loads(run["summary"] or "{}").get("why", ""),
        )
        for run in runs
    ]
    heard = [(each["at"][:19], each["subject"], each["channel"], each["state"], each["detail"] or "") for each in told]
    return Answer(
        said,
        [
            ("Runs", ("run", "state", "published", "started by", "started (UTC)", "why not"), rows),
            *([("Notices", ("at (UTC)", "about", "by", "state", "why not"), heard)] if heard else []),
        ],
        {"published": current.published, "waiting": len(waiting.signatures), "not due": waiting.not_due},
    )


def quality_of(folder: DataFolder) -> Answer:
    """The scorecard and the faults behind it."""
    with open_snapshot(folder) as (wh, place):
        judged = judged_principles(wh, "published")
    rows = [(source, *(each.state for each in principles)) for source, principles in judged.items()]
    failed = [
        (source, each.principle, rule.severity, rule.words, rule.failures, rule.rows)
        for source, principles in judged.items()
        for each in principles
        for rule in each.failing
    ]
    return Answer(
        (f"Run {place.name}",),
        [
            ("Scorecard", ("source", *PRINCIPLES), rows),
            ("What failed", ("source", "principle", "severity", "rule", "failures", "of"), failed),
        ],
    )


def old_of(folder: DataFolder) -> tuple[str, ...]:
    """Which sources of the published run stand on an old extract, and why: a sentence each."""
    from pipelines.sources.footing import old_extracts

    with open_snapshot(folder) as (wh, _):
        return old_extracts(wh, "published")
