"""Stays at addresses over time, as places to draw at."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from review_app.clusters import Stay

LABEL, WIDTH, ROW, TOP = 300, 1000, 24, 26
MOST = 24


def drawing(stays: Sequence[Stay], today: date) -> dict[str, Any] | None:
    """Bars by address, one row a stay; open ends fade into today. None where no stay has a day."""
    dated = [stay for stay in stays if stay.start or stay.end]
    if not dated:
        return None
    starts = [stay.start or stay.end for stay in dated]
    first = max(min(starts), today - timedelta(days=366 * 60))
    last = max([today, *(stay.end for stay in dated if stay.end and stay.end < today + timedelta(days=3660))])
    span = max((last - first).days, 365)
    scale = (WIDTH - LABEL - 20) / span

    def x(day: date) -> float:
        return round(LABEL + min(max((day - first).days, 0), span) * scale, 1)

    ordered = sorted(dated, key=lambda stay: (stay.uprn or 0, stay.address, stay.start or date.min, stay.record_id))
    shades = {address: number % 4 for number, address in enumerate(dict.fromkeys(s.uprn or s.address for s in ordered))}
    rows = []
    for place, stay in enumerate(ordered[:MOST]):
        start, end = x(stay.start or first), x(stay.end or last)
        rows.append(
            {
                "y": TOP + ROW * place,
                "x": start,
                "width": max(round(end - start, 1), 3.0),
                "shade": shades[stay.uprn or stay.address],
                "open_end": stay.end is None,
                "open_start": stay.start is None,
                "label": _short(f"{stay.source}: {stay.address}"),
            }
        )
    years = _years(first, last)
    bottom = TOP + ROW * len(rows)
    ticks = [{"x": x(date(year, 1, 1)), "said": str(year)} for year in years if first <= date(year, 1, 1) <= last]
    ticks = ticks or [{"x": x(first), "said": f"{first:%B %Y}"}]
    return {"rows": rows, "ticks": ticks, "bottom": bottom, "height": bottom + 12, "width": WIDTH,
            "left_out": max(len(ordered) - MOST, 0)}  # fmt: skip


def _short(text: str, most: int = 44) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip(" ,") + "…"


def _years(first: date, last: date) -> range:
    step = next((step for step in (1, 2, 5, 10, 20) if (last.year - first.year) / step <= 10), 25)
    return range((first.year // step) * step, last.year + 1, step)
