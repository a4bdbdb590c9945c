"""The one class of fault that a person is meant to read, and how counts and names stand in a sentence."""


class BoroughlinkError(Exception):
    """A fault that a person can mend: its text says what happened, where, and what to do; never a personal value."""


class Refusal(BoroughlinkError):
    """Refused to protect the data, for a cause that somebody should know of: entered in the audit if that can be
    opened."""


def printable(name: str) -> str:
    """A file's name as it may be shown: no line end, no control of the terminal, no half of a character."""
    return "".join(sign if sign.isprintable() else "�" for sign in name)


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 check`, `2 checks`, `1,200 checks`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
