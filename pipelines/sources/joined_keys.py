"""A key of several parts as one text, joined by `/`: no two keys are one text.

A part is escaped only where it holds a `/`, or what would read as an escape: every other key stands as the source has
it.
"""

from collections.abc import Sequence


def joined(names: Sequence[str]) -> str:
    """SQL: the key of these columns; one column alone stands as it is."""
    if len(names) == 1:
        return f"{names[0]}::VARCHAR"
    return "(" + " || '/' || ".join(_part(name) for name in names) + ")"


def _part(name: str) -> str:
    text = f"{name}::VARCHAR"
    escaped = rf"replace(regexp_replace({text}, '%(25|2F)', '%25\1', 'g'), '/', '%2F')"
    return f"CASE WHEN contains({text}, '/') OR contains({text}, '%2') THEN {escaped} ELSE {text} END"


#: The same, for the SQL of facts.
KEY_PART = f"CREATE OR REPLACE TEMP MACRO key_part(part) AS {_part('part')}"
