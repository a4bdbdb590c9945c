"""What no score may overrule, as arrays for the clustering: decisions of people, one record a person, deaths."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from linkage_models.clustering import Ints
from linkage_models.constraints import NEVER, Constraints
from linkage_models.thresholds import DEATH_GRACE_DAYS
from pipelines.governance.protection import NEVER_LINK, listed
from pipelines.linkage.former_keys import SUCCESSION, load_successions
from pipelines.people.records import RECORD
from pipelines.people.touched import PERSONS, touch
from pipelines.warehouse import Warehouse

MUST_LINK, CANNOT_LINK, SUSPENDED = "must_link", "cannot_link", "suspended_decision"
# The decisions that the last clustering was under: the name of their table, and the pair.
DECIDED = "identity.linkage.decided"


@dataclass(frozen=True)
class Decided:
    """How many decisions hold, and how many wait because a record is gone or is no longer what the decider saw."""

    must: int
    cannot: int
    suspended: int


def load_decisions(wh: Warehouse, decisions: list[dict[str, Any]]) -> Decided:
    """Write the temporary tables must_link, cannot_link (record_l, record_r) and suspended_decision, after those of
    load_successions.

    `decisions` as Operations.decisions() gives them. A cannot-link holds whatever changed, as long as both records
    are there: keeping apart does no harm. A must-link of a changed record is suspended and asked again; none joins a
    record that the law keeps apart.
    """
    load_successions(wh)
    names = ("kind", "record_l", "record_r", "fingerprint_l", "fingerprint_r")
    rows = [
        tuple(each.get(name) for name in names) for each in decisions if each["kind"] in ("must_link", "cannot_link")
    ]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    wh.con.register("decision_given", frame)
    wh.execute(
        f"""-- one row per decision: whether it still rests on what was seen
        CREATE OR REPLACE TEMP TABLE decision_now AS
        WITH given AS (  -- a record under a new key is the one that was decided about
            SELECT d.* REPLACE (coalesce(l.record_id, d.record_l) AS record_l,
                coalesce(r.record_id, d.record_r) AS record_r)
            FROM decision_given d LEFT JOIN {SUCCESSION} l ON l.former_record_id = d.record_l
            LEFT JOIN {SUCCESSION} r ON r.former_record_id = d.record_r
        ), here AS (  -- few, so that what follows is quick
            SELECT record_id, sensitivity, fingerprint FROM {RECORD}
            WHERE record_id IN (SELECT unnest([record_l, record_r]) FROM given))
        SELECT d.*, l.record_id IS NOT NULL AND r.record_id IS NOT NULL
                AND coalesce(l.sensitivity, '') NOT IN ({listed(NEVER_LINK)})
                AND coalesce(r.sensitivity, '') NOT IN ({listed(NEVER_LINK)}) AS both_here,
            coalesce(d.fingerprint_l = l.fingerprint, true) AND coalesce(d.fingerprint_r = r.fingerprint, true) AS
            unchanged
        FROM given d LEFT JOIN here l ON l.record_id = d.record_l LEFT JOIN here r ON r.record_id = d.record_r"""
    )
    wh.con.unregister("decision_given")
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE {MUST_LINK} AS SELECT record_l, record_r FROM decision_now WHERE kind ="
        f" 'must_link' AND both_here AND unchanged"
    )
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE {CANNOT_LINK} AS SELECT record_l, record_r FROM decision_now WHERE kind ="
        f" 'cannot_link' AND both_here"
    )
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE {SUSPENDED} AS SELECT record_l, record_r FROM decision_now WHERE kind ="
        f" 'must_link' AND both_here AND NOT unchanged"
    )
    counts = [int(wh.scalar(f"SELECT count(*) FROM {table}")) for table in (MUST_LINK, CANNOT_LINK, SUSPENDED)]
    wh.execute("DROP TABLE decision_now")
    return Decided(*counts)


def touch_decided(wh: Warehouse) -> None:
    """Note for the clustering the records of decisions that came or went since the last one; needs load_decisions."""
    wh.execute(f"CREATE TABLE IF NOT EXISTS {DECIDED} (kind VARCHAR, record_l VARCHAR, record_r VARCHAR)")
    kinds = (MUST_LINK, CANNOT_LINK, SUSPENDED)
    now = " UNION ".join(f"SELECT '{kind}' AS kind, record_l, record_r FROM {kind}" for kind in kinds)
    differ = f"((FROM ({now}) EXCEPT FROM {DECIDED}) UNION (FROM {DECIDED} EXCEPT FROM ({now})))"
    touch(wh, (PERSONS,), f"SELECT unnest([record_l, record_r]) AS record_id, NULL AS lost FROM {differ}")
    wh.execute(f"DELETE FROM {DECIDED}")
    wh.execute(f"INSERT INTO {DECIDED} {now}")


def constraints_of(wh: Warehouse, node: str) -> Constraints:
    """The constraints over the records of `node`, nodes numbered from 0: node, record_id, one_person (a hash of what no
    two records of a person share), death_date, last_begun."""
    rows = wh.frame(
        f"""-- one row per node, in order
        SELECT one_person, date_diff('day', DATE '1900-01-01', death_date)::BIGINT AS died,
            date_diff('day', DATE '1900-01-01', last_begun)::BIGINT AS begun
        FROM {node} ORDER BY node"""
    )
    died = rows["died"].cast(pl.Int64)
    return Constraints(
        _pairs(wh, MUST_LINK, node),
        _pairs(wh, CANNOT_LINK, node),
        rows["one_person"].rank("dense").cast(pl.Int64).fill_null(-1).to_numpy(),
        (died + DEATH_GRACE_DAYS).fill_null(NEVER).to_numpy(),
        rows["begun"].cast(pl.Int64).fill_null(-NEVER).to_numpy(),
    )


def _pairs(wh: Warehouse, table: str, node: str) -> Ints:
    pairs = wh.rows(
        f"SELECT l.node, r.node FROM {table} JOIN {node} l ON l.record_id = record_l JOIN {node} r ON r.record_id"
        f" = record_r ORDER BY ALL"
    )
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
