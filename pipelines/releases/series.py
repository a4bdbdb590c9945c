"""A series: releases to one recipient that share pseudonyms, by choice, with a table of what gave way to what.

A pseudonym goes on only while its path is shared by enough rows (paths.py); else its person gets a fresh one.
"""

import io
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.keys.pseudonyms import pseudonym
from pipelines.operations import Operations
from pipelines.releases.dataset import Built
from pipelines.releases.desk import Desk
from pipelines.releases.paths import SAME, Link, Paths, traces
from pipelines.releases.rare_values import lead_across
from pipelines.releases.sealed import contents_of, rows_of
from pipelines.releases.sets import Profile, ReleaseRefused, ReleaseSet
from pipelines.releases.store import Release, holds_key, keep_key, key_of, releases, update
from pipelines.settings import DataFolder
from pipelines.warehouse import Warehouse

HEADS = ("old", "new", "event", "date")


@dataclass(frozen=True)
class Chain:
    """A series so far: its naming key, and its releases that the recipient may hold, oldest first."""

    name: str
    key_id: str
    key: bytes
    kept: tuple[Release, ...]


@dataclass(frozen=True)
class Continued:
    """How a release goes on: the pseudonyms of its rows, in their order; those whose sensitive values are not told; the
    table of supersession; all in counts."""

    names: list[str]
    not_told: set[str]
    superseded: list[tuple[str, str, str, Any]]
    counts: dict[str, Any]


def of(operations: Operations, name: str, asked: ReleaseSet, recipient: str) -> Chain:
    """The series of that name, begun if there is none.

    Raises ReleaseRefused when it is another set's or recipient's, or its key was destroyed.
    """
    of_it = [one for one in releases(operations) if one.manifest.get("series") == name]
    if not of_it:
        key = secrets.token_bytes(32)
        return Chain(name, keep_key(operations, key), key, ())
    newest = of_it[0]
    if (newest.manifest["release"], newest.recipient) != (asked.name, recipient):
        raise ReleaseRefused(
            f"The series `{name}` is of {newest.manifest['release']} for {newest.recipient}: pseudonyms are never "
            "shared with another set or recipient."
        )
    key_id = str(newest.manifest["key"])
    if not holds_key(operations, key_id):
        raise ReleaseRefused(f"The series `{name}` has ended, and its key with it: begin another.")
    return Chain(name, key_id, key_of(operations, key_id), tuple(_kept(operations, of_it)))


def without_household(asked: ReleaseSet) -> ReleaseSet:
    """The set as a series has it: the paths of all who live together would tell a household, and it its members."""
    return asked.model_copy(update={"start": asked.start | {"household": 1}}) if asked.shows_household else asked


def go_on(
    wh: Warehouse, desk: Desk, chain: Chain, asked: ReleaseSet, profile: Profile, release_id: str, built: Built
) -> Continued:
    """Name the rows of the next release of a series.

    Raises ReleaseRefused when too many may not tell their sensitive values.
    """
    people, rows = built.people, built.rows
    past = [(one, rows_of(desk.folder, desk.operations, one)) for one in chain.kept]
    ids = [json.loads(key_of(desk.operations, str(one.manifest["people"]))) for one in chain.kept]
    last = {
        person: name
        for people_then, (_, then) in zip(ids, past, strict=True)
        for person, name in zip(people_then, then["person"], strict=True)
    }
    before, now = set(ids[-1] if ids else ()), set(people)
    told = {Link(last[old], new, event): day for old, new, event, day in _changes(wh, before, now)}
    same = {Link(last[person], person) for person in people if person in last}
    paths = _paths(asked, profile, [(then["person"].to_list(), then) for _, then in past], (people, rows))
    standing = paths.that_may_stand(same | set(told))
    goes_on = {link.now: link.old for link in standing if link.event == SAME}
    fresh = [person for person in people if person not in goes_on]
    names = goes_on | dict(zip(fresh, _fresh(chain.key, fresh, last, release_id), strict=True))
    merged = {link.old for link in standing if link.event == "merge"}
    stay = before & set(goes_on)
    gone = {last[person] for person in before} - set(goes_on.values())
    named = [(then["person"].to_list(), then) for _, then in past] + [([names[person] for person in people], rows)]
    not_told = lead_across(asked, named, paths.k)
    if len(not_told) > (1 - profile.kept) * rows.height:
        raise ReleaseRefused(
            f"{len(not_told):,} of {rows.height:,} rows could not tell their sensitive values, which would lead back "
            "to earlier pseudonyms: release the series less often, or end it and begin another."
        )
    return Continued(
        named[-1][0],
        not_told,
        sorted((link.old, names[link.now], link.event, told[link]) for link in standing if link.event != SAME),
        {
            "after": chain.kept[-1].release_id if chain.kept else None,
            "people_before": len(before),
            "people_who_go_on": len(stay),
            "people_new": len(now) - len(stay),
            "people_gone": len(gone),
            "of_whom_merged": len(merged & gone),
            "rows_that_do_not_tell_their_sensitive_values": len(not_told),
            "share_that_goes_on": round(len(stay) / len(before), 4) if before else None,
            "new_and_gone_include": "people under a fresh pseudonym, for too few shared their path",
        },
    )


