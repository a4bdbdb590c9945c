"""Telling what a run found, once each thing and way; what did not go out is noted and tried again by the next run."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import sqlalchemy as sa

from pipelines.faults import BoroughlinkError
from pipelines.governance import audit
from pipelines.keys.row_macs import as_written
from pipelines.notices.channels import NotSent, channels, within
from pipelines.notices.occasions import Notice, after_run, overdue
from pipelines.operations import Operations, opened_store, timestamp
from pipelines.scorecard.standing import scorecard_data
from pipelines.settings import DataFolder, Settings, load_settings
from pipelines.snapshots import NothingPublished, open_snapshot
from pipelines.source_faults import reported_faults
from pipelines.store_tables import metadata

SENT, FAILED = "sent", "failed"
notice_table = sa.Table(
    "notice",
    metadata,
    sa.Column("notice_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("run_id", sa.String(40)),
    sa.Column("event", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("mark", sa.String(64), nullable=False),  # the same for the same thing told
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),  # sent, failed
    sa.Column("detail", sa.String(200)),
    sa.Column("mac", sa.String(64)),
)


def tell(folder: DataFolder, summary: Mapping[str, Any] | None = None, failed: str | None = None) -> None:
    """Send the notices of a run that has ended (`summary`, and why it failed), and those of extracts that are late.

    Never raises and never takes longer than the settings allow: a notice is no reason for a run to fail.
    """
    try:
        settings = load_settings(folder)
        if not list(channels(settings)):
            return
        with opened_store(folder) as operations:
            titles = (summary or {}).get("notes", {}).get("titles", {})
            found = [*(after_run(summary, failed, titles) if summary else ()), *_late(folder, operations)]
            send(operations, settings, found, summary["run_id"] if summary else None)
    except (BoroughlinkError, OSError, sa.exc.SQLAlchemyError):
        return  # what can't be opened here has failed the run already, and says so there


def send(operations: Operations, settings: Settings, told: Iterable[Notice], run_id: str | None) -> None:
    """Send each notice by each channel that has not sent it yet, and note what came of it.

    A channel that fails is not tried again before the next run: it costs one deadline, however much there is to tell.
    """
    told = list(told)
    for channel in channels(settings):
        given_up: str | None = None
        for notice in told:
            if _is_sent(operations, notice, channel.name):
                continue
            if given_up is None:
                try:
                    within(settings.notices_timeout, partial(channel.send, notice))
                except NotSent as fault:
                    given_up = str(fault)[:200]
            state = SENT if given_up is None else FAILED
            _note(operations, notice, channel.name, state, given_up, run_id)


def notices(operations: Operations, state: str | None = None) -> list[dict[str, Any]]:
    """What was told or could not be, newest first."""
    query = sa.select(notice_table).order_by(notice_table.c.notice_id.desc())
    if state:
        query = query.where(notice_table.c.state == state)
    with operations.begin() as db:
        return [dict(row) for row in db.execute(query).mappings()]


def _late(folder: DataFolder, operations: Operations) -> Iterator[Notice]:
    try:
        with open_snapshot(folder) as (wh, _):
            data = scorecard_data(wh, reported_faults(operations))
    except NothingPublished:
        return
    yield from overdue(data)


def _is_sent(operations: Operations, notice: Notice, channel: str) -> bool:
    mine = sa.and_(notice_table.c.mark == notice.mark, notice_table.c.channel == channel, notice_table.c.state == SENT)
    with operations.begin() as db:
        rows = db.execute(sa.select(notice_table).where(mine)).mappings().all()
    return any(as_written(operations.keyring, notice_table, row) for row in rows)


def _note(
    operations: Operations, notice: Notice, channel: str, state: str, detail: str | None, run_id: str | None
) -> None:
    row = {
        "at": timestamp(), "run_id": run_id, "event": notice.event, "subject": notice.subject[:200],
        "mark": notice.mark, "channel": channel, "state": state, "detail": detail,
    }  # fmt: skip
    with operations.begin() as db:
        operations.write_rows(db, notice_table, [row])
    audit.record(operations, "boroughlink", f"notice {state}", notice.event, channel=channel, why=detail)
