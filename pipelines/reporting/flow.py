"""The picture of the flow: sources, through one shape of facts, to places, to people, to the three readers.

Drawn twice, wide and tall, so that words stay readable on a phone; the page shows one. The ribbons of the sources are
to scale with their records; everything right of the waist is not, since it counts other things.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipelines.reporting.charts import cut

WIDE = 1060
PITCH = 52
THICKEST, THINNEST = 36.0, 2.5


@dataclass(frozen=True)
class Station:
    """A stop of the flow: its name, its figure in large, what the figure counts."""

    name: str
    figure: str
    counts: str


@dataclass(frozen=True)
class Band:
    """A source: its name, how thick its ribbon is (in any unit), what is said of it."""

    name: str
    weight: float
    says: str


@dataclass(frozen=True)
class Flow:
    """What is drawn: the sources, the quality gate in a few words, three stations, the readers."""

    sources: Sequence[Band]
    gate: str
    facts: Station
    places: Station
    people: Station
    readers: Sequence[Station]

    def in_words(self) -> str:
        """The picture for those who do not see it."""
        sources = "; ".join(f"{band.name}: {band.says}" for band in self.sources)
        stations = "; ".join(f"{s.name}: {s.figure} {s.counts}" for s in (self.facts, self.places, self.people))
        readers = "; ".join(f"{s.name}: {s.figure} {s.counts}" for s in self.readers)
        return (
            f"The sources: {sources}. Past the quality gate ({self.gate}) they flow to {stations}. "
            f"From there to three readers: {readers}."
        )


def wide(flow: Flow, name: str = "flow-wide") -> Markup:
    """The picture from left to right."""
    height = max(len(flow.sources) * PITCH, 340) + 12
    middle = height / 2
    largest = max((band.weight for band in flow.sources), default=1) or 1
    thick = [max(THINNEST, THICKEST * band.weight / largest) for band in flow.sources]
    waist = [width * 0.62 for width in thick]
    parts, reached = [], middle - sum(waist) / 2
    top = middle - len(flow.sources) * PITCH / 2
    for place, source in enumerate(flow.sources):
        y = top + place * PITCH + PITCH / 2
        parts.append(_ribbon(192, y - thick[place] / 2, thick[place], 330, reached, waist[place], place))
        parts.append(_text(0, y - 4, cut(source.name, 25), "flow-name"))
        parts.append(_text(0, y + 15, cut(source.says, 30), "flow-counts"))
        reached += waist[place]
    parts.append(_gate(309, top, height - top, flow.gate))
    band = min(max(sum(waist), 40.0), 90.0)
    for start, end in ((448, 500), (618, 670)):
        parts.append(_ribbon(start, middle - band / 2, band, end, middle - band / 2, band, 0))
    gap = (height - 3 * 100) / 2 if len(flow.readers) == 3 else 12.0
    for place, reader in enumerate(flow.readers):
        y = place * (100 + gap)
        share = band / len(flow.readers)
        parts.append(_ribbon(788, middle - band / 2 + place * share, share, 850, y + 50 - share / 2, share, place))
        parts.append(_card(850, y, WIDE - 852, 100, reader, "reader"))
    for x, station in ((330, flow.facts), (500, flow.places), (670, flow.people)):
        parts.append(_card(x, middle - 66, 118, 132, station, "station"))
    return _svg(name, flow, WIDE, height, parts)


def tall(flow: Flow, name: str = "flow-tall") -> Markup:
    """The same from top to bottom, 300 units wide."""
    largest = max((band.weight for band in flow.sources), default=1) or 1
    parts, y = [], 4.0
    for source in flow.sources:
        parts.append(_text(0, y + 13, cut(source.name, 22), "flow-name"))
        parts.append(_text(300, y + 13, cut(source.says, 22), "flow-counts", "end"))
        parts.append(
            Markup('<rect class="flow-ribbon" x="0" y="{y}" width="{width}" height="9" rx="2"/>').format(
                y=round(y + 20, 1), width=round(max(THINNEST, 300 * source.weight / largest), 1)
            )
        )
        y += 44
    parts.append(Markup('<path class="flow-gate" d="M0 {y}H300"/>').format(y=round(y + 4, 1)))
    parts.append(_text(0, y + 24, f"Quality gate: {flow.gate}", "flow-counts"))
    y += 30
    for station in (flow.facts, flow.places, flow.people):
        parts.append(_arrow(150, y))
        parts.append(_card(0, y + 22, 300, 88, station, "station"))
        y += 116
    parts.append(_arrow(150, y))
    y += 22
    for reader in flow.readers:
        parts.append(_card(0, y, 300, 92, reader, "reader"))
        y += 102
    return _svg(name, flow, 300, y, parts)


def _svg(name: str, flow: Flow, width: float, height: float, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="flow {name}" role="img" '
        'aria-labelledby="{name}-title {name}-desc" viewBox="-1 -1 {width} {height}">'
        '<title id="{name}-title">From the sources to the three readers</title><desc id="{name}-desc">{words}</desc>'
        "{drawn}</svg>"
    ).format(
        name=name, width=width + 2, height=round(height + 2, 1), words=flow.in_words(), drawn=Markup("").join(parts)
    )


def _ribbon(x0: float, y0: float, t0: float, x1: float, y1: float, t1: float, turn: int) -> Markup:
    """A band from one upright edge to another, with an easy curve."""
    bend = (x0 + x1) / 2
    points = [round(value, 1) for value in (x0, y0, bend, y0, bend, y1, x1, y1, x1, y1 + t1, bend, y1 + t1)]
    points += [round(value, 1) for value in (bend, y0 + t0, x0, y0 + t0)]
    path = "M{} {}C{} {} {} {} {} {}L{} {}C{} {} {} {} {} {}Z".format(*points)
    return Markup('<path class="flow-ribbon turn{turn}" d="{path}"/>').format(turn=turn % 2, path=path)


def _gate(x: float, top: float, bottom: float, words: str) -> Markup:
    """The quality gate as an upright dashed line, its words at the foot."""
    line = Markup('<path class="flow-gate" d="M{x} {top}V{bottom}"/>').format(
        x=x, top=round(top + 14, 1), bottom=round(bottom - 30, 1)
    )
    return (
        line + _text(x + 8, bottom - 34, "Quality gate", "flow-name") + _text(x + 8, bottom - 17, words, "flow-counts")
    )


def _card(x: float, y: float, width: float, height: float, station: Station, kind: str) -> Markup:
    """A box with the name, the figure and what it counts, the last broken over lines that fit."""
    inset = 14 if kind == "reader" or width > 200 else 11
    lines = _broken(station.counts, int((width - inset * 2) / 6.1))
    body = Markup("").join(
        _text(x + inset, y + 73 + 16 * place, line, f"flow-counts on-{kind}") for place, line in enumerate(lines)
    )
    edge = (
        Markup('<rect class="flow-edge" x="{x}" y="{y}" width="5" height="{height}"/>').format(
            x=x, y=round(y, 1), height=height
        )
        if kind == "reader"
        else Markup("")
    )
    box = Markup('<rect class="flow-{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{rx}"/>').format(
        kind=kind, x=x, y=round(y, 1), width=width, height=height, rx=3 if kind == "reader" else 6
    )
    return Markup("{}{}{}{}{}").format(
        box,
        edge,
        _text(x + inset, y + 25, station.name, f"flow-name on-{kind}"),
        _text(x + inset, y + 53, station.figure, f"flow-figure on-{kind}"),
        body,
    )


def _arrow(x: float, y: float) -> Markup:
    return Markup('<path class="flow-arrow" d="M{a} {y}h16l-8 10z"/>').format(a=x - 8, y=round(y + 5, 1))


def _text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> Markup:
    return Markup('<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{words}</text>').format(
        kind=kind, x=x, y=round(y, 1), anchor=anchor, words=words
    )


def _broken(words: str, width: int) -> list[str]:
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
