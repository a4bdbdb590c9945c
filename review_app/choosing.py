"""Which item a reviewer gets next."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pipelines.settings import now
from review_app.desk import House
from review_app.kin import kept_from
from review_app.published import Item, Snapshot
from review_app.roles import User
from review_app.tables import state_table, verdict_table
from review_app.verdicts import FIRM, policy, reopened

CHUNK = 400


@dataclass(frozen=True)
class Next:
    """An item and in which part the reviewer meets it."""

    item_id: str
    part: str


def pattern_key(item: Item) -> str:
    """A pattern of agreement as it stands in an address."""
    return "-".join(f"{name}.{level}" for name, level in item.pattern)


def waiting(
    held: House, snapshot: Snapshot, user: User, restricted: bool = False, after: int = 0, pattern: str = ""
) -> Iterator[Item]:
    """Items that wait for a first answer from this reviewer, in the order of what a decision would change."""
    away, taken = kept_from(held.operations, snapshot, user), held.verdicts.leased_by_others(user.name)
    items = [
        item
        for item in snapshot.queue
        if item.is_restricted == restricted and item.position > after and (not pattern or pattern_key(item) == pattern)
    ]
    for start in range(0, len(items), CHUNK):
        chunk = items[start : start + CHUNK]
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
    if not pattern and given % policy()["gold_every"] == policy()["gold_every"] - 1:
        for item_id in gold(held, snapshot, user):
            return Next(item_id, "gold")
    if not pattern and given % policy()["second_every"] == policy()["second_every"] - 1:
        for item_id in seconds(held, snapshot, user):
            return Next(item_id, "second")
    for item in waiting(held, snapshot, user, after=after, pattern=pattern):
        return Next(item.item_id, "first")
    if after:
        return choose(held, snapshot, user, 0, pattern)
    if not pattern:
        for item_id in seconds(held, snapshot, user):
            return Next(item_id, "second")
    return None


def seconds(held: House, snapshot: Snapshot, user: User) -> list[str]:
    """Items that wait for a second answer, from somebody other than who gave the first."""
    away, taken = kept_from(held.operations, snapshot, user), held.verdicts.leased_by_others(user.name)
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
    states, taken = held.verdicts.states(ids), held.verdicts.leased_by_others(user.name)
    return next((item_id for item_id in ids if item_id not in states and item_id not in taken), None)


def gold(held: House, snapshot: Snapshot, user: User) -> list[str]:
    """Items of the queue that two others answered alike, which this reviewer has never seen: their answer is known."""
    with held.operations.begin() as db:
        seen = set(db.scalars(sa.select(verdict_table.c.item_id).where(verdict_table.c.made_by == user.name)))
    away = kept_from(held.operations, snapshot, user)
    return [
        state["item_id"]
        for state in held.verdicts.in_state("done")
        if state["second_by"] and state["item_id"] not in seen
        and (item := snapshot.by_id.get(state["item_id"])) and not item.is_restricted
        and away.isdisjoint(item.persons) and state["version"] == item.version
    ]  # fmt: skip


def known_answer(held: House, item_id: str) -> str | None:
    """The firm answer that a gold item has."""
    firm = [row for row in held.verdicts.history(item_id) if row["verdict"] in FIRM and row["part"] != "gold"]
    return str(firm[-1]["verdict"]) if firm else None


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
        states = {row.item_id: row for row in db.execute(sa.select(state_table))}
        mine = db.execute(
            sa.select(sa.func.count(), sa.func.sum(verdict_table.c.seconds)).where(
                verdict_table.c.made_by == user.name,
                verdict_table.c.verdict != "undo",
                verdict_table.c.made_at >= today,
            )
        ).one()
    counts: Counter[str] = Counter()
    gain = []
    for item in snapshot.queue:
        if item.is_restricted:
            continue
        row = states.get(item.item_id)
        state = None if row is None else {"state": row.state, "version": row.version}
        if state is None or reopened(state, item.version):
            counts["waiting"] += 1
            gain.append(item.priority)
        else:
            counts["asked" if state["state"] == "waiting" else state["state"]] += 1
    return Progress(
        counts["waiting"], counts["done"], counts["second"], counts["dispute"], counts["unsure"],
        int(mine[0] or 0), float(mine[1] or 0) / 60, gain,
    )  # fmt: skip


def by_pattern(held: House, snapshot: Snapshot) -> list[dict[str, Any]]:
    """Waiting items by the pattern of what agrees, most first: alike ones go quicker together."""
    states: dict[str, dict[str, Any]] = {}
    ids = [item.item_id for item in snapshot.queue]
    for start in range(0, len(ids), 5000):
        states |= held.verdicts.states(ids[start : start + 5000])
    groups: dict[str, dict[str, Any]] = {}
    for item in snapshot.queue:
        if item.is_restricted or (item.item_id in states and not reopened(states[item.item_id], item.version)):
            continue
        key = pattern_key(item)
        group = groups.setdefault(key, {"key": key, "levels": item.pattern, "items": 0, "reasons": Counter()})
        group["items"] += 1
        group["reasons"][item.reason] += 1
    return sorted(groups.values(), key=lambda group: (-group["items"], group["key"]))
