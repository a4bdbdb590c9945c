"""The operational store: runs, decisions, audit, releases; SQLite (WAL, synchronous FULL) or Postgres by URL.

Decisions and audit entries are append-only: the database itself refuses to change or delete them. Free text, and which
records a decision is about, lie sealed in `payload`: they can be erased while what was decided still counts.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from pipelines.faults import BoroughlinkError, Refusal
from pipelines.keys.for_good import taken_back
from pipelines.keys.keyring import STORE, Keyring, open_keyring
from pipelines.keys.pseudonyms import record_name
from pipelines.keys.row_macs import RowChanged, require_as_written, rewrite, with_mac
from pipelines.keys.sealed_texts import erased, opened, sealed_payload
from pipelines.settings import SETTINGS_FILE, DataFolder, load_settings
from pipelines.store_schema import brought_up_to_date, durable, revision
from pipelines.store_tables import (
    audit_table,
    decision_table,
    payload_table,
    release_table,
    request_table,
    run_table,
    source_fault_table,
)


class Operations:
    """The store of one data folder; every write is its own transaction and durable when the call returns."""

    def __init__(self, engine: sa.Engine, keyring: Keyring, folder: DataFolder | None = None) -> None:
        self.engine = engine
        self.keyring = keyring
        self.folder = folder
        #: The schema that this process writes by, once it has brought the store up to date.
        self.schema: str | None = None

    @classmethod
    def open(cls, folder: DataFolder, keyring: Keyring, url: str | None = None, lenient: bool = False) -> "Operations":
        """Open the store at the data folder, or at the URL that is given or set, bringing its schema up to date.

        Raises BoroughlinkError when the store can't be opened or was made by a newer version, Refusal for what was for
        good and was taken back (`lenient`: but for settings that no longer say that the people are real).
        """
        settings = load_settings(folder)
        url = url or settings.operations_url
        engine = sa.create_engine(
            url or sa.URL.create("sqlite", database=str(folder.operations)),
            connect_args={} if url else {"timeout": 30},
            hide_parameters=True,  # the text of a fault would quote them
        )
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", durable)
        try:
            brought_up_to_date(engine, keyring)
        except SQLAlchemyError:
            raise BoroughlinkError(
                "The operational store on Postgres can't be reached, or its database is not ours to write to."
                if url
                else f"The operational store {folder.operations} can't be opened: damaged, in use, read-only, or the"
                " disk is full."
            ) from None
        if not url:
            folder.operations.chmod(0o600)
        store = cls(engine, keyring, folder)
        with store.begin() as db:
            store.schema = revision(db)
        if why := taken_back(store.first_of, settings.holds, keyring.keys, folder.root / SETTINGS_FILE, lenient):
            store.close()
            raise Refusal(why)
        return store

    def first_of(self, event: str) -> dict[str, str]:
        """When the audit first tells of an event, by what it is about."""
        told, at = audit_table.c.object, sa.func.min(audit_table.c.at)
        with self.begin() as db:
            return {
                row[0]: row[1]
                for row in db.execute(sa.select(told, at).where(audit_table.c.event == event).group_by(told))
            }

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction. Raises Refusal when another version has brought the store to its own schema meanwhile."""
        with self.engine.begin() as connection:
            if self.schema is not None and revision(connection) != self.schema:
                raise Refusal(
                    "The operational store was upgraded by a newer version of boroughlink while this one was running: "
                    "nothing is read or written by the old one. Stop it, and start it anew."
                )
            yield connection

    def start_run(self, run_id: str, started_by: str) -> None:
        with self.begin() as db:
            row = {
                "run_id": run_id, "state": "running", "started_by": started_by[:120], "started_at": timestamp(),
                "published": False,
            }  # fmt: skip
            self.write_rows(db, run_table, [row])

    def end_run(
        self, run_id: str, state: str, published: bool, input_mark: str | None, summary: dict[str, Any]
    ) -> None:
        with self.begin() as db:
            row = db.execute(sa.select(run_table).where(run_table.c.run_id == run_id)).mappings().one()
            rewrite(
                db, self.keyring, run_table, row, state=state, published=published, ended_at=timestamp(),
                input_mark=input_mark, summary=json.dumps(summary, sort_keys=True),
            )  # fmt: skip
            if state == "abandoned":  # what it built went with it
                built = sa.select(release_table).where(release_table.c.run_id == run_id)
                for row in db.execute(built).mappings().all():
                    rewrite(db, self.keyring, release_table, row, state="withdrawn")

    def runs(self, state: str | None = None) -> list[dict[str, Any]]:
        """Runs, newest first. Raises RowChanged."""
        query = sa.select(run_table).order_by(run_table.c.started_at.desc(), run_table.c.run_id.desc())
        if state:
            query = query.where(run_table.c.state == state)
        return [dict(row) for row in self.rows(run_table, query)]

    def add_decisions(self, decisions: Sequence[dict[str, Any]], made_by: str, batch: str) -> int:
        """Append pair decisions of one batch, all or none; a batch that is already there adds nothing.

        Each needs kind, record_l, record_r; may have same, inclusion_probability, reason, fingerprints, model_version.
        """
        with self.begin() as db:
            return self.append_decisions(db, decisions, made_by, batch)

    def append_decisions(self, db: sa.Connection, decisions: Sequence[dict[str, Any]], made_by: str, batch: str) -> int:
        """add_decisions inside a transaction of the caller's."""
        made_at, rows, payloads = timestamp(), [], []

        def sealed(text: str) -> str:
            payloads.append(sealed_payload(self.keyring, text.encode()))
            return str(payloads[-1]["payload_id"])

        for decision in decisions:
            left, right = sorted("lr", key=lambda side: record_name(self.keyring, decision[f"record_{side}"]))
            row = {**decision, "batch": batch, "made_by": made_by[:120]}
            for side, given in (("l", left), ("r", right)):
                row[f"record_{side}"] = record_name(self.keyring, decision[f"record_{given}"])
                row[f"fingerprint_{side}"] = decision.get(f"fingerprint_{given}")
            row["records"] = sealed(json.dumps([decision[f"record_{left}"], decision[f"record_{right}"]]))
            if row.get("reason"):
                row["reason"] = sealed(row["reason"])
            rows.append(row | {"made_at": made_at})
        try:
            known = sa.select(sa.func.count()).where(decision_table.c.batch == batch)
            if db.execute(known).scalar_one():
                return 0
            if payloads:
                db.execute(sa.insert(payload_table), payloads)
            self.write_rows(db, decision_table, rows)
        except IntegrityError:
            raise BoroughlinkError("The same pair stands twice in these decisions: none was taken in.") from None
        return len(rows)

    def write_rows(self, db: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> int:
        """Append rows with their MACs, inside a transaction of the caller's; returns the number of the last. Where a
        table numbers its rows, which says what came last, they are numbered here: the MACs cover it."""
        (key,), last = table.primary_key, 0
        if isinstance(key.type, sa.Integer):
            self.take_write_lock(db, table)
            last = db.scalar(sa.select(sa.func.max(key))) or 0
            rows = [{**row, key.name: number} for number, row in enumerate(rows, start=last + 1)]
        if rows:
            db.execute(sa.insert(table), [with_mac(self.keyring, table, row) for row in rows])
        return last + len(rows)

    def rows(self, table: sa.Table, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        """Rows of a table, which may come with columns of others, each as it was written. Raises RowChanged."""
        try:
            with self.begin() as db:
                rows = db.execute(query).mappings().all()
        except (TypeError, ValueError):  # SQLite keeps a text where a number should be
            raise RowChanged(table.name, "with a text for a number") from None
        for row in rows:
            require_as_written(self.keyring, table, row)
        return rows

    def take_write_lock(self, db: sa.Connection, table: sa.Table) -> None:
        """One writer of the table at a time, until the transaction ends: it reads what came last, and follows it."""
        lock = {"sqlite": "UPDATE run SET state = state WHERE 0"}
        db.exec_driver_sql(lock.get(self.engine.dialect.name, f"LOCK TABLE {table.name} IN EXCLUSIVE MODE"))

    def decisions(
        self, among: Sequence[str] | None = None, labels: bool = False, like: int | None = None
    ) -> list[dict[str, Any]]:
        """The standing decisions: the latest one of each pair and sort (links and unsure; labels apart); with `among`,
        only those between two of these records; with `labels`, labels alone; with `like`, those on that one's pair.

        `record_l` < `record_r` are record ids. A decision whose records were erased is no longer among them, nor is one
        that was withdrawn, or a label that was left unanswered. Raises RowChanged.
        """
        query = (
            sa.select(decision_table, payload_table.c.sealed)
            .outerjoin(payload_table, payload_table.c.payload_id == decision_table.c.records)
            .order_by(decision_table.c.decision_id)
        )
        if among is not None:
            names = [record_name(self.keyring, record) for record in among]
            query = query.where(decision_table.c.record_l.in_(names), decision_table.c.record_r.in_(names))
        if labels:
            query = query.where(decision_table.c.kind == "label")
        if like is not None:
            one = decision_table.alias()
            query = query.join(
                one, sa.and_(*(one.c[side] == decision_table.c[side] for side in ("record_l", "record_r")))
            ).where(one.c.decision_id == like)
        rows = self.rows(decision_table, query)
        latest = {(row["record_l"], row["record_r"], row["kind"] == "label"): dict(row) for row in rows}
        standing = filter(None, (self._opened(row) for row in latest.values() if _says_something(row)))
        return sorted(standing, key=lambda row: (row["record_l"], row["record_r"], row["kind"] == "label"))

    def _opened(self, row: dict[str, Any]) -> dict[str, Any] | None:
        """A decision with its record ids in the place of their keyed names, the smaller one first; None once erased."""
        said = opened(self.keyring, row["records"], row.pop("sealed"))
        if said is None:
            return None
        records = json.loads(said)
        seen = dict(zip(records, (row["fingerprint_l"], row["fingerprint_r"]), strict=True))
        for side, record in zip("lr", sorted(records), strict=True):
            row[f"record_{side}"], row[f"fingerprint_{side}"] = record, seen[record]
        return row

    def seal(self, db: sa.Connection, text: str) -> str:
        """Put a text among the sealed payloads, inside a transaction of the caller's; return its id."""
        row = sealed_payload(self.keyring, text.encode())
        db.execute(sa.insert(payload_table).values(**row))
        return str(row["payload_id"])

    def reason(self, payload_id: str) -> str | None:
        """A sealed text, such as the reason of a decision, opened; None when it was erased."""
        with self.begin() as db:
            sealed = db.scalar(sa.select(payload_table.c.sealed).where(payload_table.c.payload_id == payload_id))
        said = opened(self.keyring, payload_id, sealed)
        return None if said is None else said.decode()

    def erase_records(self, record_ids: Sequence[str]) -> int:
        """Erase what decisions and reported faults say of these records: which records they were, reasons and notes.
        Returns the decisions.

        Their rows stay, and say no more than that somebody decided or reported something on a day.
        """
        names = [record_name(self.keyring, record) for record in record_ids]
        about = sa.or_(decision_table.c.record_l.in_(names), decision_table.c.record_r.in_(names))
        with self.begin() as db:
            rows = db.execute(sa.select(decision_table.c.records, decision_table.c.reason).where(about)).all()
            gone = [payload for row in rows for payload in row if payload]
            reported = sa.select(source_fault_table.c.sealed).where(source_fault_table.c.record.in_(names))
            gone += db.scalars(reported)
        self.forget(gone)
        return len(rows)

    def reseal_request(self, request_id: str, text: str | None) -> None:
        """Put another text in the place of what a request says; None erases it."""
        said = sa.select(request_table.c.said).where(request_table.c.request_id == request_id)
        with self.begin() as db:
            payload_id = str(db.execute(said).scalar_one())
            sealed = (
                erased(self.keyring, payload_id)
                if text is None
                else self.keyring.encrypt("fields", text.encode(), payload_id.encode())
            )
            db.execute(sa.update(payload_table).where(payload_table.c.payload_id == payload_id).values(sealed=sealed))
        self._empty_log()

    def forget(self, payload_ids: Sequence[str]) -> None:
        """Erase sealed payloads for good."""
        with self.begin() as db:
            for payload_id in payload_ids:
                gone = sa.update(payload_table).where(payload_table.c.payload_id == payload_id)
                db.execute(gone.values(sealed=erased(self.keyring, payload_id)))
        self._empty_log()

    def _empty_log(self) -> None:
        """What was zeroed still lies in SQLite's write-ahead log while another process keeps the store open."""
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def add_release(self, **values: Any) -> None:
        with self.begin() as db:
            self.write_rows(db, release_table, [values])


@contextmanager
def standing_store(folder: DataFolder, keys: Iterable[str] = STORE) -> Iterator[Operations]:
    """The store of a data folder that is there already: nothing is made for whoever mistypes its name.

    Raises BoroughlinkError as opened_store does, and where there is no data folder."""
    if not folder.keys.is_dir():
        raise BoroughlinkError(f"There is no data folder at {folder.root}.")
    with opened_store(folder, keys) as operations:
        yield operations


@contextmanager
def opened_store(folder: DataFolder, keys: Iterable[str] = STORE) -> Iterator[Operations]:
    """The store of a data folder, with no more keys than these. Raises BoroughlinkError when either can't be opened."""
    operations = Operations.open(folder, open_keyring(folder, load_settings(folder), keys))
    try:
        yield operations
    finally:
        operations.close()


def _says_something(decision: dict[str, Any]) -> bool:
    return decision["kind"] != "withdrawn" and not (decision["kind"] == "label" and decision["same"] is None)


def timestamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
