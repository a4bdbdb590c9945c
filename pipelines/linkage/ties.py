"""What holds the records of a person together, and what lies between two persons: in numbers, from a run's tables."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from linkage_models.clustering import missing_weight
from linkage_models.thresholds import DEATH_GRACE_DAYS, WEIGHT_CAP
from pipelines.faults import plural
from pipelines.view_edges import compared_in
from pipelines.warehouse import Warehouse


@dataclass(frozen=True)
class Tie:
    """A compared pair: its weight in the view, in bits, and the rule that brought it together or the decision that
    joins it."""

    left: str
    right: str
    weight: float
    rule: str


@dataclass(frozen=True)
class Between:
    """The pairs between two groups of records: a pair that was never compared counts with the weight of a missing one,
    as it does in clustering."""

    pairs: int
    compared: int
    mean: float
    best: Tie | None


def ties_among(wh: Warehouse, catalog: str, view: str, records: Collection[str]) -> list[Tie]:
    """The compared pairs among these records as the view's clustering weighed them, with what they gain from their
    company and beside what else they may be, strongest first."""
    company, wary = f"{catalog}.linkage.company", f"{catalog}.linkage.wary"
    gained = (
        f"(SELECT record_l, record_r, bits FROM {company} WHERE view = $view)"
        if wh.exists(company)
        else "(SELECT '' AS record_l, '' AS record_r, 0.0 AS bits WHERE $view IS NULL)"
    )
    warily = (
        f"(SELECT record_l, record_r, match_weight FROM {wary} WHERE view = $view)"
        if wh.exists(wary)
        else "(SELECT '' AS record_l, '' AS record_r, NULL::DOUBLE AS match_weight WHERE false)"
    )
    rows = wh.rows(
        f"""-- a compared pair of the records (record_l, record_r)
        SELECT record_l, record_r, coalesce(w.match_weight, e.match_weight + coalesce(c.bits, 0)) AS weight, e.match_key
        FROM {compared_in(wh, view, catalog)} e LEFT JOIN {gained} c USING (record_l, record_r)
        LEFT JOIN {warily} w USING (record_l, record_r)
        WHERE record_l IN (SELECT unnest($records)) AND record_r IN (SELECT unnest($records))
        ORDER BY weight DESC, record_l, record_r""",
        {"view": view, "records": sorted(records)},
    )
    return [Tie(*row) for row in rows]


def spanning_tree(ties: Iterable[Tie]) -> list[Tie]:
    """The strongest ties that connect all that can be connected (Kruskal), strongest first."""
    group: dict[str, str] = {}

    def root(record: str) -> str:
        while (above := group.setdefault(record, record)) != record:
            record = above
        return record

    tree = []
    for tie in sorted(ties, key=lambda tie: (-tie.weight, tie.left, tie.right)):
        left, right = root(tie.left), root(tie.right)
        if left != right:
            group[right] = left
            tree.append(tie)
    return tree


def path(tree: Sequence[Tie], start: str, end: str) -> list[Tie]:
    """The ties on the way from a record to another, in order; empty when there is none."""
    came: dict[str, Tie] = {}
    queue = [start]
    for record in queue:
        for tie in tree:
            for here, there in ((tie.left, tie.right), (tie.right, tie.left)):
                if here == record and there != start and there not in came:
                    came[there] = tie
                    queue.append(there)
    way: list[Tie] = []
    while end in came:
        way.insert(0, came[end])
        end = came[end].left if came[end].right == end else came[end].right
    return way


def side_of(tree: Sequence[Tie], cut: Tie) -> set[str]:
    """The records on the left's side of the tree once a tie is cut."""
    found, rest = {cut.left}, [tie for tie in tree if tie != cut]
    while more := {end for tie in rest for end in (tie.left, tie.right) if {tie.left, tie.right} & found} - found:
        found |= more
    return found


def between(ones: Collection[str], others: Collection[str], ties: Iterable[Tie]) -> Between:
    """The evidence between two groups of records, as clustering weighs it."""
    across = [tie for tie in ties if (tie.left in ones) != (tie.right in ones)]
    pairs = len(ones) * len(others)
    total = sum(max(-WEIGHT_CAP, min(WEIGHT_CAP, tie.weight)) for tie in across)
    mean = (total + missing_weight() * (pairs - len(across))) / pairs
    return Between(pairs, len(across), mean, max(across, key=lambda tie: tie.weight, default=None))


def forbidden(wh: Warehouse, catalog: str, ones: Collection[str], others: Collection[str]) -> list[str]:
    """What keeps two groups of records apart whatever they weigh, but for decisions: in sentences that name records."""
    rows = wh.rows(
        f"""-- a pair of records that can't be one person (record_l, record_r)
        SELECT a.record_id, b.record_id, a.source, coalesce(a.one_person_key = b.one_person_key, false) AS one_source,
            coalesce(a.last_begun > b.death_date + {DEATH_GRACE_DAYS}, false) AS after_death,
            coalesce(b.last_begun > a.death_date + {DEATH_GRACE_DAYS}, false) AS before_death
        FROM {catalog}.people.record a, {catalog}.people.record b
        WHERE a.record_id IN (SELECT unnest($ones)) AND b.record_id IN (SELECT unnest($others))
            AND (one_source OR after_death OR before_death)
        ORDER BY ALL""",
        {"ones": sorted(ones), "others": sorted(others)},
    )
    said = []
    for left, right, source, one_source, after_death, before_death in rows:
        if one_source:
            said.append(
                f"{left} and {right} are two people unless someone decides otherwise: "
                f"{source.replace('_', ' ')} holds a person only once there."
            )
        if after_death or before_death:
            later, dead = (left, right) if after_death else (right, left)
            said.append(f"{later} begins something after the death that {dead} records.")
    return said[:5] + ([f"And {plural(len(said) - 5, 'more such pair')}."] if len(said) > 5 else [])


def decided_among(
    wh: Warehouse, catalog: str, homes: dict[str, str], decisions: Iterable[dict[str, Any]]
) -> list[tuple[Any, ...]]:
    """Rows (decision, made on, by, says, record, record, what became of it) over decisions on these records; `homes` is
    record to person."""
    known = dict(
        wh.rows(
            f"SELECT record_id, fingerprint FROM {catalog}.people.record WHERE record_id IN (SELECT unnest(?))",
            [sorted(homes)],
        )
    )
    rows = []
    for each in decisions:
        left, right = each["record_l"], each["record_r"]
        if each["kind"] == "label" or not {left, right} <= homes.keys():
            continue
        seen = (each["fingerprint_l"], each["fingerprint_r"])
        changed = any(then and then != known.get(record) for then, record in zip(seen, (left, right), strict=True))
        became = _became(each["kind"], homes[left] == homes[right], changed)
        says = each["kind"].replace("_", " ")
        rows.append((each["decision_id"], each["made_at"][:10], each["made_by"], says, left, right, became))
    return rows


def _became(kind: str, together: bool, changed: bool) -> str:
    if kind == "unsure":
        return "leaves it open"
    if together == (kind == "must_link"):
        return "holds"
    if kind == "must_link":
        return "suspended: a record has changed since" if changed else "suspended: something forbids it"
    return "not followed yet: it came after the run"
