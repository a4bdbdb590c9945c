"""What a user has chosen: keys, blind mode. Kept in the store, so that it holds on every machine."""

from dataclasses import dataclass, field

import sqlalchemy as sa

from pipelines.operations import Operations
from review_app.roles import User
from review_app.tables import preference_table

#: action -> (what it does, the key that it has at first)
ACTIONS = {
    "same": ("Same person", "s"),
    "different": ("Not the same", "d"),
    "split": ("Split off the ticked records", "x"),
    "unsure": ("Not sure", "u"),
    "evidence": ("Ask for evidence", "e"),
    "find": ("Find another record", "f"),
    "skip": ("Leave it for later", "n"),
    "undo": ("Take back my last answer", "z"),
}


@dataclass(frozen=True)
class Preferences:
    """`keys` are action -> key."""

    shortcuts: bool = True
    blind: bool = False
    keys: dict[str, str] = field(default_factory=lambda: {action: key for action, (_, key) in ACTIONS.items()})


def preferences(operations: Operations, user: User) -> Preferences:
    query = sa.select(preference_table).where(preference_table.c.who == user.name)
    with operations.begin() as db:
        held = {row["name"]: row["value"] for row in db.execute(query).mappings()}
    default = Preferences()
    keys = {action: held.get(f"key {action}", key) for action, key in default.keys.items()}
    return Preferences(held.get("shortcuts", "on") == "on", held.get("blind", "off") == "on", keys)


def prefer(operations: Operations, user: User, chosen: Preferences) -> None:
    rows = {"shortcuts": "on" if chosen.shortcuts else "off", "blind": "on" if chosen.blind else "off"}
    rows |= {f"key {action}": key for action, key in chosen.keys.items()}
    with operations.begin() as db:
        db.execute(sa.delete(preference_table).where(preference_table.c.who == user.name))
        db.execute(
            sa.insert(preference_table),
            [{"who": user.name, "name": name, "value": value} for name, value in rows.items()],
        )
