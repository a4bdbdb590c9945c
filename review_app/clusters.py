"""An item of the queue as a page needs it: its records, pairs, neighbours, stays; a few look-ups by index."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines.view_edges import view_edges
from review_app.evidence import Pair, of_row
from review_app.published import VIEW, Item, Snapshot
from review_app.records import Record, cased, load_records

#: Beyond this many records a page shows the first ones and counts the rest.
SHOWN = 60


class NoSuchItem(Exception):
    """Nothing of that name is in the published run."""


@dataclass(frozen=True)
class Stay:
    """A record's stay at an address, as its source believes it."""

    record_id: str
    source: str
    address: str
    uprn: int | None
    start: Any
    end: Any
    basis: str


@dataclass(frozen=True)
class Cluster:
    """An item: one person in doubt, or two who may be one. Its records are in `a` and `b`: the two persons, or the two
    parts that the weakest link holds together."""

    item: Item
    why: str
    left: str | None
    right: str | None
    weight: float | None
    probability: float | None
    members: int
    records: list[Record]
    pairs: list[Pair]
    beside: list[Record]
    beside_pairs: list[Pair]
    flags: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    sample: "Sampled | None" = None

    @property
    def between(self) -> bool:
        """Whether two persons may be one, rather than one person two."""
        return len(self.item.persons) > 1

    def side(self, side: str) -> list[Record]:
        return [record for record in self.records if record.side == side]

    @property
    def decisive(self) -> Pair | None:
        """The pair that the question is about: the strongest between two persons, the weakest link of one."""
        return self.pair(self.left, self.right)

    def pair(self, left: str | None, right: str | None) -> Pair | None:
        return next((pair for pair in self.pairs if {pair.left, pair.right} == {left, right}), None)

    @property
    def across(self) -> list[Pair]:
        """Scored pairs between the two sides, weakest first."""
        sides = {record.record_id: record.side for record in self.records}
        found = [pair for pair in self.pairs if sides.get(pair.left) != sides.get(pair.right)]
        return sorted(found, key=lambda pair: (pair.weight, pair.left, pair.right))


@dataclass(frozen=True)
class Sampled:
    """How a sampled pair came in."""

    inclusion_probability: float
    sample: str


def load_cluster(snapshot: Snapshot, item_id: str) -> Cluster:
    """The item of that name. Raises NoSuchItem."""
    if item_id.startswith("s_"):
        return _sampled(snapshot, item_id)
    item = snapshot.by_id.get(item_id)
    if item is None:
        raise NoSuchItem
    wh = snapshot.wh
    rests = ", flags, releases" if "flags" in snapshot.columns("published.review.queue") else ", [], []"
    ((why, left, right, members, weight, probability, flags, releases),) = wh.rows(
        f"SELECT why, record_l, record_r, members, weakest_weight, weakest_probability{rests} "
        "FROM published.review.queue WHERE item_id = ?",
        [item_id],
    )
    placed = wh.rows(
        "SELECT record_id, person_id, side FROM published.review.member WHERE item_id = ? "
        "ORDER BY is_of_the_pair DESC, side, record_id",
        [item_id],
    )
    pairs = _pairs(snapshot, item_id)
    own = {record_id for record_id, _, _ in placed}
    inside = [pair for pair in pairs if pair.left in own and pair.right in own]
    if len(item.persons) < 2:
        cut = _sides(own, inside, left, right)
        placed = [(record_id, person, "b" if record_id in cut else "a") for record_id, person, _ in placed]
    near = wh.rows(
        "SELECT record_id, person_id FROM published.review.beside WHERE item_id = ? ORDER BY best DESC, person_id",
        [item_id],
    )
    return Cluster(
        item,
        why,
        left,
        right,
        weight,
        probability,
        members,
        load_records(snapshot, placed),
        inside,
        load_records(snapshot, [(record_id, person, "n") for record_id, person in near]),
        [pair for pair in pairs if not (pair.left in own and pair.right in own)],
        tuple(flags),
        tuple(releases),
    )


def _sampled(snapshot: Snapshot, item_id: str) -> Cluster:
    rows = (
        snapshot.wh.rows(
            "SELECT position, record_l, record_r, inclusion_probability, sample FROM published.review.sample "
            "WHERE item_id = ?",
            [item_id],
        )
        if snapshot.has("published.review.sample")
        else []
    )
    if not rows:
        raise NoSuchItem
    position, left, right, inclusion, sample = rows[0]
    return pair_alone(snapshot, item_id, position, left, right, Sampled(inclusion, sample))


