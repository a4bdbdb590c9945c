"""Protected people: what each flag of a record means. Every room that shows, joins or hands out asks here."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

NEVER_LINK, SEAL, RESTRICTED, MASKED = "never_link", "seal", "restricted_queue", "masked_history"


@cache
def meanings() -> Mapping[str, tuple[str, ...]]:
    """flag -> what it means (protection.yaml)."""
    text = (Path(__file__).parent / "protection.yaml").read_text(encoding="utf-8")
    return {flag: tuple(means) for flag, means in yaml.safe_load(text).items()}


def flags(*means: str) -> tuple[str, ...]:
    """The flags that mean any of these."""
    return tuple(flag for flag, held in meanings().items() if set(held) & set(means))


def listed(*means: str) -> str:
    """The flags that mean any of these, as the inside of an SQL list."""
    return ", ".join(f"'{flag}'" for flag in flags(*means))


def for_few() -> str:
    """SQL list of the flags whose persons only few may see: restricted, and all that is withheld. In no export."""
    return listed(RESTRICTED, NEVER_LINK, SEAL)


def withheld() -> str:
    """SQL list of the flags whose records go no further than linkage: in no pair, data set, household or export."""
    return listed(NEVER_LINK, SEAL)


def protected_persons(catalog: str) -> str:
    """SQL: persons of each view that hold any flagged record. Grain: view, person_id."""
    return (
        f"SELECT DISTINCT m.view, m.person_id FROM {catalog}.linkage.membership AS m "
        f"JOIN {catalog}.people.record AS r USING (record_id) WHERE r.sensitivity IN ({for_few()})"
    )
