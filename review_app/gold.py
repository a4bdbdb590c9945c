"""Checks among the items that a reviewer gets: pairs whose answer is known, because two colleagues answered them alike
or because a file of labels says it."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from review_app.answers import FIRM, alike
from review_app.clusters import Cluster, NoSuchItem, pair_alone
from review_app.desk import House
from review_app.kin import kept_from
from review_app.published import Item, Snapshot
from review_app.roles import User
from review_app.tables import verdict_table
from review_app.verdicts import reopened

#: Before the number of an imported label, where other items have their name.
IMPORTED = "g_"


def pairs(held: House, snapshot: Snapshot, user: User) -> Iterator[str]:
    """Items that this reviewer has never seen and whose answer is known: of the queue first, then imported ones."""
    with held.operations.begin() as db:
        seen = set(db.scalars(sa.select(verdict_table.c.item_id).where(verdict_table.c.made_by == user.name)))
    away = kept_from(held.operations, snapshot, user)
    for state in held.verdicts.in_state("done"):
        if state["second_by"] and state["item_id"] not in seen and (item := snapshot.by_id.get(state["item_id"])):
            shown = not item.is_restricted and away.isdisjoint(item.persons) and state["version"] == item.version
            if shown and known_answer(held, item.item_id):
                yield item.item_id
    labels = [label for label in _labels(held) if label["made_by"] != user.name and _name(label) not in seen]
    for label in labels:
        if open_to_all(snapshot, away, (label["record_l"], label["record_r"])) and _as_labelled(snapshot, label):
            yield _name(label)


def imported(held: House, snapshot: Snapshot, item_id: str) -> Cluster:
    """The two records of an imported label. Raises NoSuchItem when it is none, or one of them has changed since."""
    label = _label(held, item_id)
    if label is None or not _as_labelled(snapshot, label):
        raise NoSuchItem
    return pair_alone(snapshot, item_id, 0, label["record_l"], label["record_r"], None)


def is_gold(held: House, state: dict[str, Any] | None, item: Item, user: User) -> bool:
    """Whether the item's answer is known, and this reviewer has never answered it."""
    never_met = all(row["made_by"] != user.name for row in held.verdicts.history(item.item_id))
    if item.item_id.startswith(IMPORTED):
        label = _label(held, item.item_id)
        return never_met and label is not None and label["made_by"] != user.name
    if state is None or state["state"] != "done" or not state["second_by"] or reopened(state, item.version):
        return False
    return never_met and state["version"] == item.version and known_answer(held, item.item_id) is not None


def known_answer(held: House, item_id: str) -> str | None:
    """The firm answer of a label, or that two gave alike; None if one of them was not sure, or they differed."""
    if item_id.startswith(IMPORTED):
        label = _label(held, item_id)
        return None if label is None else _verdict(label)
    firm = [row for row in held.verdicts.history(item_id) if row["verdict"] in FIRM and row["part"] != "gold"]
    told = {row["made_by"]: str(row["verdict"]) for row in firm}
    agreed = all(alike(firm[0]["verdict"], verdict) for verdict in told.values())
    return str(firm[-1]["verdict"]) if len(told) >= 2 and agreed else None


def open_to_all(snapshot: Snapshot, away: frozenset[str], records: Sequence[str]) -> bool:
    """Whether records outside the queue may be shown: their persons are known, not protected and not one's own."""
    homes = snapshot.persons_of(records)
    persons = set(homes.values())
    theirs = list(snapshot.records_of(sorted(persons)))
    flags = snapshot.found("people.record", "record_id", theirs, "sensitivity")
    return homes.keys() == set(records) and persons.isdisjoint(away) and not any(flag for (flag,) in flags)


def known_labels(held: House) -> dict[str, str]:
    """Item -> answer, of all imported labels that check."""
    return {_name(label): _verdict(label) for label in _labels(held)}


def _labels(held: House, like: int | None = None) -> list[dict[str, Any]]:
    """Imported labels on chosen pairs. Those of a random sample have a chance of being drawn: they calibrate."""
    found = held.operations.decisions(labels=True, like=like)
    return [label for label in found if label["inclusion_probability"] is None]


def _label(held: House, item_id: str) -> dict[str, Any] | None:
    number = item_id.removeprefix(IMPORTED)
    if not number.isdecimal() or len(number) > 18:  # no number of a row
        return None
    return next((label for label in _labels(held, int(number)) if _name(label) == item_id), None)


def _name(label: dict[str, Any]) -> str:
    return f"{IMPORTED}{label['decision_id']}"


def _verdict(label: dict[str, Any]) -> str:
    return "same" if label["same"] else "different"


def _as_labelled(snapshot: Snapshot, label: dict[str, Any]) -> bool:
    """Whether both records say what they said when they were labelled."""
    two = [label["record_l"], label["record_r"]]
    now = dict(snapshot.found("people.record", "record_id", two, "record_id", "fingerprint"))
    return all(label[f"fingerprint_{side}"] in (None, now.get(label[f"record_{side}"], "gone")) for side in "lr")
