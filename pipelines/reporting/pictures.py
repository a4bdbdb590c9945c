"""The charts of the page, made from the figures."""

from collections import Counter

from pipelines.reporting import summary
from pipelines.reporting.charts import Bar, Chart, bar_chart, gap_chart
from pipelines.reporting.figures import Figures
from pipelines.reporting.flow import Band, Flow, Station
from pipelines.reporting.rows import BAND_WIDTH, HIGHEST_BAND, LARGEST_SIZE, LOWEST_BAND
from pipelines.reporting.words import number, order, per_cent, plain, plural, pounds, say, seconds
from pipelines.residents.evaluation import GOAL_WARD


def flow(figures: Figures) -> Flow:
    """The run's own counts on the picture of the flow."""
    totals = summary.source_totals(figures)
    addresses = summary.address_totals(figures)
    matched, held = sum(a.matched for a in addresses), sum(a.with_address for a in addresses)
    view = summary.widest(figures)
    pairs, _ = summary.flagged(figures)
    tiers = sum(tier.persons for tier in figures.risk.rows)
    queue = sum(reason.items for reason in figures.review.rows)
    return Flow(
        sources=[Band(plain(t.source), t.records, f"{t.records:,} rows") for t in totals],
        gate=plural(sum(total.set_aside for total in totals), "row") + " set aside",
        facts=Station("Facts", _short(sum(total.records for total in totals)), "rows in one shape"),
        places=Station("Places", per_cent(matched, held), "of addresses have a UPRN"),
        people=Station(
            "People",
            _short(view.persons) if view else "-",
            f"persons from {_short(view.records) if view else 0} records",
        ),
        readers=(
            Station("Fraud team", number(pairs) if figures.flagged.rows else "-", "flagged pairs, worth a look"),
            Station("Risk stratification", number(tiers) if tiers else "-", "persons in tiers, pseudonymised"),
            Station("Integrated data team", number(queue) if queue else "-", "links to review"),
        ),
    )


def sources(figures: Figures) -> Chart:
    totals = sorted(summary.source_totals(figures), key=lambda total: -total.records)
    bars = [Bar(plain(total.source), (total.records,), number(total.records)) for total in totals]
    return bar_chart("chart-sources", "Records by source", "One bar a source, longest first.", bars)


def _drawn(method: str) -> str:
    """The picture has a fill for seven methods: an address left at its building is drawn with those left open."""
    return "ambiguous" if method == "building" else method


def addresses(figures: Figures) -> Chart:
    """Shares, so that a small source can be compared with a large one."""
    held = {_drawn(row.method) for row in figures.addresses.rows}
    methods = [code for code in order("methods") if code in held]
    methods += sorted(held - set(methods))
    bars = []
    for total in summary.address_totals(figures):
        rows: Counter[str] = Counter()
        for row in figures.addresses.rows:
            if row.source == total.source:
                rows[_drawn(row.method)] += row.addresses
        whole = sum(rows.values())
        says = f"{per_cent(total.matched, total.with_address)} matched" if total.with_address else "postcodes only"
        shares = tuple(rows.get(method, 0) / whole for method in methods)
        bars.append(Bar(plain(total.source), shares, says))
    return bar_chart(
        "chart-addresses",
        "How addresses found their UPRN, by source",
        "One bar a source, split by method; each bar is the whole of that source's addresses.",
        bars,
        [say("methods", method) for method in methods],
    )


def links(figures: Figures) -> Chart:
    tiers = sorted({band.tier for band in figures.links.rows})
    held = {(band.tier, band.lowest): band.links for band in figures.links.rows}
    bars = []
    for lowest in range(LOWEST_BAND, HIGHEST_BAND + 1, BAND_WIDTH):
        values = tuple(held.get((tier, lowest), 0) for tier in tiers)
        if sum(values):
            bars.append(Bar(band_words(lowest), values, number(sum(values))))
    return bar_chart(
        "chart-links",
        "Scored pairs by match weight",
        "One bar for each four bits of match weight, lightest first, split by tier.",
        bars,
        [say("tiers", tier) for tier in tiers],
    )


