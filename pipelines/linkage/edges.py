"""linkage.edge: every compared pair of records with its weight. Linking runs in memory; the result goes to the file.

Edges persist: a run scores the pairs of new and changed records and takes the rest over from the run before, unless
the model, its term frequencies, the rules or the engine changed.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from linkage_models.incremental import difference, mark_records, scoring_basis
from linkage_models.models import Model
from linkage_models.person.blocking import PairBudgetExceeded
from linkage_models.person.coverage import Coverage, coverage
from linkage_models.person.designs import DESIGNS, Design
from linkage_models.person.records import link_table
from linkage_models.person.view_plans import ViewPlans, compared_otherwise, plan_views
from linkage_models.scoring import CertainRule, Scored, certain_rules, score
from linkage_models.thresholds import CHANGED_SHARE
from pipelines.faults import BoroughlinkError
from pipelines.governance.protection import NEVER_LINK, listed
from pipelines.linkage.choice import MODEL, choose_model
from pipelines.people.records import RECORD
from pipelines.people.touched import HOMES, PERSONS, touch, unsettle
from pipelines.view_edges import COMPANY, EDGE, OTHERWISE
from pipelines.warehouse import Warehouse

# What the next run needs to score no more than it must: a hash of what each record said, and what scores follow from.
RULE = "identity.linkage.blocking_rule"
_RULE = {"rule": pl.String, "pairs": pl.Int64, "largest_block": pl.Int64, "note": pl.String, "leaves_out": pl.Boolean}
SCORED_RECORD, SCORING = "identity.linkage.scored_record", "identity.linkage.scoring"
# Records that must never be joined to another: the law forbids the connection (adoption, gender recognition).
LINKABLE = f"is_person AND coalesce(sensitivity, '') NOT IN ({listed(NEVER_LINK)})"


@dataclass(frozen=True)
class Linked:
    """The model used, why, and what scoring made. `afresh` says why all pairs were scored, None if only some were;
    `trained`, whether the model was trained for this run."""

    model: Model
    chosen: str
    scored: Scored
    afresh: str | None
    changes: dict[str, int]
    pairs: int
    certain: list[CertainRule]
    coverage: Coverage
    trained: bool = False

    def figures(self) -> dict[str, float | str]:
        return {
            "pairs compared": self.pairs,
            "pairs scored now": self.scored.pairs,
            "scored": f"all pairs: {self.afresh}" if self.afresh else "only pairs of new and changed records",
            "model": self.model.version,
            "model chosen": self.chosen,
            **{f"records {name}": count for name, count in self.changes.items()},
            "share of true pairs compared, estimated": round(self.coverage.recall, 4),
            "largest block, records": max((each.largest_block for each in self.scored.rules), default=0),
            **{f"pairs by {each.rule}": each.pairs for each in self.coverage.rules if each.pairs},
            **{f"rule {each.rule}": each.note for each in self.scored.rules if each.note},
            **{f"certain by {each.rule}": each.pairs for each in self.certain},
            **{f"certain by {each.rule}, linked by the model too": each.model_agrees for each in self.certain},
        }


def build_edge(
    wh: Warehouse,
    views: Mapping[str, Sequence[str]] | None = None,
    wanted: Model | None = None,
    name: str | None = None,
    calibrated: Callable[[Model], tuple[Model, str]] | None = None,
) -> Linked:
    """Write EDGE from the people records; grain record_l < record_r. `views`, `wanted` and `name` as choose_model takes
    them; `calibrated` may fit the chosen model's probabilities to what is known here, and says what it did."""
    link_table(wh.con, RECORD, "person_link", LINKABLE)
    model, chosen, trained = choose_model(wh, "person_link", views, wanted, name)
    if calibrated:
        model, said = calibrated(model)
        chosen = "; ".join(filter(None, (chosen, said)))
    basis = scoring_basis(model)
    design = DESIGNS[model.design]
    mark_records(wh.con, RECORD, "record_mark", ("person_link", design.added))
    changes = _changes(wh)
    plans = _planned(wh, design, views)
    basis["the set of oversized blocks"] = plans.mark
    afresh = _why_afresh(wh, basis, changes)
    if afresh:
        unsettle(wh, PERSONS)
        scored = score(wh.con, "person_link", model, EDGE, None, plans.scored)
        wh.execute(f"DROP TABLE IF EXISTS {OTHERWISE}")
        _note_otherwise(wh, plans, None)
    else:  # to write the file anew would cost more than all the rest
        ((query,),) = wh.rows(f"SELECT query FROM {SCORING}")
        wh.execute(
            "CREATE OR REPLACE TEMP TABLE changed_record AS SELECT unique_id FROM person_link"
            " SEMI JOIN touched_record USING (record_id)"
        )
        scored = score(wh.con, "person_link", model, "person_edge", "changed_record", plans.scored, query)
        touched = "IN (SELECT record_id FROM touched_record)"
        _touch(wh, touched)
        wh.execute(f"DELETE FROM {EDGE} WHERE record_l {touched} OR record_r {touched}")
        wh.execute(f"INSERT INTO {EDGE} FROM person_edge")
        if wh.exists(OTHERWISE):
            wh.execute(f"DELETE FROM {OTHERWISE} WHERE record_l {touched} OR record_r {touched}")
        _note_otherwise(wh, plans, "changed_record")
        for table in ("person_edge", "changed_record"):
            wh.execute(f"DROP TABLE {table}")
    pairs = wh.note(EDGE)
    wh.table(
        MODEL,
        "-- the model of this run, as it scored\nSELECT ?::VARCHAR AS version, ?::VARCHAR AS chosen, ?::VARCHAR"
        " AS body, ?::VARCHAR AS terms",
        [model.version, chosen, model.body(), model.terms_body()],
    )
    _note_scoring(wh, basis, afresh, scored.query)
    with wh.given(pl.DataFrame([vars(each) for each in scored.rules], schema=_RULE)):
        wh.table(
            RULE,
            "-- one row per blocking rule: its pairs, its largest block, how oversized ones were treated\nFROM given",
        )
    for table in ("person_link", "touched_record"):
        wh.execute(f"DROP TABLE {table}")
    certain, covered = certain_rules(wh.con, EDGE), coverage(wh.con, EDGE, design)
    return Linked(model, chosen, scored, afresh, changes, pairs, certain, covered, trained)