def pair_alone(
    snapshot: Snapshot, item_id: str, position: int, left: str, right: str, sample: Sampled | None
) -> Cluster:
    """Two records by themselves, without what the machine made of them; the pair is told as the view scored it, or not
    at all. Raises NoSuchItem when one is gone, or not in the view."""
    wh = snapshot.wh
    homes = snapshot.persons_of((left, right))
    records = load_records(snapshot, [(left, homes.get(left, ""), "a"), (right, homes.get(right, ""), "b")])
    if len(records) < 2 or homes.keys() != {left, right}:
        raise NoSuchItem
    edges = view_edges(wh, VIEW, "published")
    found = wh.con.execute(f"FROM ({edges}) WHERE record_l = ? AND record_r = ?", sorted((left, right)))
    names = [column[0] for column in found.description or ()]
    pairs = [of_row(dict(zip(names, row, strict=True))) for row in found.fetchall()]
    version = "|".join(sorted(str(record.raw["fingerprint"]) for record in records))
    restricted = any(record.sensitivity for record in records)
    item = Item(item_id, position, "random pair", 0.0, restricted, version[:64], (homes.get(left, ""),), ())
    weight = pairs[0].weight if pairs else None
    return Cluster(item, "", left, right, weight, None, 2, records, pairs, [], [], sample=sample)


def _pairs(snapshot: Snapshot, item_id: str) -> list[Pair]:
    found = snapshot.wh.con.execute(
        "SELECT * FROM published.review.pair WHERE item_id = ? ORDER BY match_weight, record_l, record_r", [item_id]
    )
    names = [column[0] for column in found.description or ()]
    return [of_row(dict(zip(names, row, strict=True))) for row in found.fetchall()]


def _sides(records: set[str], pairs: Sequence[Pair], left: str | None, right: str | None) -> set[str]:
    """The records on the right's side once the weakest link is cut: those that stronger links hold to it."""
    if left is None or right is None:
        return set()
    group = {record: record for record in records}

    def root(record: str) -> str:
        while group[record] != record:
            record = group[record]
        return record

    for pair in sorted(pairs, key=lambda each: (-each.weight, each.left, each.right)):
        one, other = root(pair.left), root(pair.right)
        if one != other and {one, other} != {root(left), root(right)}:
            group[other] = one
    there = root(right)
    return {record for record in records if root(record) == there} if root(left) != there else {right}


def stays(snapshot: Snapshot, records: Sequence[Record]) -> list[Stay]:
    """Where the records say that the person was, oldest first."""
    if not records or not snapshot.has("published.people.record_address"):
        return []
    systems = {record.record_id: record.system for record in records}
    marks = ", ".join("?" * len(systems))
    rows = snapshot.wh.rows(
        "SELECT record_id, address_line, postcode, uprn, from_date, to_date, basis "
        "FROM published.people.record_address "
        f"WHERE record_id IN ({marks}) ORDER BY from_date NULLS FIRST, to_date NULLS LAST, record_id",
        list(systems),
    )
    return [
        Stay(
            record,
            systems[record],
            ", ".join(p for p in (cased(line or ""), postcode) if p),
            uprn,
            start,
            end,
            basis or "",
        )
        for record, line, postcode, uprn, start, end, basis in rows
    ]


def household(snapshot: Snapshot, persons: Sequence[str]) -> list[dict[str, Any]]:
    """Who shares a household with these persons today: initials and year of birth, not more."""
    if not persons or not snapshot.has("published.linkage.household_member"):
        return []
    table = "linkage.household_member"
    lived = snapshot.found(table, "person_id", persons, "household_id", "to_date")
    homes = sorted({home for home, until in lived if until is None})
    since: dict[str, Any] = {}
    for person, start, until in snapshot.found(table, "household_id", homes, "person_id", "from_date", "to_date"):
        if until is None and (person not in since or start is None or (since[person] and start < since[person])):
            since[person] = start
    # those who came first are shown first; an unknown day is long ago
    rows = sorted(since.items(), key=lambda each: (each[1] is not None, each[1] or date.min, each[0]))[:20]
    placed = snapshot.records_of([person for person, _ in rows if person not in persons])
    read = ("record_id", "forename", "surname", "birth_year", "sensitivity")
    names = [
        (placed[record], *told) for record, *told in snapshot.found("people.record", "record_id", list(placed), *read)
    ]
    hidden = {person for person, *_, sensitivity in names if sensitivity}
    told = []
    for person, start in rows:
        if person in persons or person in hidden:
            continue
        named = Counter((forename, surname) for one, forename, surname, *_ in names if one == person and surname)
        years = Counter(year for one, _, _, year, _ in names if one == person and year)
        forename, surname = named.most_common(1)[0][0] if named else (None, None)
        told.append(
            {
                "person": person,
                "name": cased(" ".join(part for part in (forename, surname) if part)) or "name not held",
                "year": years.most_common(1)[0][0] if years else None,
                "since": start,
            }
        )
    return told


def changes(snapshot: Snapshot, persons: Sequence[str]) -> list[dict[str, Any]]:
    """What the last run did to these persons, from the ledger."""
    if not persons or not snapshot.has("published.linkage.ledger"):
        return []
    read = ("run_id", "ledger_seq", "event", "person_id", "other_person_id", "records", "reason")
    rows = snapshot.found("linkage.ledger", "person_id", persons, *read)[::-1][:12]
    return [
        {
            "event": event,
            "person": person,
            "other": other,
            "records": list(records or ()),
            "reason": reason,
            "run": run,
            "now": run == snapshot.run_id,
        }
        for run, _, event, person, other, records, reason in rows
    ]
