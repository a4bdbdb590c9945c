"""Tables of the operational store that every room knows; a room keeps its own tables, under this metadata."""

import sqlalchemy as sa

metadata = sa.MetaData()

run_table = sa.Table(
    "run",
    metadata,
    sa.Column("run_id", sa.String(40), primary_key=True),
    sa.Column("state", sa.String(12), nullable=False),  # running, committed, abandoned
    sa.Column("started_by", sa.String(120), nullable=False),
    sa.Column("started_at", sa.String(32), nullable=False),
    sa.Column("ended_at", sa.String(32)),
    sa.Column("published", sa.Boolean, nullable=False, default=False),
    sa.Column("input_mark", sa.String(64)),  # what the run stood on: deliveries, contracts, decisions, code
    sa.Column("summary", sa.Text),
    sa.Column("mac", sa.String(64)),
)
payload_table = sa.Table(
    "payload",
    metadata,
    sa.Column("payload_id", sa.String(32), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)
decision_table = sa.Table(
    "decision",
    metadata,
    sa.Column("decision_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("batch", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(12), nullable=False),  # must_link, cannot_link, unsure, withdrawn, label
    sa.Column("record_l", sa.String(200), nullable=False),  # keyed names: a record id holds a source's key
    sa.Column("record_r", sa.String(200), nullable=False),
    sa.Column("fingerprint_l", sa.String(64)),
    sa.Column("fingerprint_r", sa.String(64)),
    sa.Column("same", sa.Boolean),  # for labels
    sa.Column("inclusion_probability", sa.Float),
    sa.Column("made_by", sa.String(120), nullable=False),
    sa.Column("made_at", sa.String(32), nullable=False),
    sa.Column("reason", sa.String(32), sa.ForeignKey("payload.payload_id")),
    sa.Column("model_version", sa.String(80)),
    sa.Column("records", sa.String(32)),  # payload: the two record ids, in the order of record_l and record_r
    sa.Column("mac", sa.String(64)),
    sa.CheckConstraint("record_l < record_r", name="decision_pair_ordered"),
    sa.UniqueConstraint("batch", "kind", "record_l", "record_r", name="decision_once_a_batch"),
)
audit_table = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("actor", sa.String(120), nullable=False),
    sa.Column("event", sa.String(60), nullable=False),
    sa.Column("object", sa.String(200), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("prev", sa.String(64), nullable=False),
    sa.Column("mac", sa.String(64), nullable=False),
)
release_table = sa.Table(
    "release",
    metadata,
    sa.Column("release_id", sa.String(64), primary_key=True),
    sa.Column("run_id", sa.String(40), nullable=False),
    sa.Column("purpose", sa.String(60), nullable=False),
    sa.Column("recipient", sa.String(120), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("row_count", sa.Integer, nullable=False),
    sa.Column("expires", sa.String(10), nullable=False),
    sa.Column("manifest", sa.Text, nullable=False),
    sa.Column("mac", sa.String(64)),
)
source_fault_table = sa.Table(
    "source_fault",
    metadata,
    sa.Column("fault_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("source", sa.String(60), nullable=False),
    sa.Column("record", sa.String(200), nullable=False),  # keyed name
    sa.Column("column_name", sa.String(60)),  # of the extract or the standard record; null: the record as a whole
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("sealed", sa.String(32), sa.ForeignKey("payload.payload_id"), nullable=False),  # record id and note
    sa.Column("reported_by", sa.String(120), nullable=False),
    sa.Column("reported_at", sa.String(32), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),  # open, passed_on, mended, no_fault
    sa.Column("state_by", sa.String(120), nullable=False),
    sa.Column("state_at", sa.String(32), nullable=False),
    sa.Column("mac", sa.String(64)),
)
#: One row per act that two people must agree to; the database itself refuses an approver who asked.
request_table = sa.Table(
    "request",
    metadata,
    sa.Column("request_id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("object", sa.String(200), nullable=False),  # a random id or a name of ours, never a person's detail
    sa.Column("state", sa.String(12), nullable=False),  # waiting, approved, refused, done
    sa.Column("requested_by", sa.String(120), nullable=False),
    sa.Column("requested_as", sa.Text, nullable=False),  # every login by which the requester could be known
    sa.Column("requested_at", sa.String(32), nullable=False),
    sa.Column("expires", sa.String(32), nullable=False),
    sa.Column("mark", sa.String(64), nullable=False),  # what exactly is approved: a hash; a change voids the approval
    sa.Column("said", sa.String(32), sa.ForeignKey("payload.payload_id"), nullable=False),  # reason, basis, particulars
    sa.Column("roles", sa.Text, nullable=False),  # of which whoever answers must hold one; none: anybody else
    sa.Column("answered_by", sa.String(120)),
    sa.Column("answered_at", sa.String(32)),
    sa.Column("mac", sa.String(64)),
    sa.CheckConstraint("answered_by IS NULL OR answered_by <> requested_by", name="request_four_eyes"),
)
