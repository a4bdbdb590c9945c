"""What is for good: a folder that held real people goes on to, and a key that was destroyed opens nothing again."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

#: The audit's word for the first run over real people; from then on the folder is of real people.
HOLDS_REAL = "real people held"
#: The audit's words for the end of a key.
KEY_DESTROYED = "destruction of a key done"


def taken_back(
    first_of: Callable[[str], Mapping[str, str]], holds: str | None, keys: Iterable[str], file: Path, lenient: bool
) -> str | None:
    """What was taken back of it, in words. `first_of` says when the audit first tells of an event, by what it is about;
    `keys` are those at hand."""
    if holds != "real" and not lenient and (since := first_of(HOLDS_REAL).get("folder")):
        return (
            f"This folder has held real people since {since[:10]}, and what protects them can't be taken off again: "
            f"write `holds: real` into {file} as it was. To try something with invented people, use another folder."
        )
    if back := sorted(first_of(KEY_DESTROYED).keys() & set(keys)):
        return (
            f"The key `{back[0]}` was destroyed and is there again, from a copy: "
            f"`boroughlink keys destroy {back[0]} --reason again` ends it."
        )
    return None
