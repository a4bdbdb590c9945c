"""The short report for a terminal: plain text when piped, never wider than 100 columns."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from pipelines.reporting import summary
from pipelines.reporting.figures import Figures
from pipelines.reporting.pictures import flagged_rules
from pipelines.reporting.words import day, megabytes, number, order, per_cent, plain, plural, pounds, ratio, say, title

WIDTH = 100
RUN, TOTAL = "run", "total"
#: The share of the whole from which a step has a line of its own.
SHOWN_FROM = 0.01
#: What the run's clock holds beyond its steps.
OVERHEAD = "Dagster, commit and the rest"


def report(
    figures: Figures,
    judged: Mapping[str, Any] | None,
    parts: Mapping[str, float],
    peak: int,
    unchanged: bool,
    console: Console | None = None,
) -> None:
    """Print what a run came to.

    `judged` is what the truth of an invented borough says of it: `links` (pairs, b_cubed, clusters, each with precision
    and recall), `addresses` and `flags` (rows by rule). `parts` are wall seconds, among them `run` and `total`; `peak`
    is the highest memory of the process in bytes. `unchanged`: nothing was run, the figures are those that stand.
    """
    out = console or _console()
    _say(out, f"\n{figures.council or 'A run'}, as of {day(figures.as_of)} (run {figures.run_id})", "bold")
    _sources(out, figures)
    _people(out, figures, judged or {})
    _readers(out, figures, (judged or {}).get("flags"))
    _gaps(out, figures)
    _costs(out, figures, parts, peak, unchanged)


def _sources(out: Console, f: Figures) -> None:
    if f.sources.absent:
        _say(out, f"\n{f.sources.absent}")
        return
    matched = {total.source: total for total in summary.address_totals(f)}
    totals = summary.source_totals(f)
    rows = []
    for t in totals:
        held = matched.get(t.source)
        share = per_cent(held.matched, held.with_address) if held and held.with_address else "-"
        rows.append(
            (
                title(f, t.source),
                day(t.extract_date),
                number(t.records),
                number(t.set_aside),
                number(t.value_faults),
                share,
            )
        )
    found, asked = sum(a.matched for a in matched.values()), sum(a.with_address for a in matched.values())
    foot = ("All", "", *(number(sum(getattr(t, n) for t in totals)) for n in ("records", "set_aside", "value_faults")))
    heads = ("Source", "Extract of", "#Records", "#Rows aside", "#Values aside", "#UPRN found")
    _table(out, "What came in", heads, rows, (*foot, per_cent(found, asked)))


def _people(out: Console, f: Figures, judged: Mapping[str, Any]) -> None:
    if f.views.absent:
        _say(out, f"\n{f.views.absent}")
        return
    rows = [(say("views", v.view), number(v.records), number(v.persons), number(v.households)) for v in f.views.rows]
    _table(out, "People", ("View", "#Records", "#Persons", "#Households"), rows)
    _say(out, f"{plural(summary.links(f), 'pair')} of records scored." + (f" Model: {f.model}." if f.model else ""))
    links = judged.get("links")
    if links is None:
        return
    rates = asdict(links) if is_dataclass(links) and not isinstance(links, type) else dict(links)
    shown = [("Pairs of records", "pairs"), ("Records, averaged (B-cubed)", "b_cubed"), ("Whole persons", "clusters")]
    told = [
        (words, ratio(rates[name]["precision"]), ratio(rates[name]["recall"])) for words, name in shown if name in rates
    ]
    every = [row for row in judged.get("addresses", ()) if row["source"] is None and row["method"] is None]
    told += [("Addresses", ratio(row["precision"]), ratio(row["recall"])) for row in every]
    _table(out, "Against the truth", ("Of", "#Precision", "#Recall"), told)


def _readers(out: Console, f: Figures, flags: Sequence[Mapping[str, Any]] | None) -> None:
    if f.flagged.absent:
        _say(out, f"\n{f.flagged.absent}")
    else:
        pairs = {(row.rule, row.strength): row.pairs for row in f.flagged.rows}
        truth = {row["rule"]: row for row in flags or ()}
        strengths = order("strengths")
        heads = ["Flagged pairs", *(f"#{say('strengths', s)}" for s in strengths)]
        heads += ["#Planted", "#Look-alikes"] if truth else []
        rows = []
        for rule in flagged_rules(f):
            row = [say("rules", rule), *(number(pairs.get((rule, s), 0)) for s in strengths)]
            rows.append((*row, *_against(truth.get(rule))) if truth else tuple(row))
        _table(out, "Fraud team", heads, rows)
        if truth:
            _say(
                out,
                "Of planted cases and of innocent look-alikes: flagged medium or high, flagged at all. "
                "Low ones come last, with what speaks against them.",
            )
        _say(out, f"Expected saving if all are looked at: {pounds(summary.flagged(f)[1])}.")
    if f.risk.rows:
        tiers = ", ".join(f"{plain(row.tier).lower()} {number(row.persons)}" for row in f.risk.rows)
        _say(out, f"\nRisk tiers (persons): {tiers}.")
    for release in f.releases.rows:
        k = f"smallest group {release.k_measured} (asked {release.k_asked})"
        _say(out, f"Release {release.release}: {number(release.rows)} rows, {k}, {release.rows_left_out} left out.")
    if f.review.rows:
        _say(out, f"To review: {plural(sum(row.items for row in f.review.rows), 'item')}.")


def _against(row: Mapping[str, Any] | None) -> tuple[str, str]:
    if row is None:
        return "-", "-"
    alike = row["look_alikes_medium_or_high"], row["look_alikes_medium_or_high"] + row["look_alikes_low"]
    return (
        f"{number(row['found_medium_or_high'])}, {number(row['found'])} of {number(row['planted'])}",
        f"{number(alike[0])}, {number(alike[1])} of {number(row['look_alikes'])}",
    )


def _gaps(out: Console, f: Figures) -> None:
    if f.refusals.rows:
        _say(out, "\nNot taken in", "bold")
        for refusal in f.refusals.rows:
            when = day(refusal.extract_date) if refusal.extract_date else "of an unknown date"
            _say(out, f"{title(f, refusal.source)}, {when}: {refusal.reason}")
    if f.old:
        _say(out, "\nBuilt on old extracts", "bold")
        for words in f.old:
            _say(out, words)
    if f.remarks.rows:
        _say(out, "\nNoted on the way in", "bold")
        for remark in f.remarks.rows:
            when = f", {day(remark.extract_date)}" if remark.extract_date else ""
            _say(out, f"{title(f, remark.source)}{when}: {remark.says}")
    if f.left_out.rows:
        _say(out, "\nNot served, and why", "bold")
        for gap in f.left_out.rows:
            _say(out, f"{plain(gap.what)}: {gap.why.rstrip('.')}.")


def _costs(out: Console, f: Figures, parts: Mapping[str, float], peak: int, unchanged: bool) -> None:
    """Seconds that add up: the steps, what the run spent around them, and what stood before and after it."""
    rows: list[tuple[str, str, str]] = []
    whole = parts.get(TOTAL, sum(seconds for name, seconds in parts.items() if name != TOTAL))
    inside = 0.0
    for name, seconds in parts.items():
        if name == TOTAL:
            continue
        inside += seconds
        if name != RUN or unchanged:
            rows.append((plain(name), f"{seconds:.1f}", ""))
            continue
        long = [step for step in f.steps.rows if step.seconds >= SHOWN_FROM * whole]
        rows += [(step.step, f"{step.seconds:.1f}", megabytes(step.peak_memory)) for step in long]
        if short := [step for step in f.steps.rows if step not in long]:
            spent, highest = sum(step.seconds for step in short), max(step.peak_memory for step in short)
            rows.append((plural(len(short), "shorter step"), f"{spent:.1f}", megabytes(highest)))
        around = seconds - sum(step.seconds for step in f.steps.rows)
        rows.append((f"{OVERHEAD} ({per_cent(max(around, 0), whole)})", f"{around:.1f}", ""))
    if whole - inside >= 0.05:
        rows.append(("Reading and starting", f"{whole - inside:.1f}", ""))
    heads = ("Step", "#Seconds", "#Highest memory")
    _table(out, "Time and memory", heads, rows, ("Total", f"{whole:.1f}", megabytes(peak)))


def _table(
    out: Console, name: str, heads: Sequence[str], rows: Sequence[Sequence[str]], foot: Sequence[str] | None = None
) -> None:
    table = Table(
        title=name, title_justify="left", title_style="bold", box=None, pad_edge=False, show_footer=foot is not None
    )
    for place, head in enumerate(heads):
        justify: Any = "right" if head.startswith("#") else "left"
        table.add_column(
            head.lstrip("#"), footer=foot[place] if foot else "", justify=justify, footer_style="bold", overflow="fold"
        )
    for row in rows:
        table.add_row(*row)
    out.print()
    out.print(table)


def _say(out: Console, text: str, style: str = "") -> None:
    out.print(text, style=style, markup=False, soft_wrap=False)


def _console() -> Console:
    """A terminal gets colour and at most WIDTH columns; a pipe gets plain text of that width."""
    console = Console(highlight=False, file=sys.stdout)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    return console
