"""Why two records are linked, or not, and what holds a person together: in words and numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from linkage_models import thresholds as policy
from linkage_models.clustering import missing_weight
from linkage_models.merging import FITS_TWO
from linkage_models.models import Model, pinned
from linkage_models.pairs import PairEvidence, compare
from linkage_models.person.agreements import WORDS, agreement, warily_in_words
from linkage_models.person.records import link_table
from pipelines.faults import plural
from pipelines.governance.protection import NEVER_LINK, listed, protected_persons
from pipelines.linkage import company
from pipelines.linkage.certainty import design_of, thresholds_of
from pipelines.linkage.doubts import KEPT_APART
from pipelines.linkage.named_records import UnknownRecord, why_absent
from pipelines.linkage.names_alone import Wary, wary_pair
from pipelines.linkage.ties import Tie, between, decided_among, forbidden, path, side_of, spanning_tree, ties_among
from pipelines.linkage.waterfall import Step, waterfall
from pipelines.view_edges import compared_in
from pipelines.warehouse import Warehouse

Table = tuple[str, tuple[str, ...], list[tuple[Any, ...]]]
#: Rows of a table that can grow with the person: the rest is counted.
SHOWN = 30


#: All that is said of a person who holds a flagged record: which it is, and of which system, would tell too much.
PROTECTED = "A person here is protected: only those who work on the restricted queue may see what holds their records."


@dataclass(frozen=True)
class Explanation:
    """Sentences and tables (title, columns, rows); records are named in it, their values are not."""

    sentences: tuple[str, ...]
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Looked:
    """Where to look: a view of the tables in `catalog`, the standing decisions, and the weight above which groups of
    records merge."""

    view: str
    decisions: Sequence[dict[str, Any]] = ()
    catalog: str = "identity"
    stop: float = policy.CLUSTER_STOP


def explain(wh: Warehouse, left: str, right: str, at: Looked) -> Explanation:
    """Explain a pair of records of a view, also one that was never compared. Raises UnknownRecord."""
    if left == right:
        raise UnknownRecord("A record can't be explained against itself: give two.")
    homes: dict[str, str] = dict(
        wh.rows(
            f"SELECT record_id, person_id FROM {at.catalog}.linkage.membership WHERE view = ? AND record_id IN (?, ?)",
            [at.view, left, right],
        )
    )
    gone = {called: record for called, record in (("The first", left), ("The second", right)) if record not in homes}
    if gone:
        raise UnknownRecord(" ".join(why_absent(wh, record, at.view, at.catalog, c) for c, record in gone.items()))
    record = f"{at.catalog}.people.record"
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE pair_record AS SELECT * FROM {record} WHERE record_id IN (?, ?)", [left, right]
    )
    if wh.scalar(f"SELECT count(*) FROM pair_record WHERE sensitivity IN ({listed(NEVER_LINK)})"):
        # What agrees would itself tell of the connection that the law forbids.
        return Explanation(("One of the two records is marked as never to be linked: they aren't compared.",))
    if _protected(wh, at, homes.values()):
        return Explanation((PROTECTED,))
    link_table(wh.con, "pair_record", "pair_link")
    model = _model(wh, at.catalog)
    model.extend(wh.con, "pair_link")
    found = compare(wh.con, "pair_link", model)
    for table in ("pair_record", "pair_link"):
        wh.execute(f"DROP TABLE {table}")
    together = homes[left] == homes[right]
    one, other = _records(wh, at, homes[left]), _records(wh, at, homes[right])
    ties = ties_among(wh, at.catalog, at.view, {*one, *other})
    evidence = [Step(WORDS.get(name.replace(" ", "_"), name), what, weight) for name, what, weight in found.evidence]
    steps = [Step("any two records", "the odds before anything is known", found.prior)]
    steps += [step for step in evidence if step.weight]
    silent = [step.name for step in evidence if not step.weight]
    gained = [tie.weight for tie in ties if {tie.left, tie.right} == {left, right}]
    wary = wary_pair(wh, at.view, left, right, at.catalog)
    link = thresholds_of(wh, at.view, at.catalog).link
    sentences = [
        f"In the view {at.view} the two records are {'one person' if together else 'two persons'}.",
        f"Their own evidence weighs {found.weight:+.1f} bits (odds of 2 to that power), from {found.prior:+.1f}"
        f" for any two records.{'' if wary else f' Pairs of {link:+.1f} and more count as linked.'}",
        *_compared(found, bool(gained)),
    ]
    if found.certain_by:
        sentences.append(
            f"They meet a certain rule, agreement on {agreement(found.certain_by)}, worth at least"
            f" {policy.DETERMINISTIC_WEIGHT:+.0f} bits."
        )
    sentences += company.in_words(wh, at.view, left, right, at.catalog)
    sentences += [warily_in_words(*wary)] if wary else []
    people = dict.fromkeys(one, homes[left]) | dict.fromkeys(other, homes[right])
    decided = decided_among(wh, at.catalog, people, at.decisions)
    held = _joined(ties, decided)
    sentences += _held_together(held, left, right) if together else _kept_apart(wh, at, one, other, ties, decided, wary)
    if silent:
        sentences.append(f"Not known of both, or no evidence either way: {', '.join(silent)}.")
    near = [] if gained else [(agreement(rule), _lacking(key, known)) for rule, key, known in found.near]
    return Explanation(
        tuple(sentences),
        _told(
            ("Evidence", ("comparison", "what agrees", "weight", "total", "bits"), waterfall(steps)),
            ("Rules that one thing kept from comparing them", ("agreement on", "what is lacking"), near),
            _decision_table(decided),
        ),
    )


def _protected(wh: Warehouse, at: Looked, persons: Iterable[str]) -> bool:
    """Whether any of the persons holds a flagged record in this view."""
    found = f"SELECT count(*) FROM ({protected_persons(at.catalog)}) WHERE view = ? AND person_id IN (SELECT unnest(?))"
    return bool(wh.scalar(found, [at.view, sorted(set(persons))]))


def explain_person(wh: Warehouse, person: str, at: Looked) -> Explanation:
    """Explain a person of a view: its records, the evidence that holds it, where it would break first, its neighbours.

    Raises UnknownRecord, also for an id that is no longer in use: the ledger says what became of it.
    """
    records = _records(wh, at, person)
    if not records and ":" in person:
        raise UnknownRecord(why_absent(wh, person, at.view, at.catalog))
    if not records:
        raise UnknownRecord(f"That is no person of the view {at.view} today.{_former(wh, at, person)}")
    if _protected(wh, at, [person]):
        return Explanation((PROTECTED,))
    ties = ties_among(wh, at.catalog, at.view, records)
    decided = decided_among(wh, at.catalog, dict.fromkeys(records, person), at.decisions)
    tree = spanning_tree(_joined(ties, decided))
    sources = sorted({record.split(":", 1)[0] for record in records})
    pairs = len(records) * (len(records) - 1) // 2
    sentences = [
        f"In the view {at.view} the person {person} has {plural(len(records), 'record')} from {', '.join(sources)}."
    ]
    if tree:
        weakest = tree[-1]
        side = len(side_of(tree, weakest))
        sentences += [
            f"Of {plural(pairs, 'pair')} of its records {len(ties):,} were compared,"
            f" {sum(tie.weight > at.stop for tie in ties):,} of them speak for one person.",
            f"The weakest link that holds it: {weakest.left} and {weakest.right}, {weakest.weight:+.1f} bits"
            f" ({_rule(weakest)}). Without it {side} and {len(records) - side} records would be left.",
        ]
    neighbours = _neighbours(wh, at, records)
    if neighbours and neighbours[0][4] > at.stop:
        sentences.append("A neighbour below is kept apart although the evidence between them says one person.")
    holding = [(tie.left, tie.right, round(tie.weight, 1), _rule(tie)) for tie in tree]
    columns = ("person", "records", "pairs compared", "best pair", "mean of all pairs")
    return Explanation(
        tuple(sentences),
        _told(
            ("Records", ("record",), [(record,) for record in records[:SHOWN]]),
            (
                "What holds it together, strongest first",
                ("record", "record ", "weight", "agreement on"),
                holding[-SHOWN:],
            ),
            _decision_table(decided),
            ("Nearest other persons", columns, neighbours),
        ),
    )


def _model(wh: Warehouse, catalog: str) -> Model:
    name = f"{catalog}.linkage.model"
    if wh.exists(name):
        ((body, terms),) = wh.rows(f"SELECT body, terms FROM {name}")
        return Model.of(body, terms)
    return pinned()


def _records(wh: Warehouse, at: Looked, person: str) -> list[str]:
    membership = f"{at.catalog}.linkage.membership"
    return [
        record
        for (record,) in wh.rows(
            f"SELECT record_id FROM {membership} WHERE view = ? AND person_id = ? ORDER BY record_id",
            [at.view, person],
        )
    ]


def _told(*tables: Table) -> tuple[Table, ...]:
    """Those tables that have rows."""
    return tuple(table for table in tables if table[2])


def _decision_table(decided: list[tuple[Any, ...]]) -> Table:
    columns = ("decision", "made on", "by", "says", "record", "record ", "what became of it")
    return ("Decisions on these records", columns, decided)


def _compared(found: PairEvidence, compared: bool) -> list[str]:
    if compared and found.blocked_by:
        return [f"They were compared because they agree on {agreement(found.blocked_by)}."]
    if compared:
        return ["They were compared in the run."]
    if found.blocked_by:
        return [
            f"They agree on {agreement(found.blocked_by)}, but were not compared: too many records agree on that. "
            "The evidence below was worked out now."
        ]
    near = "" if found.near else " None came near: each lacks two things or more."
    return [
        f"They were never compared: no blocking rule brings them together.{near} The evidence below was worked out now."
    ]


def _lacking(key: str, known: bool) -> str:
    return f"{WORDS[key]}: {'differs' if known else 'not known of both'}"


def _joined(ties: Sequence[Tie], decided: Sequence[tuple[Any, ...]]) -> list[Tie]:
    """The ties, and beside them what decisions join: these hold whatever the evidence."""
    links = [
        Tie(left, right, policy.WEIGHT_CAP, f"decision {number}")
        for number, _, _, says, left, right, became in decided
        if (says, became) == ("must link", "holds")
    ]
    return [*ties, *links]


def _rule(tie: Tie) -> str:
    return tie.rule if tie.rule.startswith("decision ") else agreement(tie.rule)


def _held_together(ties: Sequence[Tie], left: str, right: str) -> list[str]:
    way = path(spanning_tree(ties), left, right)
    if len(way) < 2:
        decided = bool(way) and way[0].rule.startswith("decision ")
        return [f"What joins them is {way[0].rule if decided else 'their own evidence'}."]
    weakest = min(way, key=lambda tie: tie.weight)
    on_the_way = list(dict.fromkeys(record for tie in way for record in (tie.left, tie.right)))
    others = [record for record in on_the_way if record not in (left, right)]
    return [
        f"They are joined more firmly through {plural(len(others), 'other record')} of the person"
        f" ({', '.join(others[:5])}{', ...' if len(others) > 5 else ''}); the weakest step on that way weighs"
        f" {weakest.weight:+.1f} bits."
    ]


def _kept_apart(
    wh: Warehouse,
    at: Looked,
    one: Sequence[str],
    other: Sequence[str],
    ties: Sequence[Tie],
    decided: Sequence[tuple[Any, ...]],
    wary: Wary | None,
) -> list[str]:
    said = [
        f"Decision {number} of {made_on}, by {by}, keeps {a} and {b} apart."
        for number, made_on, by, says, a, b, became in decided
        if (says, became) == ("cannot link", "holds") and (a in one) != (b in one)
    ]
    said += forbidden(wh, at.catalog, one, other)
    held = between(one, other, ties)
    alone = min(len(one), len(other)) == 1 < max(len(one), len(other))
    spoken_for = alone and held.best is not None and held.best.weight > at.stop
    least = at.stop - (design_of(wh, at.catalog).lone if spoken_for else 0)
    size = f"the {plural(len(one), 'record')} of the one and the {plural(len(other), 'record')} of the other"
    rest = f"a pair that no rule compares counts {missing_weight():+.1f}, " if held.compared < held.pairs else ""
    if wary and held.best and held.pairs == 1:  # one bar is told, that of such lists
        said += [f"It falls {wary.bar - wary.bits:.1f} bits short of that."] if wary.bar < policy.NOTHING_LINKS else []
    else:
        above = "measured from there " if wary else ""
        said.append(
            f"Between {size}, {held.compared} of {plural(held.pairs, 'pair')} were compared; {rest}{above}on average"
            f" the evidence weighs {held.mean:+.1f} bits, and persons merge above {least:+.1f}."
        )
    if held.best and wh.rows(
        f"""-- there is one if another person fits one of the two as well
        SELECT 1 FROM {at.catalog}.linkage.review_edge
        WHERE view = $view AND record_l = $l AND record_r = $r AND reason = $reason""",
        {"view": at.view, "l": held.best.left, "r": held.best.right, "reason": KEPT_APART[FITS_TWO]},
    ):
        said.append("One of the two fits another person about as well, so that it was joined to neither.")
    if held.mean > least and len(said) <= 1:
        said.append(
            "Nothing forbids it: the settings have changed since that run, or it will be one person in the next."
        )
    return said


def _neighbours(wh: Warehouse, at: Looked, records: Sequence[str]) -> list[tuple[Any, ...]]:
    """Rows (person, records, pairs compared, best pair, mean of all pairs) of the three persons with the best pair."""
    near = wh.rows(
        f"""-- another person with a compared pair (person_id)
        WITH near AS (
            SELECT CASE WHEN record_l IN (SELECT unnest($records)) THEN record_r ELSE record_l END AS record_id,
                match_weight
            FROM {compared_in(wh, at.view, at.catalog)}
            WHERE (record_l IN (SELECT unnest($records))) <> (record_r IN (SELECT unnest($records)))
        )
        SELECT m.person_id FROM near JOIN {at.catalog}.linkage.membership m USING (record_id) WHERE m.view = $view
        GROUP BY m.person_id ORDER BY max(match_weight) DESC, m.person_id LIMIT 3""",
        {"records": list(records), "view": at.view},
    )
    rows = []
    for (person,) in near:
        others = _records(wh, at, person)
        held = between(records, others, ties_among(wh, at.catalog, at.view, {*records, *others}))
        best = round(held.best.weight, 1) if held.best else None
        rows.append((person, len(others), f"{held.compared} of {held.pairs}", best, round(held.mean, 1)))
    return rows


def _former(wh: Warehouse, at: Looked, person: str) -> str:
    """What the ledger says became of an id."""
    if not wh.exists(f"{at.catalog}.linkage.ledger"):
        return ""
    rows = wh.rows(
        f"""-- the last entry about the id
        SELECT event, person_id, run_id FROM {at.catalog}.linkage.ledger
        WHERE view = ?
            AND ((event = 'retired' AND person_id = ?) OR (event IN ('merged', 'split') AND other_person_id = ?))
        ORDER BY ledger_seq DESC LIMIT 1""",
        [at.view, person, person],
    )
    for event, now, run in rows:
        return f" It was {event}{f' into {now}' if event != 'retired' else ''} in run {run}."
    return ""