def smallest_path(
    folder: DataFolder, operations: Operations, release: Release, asked: ReleaseSet, profile: Profile
) -> int | None:
    """Follow people over the sealed files of a series as its recipient would; the rows that share the rarest path.

    None where nobody can be followed. Raises ReleaseRefused when a path is shared by too few.
    """
    of_it = [one for one in releases(operations) if one.manifest.get("series") == release.manifest["series"]]
    earlier = of_it[[one.release_id for one in of_it].index(release.release_id) + 1 :]
    past = [rows_of(folder, operations, one) for one in _kept(operations, earlier)]
    files = contents_of(folder, operations, release)
    rows = pl.read_parquet(io.BytesIO(files[f"{asked.name}.parquet"]))
    if "household" in rows.columns and rows["household"].null_count() < rows.height:
        raise ReleaseRefused("A release of a series shows no household: the paths of its members would tell it.")
    paths = _paths(
        asked, profile, [(then["person"].to_list(), then) for then in past], (rows["person"].to_list(), rows)
    )
    told = pl.read_csv(files["superseded.csv"], infer_schema=False).rows(named=True)
    links = {Link(name, name) for name in paths.old.keys() & paths.now.keys()} | {
        Link(row["old"], row["new"], row["event"])
        for row in told
        if row["old"] in paths.old and row["new"] in paths.now
    }
    found = paths.smallest(links)
    if not paths.are_shared(links):
        raise ReleaseRefused(
            f"Followed over the series, the rarest path is shared by {found} rows; at least {paths.k} are asked, with "
            f"{paths.l} values of each sensitive column: build the release again."
        )
    if lead := lead_across(asked, [(each["person"].to_list(), each) for each in (*past, rows)], paths.k):
        raise ReleaseRefused(
            f"{len(lead)} rows under new pseudonyms have sensitive values so rare that they lead back to the old ones: "
            "build the release again."
        )
    return found


def called(operations: Operations, release: Release, people: Sequence[str]) -> dict[str, str]:
    """Person by every pseudonym that they may bear in a release: a series gives fresh ones."""
    key_id = str(release.manifest["key"])
    key = key_of(operations, key_id)
    found = dict(zip(pseudonym(key, "person", people), people, strict=True))
    if "series" in release.manifest:
        for one in releases(operations):
            if one.manifest.get("key") == key_id:
                found |= dict(zip(_cut(key, people, one.release_id), people, strict=True))
    return found


def remember(operations: Operations, people: list[str], release_id: str) -> None:
    """Keep, sealed, who was in the release, in the order of its rows: what the next of the series is compared with."""
    update(operations, release_id, "built", people=keep_key(operations, json.dumps(people).encode()))


def _kept(operations: Operations, of_it: list[Release]) -> list[Release]:
    """Those that the recipient may hold, oldest first: what was taken back or never left is no ground to go on from."""
    told = [one for one in of_it if one.state not in ("refused", "withdrawn")]
    return [one for one in reversed(told) if holds_key(operations, str(one.manifest.get("people")))]


def _paths(
    asked: ReleaseSet, profile: Profile, past: list[tuple[list[str], pl.DataFrame]], now: tuple[list[str], pl.DataFrame]
) -> Paths:
    k = max(profile.k, asked.k, profile.k_population)
    return Paths(traces(asked, past), traces(asked, [now]), k, profile.l)


def _changes(wh: Warehouse, before: set[str], now: set[str]) -> list[tuple[str, str, str, Any]]:
    """(old, new, merge or split, day) of people of the last release whose place another took, or who were parted."""
    changes = (
        wh.rows("SELECT old_id, new_id, event, day FROM attributes.attributes.person_change ORDER BY ALL")
        if wh.exists("attributes.attributes.person_change")
        else []
    )
    return [
        (old, new, {"merged": "merge", "split": "split"}[event], day)
        for old, new, event, day in changes
        if old in before and new in now and new != old and (event == "merged" or new not in before)
    ]


def _fresh(key: bytes, people: list[str], last: Mapping[str, str], release_id: str) -> list[str]:
    """Names of those who don't go on: of who was in the series before, one that no release had."""
    plain, cut = pseudonym(key, "person", people), _cut(key, people, release_id)
    return [c if person in last else p for person, p, c in zip(people, plain, cut, strict=True)]


def _cut(key: bytes, people: Sequence[str], release_id: str) -> list[str]:
    return pseudonym(key, "person", [f"{person}\0{release_id}" for person in people])
