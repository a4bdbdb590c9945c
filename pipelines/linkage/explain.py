"""Why two records are linked, or not: in words and numbers."""

from dataclasses import dataclass

from linkage_models import thresholds as policy
from linkage_models.models import Model, pinned
from linkage_models.pairs import PairEvidence, compare
from linkage_models.person.agreements import agreement
from linkage_models.person.designs import DESIGNS
from linkage_models.person.records import link_table
from pipelines.linkage.certainty import thresholds_of
from pipelines.linkage.company import in_words
from pipelines.linkage.edges import NEVER_LINK
from pipelines.settings import BoroughlinkError
from pipelines.warehouse import Warehouse


class UnknownRecord(BoroughlinkError):
    """A record is not in this run, or not in the view."""


@dataclass(frozen=True)
class Explanation:
    """`evidence` rows are (comparison, what agrees, weight in bits); values of the records are not in it."""

    sentences: tuple[str, ...]
    evidence: tuple[tuple[str, str, float], ...]


def explain(wh: Warehouse, left: str, right: str, view: str, catalog: str = "identity") -> Explanation:
    """Explain a pair of records of a view, also one that was never compared. Raises UnknownRecord."""
    if left == right:
        raise UnknownRecord("A record can't be explained against itself: give two.")
    record, membership = f"{catalog}.people.record", f"{catalog}.linkage.membership"
    homes = dict(
        wh.rows(
            f"SELECT record_id, person_id FROM {membership} WHERE view = ? AND record_id IN (?, ?)", [view, left, right]
        )
    )
    if not homes.keys() >= {left, right}:
        which = "One of the two records is not" if homes else "Neither of the two records is"
        raise UnknownRecord(f"{which} in the view {view}: `export clusters` lists those that are.")
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE pair_record AS SELECT * FROM {record} WHERE record_id IN (?, ?)", [left, right]
    )
    named = ", ".join(f"'{kind}'" for kind in NEVER_LINK)
    if wh.scalar(f"SELECT count(*) FROM pair_record WHERE sensitivity IN ({named})"):
        # What agrees would itself tell of the connection that the law forbids.
        return Explanation(("One of the two records is marked as never to be linked: they aren't compared.",), ())
    link_table(wh.con, "pair_record", "pair_link")
    model = _model(wh, catalog)
    DESIGNS[model.design].prepare(wh.con, "pair_link")
    found = compare(wh.con, "pair_link", model)
    together = homes[left] == homes[right]
    sentences = [
        f"In the view {view} the two records are {'one person' if together else 'two persons'}.",
        f"Their own evidence weighs {found.weight:+.1f} bits (odds of 2 to that power), from {found.prior:+.1f}"
        f" for any two records.",
        _compared(found),
    ]
    if found.certain_by:
        sentences.append(
            f"They meet a certain rule, agreement on {agreement(found.certain_by)}, worth at least"
            f" {policy.DETERMINISTIC_WEIGHT:+.0f} bits."
        )
    sentences += in_words(wh, view, left, right, catalog)
    sentences += _forbidden(wh)
    sentences.append(_verdict(found, together, thresholds_of(wh, view, catalog).link))
    for table in ("pair_record", "pair_link"):
        wh.execute(f"DROP TABLE {table}")
    return Explanation(tuple(sentences), found.evidence)


def _model(wh: Warehouse, catalog: str) -> Model:
    name = f"{catalog}.linkage.model"
    if wh.exists(name):
        ((body, terms),) = wh.rows(f"SELECT body, terms FROM {name}")
        return Model.of(body, terms)
    return pinned()


def _compared(found: PairEvidence) -> str:
    if found.blocked_by:
        return f"They were compared because they agree on {agreement(found.blocked_by)}."
    return "They were never compared: no blocking rule brings them together. The evidence below was worked out now."


def _forbidden(wh: Warehouse) -> list[str]:
    """What would keep the pair apart whatever it weighs."""
    ((one_source, dead),) = wh.rows(
        f"""SELECT count(one_person_key) = 2 AND count(DISTINCT one_person_key) = 1,
        coalesce(max(last_begun) > min(death_date) + {policy.DEATH_GRACE_DAYS}, false) FROM pair_record"""
    )
    said = []
    if one_source:
        said.append(
            "Their source holds a person only once there, so they are two people unless someone decides otherwise."
        )
    if dead:
        said.append("One begins something after the death that the other records.")
    return said


def _verdict(found: PairEvidence, together: bool, link: float) -> str:
    if together and found.weight < link:
        return "They are together through other records of the person, whose evidence on average says the same person."
    if not together and found.weight >= link:
        return (
            "They are apart although alike: a constraint, a decision, or the other records of each person"
            " speak against it."
        )
    return "Their own evidence says the same as the result."
