"""When the job runs by itself: every night, and when an extract lands."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import dagster as dg

from pipelines.commit_point import run_under_way
from pipelines.faults import plural
from pipelines.inbox import untaken
from pipelines.settings import DataFolder, Settings


class _Place(Protocol):
    @property
    def folder(self) -> DataFolder: ...

    @property
    def landing(self) -> Path: ...

    @property
    def sources(self) -> Path: ...


def nightly(job: Any, settings: Settings) -> dg.ScheduleDefinition:
    """The nightly run, at `nightly_at` of the council's own timezone (so summer time moves with it)."""
    hour, minute = settings.nightly_at.split(":")
    return dg.ScheduleDefinition(
        name="nightly",
        job=job,
        cron_schedule=f"{int(minute)} {int(hour)} * * *",
        execution_timezone=settings.timezone,
        description="Every night: takes in what has landed and brings everything up to date. Switch it on when ready.",
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )


def landing_sensor(job: Any, place: _Place, settings: Settings) -> dg.SensorDefinition:
    """Starts the job when a complete delivery that no run has taken yet lies in the landing folder.

    A delivery that a failed run left behind starts another run an hour later at the earliest.
    """

    @dg.sensor(
        name="landing",
        job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Looks at the landing folder every minute and starts the job when something new lies there whole.",
    )
    def landing(_context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        waiting = untaken(place.folder, place.landing, place.sources, settings.today())
        if not waiting:
            early = plural(waiting.not_due, "delivery", "deliveries")
            yield dg.SkipReason(f"Nothing new lies in the landing folder; {early} not whole or not due.")
        elif run_under_way(place.folder):
            yield dg.SkipReason("A run is under way; it or the next one takes the new deliveries.")
        else:
            yield dg.RunRequest(run_key=f"{waiting.mark}-{datetime.now(UTC):%Y%m%d%H}")

    return landing
