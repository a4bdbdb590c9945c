"""What there is to tell after a run, in words: nothing here has seen a value of any row."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.scorecard.standing import ScorecardData, late_sources

REFUSED, LATE, FAILED = "extract refused", "extract late", "run failed"


@dataclass(frozen=True)
class Notice:
    """One thing to tell once: `mark` is the same for the same thing, whichever run finds it."""

    event: str
    subject: str
    text: str
    mark: str


def after_run(summary: Mapping[str, Any], failed: str | None, titles: Mapping[str, str]) -> Iterator[Notice]:
    """The notices of a run, from its summary (Run.summary) and why it failed, if it did."""
    if failed:
        text = f"The run {summary['run_id']} failed, and the last good state stays.\n\n{failed}"
        yield _notice(FAILED, "The run failed", text, summary["run_id"])
    for source, deliveries in sorted(summary.get("notes", {}).get("intake", {}).items()):
        for delivery in deliveries:
            if delivery["state"] == "refused":
                name, day = titles.get(source, source), delivery["extract_date"] or "no readable date"
                text = (
                    f"The extract of {name} of {day} was refused. What was taken in before it still stands.\n\n"
                    f"{delivery['reason'] or 'No reason was noted.'}"
                )
                mark = f"{source} {day} {delivery['reason']}"
                yield _notice(REFUSED, f"{name}: an extract was refused", text, mark)


def overdue(data: ScorecardData) -> Iterator[Notice]:
    """The sources whose next extract is late, each told once for the extract that it follows."""
    for source in late_sources(data):
        promised = f"{source.title} promised an extract every {source.refresh_days} days."
        came = f"The newest is of {source.extract_date}, so the next is {source.late_days} days late."
        text = f"{promised} {came}\n\nOwner: {source.owner or 'none named'}"
        yield _notice(LATE, f"{source.title}: the next extract is late", text, f"{source.source} {source.extract_date}")


def _notice(event: str, subject: str, text: str, about: str) -> Notice:
    mark = hashlib.sha256(f"{event} {about}".encode()).hexdigest()[:32]
    return Notice(event, subject, text + "\n\n`boroughlink quality` and `boroughlink status` say more.", mark)
