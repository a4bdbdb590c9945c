"""A trend as a word-sized picture, with the same in words for those who don't see it."""

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT, EDGE = 96, 26, 4


def sparkline(values: Sequence[float | None], name: str) -> Markup:
    """Inline SVG of scores (0 to 100), oldest first; gaps where nothing was judged. Empty for fewer than two scores.

    The scale is that of the values, at least five points high, so that a small slip does not look like a fall.
    """
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return Markup("")
    scores = [value for _, value in known]
    low, high = min(scores), max(scores)
    middle = (low + high) / 2
    low, high = min(low, middle - 2.5), max(high, middle + 2.5)
    step = (WIDTH - 2 * EDGE) / (len(values) - 1)

    def at(place: int, value: float) -> tuple[float, float]:
        return round(EDGE + place * step, 1), round(EDGE + (HEIGHT - 2 * EDGE) * (high - value) / (high - low), 1)

    points = [at(place, value) for place, value in known]
    line = " ".join(f"{x},{y}" for x, y in points)
    (x, y), title = points[-1], f"{name}: {in_words(values)}"
    return Markup(
        '<svg class="spark" role="img" viewBox="0 0 {w} {h}" width="{w}" height="{h}"><title>{title}</title>'
        '<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linejoin="round"/>'
        '<circle cx="{x}" cy="{y}" r="3" fill="currentColor"/></svg>'
    ).format(w=WIDTH, h=HEIGHT, title=title, line=line, x=x, y=y)


def in_words(values: Sequence[float | None]) -> str:
    """The trend in words: each extract's score, oldest first."""
    said = ", ".join("not judged" if value is None else f"{value:.1f}" for value in values)
    return f"{len(values)} extracts, oldest first: {said}"


def change_in_words(change: float | None) -> str:
    """What became of a score since the extract before."""
    if change is None:
        return "First score"
    if abs(change) < 0.05:
        return "No change"
    return f"Up {change:.1f}" if change > 0 else f"Down {-change:.1f}"
