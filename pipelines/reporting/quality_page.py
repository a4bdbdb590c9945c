"""The quality page: scorecard and linkage-readiness as one static page that opens offline and prints on A4."""

from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.readiness.readiness_data import WORDS, GroupReadiness, Mend, PairReadiness, ReadinessData
from pipelines.readiness.thresholds import FEWEST_IN_GROUP
from pipelines.reporting.charts import Bar, bar_chart
from pipelines.reporting.page import HERE, day, slug
from pipelines.reporting.words import number, per_cent, plural
from pipelines.scorecard.parts import STYLE, TEMPLATES, ScorecardParts
from pipelines.scorecard.standing import STATES, ScorecardData, late_sources

#: Its name in the folder of a published run.
PAGE = "quality.html"
#: Rows of the two lists of what to mend first.
FIRST = 10
#: Refused extracts and fields that the page begins with.
START = 3


def render_quality(scorecard: ScorecardData, readiness: ReadinessData, council: str, synthetic: bool) -> str:
    """The whole page as HTML."""
    environment = Environment(
        loader=FileSystemLoader([HERE, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"day": day, "slug": slug}
    css = "\n".join(path.read_text(encoding="utf-8") for path in (HERE / "page.css", STYLE, HERE / "quality.css"))
    titles = {source.source: source.title for source in scorecard.sources}
    owners = {source.source: source.owner for source in scorecard.sources}
    return environment.get_template("quality.html.j2").render(
        scorecard=scorecard,
        readiness=readiness,
        council=council,
        synthetic=synthetic,
        css=Markup(css),  # noqa: S704 - our own files
        parts=ScorecardParts(),
        questions=[(each.principle, each.question) for each in scorecard.sources[0].principles]
        if scorecard.sources
        else [],
        lead=_lead(scorecard, readiness),
        tiles=_tiles(scorecard, readiness),
        late=late_sources(scorecard),
        gravest=_gravest(scorecard),
        starts=what_first(scorecard, readiness),
        largest=readiness.largest_block,
        fewest=FEWEST_IN_GROUP,
        **_readiness_rows(readiness, titles, owners),
    )


def _lead(scorecard: ScorecardData, readiness: ReadinessData) -> str:
    counts = scorecard.counts
    if not any(counts[state] for state in STATES[:3]):
        return "No extract has been judged yet."
    squares = sum(counts[state] for state in STATES[:3])
    told = (number(counts[state]) for state in ("holds", "warns", "fails"))
    said = "Of {} of the scorecard {} hold, {} warn and {} fail.".format(plural(squares, "square"), *told)
    if readiness.recall is not None:
        said += f" About {per_cent(readiness.recall, 1)} of what belongs together is found."
    return said


def _tiles(scorecard: ScorecardData, readiness: ReadinessData) -> list[tuple[str, str]]:
    counts, late = scorecard.counts, late_sources(scorecard)
    reported = sum(each.count for source in scorecard.sources for each in source.reported)
    tiles = [
        (
            number(counts["fails"]),
            "square of the scorecard fails" if counts["fails"] == 1 else "squares of the scorecard fail",
        ),
        (number(counts["warns"]), "warn"),
        (number(len(late)), "source is late" if len(late) == 1 else "sources are late"),
        (number(reported), "faults reported by people wait"),
    ]
    if readiness.recall is not None:
        links = sum(mend.links for mend in readiness.mends)
        tiles += [
            (per_cent(readiness.recall, 1), "of true pairs linked, expected"),
            (number(round(links)), "links to win by filling in fields"),
        ]
    return tiles


def what_first(scorecard: ScorecardData, readiness: ReadinessData) -> list[tuple[str, str]]:
    """What to do first, as (to do, what it costs others while it is left): refused extracts, then fields to fill in."""
    titles = {source.source: source.title for source in scorecard.sources}
    owners = {source.source: source.owner for source in scorecard.sources}
    found = []
    for source in scorecard.sources:
        broken = [
            rule for each in source.principles for rule in each.rules if each.state == "fails" and not rule.passed
        ]
        refused = [rule for rule in broken if rule.severity == "critical"]
        if refused:
            todo = f"{source.title}: send the extract again. {refused[0].words}"
            found.append((todo, "Until then all that is built from it stands on the last good one."))
    for mend in [each for each in readiness.mends if each.rows][:START]:
        beside = sorted(
            (
                (pair.missed, pair.source_r if pair.source_l == mend.source else pair.source_l)
                for pair in readiness.pairs
                if mend.source in (pair.source_l, pair.source_r) and round(pair.missed) > 0
            ),
            reverse=True,
        )
        rows = f"{plural(mend.rows, 'row')} of {number(mend.lacking)} that lack it"
        owner = owners.get(mend.source, "")
        todo = f"{titles.get(mend.source, mend.source)}: fill in the {mend.words} in {rows} ({owner})."
        cost = f"It would join {mend.links_in_words} pairs of records of one person."
        if beside:
            others = (f"{titles.get(other, other)} ({number(round(missed))})" for missed, other in beside[:3])
            cost += f" Today the source misses links most of all with {', '.join(others)}."
        found.append((todo, cost))
    return found[: 2 * START]


def _gravest(scorecard: ScorecardData) -> list[tuple[str, str, str, str]]:
    """The failing rules over all sources: critical ones first, then by how far beyond what is allowed."""
    failing = [
        (source, each, rule)
        for source in scorecard.sources
        for each in source.principles
        for rule in each.rules
        if not rule.passed
    ]
    failing.sort(key=lambda at: (at[2].severity, at[2].allowed - at[2].share, at[0].title, at[2].rule))
    return [
        (source.title, each.principle.capitalize(), rule.words, source.owner) for source, each, rule in failing[:FIRST]
    ]


def _readiness_rows(data: ReadinessData, titles: dict[str, str], owners: dict[str, str]) -> dict[str, Any]:
    def named(source: str) -> str:
        return titles.get(source, source)

    def share(value: float | None) -> str:
        return "–" if value is None else f"{100 * value:.1f}%"

    def grouped(each: GroupReadiness) -> tuple[str, ...]:
        whole = share(data.recall)
        return (
            each.grouping.capitalize(),
            each.group,
            number(each.records),
            share(each.recall),
            whole,
            number(each.unlinkable),
        )

    sources = sorted(data.sources, key=lambda each: named(each.source))
    return {
        "first_rows": [
            (
                named(each.source),
                each.words,
                number(each.rows),
                number(each.lacking),
                each.links_in_words,
                owners.get(each.source, ""),
            )
            for each in data.mends
            if each.rows
        ][:FIRST],
        "readiness_rows": [
            (
                named(each.source),
                number(each.records),
                share(each.recall),
                share(each.compared),
                number(each.unlinkable),
                share(each.placed / each.addresses if each.addresses and each.placed is not None else None),
                number(each.twins),
                number(each.collisions),
            )
            for each in sources
        ],
        "field_heads": [f"#{words[0].upper()}{words[1:]}" for words in WORDS.values()],
        "filled_rows": [
            (named(each.source), *(share(each.filled[field] or None) for field in WORDS)) for each in sources
        ],
        "mend_rows": [
            (named(each.source), each.words, number(each.rows), number(each.lacking), each.links_in_words)
            for each in sorted(data.mends, key=lambda each: (named(each.source), each.rank_in_source))
        ],
        "first_chart": bar_chart(
            "first",
            "Links that filling in a field would win",
            "One bar a field of a source, the most links first; the numbers stand in the table beneath.",
            [Bar(_short(each), (each.links,), _about(each)) for each in data.mends if each.rows][:FIRST],
        ),
        "pair_rows": [
            (
                *(named(each.source_l), named(each.source_r), number(each.linked), _links(each.missed)),
                *(share(each.recall), _between(each)),
            )
            for each in data.pairs
        ],
        "least_rows": [grouped(each) for each in data.least_linkable()],
        "group_rows": [grouped(each) for each in data.groups],
    }


def _short(mend: Mend) -> str:
    """A source and a field in words that fit beside a bar."""
    field = {"home": "address", "nino": "NI number", "nhs_number": "NHS number"}.get(mend.field, mend.field)
    return f"{mend.source.capitalize()}: {field}".replace("_", " ")


def _about(mend: Mend) -> str:
    """The links that it would win, short: the table beneath has the range of many, too."""
    return mend.links_in_words.partition(" (")[0]


def _between(pair: PairReadiness) -> str:
    """Between what the expected recall lies nine times in ten: few pairs tell little."""
    return "–" if pair.low is None or pair.high is None else f"{100 * pair.low:.0f} to {100 * pair.high:.0f}%"


def _links(count: float) -> str:
    return number(round(count)) if count >= 1 else "under 1"
