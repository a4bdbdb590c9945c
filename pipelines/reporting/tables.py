"""The tables of the page: figures as rows of words, in the order in which they are read."""

from dataclasses import dataclass
from typing import Any

from pipelines.reporting import summary
from pipelines.reporting.figures import Figures
from pipelines.reporting.pictures import band_words, expected, flagged_rules, size_words
from pipelines.reporting.rows import Score
from pipelines.reporting.words import (
    day,
    megabytes,
    number,
    order,
    per_cent,
    plain,
    plural,
    pounds,
    ratio,
    say,
    seconds,
    title,
)
from pipelines.scorecard.standing import PRINCIPLES

#: A cell of the overlap grid from white (none) to this blue (all); dark text keeps 7:1 on it.
SHADE = (0xA9, 0xCB, 0xE0)


@dataclass(frozen=True)
class ScoreCell:
    """One cell of the scorecard: `kind` is its style, `word` and `says` what it reads."""

    kind: str
    state: str
    word: str
    says: tuple[str, ...]


@dataclass(frozen=True)
class OverlapCell:
    persons: str
    share: str
    shade: str
    itself: bool


def rows(figures: Figures) -> dict[str, Any]:
    """Every table that the template shows, by the name under which it asks for it."""
    return _intake(figures) | _quality(figures) | _linked(figures) | _readers(figures) | _costs(figures)


def _intake(f: Figures) -> dict[str, Any]:
    totals = summary.source_totals(f)
    return {
        "source_rows": [
            (title(f, t.source), day(t.extract_date), number(t.records), number(t.set_aside), number(t.value_faults))
            for t in totals
        ],
        "source_foot": (
            "All sources",
            "",
            number(sum(t.records for t in totals)),
            number(sum(t.set_aside for t in totals)),
            number(sum(t.value_faults for t in totals)),
        ),
        "table_rows": [
            (title(f, t.source), t.table, day(t.extract_date), number(t.records), number(t.set_aside))
            for t in f.sources.rows
        ],
        "refusal_rows": [
            (title(f, r.source), day(r.extract_date) if r.extract_date else "unknown", r.reason)
            for r in f.refusals.rows
        ],
        "remark_rows": [
            (title(f, r.source), day(r.extract_date) if r.extract_date else "unknown", r.says) for r in f.remarks.rows
        ],
        "fault_rows": [
            (
                title(f, r.source),
                r.table,
                r.column or "(the whole row)",
                plain(r.kind),
                plain(r.reason),
                number(r.count),
            )
            for r in f.faults.rows
        ],
    }


def _quality(f: Figures) -> dict[str, Any]:
    scores = {(score.source, score.principle): score for score in f.scorecard.rows}
    sources = sorted({score.source for score in f.scorecard.rows})
    judged = [score for score in f.scorecard.rows if score.rules]
    failed = sum(score.critical for score in judged)
    warned = sum(score.warnings for score in judged)
    return {
        "quality_lead": (
            f"{plural(sum(score.rules for score in judged), 'rule')} were judged on the newest extracts: "
            f"{plural(failed, 'critical rule')} failed and {plural(warned, 'warning')} stand. "
            "A critical failure refuses the extract; a warning is shown and the extract goes on."
        ),
        "grid": [(title(f, s), [_score_cell(scores.get((s, principle))) for principle in PRINCIPLES]) for s in sources],
        "worst": [
            (title(f, s), plain(p), said)
            for s in sources
            for p in PRINCIPLES
            if (s, p) in scores
            for said in scores[s, p].faults
        ],
    }


def _score_cell(score: Score | None) -> ScoreCell:
    if score is None or not score.rules or score.score is None:
        return ScoreCell("none", "not judged", say("states", "not judged"), ("no rule",))
    broken = score.critical + score.warnings
    told = (f"score {score.score:g}", f"{score.rules - broken} of {plural(score.rules, 'rule')}")
    return ScoreCell(score.state, score.state, say("states", score.state), told)


