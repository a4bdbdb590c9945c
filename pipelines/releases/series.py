"""A series: releases to one recipient that share pseudonyms, by choice, with a table of what gave way to what."""

import json
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from pipelines.exports import csv_bytes
from pipelines.governance.pseudonyms import pseudonym
from pipelines.operations import Operations
from pipelines.releases.sets import ReleaseRefused, ReleaseSet
from pipelines.releases.store import holds_key, keep_key, key_of, releases, update
from pipelines.warehouse import Warehouse

HEADS = ("old", "new", "event", "date")


@dataclass(frozen=True)
class Chain:
    """A series so far: its naming key, and the random ids of its last release (none before the first)."""

    name: str
    key_id: str
    key: bytes
    before: frozenset[str]
    last_release: str | None


def of(operations: Operations, name: str, asked: ReleaseSet, recipient: str) -> Chain:
    """The series of that name, begun if there is none.

    Raises ReleaseRefused when it is another set's or recipient's, or its key was destroyed.
    """
    of_it = [one for one in releases(operations) if one.manifest.get("series") == name]
    if not of_it:
        key = secrets.token_bytes(32)
        return Chain(name, keep_key(operations, key), key, frozenset(), None)
    newest = of_it[0]
    if (newest.manifest["release"], newest.recipient) != (asked.name, recipient):
        raise ReleaseRefused(
            f"The series `{name}` is of {newest.manifest['release']} for {newest.recipient}: pseudonyms are never "
            "shared with another set or recipient."
        )
    key_id = str(newest.manifest["key"])
    if not holds_key(operations, key_id):
        raise ReleaseRefused(f"The series `{name}` has ended, and its key with it: begin another.")
    # a release that was taken back or never left is no ground to go on from
    told = (one for one in of_it if one.state not in ("refused", "withdrawn"))
    last = next((one for one in told if holds_key(operations, str(one.manifest.get("people")))), None)
    held = json.loads(key_of(operations, str(last.manifest["people"]))) if last else ()
    return Chain(name, key_id, key_of(operations, key_id), frozenset(held), last.release_id if last else None)


def continue_series(
    wh: Warehouse, chain: Chain, people: list[str], files: MutableMapping[str, bytes]
) -> dict[str, Any]:
    """Add `superseded.csv` (old, new, merge or split, date) to the files; returns how the series goes on, in counts."""
    now = set(people)
    changes = (
        wh.rows("SELECT old_id, new_id, event, day FROM attributes.attributes.person_change ORDER BY ALL")
        if wh.exists("attributes.attributes.person_change")
        else []
    )
    told = [
        (old, new, {"merged": "merge", "split": "split"}[event], day)
        for old, new, event, day in changes
        if old in chain.before and new in now and new not in chain.before | {old}
    ] + [
        (old, new, "merge", day)
        for old, new, event, day in changes
        if event == "merged" and old in chain.before and new in now & chain.before
    ]
    told.sort(key=lambda row: pseudonym(chain.key, "person", [row[0]]))
    names = dict(
        zip(
            ids := sorted({row[0] for row in told} | {row[1] for row in told}),
            pseudonym(chain.key, "person", ids),
            strict=True,
        )
    )
    files["superseded.csv"] = csv_bytes(HEADS, [(names[old], names[new], event, day) for old, new, event, day in told])
    merged = {row[0] for row in told if row[2] == "merge"}
    return {
        "after": chain.last_release,
        "people_before": len(chain.before),
        "people_who_go_on": len(chain.before & now),
        "people_new": len(now - chain.before),
        "people_gone": len(chain.before - now),
        "of_whom_merged": len(merged - now),
        "share_that_goes_on": round(len(chain.before & now) / len(chain.before), 4) if chain.before else None,
    }


def remember(operations: Operations, people: list[str], release_id: str) -> None:
    """Keep, sealed, who was in the release: what the next one of the series is compared with."""
    update(operations, release_id, "built", people=keep_key(operations, json.dumps(people).encode()))
