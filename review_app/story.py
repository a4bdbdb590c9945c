"""The story of a cluster in plain English, and what the question is."""

from collections import Counter

from pipelines.faults import plural
from review_app.clusters import Cluster, Stay
from review_app.evidence import Pair, odds
from review_app.records import Record, day, similarity

QUESTIONS = {
    "cut edge": "Are these two people one person?",
    "fits two": "Are these two people one person?",
    "uncertain pair": "Are these two people one person?",
    "weak bridge": "Is this one person, or two?",
    "contradiction": "Is this one person?",
    "oversized": "Is this one person?",
    "decision": "Does the earlier decision still hold?",
    "random pair": "Are these two records one person?",
}
REASONS = {
    "cut edge": "Kept apart by a rule",
    "fits two": "Fits two people",
    "uncertain pair": "Uncertain pair",
    "weak bridge": "Weak link",
    "contradiction": "Contradiction",
    "oversized": "Unusually large",
    "decision": "Earlier decision",
    "random pair": "Random pair",
}


def question(cluster: Cluster) -> str:
    return QUESTIONS.get(cluster.item.reason, "Is this one person?")


def story(cluster: Cluster, stays: list[Stay], blind: bool) -> list[str]:
    """Sentences about what the records say; without a score when `blind`."""
    records = cluster.records
    sources = Counter(record.system for record in records)
    told = [f"{plural(len(records), 'record')} from {_listed([_times(name, n) for name, n in sources.most_common()])}."]
    told += _names(records) + _births(records)
    dated = [stay for stay in stays if stay.start]
    if dated:
        homes = len({stay.uprn or stay.address for stay in stays})
        first = min(dated, key=lambda stay: stay.start)
        told.append(f"They tell of {plural(homes, 'address', 'addresses')}, the first from {day(first.start)}.")
    if not blind:
        told.append(cluster.why)
        if pair := cluster.decisive:
            told.append(_decisive(cluster, pair))
    return [sentence for sentence in told if sentence]


def _decisive(cluster: Cluster, pair: Pair) -> str:
    systems = {record.record_id: record.system for record in cluster.records}
    what = "strongest link between them" if cluster.between else "weakest link that holds them together"
    one, other = systems.get(pair.left, "?"), systems.get(pair.right, "?")
    return f"The {what} is between {one} and {other}: {odds(pair.weight)}."


def _names(records: list[Record]) -> list[str]:
    names = Counter(
        " ".join(str(part) for part in (record.raw.get("forename"), record.raw.get("surname")) if part)
        for record in records
    )
    names.pop("", None)
    if len(names) <= 1:
        return ["All bear the same name."] if names else []
    common = [name for name, _ in names.most_common()]
    near = all(similarity(common[0], name) >= 0.8 for name in common[1:])
    return [f"They bear {len(names)} names{', all close to one another' if near else ''}."]


def _births(records: list[Record]) -> list[str]:
    births = {born for record in records if (born := record.raw.get("birth_date"))}
    unknown = sum(record.raw.get("birth_date") is None for record in records)
    left_out = f" {plural(unknown, 'record')} {'has' if unknown == 1 else 'have'} none." if unknown else ""
    if not births:
        return ["None holds a birth date."]
    if len(births) == 1:
        return [f"One birth date: {day(births.pop())}.{left_out}"]
    years = {born.year for born in births}
    apart = max(years) - min(years)
    spread = f", up to {plural(apart, 'year')} apart" if apart else " in one year"
    return [f"{len(births)} birth dates{spread}.{left_out}"]


def _times(name: str, count: int) -> str:
    return name if count == 1 else f"{name} ({count})"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