def _linked(f: Figures) -> dict[str, Any]:
    addresses = summary.address_totals(f)
    sources = [row.source for row in f.coverage.rows]
    shared = {(row.source, row.other): row.persons for row in f.overlap.rows}
    held, matched = sum(a.with_address for a in addresses), sum(a.matched for a in addresses)
    by_weight = sorted(f.links.rows, key=lambda r: (r.lowest, r.tier))
    by_size = sorted(f.cluster_sizes.rows, key=lambda r: (r.size, r.view))
    return {
        "address_rows": [
            (
                title(f, a.source),
                number(a.with_address),
                number(a.matched),
                per_cent(a.matched, a.with_address),
                number(a.postcode_only),
            )
            for a in addresses
        ],
        "address_foot": (
            "All sources",
            number(held),
            number(matched),
            per_cent(matched, held),
            number(sum(a.postcode_only for a in addresses)),
        ),
        **_pivot(
            "method", "Source", [(title(f, r.source), say("methods", r.method), r.addresses) for r in f.addresses.rows]
        ),
        **_pivot("link", "Match weight", [(band_words(r.lowest), say("tiers", r.tier), r.links) for r in by_weight]),
        "link_foot": ("All pairs", *_column_sums([(say("tiers", r.tier), r.links) for r in f.links.rows])),
        "view_rows": [
            (
                say("views", v.view),
                number(v.records),
                number(v.persons),
                number(v.households),
                f"{v.records / v.persons:.2f}" if v.persons else "-",
            )
            for v in f.views.rows
        ],
        **_pivot("size", "Made of", [(size_words(r.size), say("views", r.view), r.persons) for r in by_size]),
        **_pivot(
            "resident", "Class", [(r.residence.capitalize(), say("views", r.view), r.persons) for r in f.residents.rows]
        ),
        "seen_rows": [
            (
                say("views", v.view),
                number(v.known),
                number(round(v.counted)),
                per_cent(v.counted, v.known),
                per_cent(v.farthest, 1),
                per_cent(v.farthest_by_age_and_sex, 1),
            )
            for v in f.seen_population.rows
        ],
        "ward_rows": [
            (
                w.ward,
                number(w.known),
                number(round(w.counted)),
                per_cent(round(w.counted) - w.known, w.known),
                per_cent(round(w.by_age_and_sex) - w.known, w.known),
                per_cent(round(w.reconciled) - w.known, w.known),
            )
            for w in f.wards.rows
        ],
        "coverage_rows": [
            (title(f, r.source), number(r.records), number(r.persons), per_cent(r.share, 1))
            for r in sorted(f.coverage.rows, key=lambda r: -r.share)
        ],
        "heat_heads": [plain(source) for source in sources],
        "heat": [(plain(s), [_overlap_cell(shared, s, other) for other in sources]) for s in sources],
    }


def _pivot(name: str, corner: str, counts: list[tuple[str, str, int]]) -> dict[str, Any]:
    """Counts by (row, column) as a table with a column each; rows keep their order, columns are by name."""
    columns = sorted({column for _, column, _ in counts})
    cells = {(row, column): count for row, column, count in counts}
    return {
        f"{name}_heads": [corner, *(f"#{column}" for column in columns)],
        f"{name}_rows": [
            (row, *(number(cells.get((row, column), 0)) for column in columns))
            for row in dict.fromkeys(row for row, _, _ in counts)
        ],
    }


def _column_sums(counts: list[tuple[str, int]]) -> list[str]:
    columns = sorted({column for column, _ in counts})
    return [number(sum(count for name, count in counts if name == column)) for column in columns]


def _overlap_cell(shared: dict[tuple[str, str], int], source: str, other: str) -> OverlapCell:
    persons, whole = shared.get((source, other), 0), shared.get((source, source), 0)
    share = persons / whole if whole else 0
    red, green, blue = (round(255 - (255 - tint) * share) for tint in SHADE)
    return OverlapCell(number(persons), per_cent(persons, whole), f"#{red:02x}{green:02x}{blue:02x}", source == other)


def _readers(f: Figures) -> dict[str, Any]:
    pairs = {(r.rule, r.strength): r.pairs for r in f.flagged.rows}
    strengths = order("strengths")
    return {
        "flagged_rows": [
            (say("rules", rule), *(number(pairs.get((rule, s), 0)) for s in strengths), expected(f, rule))
            for rule in flagged_rules(f)
        ],
        "flagged_foot": (
            "All rules",
            *(number(sum(n for (_, s), n in pairs.items() if s == strength)) for strength in strengths),
            pounds(summary.flagged(f)[1]),
        ),
        "risk_rows": [(plain(r.tier), number(r.persons), per_cent(r.share, 1)) for r in f.risk.rows],
        "backtest_rows": [
            (
                plain(r.scorecard),
                number(r.persons),
                number(r.outcomes),
                ratio(r.auc),
                ratio(r.bar),
                ratio(r.recall_top_5_percent),
                ratio(r.hit_rate_top_5_percent),
            )
            for r in f.backtest.rows
        ],
        "release_rows": [
            (
                plain(r.release),
                say("views", r.purpose),
                number(r.rows),
                number(r.rows_left_out),
                number(r.k_asked),
                number(r.k_measured),
            )
            for r in f.releases.rows
        ],
        "review_rows": [(say("reasons", r.reason.replace(" ", "_")), number(r.items)) for r in f.review.rows],
        "left_out_rows": [(plain(r.what), r.why) for r in f.left_out.rows],
    }


def _costs(f: Figures) -> dict[str, Any]:
    steps = f.steps.rows
    return {
        "step_rows": [(s.step, seconds(s.seconds), seconds(s.cpu_seconds), megabytes(s.peak_memory)) for s in steps],
        "step_foot": (
            "All steps",
            seconds(sum(s.seconds for s in steps)),
            seconds(sum(s.cpu_seconds for s in steps)),
            megabytes(max((s.peak_memory for s in steps), default=0)),
        ),
    }
