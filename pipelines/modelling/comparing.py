"""`models compare`: two models over the same records."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from linkage_models.calibration import Thresholds
from linkage_models.card import certainty, origin
from linkage_models.models import Model, weights
from pipelines.differences.comparing import Persons, groups_between, load_moved, persons_between, worst_group
from pipelines.differences.telling import persons_in_words, touched
from pipelines.faults import BoroughlinkError, plural
from pipelines.governance import audit
from pipelines.governance.actors import person
from pipelines.keys.pseudonyms import record_name
from pipelines.linkage.persons import MEMBERSHIP
from pipelines.linkage.trial import VIEW, Tried, beside_snapshot, misfits
from pipelines.modelling.bench import estimate_row, estimates_of, opened
from pipelines.reading.answer import Answer
from pipelines.settings import DataFolder
from pipelines.view_edges import open_view_edges
from pipelines.warehouse import Warehouse

#: Pairs that are named one by one; the rest is counted.
NAMED = 10
_CLASSES = ("links", "review", "below", "not compared")


def compare_models(folder: DataFolder, one: str, other: str, sources: str | None = None) -> Answer:
    """Two models over the records of the published run: parameters, pairs that cross a threshold, persons that would
    merge or split. Nothing is changed."""
    with opened(folder, sources) as bench, beside_snapshot(folder) as wh:
        models = [bench.shelf.load(name) for name in (one, other)]
        for model, why in zip(models, misfits(wh, models, bench.views), strict=True):
            if why:
                raise BoroughlinkError(f"Model {model.version} does not fit the records of run {wh.run_id}: {why}.")
        found = []
        for when, model in zip(("before", "after"), models, strict=True):
            found.append(bench.tried(wh, model))
            _set_aside(wh, when, found[-1].thresholds[VIEW])
        load_moved(wh)
        persons = persons_between(wh)
        groups = groups_between(wh, "published")
        crossing, named = _crossing(wh)
        records = sorted({record_name(bench.operations.keyring, record) for row in named for record in row[:2]})
        subject = f"{models[0].version}, {models[1].version}"
        audit.record(bench.operations, person(), "models compared", subject, run=wh.run_id, records=records)
    names = tuple(model.version for model in models)
    said = [
        f"{names[0]} and {names[1]} on the records of run {wh.run_id}, set to {found[0].model.population:,} people."
    ]
    if models[0].mark == models[1].mark:
        said.append("They hold the same parameters: only their probabilities, and the thresholds by them, can differ.")
    said += _people_in_words(persons, groups)
    changed = sum(pairs for was, now, pairs in crossing if was != now)
    said.append(f"{plural(changed, 'pair')} of the view {VIEW} would cross a threshold.")
    tables = [
        ("Models", ("", *names), _side_by_side(models, found)),
        (
            "Pairs by what becomes of them in the view data_quality",
            (f"with {names[0]}", f"with {names[1]}", "pairs"),
            crossing,
        ),
        (f"Pairs that cross a threshold, the {NAMED} that move most", ("record", "record ", *names), named),
        ("Persons", ("view", *names, "unchanged", "merged", "into", "split", "into "), _person_rows(persons)),
        ("Weights (bits)", ("comparison", "level", *names, "difference"), _parameters(*(each.model for each in found))),
    ]
    return Answer(said, [table for table in tables if table[2]])


def _set_aside(wh: Warehouse, when: str, at: Thresholds) -> None:
    """Keep who is with whom, and the pairs of VIEW with what becomes of them, as <when>_member and <when>_pair."""
    wh.execute(f"CREATE OR REPLACE TEMP TABLE {when}_member AS SELECT view, record_id, person_id FROM {MEMBERSHIP}")
    open_view_edges(wh, VIEW)
    wh.execute(
        f"""-- one row per compared pair of the view
        CREATE OR REPLACE TEMP TABLE {when}_pair AS
        SELECT record_l, record_r, match_weight, CASE WHEN match_weight >= {at.link!r} THEN '{_CLASSES[0]}'
            WHEN match_weight >= {at.review!r} THEN '{_CLASSES[1]}' ELSE '{_CLASSES[2]}' END AS became
        FROM view_edge SEMI JOIN {when}_member l ON l.view = '{VIEW}' AND l.record_id = record_l
        SEMI JOIN {when}_member r ON r.view = '{VIEW}' AND r.record_id = record_r"""
    )


def _crossing(wh: Warehouse) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Pairs by what became of them with either model, and those of them by name that move most."""
    wh.execute(
        f"""-- one row per pair that either model compared
        CREATE OR REPLACE TEMP TABLE both_pair AS
        SELECT record_l, record_r, coalesce(b.became, '{_CLASSES[3]}') AS was,
            coalesce(a.became, '{_CLASSES[3]}') AS now, b.match_weight AS weight_before, a.match_weight AS weight_after
        FROM before_pair b FULL JOIN after_pair a USING (record_l, record_r)"""
    )
    counted = wh.rows("SELECT was, now, count(*) AS pairs FROM both_pair GROUP BY ALL")
    order = {name: place for place, name in enumerate(_CLASSES)}
    named = wh.rows(
        "SELECT record_l, record_r, round(weight_before, 2), round(weight_after, 2) FROM both_pair WHERE was <> now"
        f" ORDER BY abs(coalesce(weight_after, 0) - coalesce(weight_before, 0)) DESC, record_l, record_r LIMIT {NAMED}"
    )
    return sorted(counted, key=lambda row: (order[row[0]], order[row[1]])), named


def _people_in_words(persons: Sequence[Persons], groups: Sequence[Any]) -> Iterator[str]:
    for view in persons:
        yield f"{view.view}: {persons_in_words(view)}"
        if worst := worst_group(groups, view.view):
            yield f"  Most touched: {touched(worst)}."


def _person_rows(persons: Sequence[Persons]) -> list[tuple[Any, ...]]:
    return [(p.view, p.before, p.after, p.unchanged, p.merged, p.merged_into, p.split, p.split_into) for p in persons]


def _side_by_side(models: Sequence[Model], found: Sequence[Tried]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = [
        ("trained on", *(origin(model) for model in models)),
        ("calibration", *(certainty(model) for model in models)),
        ("design", *(model.design for model in models)),
        ("two random records are one person, log2 odds", *(round(_odds(each.model), 2) for each in found)),
    ]
    for view in found[0].estimates:
        told_of = [estimate_row(next(e for e in estimates_of(each) if e["view"] == view)) for each in found]
        for place, words in ((2, "precision"), (3, "recall"), (4, "links from"), (5, "review from")):
            rows.append((f"{view}: {words}", *(row[place] for row in told_of)))
    return rows


def _odds(model: Model) -> float:
    return math.log2(model.prior / (1 - model.prior))


def _parameters(one: Model, other: Model) -> list[tuple[Any, ...]]:
    """The weight of every level in both models; None where a model lacks the level."""
    held = [{(name, words): bits for name, words, bits in weights(model)} for model in (one, other)]
    rows = []
    for name, words in dict.fromkeys([*held[0], *held[1]]):
        bits = [each.get((name, words)) for each in held]
        gap = None if None in bits else round(bits[1] - bits[0], 2)  # type: ignore[operator]
        rows.append((name, words, *(None if each is None else round(each, 2) for each in bits), gap))
    return rows
