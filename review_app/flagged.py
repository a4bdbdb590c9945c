"""Flagged pairs as cases: what a run flagged, what officers have done about it, and what is shown of whom."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from pipelines.faults import plural
from pipelines.governance import audit
from pipelines.operations import Operations, timestamp
from review_app.kin import kept_from
from review_app.published import Snapshot
from review_app.roles import User
from review_app.tables import case_table

TABLE = "published.fraud.flagged_pair"
STATES = {"new": "New", "assigned": "Assigned", "enquiring": "Enquiring", "closed": "Closed"}
OUTCOMES = {
    "no_issue": "No issue",
    "two_people": "Our records were wrong: two different people",
    "our_error": "Our records were wrong in another way",
    "customer_error": "The customer made a mistake",
    "referred": "Suspected fraud, referred",
}
COLUMNS = (
    "flag_id", "position", "rule", "strength", "sentence", "evidence_for", "evidence_against", "expected_retained",
    "value_gross", "value_retained", "subject_source", "subject_ref", "subject_name", "subject_record_id",
    "subject_from", "other_source", "other_ref", "other_name", "other_record_id", "other_from", "address",
    "other_address", "ward",
    "link_weight", "link_probability", "is_restricted",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """Where the work on a pair stands."""

    state: str = "new"
    owner: str | None = None
    outcome: str | None = None
    amount: Decimal | None = None
    updated_at: str | None = None


@dataclass(frozen=True)
class Flag:
    """A flagged pair of the run, and its case; `open` once somebody gave a reason to see who it is."""

    raw: dict[str, Any] = field(repr=False)
    title: str
    case: Case = Case()
    open: bool = False

    @cached_property
    def flag_id(self) -> str:
        return str(self.raw["flag_id"])

    @property
    def records(self) -> list[str]:
        return sorted({each for each in (self.raw["subject_record_id"], self.raw["other_record_id"]) if each})

    @cached_property
    def since(self) -> date | None:
        """The day from which both entries stand."""
        days = [day for day in (self.raw["subject_from"], self.raw["other_from"]) if day]
        return max(days) if days else None

    def days(self, today: date) -> int:
        return (today - self.since).days if self.since else 0

    def long(self, today: date) -> str:
        """How long both entries have stood, as people say it: `24 days`, `9 months`, `9 years`."""
        days = self.days(today)
        years, months = days // 365, days // 30
        return plural(years, "year") if years > 1 else plural(months, "month") if months > 1 else plural(days, "day")

    def side(self, side: str) -> dict[str, Any]:
        """One of the two records, masked unless open."""
        address = self.raw["address"] if side == "subject" else self.raw["other_address"]
        name, ref = self.raw[f"{side}_name"], self.raw[f"{side}_ref"]
        return {
            "source": str(self.raw[f"{side}_source"]).replace("_", " ").capitalize(),
            "ref": ref if self.open else masked_ref(ref),
            "name": name if self.open else initials(name),
            "address": address if self.open else ("in the borough" if address else None),
            "since": self.raw[f"{side}_from"],
        }

    @property
    def sentence(self) -> str:
        return self.said(str(self.raw["sentence"]))

    def said(self, text: str) -> str:
        """A text of the run with the references in it masked unless open."""
        if self.open:
            return text
        for ref in sorted({self.raw["subject_ref"], self.raw["other_ref"]}, key=lambda each: -len(str(each))):
            text = text.replace(str(ref), masked_ref(ref)) if ref else text
        return text


def initials(name: str | None) -> str:
    """`J. S.`: enough to know two entries apart."""
    words = [word for word in (name or "").split() if word.rstrip(".").upper() not in _TITLES]
    return " ".join(f"{word[0]}." for word in words) or "not held"


_TITLES = {"MR", "MRS", "MISS", "MS", "DR", "MX", "REV", "SIR", "LADY", "PROF"}


def masked_ref(ref: str | None) -> str:
    """A reference by its last signs."""
    return f"…{ref[-3:]}" if ref else "none"


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed to; empty means everything."""

    rule: str = ""
    state: str = ""
    owner: str = ""
    ward: str = ""
    strength: str = ""
    least: int = 0
    days: int = 0

    def admits(self, flag: Flag, today: date) -> bool:
        raw, case = flag.raw, flag.case
        return (
            (not self.rule or raw["rule"] == self.rule)
            and (not self.state or case.state == self.state or (self.state == "open" and case.state != "closed"))
            and (not self.owner or case.owner == self.owner or (self.owner == "nobody" and not case.owner))
            and (not self.ward or raw["ward"] == self.ward)
            and (not self.strength or raw["strength"] == self.strength)
            and float(raw["expected_retained"] or 0) >= self.least
            and flag.days(today) >= self.days
        )


