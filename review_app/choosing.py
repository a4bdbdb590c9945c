"""Which item a reviewer gets next."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa

from pipelines.settings import now
from review_app import gold
from review_app.desk import House
from review_app.kin import kept_from
from review_app.policy import policy
from review_app.published import Item, Snapshot
from review_app.roles import User
from review_app.tables import state_table, verdict_table
from review_app.verdicts import reopened

CHUNK = 100


@dataclass(frozen=True)
class Next:
    """An item and in which part the reviewer meets it."""

    item_id: str
    part: str


def key_of(pattern: tuple[tuple[str, int], ...]) -> str:
    """A pattern of agreement as it stands in an address."""
    return "-".join(f"{name}.{level}" for name, level in pattern)


def waiting(
    held: House, snapshot: Snapshot, user: User, restricted: bool = False, after: int = 0, pattern: str = ""
) -> Iterator[Item]:
    """Items that wait for a first answer from this reviewer, in the order of what a decision would change."""
    away, taken = kept_from(held.operations, snapshot, user), held.leases.of_others(user.name)
    start = bisect_right(snapshot.queue, after, key=lambda item: item.position)
    wanted = (
        item
        for item in islice(snapshot.queue, start, None)
        if item.is_restricted == restricted and (not pattern or key_of(item.pattern) == pattern)
    )
    while chunk := list(islice(wanted, CHUNK)):
        states = held.verdicts.states([item.item_id for item in chunk])
        for item in chunk:
            state = states.get(item.item_id)
            if state is not None and not reopened(state, item.version):
                continue
            if item.item_id not in taken and away.isdisjoint(item.persons):
                yield item


def choose(held: House, snapshot: Snapshot, user: User, after: int = 0, pattern: str = "") -> Next | None:
    """The next item: now and then one whose answer is known, or a second look, else the queue in order."""
    given = count_of(held, user)
    due = not pattern and given % policy()["gold_every"] == policy()["gold_every"] - 1
    if due and (item_id := next(gold.pairs(held, snapshot, user), None)):
        return Next(item_id, "gold")
    if not pattern and given % policy()["second_every"] == policy()["second_every"] - 1:
        for waits in seconds(held, snapshot, user):
            if held.leases.take(waits, user.name) is None:
                return Next(waits, "second")
    for item in waiting(held, snapshot, user, after=after, pattern=pattern):
        if held.leases.take(item.item_id, user.name) is not None:
            continue
        # kept at once, so that two who ask together get two items; a colleague may have answered this one just before
        state = held.verdicts.states([item.item_id]).get(item.item_id)
        if state is None or reopened(state, item.version):
            return Next(item.item_id, "first")
        held.leases.let_go(user.name, item.item_id)
    if after:
        return choose(held, snapshot, user, 0, pattern)
    if not pattern:
        for item_id in seconds(held, snapshot, user):
            if held.leases.take(item_id, user.name) is None:
                return Next(item_id, "second")
    return None


def seconds(held: House, snapshot: Snapshot, user: User) -> list[str]:
    """Items that wait for a second answer, from somebody other than who gave the first."""
    away, taken = kept_from(held.operations, snapshot, user), held.leases.of_others(user.name)
    found = []
    for state in held.verdicts.in_state("second"):
        item = snapshot.by_id.get(state["item_id"])
        if item is None or item.is_restricted or state["first_by"] == user.name or item.item_id in taken:
            continue
        if away.isdisjoint(item.persons) and not reopened(state, item.version):
            found.append(item.item_id)
    return found


def disputes(held: House, snapshot: Snapshot, user: User) -> list[str]:
    """Items on which two reviewers disagree, for a third."""
    away = kept_from(held.operations, snapshot, user)
    return [
        state["item_id"]
        for state in held.verdicts.in_state("dispute")
        if user.name not in (state["first_by"], state["second_by"])
        and (item := snapshot.by_id.get(state["item_id"]))
        and not item.is_restricted
        and away.isdisjoint(item.persons)
    ]


def next_sampled(held: House, snapshot: Snapshot, user: User) -> str | None:
    """The next pair of the random sample that nobody has answered."""
    if not snapshot.has("published.review.sample"):
        return None
    ids = [i for (i,) in snapshot.wh.rows("SELECT item_id FROM published.review.sample ORDER BY position")]
    states, taken = held.verdicts.states(ids), held.leases.of_others(user.name)
    return next((item_id for item_id in ids if item_id not in states and item_id not in taken), None)


def count_of(held: House, user: User) -> int:
    """Verdicts that somebody has given in all."""
    query = sa.select(sa.func.count()).where(verdict_table.c.made_by == user.name, verdict_table.c.verdict != "undo")
    with held.operations.begin() as db:
        return int(db.execute(query).scalar_one())


@dataclass(frozen=True)
class Progress:
    """Where the queue stands."""

    waiting: int
    done: int
    second: int
    disputes: int
    unsure: int
    mine_today: int
    minutes_today: float
    gain: list[float]

    @property
    def next_gain(self) -> float:
        """Pairs of records that a decision is expected to put right, of the next fifty."""
        return sum(self.gain[:50]) / max(len(self.gain[:50]), 1)


def progress(held: House, snapshot: Snapshot, user: User) -> Progress:
    """Counts over the whole queue; `gain` is what each waiting decision would change, in order."""
    today = f"{now():%Y-%m-%d}"
    with held.operations.begin() as db:
        mine = db.execute(
            sa.select(sa.func.count(), sa.func.sum(verdict_table.c.seconds)).where(
                verdict_table.c.made_by == user.name,
                verdict_table.c.verdict != "undo",
                verdict_table.c.made_at >= today,
            )
        ).one()
    counts: Counter[str] = Counter()
    answered = set()
    for item, state in _touched(held, snapshot):
        counts["asked" if state == "waiting" else state] += 1
        answered.add(item.item_id)
    gain = [item.priority for item in snapshot.open_queue if item.item_id not in answered]
    return Progress(
        len(gain), counts["done"], counts["second"], counts["dispute"], counts["unsure"],
        int(mine[0] or 0), float(mine[1] or 0) / 60, gain,
    )  # fmt: skip


def by_pattern(held: House, snapshot: Snapshot, most: int = 12) -> list[dict[str, Any]]:
    """Waiting items by the pattern of what agrees, most first: alike ones go quicker together."""
    counts = snapshot.patterns.copy()
    for item, _ in _touched(held, snapshot):
        counts[item.pattern] -= 1
    found = sorted(((n, pattern) for pattern, n in counts.items() if n > 0), key=lambda each: (-each[0], each[1]))
    return [{"key": key_of(pattern), "levels": pattern, "items": n} for n, pattern in found[:most]]


def _touched(held: House, snapshot: Snapshot) -> Iterator[tuple[Item, str]]:
    """Items of the open queue that do not wait for a first answer any more, and where each stands."""
    with held.operations.begin() as db:
        rows = db.execute(sa.select(state_table.c.item_id, state_table.c.state, state_table.c.version)).all()
    for item_id, state, version in rows:
        item = snapshot.by_id.get(item_id)
        if item and not item.is_restricted and not reopened({"state": state, "version": version}, item.version):
            yield item, state