def cluster_sizes(figures: Figures) -> Chart:
    view = summary.widest(figures)
    rows = [row for row in figures.cluster_sizes.rows if view and row.view == view.view]
    whole = sum(row.persons for row in rows)
    bars = [
        Bar(size_words(row.size), (row.persons,), f"{number(row.persons)} ({per_cent(row.persons, whole)})")
        for row in rows
    ]
    return bar_chart(
        "chart-sizes", "Persons by number of records", "One bar for each number of records a person is made of.", bars
    )


def wards(figures: Figures) -> Chart:
    """How far each ward's residents are off its known population, the farthest first."""
    gaps = [
        Bar(
            ward.ward,
            (round(ward.counted) / ward.known - 1, round(ward.by_age_and_sex) / ward.known - 1),  # as the table says
            per_cent(round(ward.counted) - ward.known, ward.known),
        )
        for ward in figures.wards.rows
        if ward.known
    ]
    gaps.sort(key=lambda gap: -abs(gap.values[0]))
    return gap_chart(
        "chart-wards",
        "Residents of each ward beside its known population",
        "One row a ward: a mark in the middle agrees with the known population, left of it persons lack, right of it"
        " there are too many. The shaded band is the goal.",
        gaps,
        ("persons as counted", "weighted by age and sex"),
        GOAL_WARD,
    )


def coverage(figures: Figures) -> Chart:
    rows = sorted(figures.coverage.rows, key=lambda row: -row.share)
    bars = [Bar(plain(row.source), (row.share,), per_cent(row.share, 1)) for row in rows]
    return bar_chart(
        "chart-coverage",
        "Share of persons that each source sees",
        "One bar a source; the whole bar is everyone that any source sees.",
        bars,
        whole=1,
    )


def flagged(figures: Figures) -> Chart:
    strengths = [s for s in order("strengths") if s != "explained"]
    bars = []
    for rule in flagged_rules(figures):
        rows = {row.strength: row for row in figures.flagged.rows if row.rule == rule}
        pairs = tuple(rows[s].pairs if s in rows else 0 for s in strengths)
        bars.append(Bar(say("short_rules", rule), pairs, number(sum(pairs))))
    return bar_chart(
        "chart-flagged",
        "Flagged pairs by rule and strength",
        "One bar a rule, split into high, medium and low strength.",
        bars,
        [say("strengths", s) for s in strengths],
    )


def risk(figures: Figures) -> Chart:
    bars = [
        Bar(plain(row.tier), (row.persons,), f"{number(row.persons)} ({per_cent(row.share, 1)})")
        for row in figures.risk.rows
    ]
    return bar_chart("chart-risk", "Persons by tier", "One bar a tier.", bars)


def steps(figures: Figures) -> Chart:
    """Steps by room: the first part of their name."""
    spent: dict[str, float] = {}
    for step in figures.steps.rows:
        room = step.step.split("/")[0]
        spent[room] = spent.get(room, 0.0) + step.seconds
    bars = [Bar(say("rooms", room), (total,), seconds(total)) for room, total in spent.items()]
    return bar_chart("chart-steps", "Time by room", "One bar a room, in the order in which they began.", bars)


def flagged_rules(figures: Figures) -> list[str]:
    known = [rule for rule in order("rules") if any(row.rule == rule for row in figures.flagged.rows)]
    return known + sorted({row.rule for row in figures.flagged.rows} - set(known))


def expected(figures: Figures, rule: str) -> str:
    """Pounds that looking at the pairs of a rule may keep for the council."""
    return pounds(sum(row.expected for row in figures.flagged.rows if row.rule == rule))


def band_words(lowest: int) -> str:
    """A band of match weight in words; the ends are open."""
    if lowest <= LOWEST_BAND:
        return f"below {lowest + BAND_WIDTH}"
    if lowest >= HIGHEST_BAND:
        return f"{lowest} and above"
    return f"{lowest} to {lowest + BAND_WIDTH}"


def size_words(size: int) -> str:
    return f"{size} or more records" if size >= LARGEST_SIZE else plural(size, "record")


def _short(value: int) -> str:
    """A count that fits a small box."""
    if value >= 1_000_000:
        return f"{value / 1e6:.2f} m"
    return f"{value / 1e3:.0f} k" if value >= 100_000 else number(value)