def flags(snapshot: Snapshot, operations: Operations, user: User) -> list[Flag]:
    """All pairs of the run but those of protected people and of the user's own, in order of expected value."""
    known, own = cases(operations), _own(snapshot, operations, user)
    return [
        replace(each, case=known[each.flag_id]) if each.flag_id in known else each
        for each in keep(snapshot).values()
        if not own or own.isdisjoint(each.records)
    ]


def flag(snapshot: Snapshot, operations: Operations, user: User, flag_id: str, opened: bool = False) -> Flag | None:
    """One pair, None if it is not in the run, is that of protected people, or of the user's own."""
    found = keep(snapshot).get(flag_id)
    if found is None or not _own(snapshot, operations, user).isdisjoint(found.records):
        return None
    return replace(found, case=cases(operations, [flag_id]).get(flag_id, Case()), open=opened)


def keep(snapshot: Snapshot) -> dict[str, Flag]:
    """Pairs of a run by name, in their order, as if nobody had worked on them; without those of protected people."""
    return snapshot.once("flagged pairs", _read)


def _read(snapshot: Snapshot) -> dict[str, Flag]:
    if not snapshot.has(TABLE):
        return {}
    titled = rule_titles(snapshot)
    rows = snapshot.wh.rows(f"SELECT {', '.join(COLUMNS)} FROM {TABLE} WHERE NOT is_restricted ORDER BY position")
    every = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    return {
        raw["flag_id"]: Flag(raw, titled.get(raw["rule"], raw["rule"].replace("_", " ").capitalize())) for raw in every
    }


def _own(snapshot: Snapshot, operations: Operations, user: User) -> frozenset[str]:
    """Records of persons whom the user must not be given."""
    return frozenset(snapshot.records_of(sorted(kept_from(operations, snapshot, user))))


def rule_titles(snapshot: Snapshot) -> dict[str, str]:
    if not snapshot.has("published.fraud.rule"):
        return {}
    return dict(snapshot.wh.rows("SELECT rule, title FROM published.fraud.rule"))


def cases(operations: Operations, flag_ids: Sequence[str] | None = None) -> dict[str, Case]:
    """Where each touched case stands, from its events. Raises RowChanged."""
    query = sa.select(case_table).order_by(case_table.c.event_id)
    if flag_ids is not None:
        query = query.where(case_table.c.flag_id.in_(flag_ids))
    found: dict[str, Case] = {}
    for row in operations.rows(case_table, query):
        held = vars(found.get(row["flag_id"], Case())) | {"updated_at": row["made_at"]}
        if row["kind"] in ("state", "owner", "outcome"):
            held[row["kind"]] = row["value"]
        if row["kind"] == "outcome":
            held["amount"] = row["amount"]
        found[row["flag_id"]] = Case(**held)
    return found


def events(operations: Operations, flag_id: str) -> list[dict[str, Any]]:
    """What was done about a pair, oldest first, notes opened."""
    query = sa.select(case_table).where(case_table.c.flag_id == flag_id).order_by(case_table.c.event_id)
    rows = [dict(row) for row in operations.rows(case_table, query)]
    for row in rows:
        row["text"] = operations.reason(row["note"]) if row["note"] else None
    return rows


def notes_of(operations: Operations, flag_ids: Collection[str]) -> dict[str, list[str]]:
    """Pair -> what officers noted on it, oldest first, each with its day and its author."""
    found: dict[str, list[str]] = {}
    query = (
        sa.select(case_table)
        .where(case_table.c.kind == "note", case_table.c.note.is_not(None))
        .order_by(case_table.c.event_id)
    )
    for row in operations.rows(case_table, query):
        if row["flag_id"] in flag_ids and (text := operations.reason(row["note"])):
            found.setdefault(row["flag_id"], []).append(f"{row['made_at'][:10]} {row['made_by']}: {text}")
    return found


def add_events(operations: Operations, flag_id: str, by: str, told: Sequence[dict[str, Any]]) -> None:
    """Append events (kind; value, amount, note) to a case, with one audit entry, all or none."""
    with operations.begin() as db:
        for each in told:
            note = operations.seal(db, each["note"][:2000]) if each.get("note") else None
            row = {
                "flag_id": flag_id, "kind": each["kind"], "value": each.get("value"), "amount": each.get("amount"),
                "note": note, "made_by": by, "made_at": timestamp(),
            }  # fmt: skip
            operations.write_rows(db, case_table, [row])
        audit.append(operations, db, by, "case worked on", flag_id, kinds=[each["kind"] for each in told])
