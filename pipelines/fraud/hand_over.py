"""Flagged pairs as the files that the fraud team opens: XLSX and CSV through the one way out."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from linkage_models.person.agreements import agreement
from pipelines.exports import NO_ASSUMPTION, Stamp, write_table
from pipelines.fraud.rules import PURPOSE, RULES
from pipelines.sources.footing import old_extracts
from pipelines.warehouse import Warehouse

NOTICE = NO_ASSUMPTION
FLAGGED = "identity.fraud.flagged_pair"
COLUMNS = {
    "position": "Order",
    "flag_id": "Pair",
    "rule": "Rule",
    "strength": "Strength",
    "sentence": "What was seen",
    "evidence_for": "Evidence for a look",
    "evidence_against": "Evidence against",
    "expected_retained": "Expected value kept, pounds",
    "value_gross": "Value, pounds",
    "value_retained": "Value kept by the council, pounds",
    "subject_source": "Source",
    "subject_ref": "Reference",
    "subject_name": "Name",
    "address": "Address",
    "uprn": "UPRN",
    "ward": "Ward",
    "subject_from": "Since",
    "other_source": "Other source",
    "other_ref": "Other reference",
    "other_name": "Other name",
    "other_address": "Other address",
    "other_uprn": "Other UPRN",
    "other_from": "Other since",
    "subject_record_id": "Record",
    "other_record_id": "Other record",
    "link_weight": "Match weight, bits",
    "link_basis": "Why the records stand together",
    "values_version": "Values of",
}
SCORED = "scored against each other: "  # kin.sql names the rule that brought the pair together after it
TITLES = {rule.name: rule.title for rule in RULES}


def write_flagged_pairs(wh: Warehouse, folder: Path, days: int, table: str = FLAGGED) -> int:
    """Write `flagged_pairs.csv` and `.xlsx` into a folder; return the pairs written."""
    folder.mkdir(parents=True, exist_ok=True)
    write_one(wh, folder / "flagged_pairs.csv", days, table)
    return write_one(wh, folder / "flagged_pairs.xlsx", days, table)


def write_one(wh: Warehouse, path: Path, days: int, table: str = FLAGGED) -> int:
    """Write the pairs to one .csv or .xlsx file, in order of expected value; return the pairs written.

    Pairs that touch a restricted record stay out: they belong to the restricted queue. `days` is how long the file may
    be kept from the day of the run; the notice stands in the stamp and as the last column of every row.
    """
    chosen = ", ".join(COLUMNS)
    pairs = wh.rows(f"SELECT {chosen} FROM {table} WHERE NOT is_restricted ORDER BY position")
    rows = [(*(in_words(column, value) for column, value in zip(COLUMNS, pair, strict=True)), NOTICE) for pair in pairs]
    heads = (*COLUMNS.values(), "Notice")
    old = old_extracts(wh, table.split(".")[0])
    stamp = Stamp(PURPOSE, wh.run_id, wh.as_of + timedelta(days=days), NOTICE, old)
    return write_table(path, heads, rows, stamp, "Flagged pairs")


def in_words(column: str, value: Any) -> Any:
    """A value as an officer reads it: titles for codes, evidence as sentences, weights to one place."""
    match column:
        case "rule":
            return TITLES[value]
        case "subject_source" | "other_source":
            return value.replace("_", " ").capitalize()
        case "evidence_for" | "evidence_against":
            return " ".join(value) or "Nothing in the records."
        case "link_weight":
            return None if value is None else round(value, 1)
        case "link_basis":
            rule = value.removeprefix(SCORED)
            return value if rule == value else f"{SCORED}they agree on {agreement(rule)}"
        case _:
            return value
