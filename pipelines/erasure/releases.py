"""Which releases hold a person: found by the pseudonyms that each one's own key gives, and nothing else."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from pipelines.erasure.subject import Subject
from pipelines.governance.actors import Actor
from pipelines.keys.pseudonyms import pseudonym
from pipelines.operations import Operations
from pipelines.releases.ending import revoke
from pipelines.releases.sealed import rows_of
from pipelines.releases.series import called
from pipelines.releases.sets import ReleaseRefused
from pipelines.releases.store import copies, key_of, releases
from pipelines.settings import DataFolder

WHY = "It holds a person who was erased since it was built, and was never handed over."
#: States of a release that nobody has yet, and can be built again.
_NOT_HANDED_OVER = ("built", "checked", "approved", "refused")


@dataclass(frozen=True)
class Holding:
    """A release that holds the person: to whom it went and how many copies left, and until when it may be kept.
    `certain` is false where its files or key are gone, so that nobody can look."""

    release_id: str
    recipient: str
    state: str
    copies: int
    delete_after: str
    certain: bool = True

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def holding(folder: DataFolder, operations: Operations, subject: Subject) -> list[Holding]:
    """The releases, revoked ones with copies among them, that hold the subject or may."""
    found = []
    for one in releases(operations):
        left = len(copies(operations, one.release_id))
        told = Holding(one.release_id, one.recipient, one.state, left, one.expires)
        try:
            key = key_of(operations, str(one.manifest["key"]))
            people = called(operations, one, subject.ids)
            rows = rows_of(folder, operations, one)
        except ReleaseRefused:
            if left:
                found.append(replace(told, certain=False))
            continue
        names = {
            "person": people,
            "household": pseudonym(key, "household", subject.homes),
        }
        if any(name in rows.columns and set(given) & set(rows[name].to_list()) for name, given in names.items()):
            found.append(told)
    return found


def take_back(operations: Operations, found: list[Holding], who: Actor) -> list[Holding]:
    """Revoke those that nobody has yet; returns all as they now stand."""
    stand = []
    for one in found:
        if one.state in _NOT_HANDED_OVER and not one.copies:
            revoke(operations, one.release_id, WHY, who)
            one = replace(one, state="revoked")
        stand.append(one)
    return stand
