"""Roles and what each may do, from roles.yaml."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class User:
    """Somebody signed in: `name` is what decisions and the audit carry."""

    name: str
    roles: frozenset[str]

    def may(self, permission: str) -> bool:
        return not self.roles.isdisjoint(permissions()[permission])

    @property
    def titles(self) -> list[str]:
        return [title for role, title in titles().items() if role in self.roles]


def titles() -> dict[str, str]:
    """role -> what it is called."""
    return dict(_stated()["titles"])


def permissions() -> dict[str, list[str]]:
    """permission -> the roles that hold it."""
    return dict(_stated()["permissions"])


@cache
def _stated() -> dict[str, Any]:
    text = Path(__file__).with_name("roles.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))
