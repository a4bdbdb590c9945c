"""Train a person model without labels: u from random pairs, m by expectation maximisation, the prior from certain
pairs."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import duckdb
import numpy as np

from linkage_models import thresholds as policy
from linkage_models.every_pair import PASSES, EveryPair, learn_from_every_pair, look_at_every_pair
from linkage_models.maximisation import SMOOTHING, Learnt, NotConverged, maximise
from linkage_models.models import CORE, Model, version_name
from linkage_models.observed import FLOOR, Observed, observe, take_matches_out_of_u
from linkage_models.patterns import Patterns, Session, TrainingFailed
from linkage_models.person.designs import COUNCIL, GENERAL, Design
from linkage_models.person.general import weigh_among_these, weigh_relatives
from linkage_models.person.levels import Comparison

_OTHERS = frozenset(
    {"middle", "sex", "nino", "nhs_number", "person_number", "contact", "move", "birth_place", "occupation"}
)
COUNCIL_SESSIONS = (
    Session(("nino",), (_OTHERS - {"nino"}) | {"forename", "home", "birth_date"}),
    Session(("forename_root", "birth_date"), _OTHERS | {"home"}),
    Session(("home_key", "surname_key"), _OTHERS | {"forename", "birth_date"}),
    Session(("surname_key", "birth_date"), _OTHERS | {"forename"}),
    # of other names namesakes abound, and what they share would be learnt from them
    Session(("rare_name",), frozenset({"move"}), (_OTHERS - {"sex"}) | {"birth_date", "home"}),
)
_ALL = _OTHERS | {"forename", "home", "birth_date"}
GENERAL_SESSIONS = (
    Session(("nino",), _ALL - {"nino"}),
    Session(("person_number",), _ALL - {"person_number"}),
    Session(("forename_root", "birth_date"), _OTHERS | {"home"}),
    Session(("surname_key", "birth_date"), _OTHERS | {"forename"}, frozenset({"home"})),
    Session(("postcode", "forename_root"), _OTHERS | {"birth_date"}, frozenset({"home"})),
    Session(("postcode", "birth_date"), _OTHERS | {"forename"}, frozenset({"home"})),
    Session(("home_key", "surname_key"), _OTHERS | {"forename", "birth_date"}),
    Session(("forename", "surname_key"), _OTHERS | {"birth_date"}, frozenset({"home"})),
)
SESSIONS = {COUNCIL.name: COUNCIL_SESSIONS, GENERAL.name: GENERAL_SESSIONS}
MIN_MATCHES = 20
# So many pairs of one person teach the rest where hardly any holds one of CORE on both sides. Assumed.
MATCHES_WITHOUT = 10 * MIN_MATCHES
# Which pairs are drawn at random.
SEED = 1


class TaughtTooLittle(TrainingFailed):
    """All pairs were looked at, and teach no m; `seen` and `pairs` are what they show, for a model that assumes it."""

    def __init__(self, why: str, seen: Observed, pairs: EveryPair) -> None:
        super().__init__(why)
        self.seen, self.pairs = seen, pairs


def train(
    con: duckdb.DuckDBPyConnection,
    table: str,
    day: date,
    population: int,
    seed: int = SEED,
    note: str = "",
    design: Design = COUNCIL,
) -> Model:
    """Train on `table` (as person.records.link_table writes it). `population` is the number of people it stands for.

    Raises TrainingFailed if EM does not converge or a comparison could not be trained.
    """
    seen = observe(con, table, design, population, seed, SESSIONS[design.name])
    chosen, prior, every = seen.chosen, seen.prior, seen.every
    most = {each.name: [level.most for level in each.levels] for each in chosen}
    for _ in range(PASSES):
        trained = json.loads(json.dumps(seen.settings))
        take_matches_out_of_u(trained, chosen, prior)
        learnt = _learnt(trained, seen.patterns, spare=design is GENERAL)
        assumed = _settle(trained, chosen, learnt, spare=design is GENERAL)
        found = max((each.matches for each in learnt), default=0.0)
        prior = max(prior, min(found / policy.PRIOR_RULE_RECALL / every, policy.PRIOR_MOST))
    if design is GENERAL:
        pairs = look_at_every_pair(con, table, trained, design, seen.columns, seen.terms)
        try:
            every_pair = learn_from_every_pair(pairs, trained, every, prior, most)
        except NotConverged as fault:
            raise TaughtTooLittle(str(fault), seen, pairs) from None
        prior = min(every_pair.matches / every, policy.PRIOR_MOST)
        assumed = [name for name in assumed if every_pair.counts[name].sum() < MIN_MATCHES]
        lacking = CORE.intersection(assumed)
        if len(lacking) == 1 and every_pair.matches >= MATCHES_WITHOUT:
            lacking = set()  # one list alone may hold it: the rest tells who is who
        if lacking:
            found = float(every_pair.counts[min(lacking)].sum())
            raise TaughtTooLittle(_too_little(min(lacking), found), seen, pairs)
        if misspelt_rather_than_same(chosen, every_pair):
            why = "what looks like one person seldom has the same forename, rather one that is a letter apart"
            raise TaughtTooLittle(why, seen, pairs)
        learnt.append(every_pair)
        weigh_relatives(trained, prior)
        weigh_among_these(trained, pairs.shares)
    else:
        of_unknown(con, table, trained, chosen)
    trained["probability_two_random_records_match"] = prior
    card = {
        "assumed": assumed,
        "records": seen.records,
        "note": note,
        "seed": seed,
        "columns": sorted(seen.columns),
        "sessions": {
            " + ".join(each.rule): {"iterations": each.iterations, "matches": round(each.matches)} for each in learnt
        },
        "rare_terms_pooled_below": policy.RARE_TERM_COUNT,
        "calibrated": False,
    }
    return Model(version_name(day), population, trained, seen.terms, card, design=design.name)


def _learnt(trained: dict[str, Any], patterns: list[Patterns], spare: bool) -> list[Learnt]:
    """What each session teaches. With `spare` one that does not converge is left out: records of any origin may be such
    that two columns together say next to nothing, and all rules together are asked afterwards."""
    learnt = []
    for each in patterns:
        try:
            learnt.append(learn(trained, each))
        except TrainingFailed:
            if not spare:
                raise
    return learnt


def learn(trained: dict[str, Any], patterns: Patterns) -> Learnt:
    """EM over one session's patterns, with the u of `trained`. Raises TrainingFailed if it does not converge."""
    levels = {
        each["output_column_name"]: [x for x in each["comparison_levels"] if not x.get("is_null_level")]
        for each in trained["comparisons"]
    }
    for name in patterns.session.evidence & levels.keys():
        levels[name] = _within_reach(levels[name], patterns.counts[f"gamma_{name}"])
    try:
        found = maximise(patterns.session.rule, patterns.counts, {name: levels[name] for name in patterns.comparisons})
    except NotConverged as fault:
        raise TrainingFailed(str(fault)) from None
    return replace(
        found, counts={name: count for name, count in found.counts.items() if name in patterns.session.trains}
    )