def _touch(wh: Warehouse, touched: str) -> None:
    """Note for the steps to come the touched records, and what their pairs weighed that are taken away now."""
    gained = f"SELECT record_l, record_r, max(match_weight) AS weight FROM {COMPANY} GROUP BY ALL"
    weight, beside = (
        ("greatest(match_weight, c.weight)", f"LEFT JOIN ({gained}) c USING (record_l, record_r)")
        if wh.exists(COMPANY)
        else ("match_weight", "")
    )
    pairs = f"FROM {EDGE} {beside} WHERE record_l {touched} OR record_r {touched}"
    touch(wh, (PERSONS, HOMES), "SELECT record_id, NULL AS lost FROM touched_record")
    touch(wh, (PERSONS,), f"SELECT unnest([record_l, record_r]) AS record_id, {weight} AS lost {pairs}")


def _note_otherwise(wh: Warehouse, plans: ViewPlans, touching: str | None) -> None:
    """Add to OTHERWISE what the plans of the views say of the pairs scored now."""
    if not plans.views:
        return
    columns = "view VARCHAR, record_l VARCHAR, record_r VARCHAR, rules BIGINT, first_rule VARCHAR"
    wh.execute(f"CREATE TABLE IF NOT EXISTS {OTHERWISE} ({columns})")
    first = " ".join(f"WHEN rules & {1 << n} > 0 THEN '{each.cost.rule}'" for n, each in enumerate(plans.scored))
    with wh.given(compared_otherwise(wh.con, "person_link", plans, touching)):
        wh.execute(
            f"""-- one row per view and pair of its records
            INSERT INTO {OTHERWISE} SELECT view, l.record_id, r.record_id, rules, CASE {first} END FROM given
            JOIN person_link l ON l.unique_id = left_id JOIN person_link r ON r.unique_id = right_id ORDER BY ALL"""
        )
    wh.note(OTHERWISE)


def _planned(wh: Warehouse, design: Design, views: Mapping[str, Sequence[str]] | None) -> ViewPlans:
    """The blocking rules on the records of each view. Raises BoroughlinkError where they would make too many pairs."""
    try:
        return plan_views(wh.con, "person_link", design.rules, design.spare, views)
    except PairBudgetExceeded as fault:
        raise BoroughlinkError(
            f"The records are too alike to link: {fault}. Look there for copies, test entries or a default that stands"
            " for many people, and take them out of the extract."
        ) from None


def _changes(wh: Warehouse) -> dict[str, int]:
    """Write the temporary table touched_record (record_id: new, different or gone; mark: what it is now); return how
    many records are new, changed, vanished and as they were."""
    wh.execute(f"CREATE TABLE IF NOT EXISTS {SCORED_RECORD} (record_id VARCHAR, mark UBIGINT)")
    wh.execute(
        f"""-- one row per record: its mark now and before
        CREATE OR REPLACE TEMP TABLE record_change AS
        SELECT record_id, n.mark AS mark, b.mark AS mark_before
        FROM record_mark n FULL JOIN {SCORED_RECORD} b USING (record_id)"""
    )
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE touched_record AS SELECT record_id, mark FROM record_change"
        " WHERE mark IS DISTINCT FROM mark_before"
    )
    ((new, changed, vanished, standing),) = wh.rows(
        "SELECT count(*) FILTER (mark_before IS NULL), count(*) FILTER (mark <> mark_before),"
        " count(*) FILTER (mark IS NULL), count(*) FILTER (mark = mark_before) FROM record_change"
    )
    for table in ("record_change", "record_mark"):
        wh.execute(f"DROP TABLE {table}")
    return {"new": new, "changed": changed, "vanished": vanished, "unchanged": standing}


def _why_afresh(wh: Warehouse, basis: dict[str, str], changes: dict[str, int]) -> str | None:
    """Why the edges at hand can't be built on, None if they can."""
    if not wh.exists(SCORING) or not wh.exists(EDGE):
        return "no edges of an earlier run"
    before = json.loads(wh.scalar(f"SELECT basis FROM {SCORING}"))
    if differs := difference(before, basis):
        return f"{' and '.join(differs)} changed"
    if changes["new"] + changes["changed"] > CHANGED_SHARE * changes["unchanged"]:
        return "too many records are new or changed for less to be quicker"
    return None


def _note_scoring(wh: Warehouse, basis: dict[str, str], afresh: str | None, query: str | None) -> None:
    """Keep for the next run what these edges follow from."""
    wh.table(
        SCORING,
        "-- what the edges follow from, and the query that scores; `afresh` says why all were scored, null if some were"
        " taken over\nSELECT ?::VARCHAR AS afresh, ?::VARCHAR AS basis, ?::VARCHAR AS query",
        [afresh, json.dumps(basis, sort_keys=True), query],
    )
    wh.execute(f"DELETE FROM {SCORED_RECORD} WHERE record_id IN (SELECT record_id FROM touched_record)")
    wh.execute(f"INSERT INTO {SCORED_RECORD} FROM touched_record WHERE mark IS NOT NULL")
    wh.note(SCORED_RECORD)
