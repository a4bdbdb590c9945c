"""What reviewers decide, and what follows in the same transaction: pair decisions, an item's state, the audit."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from pipelines.governance import audit
from pipelines.keys.row_macs import require_as_written, rewrite
from pipelines.operations import Operations, timestamp
from pipelines.store_tables import decision_table
from review_app.answers import FIRM, VERDICTS, Given, alike, edges_of
from review_app.clusters import Cluster
from review_app.policy import policy
from review_app.records import Record
from review_app.tables import lease_table, one_at_a_time, state_table, verdict_table


class Stale(Exception):
    """The item is no longer what the reviewer saw, or somebody else has decided it; `why` is for the page."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Verdicts:
    """Verdicts in the operational store."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations

    def give(self, cluster: Cluster, run_id: str, model: str | None, given: Given, part: str = "first") -> int:
        """Record a verdict with all that follows from it, or nothing. Raises Stale."""
        if given.version != cluster.item.version:
            raise Stale("The records of this item have changed since you opened it.")
        with self.operations.begin() as db:
            one_at_a_time(self.operations, db)
            state = self._state(db, cluster.item.item_id)
            self._refuse_stale(state, cluster, given, part)
            edges = self._edges(db, cluster, given, part)
            batch = secrets.token_hex(16) if edges else None
            if batch:
                decisions = [self._decision(cluster, kind, left, right, model, given) for kind, left, right in edges]
                self.operations.append_decisions(db, decisions, given.by, batch)
            number = self._write(
                db,
                item_id=cluster.item.item_id,
                run_id=run_id,
                version=cluster.item.version,
                part=part,
                verdict=given.verdict,
                batch=batch,
                made_by=given.by,
                reason=given.reason[:40] or None,
                note=self.operations.seal(db, given.note[:2000]) if given.note else None,
                records=self.operations.seal(db, json.dumps([edges, list(given.chosen)])),
                seconds=given.seconds,
                blind=given.blind,
                model_version=model,
            )
            stands = {} if part == "gold" else {"stands": self._move(db, cluster, given, part, state)}
            db.execute(sa.delete(lease_table).where(lease_table.c.item_id == cluster.item.item_id))
            audit.append(
                self.operations, db, given.by, "verdict given", cluster.item.item_id,
                verdict=given.verdict, part=part, run=run_id, pairs=len(edges), number=number, **stands,
                **({"batch": batch, "decisions": len(edges)} if batch else {}),
            )  # fmt: skip
        return number

    def add_record(self, cluster: Cluster, found: Record, by: str, run_id: str, model: str | None, note: str) -> None:
        """Join a record that was found elsewhere to the item: one must-link, whatever is answered about the rest."""
        given = Given("same", by, cluster.item.version, (found.record_id,), "found", note)
        anchor = cluster.records[0]
        decision = self._decision(cluster, "must_link", anchor.record_id, found.record_id, model, given)
        decision["fingerprint_r"] = found.raw["fingerprint"]
        batch = secrets.token_hex(16)
        with self.operations.begin() as db:
            self.operations.append_decisions(db, [decision], by, batch)
            number = self._write(
                db,
                item_id=cluster.item.item_id,
                run_id=run_id,
                version=cluster.item.version,
                part="found",
                verdict="same",
                batch=batch,
                made_by=by,
                blind=False,
                model_version=model,
                note=self.operations.seal(db, note[:2000]) if note else None,
            )
            audit.append(
                self.operations, db, by, "record found", cluster.item.item_id,
                run=run_id, batch=batch, decisions=1, number=number,
            )  # fmt: skip

    def undo(self, by: str, number: int) -> str | None:
        """Take back a verdict of one's own; return its item, None if there is nothing to take back.

        What stood before on the same pairs stands again.
        """
        with self.operations.begin() as db:
            one_at_a_time(self.operations, db)
            row = db.execute(sa.select(verdict_table).where(verdict_table.c.verdict_id == number)).mappings().first()
            taken = db.execute(sa.select(verdict_table.c.verdict_id).where(verdict_table.c.undoes == number)).first()
            if row is None or row["made_by"] != by or row["verdict"] == "undo" or taken:
                return None
            require_as_written(self.operations.keyring, verdict_table, row)
            later = sa.select(verdict_table.c.verdict_id).where(
                verdict_table.c.item_id == row["item_id"],
                verdict_table.c.verdict_id > number,
                verdict_table.c.made_by != by,
                verdict_table.c.part != "gold",
            )
            if db.execute(later).first():  # somebody has built on it
                return None
            batch, decided = self._withdraw(db, row["batch"], by, number) if row["batch"] else (None, 0)
            same = {name: row[name] for name in ("item_id", "run_id", "version", "part", "blind", "model_version")}
            undoing = self._write(db, **same, verdict="undo", batch=batch, undoes=number, made_by=by)
            told: dict[str, Any] = {"batch": batch, "decisions": decided} if batch else {}
            if row["part"] not in ("gold", "found"):
                told["stands"] = self._reopen(db, row)
            audit.append(
                self.operations, db, by, "verdict taken back", row["item_id"], number=undoing, undoes=number, **told
            )
        return str(row["item_id"])

    def last(self, by: str) -> dict[str, Any] | None:
        """The newest verdict of somebody that can still be taken back."""
        undone = sa.select(verdict_table.c.undoes).where(verdict_table.c.undoes.is_not(None))
        query = (
            sa.select(verdict_table)
            .where(
                verdict_table.c.made_by == by,
                verdict_table.c.verdict != "undo",
                verdict_table.c.verdict_id.not_in(undone),
            )
            .order_by(verdict_table.c.verdict_id.desc())
            .limit(1)
        )
        with self.operations.begin() as db:
            row = db.execute(query).mappings().first()
        return dict(row) if row else None

    def history(self, item_id: str) -> list[dict[str, Any]]:
        """All verdicts on an item, oldest first, notes opened. Raises RowChanged."""
        query = sa.select(verdict_table).where(verdict_table.c.item_id == item_id).order_by(verdict_table.c.verdict_id)
        rows = [dict(row) for row in self.operations.rows(verdict_table, query)]
        for row in rows:
            row["text"] = self.operations.reason(row["note"]) if row["note"] else None
        return rows

    def states(self, item_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """item -> where it stands, for those that were touched."""
        query = sa.select(state_table).where(state_table.c.item_id.in_(item_ids))
        return {row["item_id"]: dict(row) for row in self.operations.rows(state_table, query)}

    def in_state(self, *states: str) -> list[dict[str, Any]]:
        """Items that stand so, oldest first; what is chosen of them is held against its MAC when it is answered."""
        query = sa.select(state_table).where(state_table.c.state.in_(states)).order_by(state_table.c.updated_at)
        with self.operations.begin() as db:
            return [dict(row) for row in db.execute(query).mappings()]

    def standing(self, record_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """The standing decisions (kind, record, record) among these records."""
        found = self.operations.decisions(among=record_ids)
        return [(row["kind"], row["record_l"], row["record_r"]) for row in found if row["kind"] != "label"]

    # ------------------------------------------------------------------ inside a transaction

    def _write(self, db: sa.Connection, **verdict: Any) -> int:
        return self.operations.write_rows(db, verdict_table, [verdict | {"made_at": timestamp()}])

    def _state(self, db: sa.Connection, item_id: str) -> dict[str, Any] | None:
        row = db.execute(sa.select(state_table).where(state_table.c.item_id == item_id)).mappings().first()
        if row:
            require_as_written(self.operations.keyring, state_table, row)
        return dict(row) if row else None

    def _refuse_stale(self, state: dict[str, Any] | None, cluster: Cluster, given: Given, part: str) -> None:
        if part == "gold":
            return
        standing = state["state"] if state and not reopened(state, cluster.item.version) else "open"
        wanted = {"second": ("second",), "adjudication": ("dispute",)}.get(part, ("open", "waiting"))
        if standing not in wanted:
            mine = state is not None and given.by in (state["first_by"], state["second_by"])
            raise Stale(
                "You have answered this item already, perhaps in another window. Your first answer stands."
                if mine
                else "Somebody else has answered this item since you opened it."
            )
        if part == "second" and state and state["first_by"] == given.by:
            raise Stale("You gave the first answer: the second look is somebody else's.")

    def _edges(self, db: sa.Connection, cluster: Cluster, given: Given, part: str) -> list[tuple[str, str, str]]:
        if part == "gold":
            return []
        if part == "second" and (first := self._verdict_of(db, cluster.item.item_id, "first")):
            if first["verdict"] in FIRM and (given.verdict not in FIRM or alike(first["verdict"], given.verdict)):
                return []  # the first answer stands
            if first["verdict"] in FIRM:  # two firm answers that differ hold nothing until a third decides
                edges, _ = json.loads(self.operations.reason(first["records"]) or "[[], []]")
                return [("unsure", left, right) for _, left, right in edges]
        if part == "sample":
            return (
                [("label", cluster.left or "", cluster.right or "")] if given.verdict in ("same", "different") else []
            )
        return edges_of(cluster, given.verdict, given.chosen)

    def _decision(
        self, cluster: Cluster, kind: str, left: str, right: str, model: str | None, given: Given
    ) -> dict[str, Any]:
        seen = {record.record_id: record.raw["fingerprint"] for record in cluster.records}
        told: dict[str, Any] = {
            "kind": kind,
            "record_l": left,
            "record_r": right,
            "fingerprint_l": seen.get(left),
            "fingerprint_r": seen.get(right),
            "model_version": model,
            "reason": given.note or given.reason or None,
        }
        if kind == "label":
            told["same"] = given.verdict == "same"
            if cluster.sample:
                told["inclusion_probability"] = cluster.sample.inclusion_probability
                told["reason"] = cluster.sample.sample
        return told

    def _move(self, db: sa.Connection, cluster: Cluster, given: Given, part: str, state: dict[str, Any] | None) -> str:
        """Write where the item stands after a verdict; returns it."""
        item = cluster.item
        first_by, second_by = (given.by, None) if state is None else (state["first_by"], state["second_by"])
        if part == "sample" or part == "adjudication":
            stands = "done"
        elif part == "second":
            second_by = given.by
            first = self._verdict_of(db, item.item_id, "first")
            stands = self._after_second(db, first, given)
        else:
            first_by, second_by = given.by, None
            if given.verdict == "evidence":
                stands = "waiting"
            elif given.verdict == "unsure" or chosen_for_second(item.item_id):
                stands = "second"
            else:
                stands = "done"
        row = {
            "item_id": item.item_id, "state": stands, "version": item.version, "first_by": first_by,
            "second_by": second_by, "updated_at": timestamp(),
        }  # fmt: skip
        db.execute(sa.delete(state_table).where(state_table.c.item_id == item.item_id))
        self.operations.write_rows(db, state_table, [row])
        return stands

    def _after_second(self, db: sa.Connection, first: dict[str, Any] | None, given: Given) -> str:
        said = first["verdict"] if first else "unsure"
        if said in FIRM and given.verdict in FIRM:
            return "done" if alike(said, given.verdict) else "dispute"
        return "unsure" if given.verdict not in FIRM and said not in FIRM else "done"

    def _verdict_of(self, db: sa.Connection, item_id: str, part: str) -> dict[str, Any] | None:
        undone = sa.select(verdict_table.c.undoes).where(verdict_table.c.undoes.is_not(None))
        query = (
            sa.select(verdict_table)
            .where(
                verdict_table.c.item_id == item_id,
                verdict_table.c.part == part,
                verdict_table.c.verdict.in_(VERDICTS),
                verdict_table.c.verdict_id.not_in(undone),
            )
            .order_by(verdict_table.c.verdict_id.desc())
            .limit(1)
        )
        row = db.execute(query).mappings().first()
        if row:
            require_as_written(self.operations.keyring, verdict_table, row)
        return dict(row) if row else None

    def _withdraw(self, db: sa.Connection, batch: str, by: str, number: int) -> tuple[str, int]:
        """Write anew, as one batch, what stood on a batch's pairs before it; `withdrawn` where nothing did. Returns the
        batch, and how many decisions are in it."""
        undoing = hashlib.sha256(f"undo {number} {batch}".encode()).hexdigest()[:32]
        rows = db.execute(sa.select(decision_table).where(decision_table.c.batch == batch)).mappings().all()
        written = []
        for row in rows:
            label = row["kind"] == "label"
            before = (
                db.execute(
                    sa.select(decision_table)
                    .where(
                        decision_table.c.record_l == row["record_l"],
                        decision_table.c.record_r == row["record_r"],
                        (decision_table.c.kind == "label") == label,
                        decision_table.c.decision_id < row["decision_id"],
                    )
                    .order_by(decision_table.c.decision_id.desc())
                    .limit(1)
                )
                .mappings()
                .first()
            )
            again = dict(before or row)
            require_as_written(self.operations.keyring, decision_table, again)
            del again["decision_id"]
            if before is None:
                again |= {"kind": "label", "same": None} if label else {"kind": "withdrawn"}
            again |= {"batch": undoing, "made_by": by, "made_at": timestamp()}
            written.append(again)
        self.operations.write_rows(db, decision_table, written)
        return undoing, len(written)

    def _reopen(self, db: sa.Connection, row: Any) -> str | None:
        """Write where the item of a verdict that is taken back stands; returns it, None for where it stood at first."""
        which = state_table.c.item_id == row["item_id"]
        before: dict[str, dict[str, Any]] = {
            "second": {"state": "second", "second_by": None}, "adjudication": {"state": "dispute"},
        }  # fmt: skip
        held = db.execute(sa.select(state_table).where(which)).mappings().first()
        if held is None or row["part"] not in before:
            db.execute(sa.delete(state_table).where(which))
            return None
        rewrite(db, self.operations.keyring, state_table, held, **before[row["part"]])
        return str(before[row["part"]]["state"])


def reopened(state: dict[str, Any], version: str) -> bool:
    """Whether an item that nobody was sure of is to be asked again: its records have changed since."""
    return state["state"] in ("unsure", "waiting", "second", "dispute") and state["version"] != version


def chosen_for_second(item_id: str) -> bool:
    """Whether a firm verdict on the item is looked at twice: a share, by a hash of its name."""
    chance = int.from_bytes(hashlib.sha256(f"second {item_id}".encode()).digest()[:4], "big") / 2**32
    return chance < float(policy()["second_share"])
