"""What the owner of a source takes to their system: the scorecard's faults, and the rows to mend. Audited exports.

References are keys, files and lines; no other value of a row leaves here.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.exports import write_table
from pipelines.faults import BoroughlinkError
from pipelines.operations import opened_store
from pipelines.outgoing.files import noted, stamp_of, target_of
from pipelines.readiness.readiness_data import WORDS, ReadinessData, readiness_data
from pipelines.reading.answer import Answer
from pipelines.reading.purposes import contracts_at
from pipelines.reporting.quality_page import PAGE
from pipelines.scorecard.standing import ScorecardData, scorecard_data
from pipelines.settings import DataFolder
from pipelines.snapshots import open_snapshot, published_place
from pipelines.source_faults import reported_faults
from pipelines.stewardship.zone import PURPOSE, identity_zone

_SCORES = ("source", "owner", "extract", "principle", "state", "score", "change", "rule", "severity", "in words")
_COUNTS = ("rows that fail", "rows", "share allowed", "failing since", "reported by people")
_MENDS = ("source", "table", "row (key in the source system)", "column", "what to do", "links won, about")


def standing(folder: DataFolder) -> tuple[ScorecardData, ReadinessData]:
    """Scorecard and readiness of what is published, with the faults that people reported since."""
    with opened_store(folder) as operations:
        reported = reported_faults(operations)
    with open_snapshot(folder) as (wh, _):
        return scorecard_data(wh, reported), readiness_data(wh)


def readiness_of(folder: DataFolder) -> Answer:
    """How ready each source is to be linked, and what to mend first."""
    _, ready = standing(folder)
    if not ready.sources:
        return Answer(("No source at hand holds people, so there was nothing to link.",))
    sources = [
        (
            each.source,
            each.records,
            round(each.recall, 4) if each.recall is not None else None,
            round(each.compared, 4) if each.compared is not None else None,
            each.unlinkable,
            round(each.placed / each.addresses, 4) if each.addresses and each.placed is not None else None,
            each.twins,
            each.collisions,
        )
        for each in ready.sources
    ]
    columns = ("source", "records", "expected recall", "compared", "can't be linked", "addresses with a UPRN")
    mends = [
        (each.source, each.field, each.rows, each.lacking, each.links_in_words) for each in ready.mends if each.rows
    ]
    least = [
        (each.grouping, each.group, each.records, round(each.recall or 0.0, 4), each.unlinkable)
        for each in ready.least_linkable()
    ]
    block = ready.largest_block
    said = [f"Expected recall {ready.recall:.4f}; estimated without a truth." if ready.recall is not None else ""]
    if not ready.calibrated:
        said.append("The model that scored is not calibrated: an order of what is worse, not shares.")
    if block:
        said.append(f"Largest block: {block.largest_block:,} records, of the rule {block.rule}.")
    return Answer(
        [line for line in said if line],
        [
            ("Readiness", (*columns, "like a twin", "same name at home"), sources),
            ("What to mend first", ("source", "field", "rows to mend", "rows that lack it", "links won"), mends),
            ("Whom it serves least", ("by", "group", "records", "expected recall", "can't be linked"), least),
        ],
    )


def page_of(folder: DataFolder) -> Path:
    """Where the quality page of the published run lies. Raises BoroughlinkError where a run wrote none."""
    page = published_place(folder) / PAGE
    if not page.exists():
        raise BoroughlinkError("The published run has no quality page: run again with --force.")
    return page


def write_scorecard(folder: DataFolder, out: Path, source: str | None, sources: str | None) -> str:
    """Every failing rule, and every square of the scorecard that holds, as CSV or XLSX; of one source or of all."""
    if source and source not in contracts_at(folder, sources):
        raise BoroughlinkError(f"There is no source {source}.")
    target = target_of(folder, out, (".csv", ".xlsx"))
    scores, _ = standing(folder)
    rows = [row for each in scores.sources if source in (None, each.source) for row in _score_rows(each)]
    purpose = f"data quality of {source or 'every source'}: for its owner"
    stamp = stamp_of(folder, purpose, scores.run_id)
    notice = "Counts and words only: no value of any row."
    told = noted(folder, "scorecard exported", target, len(rows), PURPOSE)
    write_table(target, (*_SCORES, *_COUNTS), rows, replace(stamp, notice=notice), "Scorecard")
    return told


def _score_rows(source: Any) -> list[tuple[Any, ...]]:
    rows = []
    for each in source.principles:
        head = (source.title, source.owner, source.extract_date, each.principle, each.state, each.score, each.change)
        failing = [rule for rule in each.rules if not rule.passed]
        for rule in failing:
            counts = (rule.failures, rule.rows, rule.allowed, rule.since, each.reported)
            rows.append((*head, rule.rule, rule.severity, rule.sentence, *counts))
        if not failing:
            rows.append((*head, "", "", " ".join(each.faults), None, None, None, None, each.reported))
    return rows


def write_rows(folder: DataFolder, source: str, what: str, out: Path, sources: str | None) -> str:
    """The rows of a source behind a failing rule, or those to fill a field in, by their references."""
    from pipelines.quality.failing_rows import HEAD, failing_rows

    contracts = contracts_at(folder, sources)
    if source not in contracts:
        raise BoroughlinkError(f"There is no source {source}.")
    contract, target = contracts[source], target_of(folder, out, (".csv", ".xlsx"))
    with identity_zone(folder) as wh:
        if what in WORDS:
            head, rows = _MENDS, _rows_to_fill(wh, source, what)
        else:
            head, rows = HEAD, failing_rows(wh, contract, what)
    if not rows:
        return "No row to mend."
    stamp = stamp_of(folder, f"rows of {contract.title} to mend: for {contract.owner}", published_place(folder).name)
    notice = "References into the source system only: no other value of a row. They lead to people; handle them so."
    told = noted(folder, "rows to mend exported", target, len(rows), PURPOSE)
    write_table(target, head, rows, replace(stamp, notice=notice), "Rows")
    return told


def _rows_to_fill(wh: Any, source: str, field: str) -> list[tuple[Any, ...]]:
    if not wh.exists("identity.quality.readiness_row"):
        raise BoroughlinkError("Readiness was not measured in the last run: run again with --force.")
    return [
        (source, "", key, field, f"fill in the {WORDS[field]}", round(links, 2))
        for key, links in wh.rows(
            """-- one row per record to mend, those that win the most first
            SELECT r.source_key, w.links FROM identity.quality.readiness_row w
            JOIN identity.people.record r USING (record_id)
            WHERE w.source = ? AND w.field = ? AND r.sensitivity IS NULL ORDER BY w.links DESC, r.source_key""",
            [source, field],
        )
    ]