def _within_reach(levels: list[dict[str, Any]], gammas: Any) -> list[dict[str, Any]]:
    """The levels with u as a share of what the session's pairs can show: where all share a surname, "same surname,
    another address" is what most namesakes reach, however rare it is among random pairs."""
    shown = set(gammas.tolist())
    reach = sum(level["u_probability"] for place, level in enumerate(levels) if len(levels) - 1 - place in shown)
    return [
        level
        if level.get("fix_u_probability") and level.get("fix_m_probability")
        else level | {"u_probability": min(level["u_probability"] / max(reach, FLOOR), 1.0)}
        for level in levels
    ]


def misspelt_rather_than_same(chosen: list[Comparison], learnt: Learnt) -> bool:
    """Whether more matches have forenames a letter apart than the same one. Nobody is misspelt more often than not:
    such matches are of people who share something else, a day of birth in a crowd of one year and one surname."""
    for each in chosen:
        if each.name == "forename" and each.name in learnt.counts:
            held = dict(zip([level.words for level in each.levels], learnt.counts[each.name].tolist(), strict=True))
            return held.get("forenames one letter apart", 0.0) > held.get("same forename", 0.0)
    return False


def _too_little(name: str, found: float) -> str:
    return (
        f"too little data on {name!r}: {found:.0f} pairs of one person hold it on both sides, and at least"
        f" {MIN_MATCHES} are needed"
    )


def of_unknown(con: duckdb.DuckDBPyConnection, table: str, trained: dict[str, Any], chosen: list[Comparison]) -> None:
    """Make m of a level for pairs of which one record lacks something its share of such pairs: of all pairs, m would
    hold how seldom it is lacking, which a term frequency in the place of u does not. Its u is that of all levels of its
    term: people share a name as often whatever is known of them."""
    for comparison, source in zip(trained["comparisons"], chosen, strict=True):
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        for level, known in zip(levels, source.levels, strict=True):
            if known.unknown:
                ((held,),) = con.execute(f"SELECT avg((NOT {known.unknown})::INT) FROM {table}").fetchall()
                among = level["m_probability"] / max(1 - held**2, FLOOR)
                level["m_probability"] = min(among, 2.0**-known.discount)
                alike = [each for each, of in zip(levels, source.levels, strict=True) if of.term == known.term]
                level["u_probability"] = sum(each["u_probability"] for each in alike)


def _settle(trained: dict[str, Any], chosen: list[Comparison], learnt: list[Learnt], spare: bool) -> list[str]:
    """Set each m to the mean of the sessions, weighted by their matches. Returns the comparisons of which no session
    had a pair (an identifier that one source alone holds): they keep assumed values. Raises TrainingFailed for one that
    a model leans on, unless all pairs are asked later (`spare`)."""
    assumed = []
    for comparison, source in zip(trained["comparisons"], chosen, strict=True):
        counts = [each.counts[source.name] for each in learnt if source.name in each.counts]
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        if not counts or sum(float(each.sum()) for each in counts) < MIN_MATCHES:
            if source.name in CORE and not spare:
                raise TrainingFailed(_too_little(source.name, sum(float(each.sum()) for each in counts)))
            assumed.append(source.name)
            continue
        total = np.sum(counts, axis=0) + SMOOTHING
        for level, count in zip(levels, (total / total.sum()).tolist(), strict=True):
            if not level.get("fix_m_probability"):
                level["m_probability"] = count
    for comparison, source in zip(trained["comparisons"], chosen, strict=True):
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        for level, known in zip(levels, source.levels, strict=True):
            level["m_probability"] *= 2.0 ** -max(known.discount, 0.0)
            level["u_probability"] *= 2.0 ** min(known.discount, 0.0)
    return assumed
