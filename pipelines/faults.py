"""The one class of fault that a person is meant to read."""


class BoroughlinkError(Exception):
    """A fault that a person can mend: its text says what happened, where, and what to do; never a personal value."""
