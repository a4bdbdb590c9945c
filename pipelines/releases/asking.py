"""Asking a question of the attributes: counts only, protected, within a time and a memory; everything is noted.

Where the national data opt-out applies to the purpose, whoever opted out is counted in nothing. A refusal of the
register tells that a small group is there: who was refused too often, whatever the purposes, waits.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from pipelines.governance import audit
from pipelines.governance.actors import Actor
from pipelines.governance.opt_out import require_recent
from pipelines.governance.purposes import Purposes
from pipelines.operations import Operations
from pipelines.releases.catalogue import may_ask
from pipelines.releases.dataset import OPTED_OUT
from pipelines.releases.protected_table import Cell, ProtectedTable, presets, protect
from pipelines.releases.question import Question, QuestionRefused, read
from pipelines.releases.register import ANSWERED, DifferenceRefused, note, require_no_difference
from pipelines.releases.seen import seen_as
from pipelines.releases.store import refusals_noted
from pipelines.releases.zone import marked_list
from pipelines.settings import now
from pipelines.store_tables import audit_table
from pipelines.warehouse import Warehouse, WarehouseError

SECONDS, MEMORY = 30.0, "1GB"
MOST_CELLS = 10_000
#: Refusals of the register to one person in so many days, for all purposes together; the next question waits. Our own
#: numbers: ten mistakes are easily made, while to single a person out by refusals alone takes a search of dozens.
MOST_REFUSED, REFUSED_DAYS = 10, 30


#: The audit's word for it; an entry each, beside the refusal with its reason.
TOLD_BY_REFUSAL = "refusal told of few"


@dataclass(frozen=True)
class Asked:
    """A question's answer, and the name under which the register holds it."""

    question: Question
    table: ProtectedTable
    table_id: str

    def rows(self) -> list[tuple[str | int, ...]]:
        """The cells that are shown, in order. One that is hidden looks as one of nobody: its heading alone would tell
        that somebody of that description exists."""
        return [(*cell, count) for cell, count in sorted(self.table.cells.items()) if count]


def ask(
    wh: Warehouse, operations: Operations, purposes: Purposes, purpose: str, text: str, preset: str, who: Actor,
    seconds: float = SECONDS,
) -> Asked:  # fmt: skip
    """Answer a question for a purpose.

    Raises PurposeRefused, QuestionRefused or ReleaseRefused; what was asked and what was refused stand in the audit.
    """
    subject = f"question for {purpose}"
    with refusals_noted(operations, who, subject):
        tables = may_ask(purposes, purpose)
        _require_few_refused(operations, who)
        left_out = None
        if purposes.purposes[purpose].opt_out_applies:
            require_recent(operations, wh.as_of, marked_list(wh))
            left_out = OPTED_OUT
        fit = [name for name, rule in presets().items() if rule.fits_questions]
        if preset not in presets():
            raise QuestionRefused(f"`{preset}` is no rule of protection; one of {', '.join(fit)}.")
        if preset not in fit:
            raise QuestionRefused(
                f"`{preset}` is for tables that are fixed beforehand: a few questions of one's own choice, answered by "
                f"it, would tell of one person. Ask by one of {', '.join(fit)}."
            )
        question = read(text, tables, seen_as(purpose), left_out)
        rule = presets()[preset]
        with _within(wh, seconds):
            counts = _counted(wh, question)
        try:  # takes as long as many tables are out, which is not for whoever asks to shorten
            require_no_difference(wh, operations, question, rule)
        except DifferenceRefused:
            audit.record(operations, who.login, TOLD_BY_REFUSAL, subject)
            raise
        table = protect(tuple(heading for heading, _ in question.dims), counts, rule)
        table_id = note(operations, wh.run_id, question, rule, "question")
    audit.record(
        operations, who.login, ANSWERED, table_id, purpose=purpose, question=" ".join(text.split())[:1000],
        preset=preset, cells=sum(bool(count) for count in table.cells.values()),
    )  # fmt: skip
    return Asked(question, table, table_id)


def _require_few_refused(operations: Operations, who: Actor) -> None:
    """Raise QuestionRefused for whom the register refused too often of late."""
    since = (now() - timedelta(days=REFUSED_DAYS)).isoformat(timespec="milliseconds")
    table = audit_table.c
    query = sa.select(sa.func.count(), sa.func.min(table.at)).where(
        table.event == TOLD_BY_REFUSAL, table.actor.in_(who.names), table.at > since
    )
    with operations.begin() as db:
        refused, first = db.execute(query).one()
    if refused >= MOST_REFUSED:
        free = date.fromisoformat(first[:10]) + timedelta(days=REFUSED_DAYS + 1)
        raise QuestionRefused(
            f"{refused} of your questions were refused in {REFUSED_DAYS} days because they told of small groups: the "
            f"next may be asked on {free}. Somebody else may ask for you meanwhile; the audit shows what was asked."
        )


def _counted(wh: Warehouse, question: Question) -> dict[Cell, int]:
    wh.execute(f"CREATE OR REPLACE TEMP TABLE asked AS {question.members()}")
    by = ", ".join(f"coalesce(d{at}, 'not known')" for at in range(len(question.dims)))
    group = f" GROUP BY {by}" if by else ""
    rows = wh.rows(f"SELECT {by + ', ' if by else ''}count(DISTINCT unit) FROM asked{group} LIMIT {MOST_CELLS + 1}")
    if len(rows) > MOST_CELLS:
        raise QuestionRefused(f"More than {MOST_CELLS:,} cells: count by less.")
    return {tuple(row[:-1]): int(row[-1]) for row in rows}


@contextmanager
def _within(wh: Warehouse, seconds: float) -> Iterator[None]:
    """Stop what runs inside after so many seconds. Raises QuestionRefused."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        wh.con.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.start()
    try:
        yield
    except WarehouseError as fault:
        if late.is_set():
            raise QuestionRefused(f"The question took more than {seconds:g} seconds: ask for less.") from None
        raise QuestionRefused(str(fault)) from None
    finally:
        timer.cancel()
