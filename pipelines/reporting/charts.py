"""Charts as inline SVG that need no script and reflow: text keeps its size and bars take a share of the width.

Every length down the page is in em, every length across it in per cent, so a chart is as readable at 320 px or at 400 %
zoom as on a wide screen. Series differ by pattern as well as by colour. The template puts each chart's numbers in a
table beneath it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

ROW, BAR, TOP = 3.1, 1.05, 1.45
#: So many letters fit side by side at 320 px. Label and value of a bar share one line; if they don't fit, the value has
#: the next.
LINE, NEXT = 34, 1.3
#: Fill of the first, second, ... series: see the patterns in the page's template.
FILLS = ("solid", "stripe", "dots", "cross", "outline", "pale", "faint")


@dataclass(frozen=True)
class Bar:
    """One bar: what it stands for, the value of each series, and the words at its right end."""

    label: str
    values: tuple[float, ...]
    says: str


@dataclass(frozen=True)
class Chart:
    """A drawn chart and the names of its series, for the key above it."""

    svg: Markup
    series: tuple[str, ...]


def bar_chart(
    name: str, title: str, description: str, bars: Sequence[Bar], series: Sequence[str] = ("",), whole: float = 0
) -> Chart:
    """Horizontal bars, stacked when there are several series, all on one scale that starts at nought.

    `name` makes the ids of the drawing unique in its page; the full width is `whole`, or else the longest bar.
    """
    largest = whole or max((sum(bar.values) for bar in bars), default=0) or 1
    drawn, top = Markup(""), 0.0
    for bar in bars:
        lower = 0.0 if len(bar.label) + len(bar.says) < LINE else NEXT
        drawn += _bar(bar, top, lower, largest)
        top += ROW + lower
    return Chart(_framed(name, title, description, drawn, top), tuple(series) if len(series) > 1 else ())


def _framed(name: str, title: str, description: str, drawn: Markup, height: float) -> Markup:
    return Markup(
        '<svg class="chart" role="img" aria-labelledby="{name}-title {name}-desc" width="100%" height="{height}em">'
        '<title id="{name}-title">{title}</title><desc id="{name}-desc">{description}</desc>{drawn}</svg>'
    ).format(name=name, title=title, description=description, drawn=drawn, height=_number(height))


def _bar(bar: Bar, top: float, lower: float, largest: float) -> Markup:
    """`top` is where its label stands, `lower` how much farther down its value and the bar itself stand."""
    label = Markup('<text x="0" y="{y}em">{label}</text>').format(y=_number(top + 1), label=cut(bar.label, LINE))
    top += lower
    parts = [
        label,
        Markup('<text class="value" x="100%" y="{y}em" text-anchor="end">{says}</text>').format(
            y=_number(top + 1), says=bar.says
        ),
        Markup('<rect class="track" x="0" y="{y}em" width="100%" height="{bar}em" rx="2"/>').format(
            y=_number(top + TOP), bar=BAR
        ),
    ]
    left = 0.0
    for place, value in enumerate(bar.values):
        width = 100 * value / largest
        if value > 0:
            parts.append(
                Markup('<rect class="bar {fill}" x="{x}%" y="{y}em" width="{width}%" height="{bar}em"/>').format(
                    fill=FILLS[place % len(FILLS)],
                    x=_number(left),
                    y=_number(top + TOP),
                    width=_number(max(width, 0.25)),
                    bar=BAR,
                )
            )
        left += width
    return Markup("").join(parts)


def gap_chart(
    name: str, title: str, description: str, gaps: Sequence[Bar], series: tuple[str, str], goal: float
) -> Chart:
    """How far two values of each thing lie from what is known, as shares of it, left and right of a middle line; the
    first has a dot, the second a square, and the band of `goal` either side is shaded."""
    reach = max(1.06 * max((abs(value) for gap in gaps for value in gap.values), default=0), 2 * goal)
    drawn = Markup("").join(_gap(gap, ROW * place, goal / reach, reach) for place, gap in enumerate(gaps))
    return Chart(_framed(name, title, description, drawn, ROW * len(gaps)), series)


def _gap(gap: Bar, top: float, goal: float, reach: float) -> Markup:
    dot, square = (_number(50 + 50 * value / reach) for value in gap.values)
    return Markup(
        '<text x="0" y="{words}em">{label}</text>'
        '<text class="value" x="100%" y="{words}em" text-anchor="end">{says}</text>'
        '<rect class="track" x="0" y="{y}em" width="100%" height="{bar}em" rx="2"/>'
        '<rect class="goal" x="{left}%" y="{y}em" width="{width}%" height="{bar}em"/>'
        '<rect class="known" x="50%" y="{y}em" width="2" height="{bar}em"/>'
        '<rect class="bar centred {second}" x="{square}%" y="{middle}em" width=".8em" height=".8em"/>'
        '<circle class="bar {first}" cx="{dot}%" cy="{middle}em" r=".45em"/>'
    ).format(
        words=_number(top + 1), label=cut(gap.label, LINE - len(gap.says)), says=gap.says, y=_number(top + TOP),
        bar=BAR, left=_number(50 - 50 * goal), width=_number(100 * goal), middle=_number(top + TOP + BAR / 2),
        square=square, dot=dot, first=FILLS[0], second=FILLS[1],
    )  # fmt: skip


def cut(words: str, letters: int) -> str:
    """Words that fit, the rest marked by an ellipsis; the table beneath has them whole."""
    return words if len(words) <= letters else words[: max(letters - 1, 1)].rstrip() + "…"


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
