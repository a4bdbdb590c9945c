"""How figures and codes are said to people; shared by the page and the terminal."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.faults import plural as plural
from pipelines.reporting.figures import Figures

#: Short forms that are written in capitals.
CAPITALS = {"llpg": "LLPG"}


@cache
def _words() -> dict[str, Any]:
    return dict(yaml.safe_load((Path(__file__).parent / "words.yaml").read_text(encoding="utf-8")))


def say(kind: str, code: str) -> str:
    """The words for a code of a kind (`methods`, `rules`, ...)."""
    return str(_words().get(kind, {}).get(code) or plain(code))


def order(kind: str) -> list[str]:
    """The codes of a kind in the order in which they are shown."""
    return list(_words()[kind])


def plain(code: str) -> str:
    """A code as words: `council_tax` is Council tax."""
    text = CAPITALS.get(code, code.replace("_", " "))
    return text[:1].upper() + text[1:]


def title(figures: Figures, source: str) -> str:
    """A source as people name it."""
    return figures.titles.get(source) or plain(source)


def number(value: float) -> str:
    """A count with thousands marked."""
    return f"{value:,.0f}"


def per_cent(part: float, whole: float) -> str:
    """A share; `-` when there is no whole to take it of. Never rounds away: 99.96% is not 100%, 0.01% is not 0%."""
    if not whole:
        return "-"
    share = 100 * part / whole
    if share == int(share):
        return f"{share:.0f}%"
    if 0 < share < 0.1:
        return "under 0.1%"
    return f"{min(share, 99.9) if share < 100 else share:.1f}%"


def pounds(value: float) -> str:
    """Pounds without pence."""
    return f"£{value:,.0f}"


def seconds(value: float) -> str:
    return f"{value:.1f} s"


def megabytes(value: float) -> str:
    return f"{value / 1e6:,.0f} MB"


def ratio(value: float | None) -> str:
    """A number from 0 to 1, to three places."""
    return "-" if value is None else f"{value:.3f}"


def day(value: date) -> str:
    """31 Oct 2026, kept on one line."""
    return f"{value.day}\u00a0{value:%b}\u00a0{value.year}"
