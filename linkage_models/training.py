"""Train a person model without labels: u from random pairs, m by expectation maximisation, the prior from certain
pairs."""

import json
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NoReturn

import duckdb
import numpy as np

from linkage_models import thresholds as policy
from linkage_models.every_pair import PASSES, learn_from_every_pair
from linkage_models.linker import linker_for, unweighed
from linkage_models.maximisation import SMOOTHING, Learnt, NotConverged, maximise
from linkage_models.models import CORE, Model, version_name
from linkage_models.neighbours import count_local_levels
from linkage_models.person import blocking, comparisons, deterministic
from linkage_models.person.communities import learn_communities
from linkage_models.person.designs import COUNCIL, GENERAL, Design
from linkage_models.person.general import weigh_twins, without_families
from linkage_models.term_frequencies import terms_here, with_telling_names

_OTHERS = frozenset(
    {"middle", "sex", "nino", "nhs_number", "person_number", "contact", "move", "birth_place", "occupation"}
)


@dataclass(frozen=True)
class Session:
    """Pairs that agree on `rule`, the comparisons whose m they can show, and those that only help to tell matches
    apart."""

    rule: tuple[str, ...]
    trains: frozenset[str]
    evidence: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Patterns:
    """How many pairs of a session show each combination of levels: arrays gamma_<comparison> and pairs."""

    session: Session
    comparisons: list[str]
    counts: dict[str, Any]


COUNCIL_SESSIONS = (
    Session(("nino",), (_OTHERS - {"nino"}) | {"forename", "home", "birth_date"}),
    Session(("forename_root", "birth_date"), _OTHERS | {"home"}),
    Session(("home_key", "surname_key"), _OTHERS | {"forename", "birth_date"}),
    Session(("surname_key", "birth_date"), _OTHERS | {"forename"}),
    # of other names namesakes abound, and what they share would be learnt from them
    Session(("telling_name",), frozenset({"move"}), (_OTHERS - {"sex"}) | {"birth_date", "home"}),
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
MIN_SESSION_PAIRS = 200
# A session of fewer pairs is noise beside one of more, but better than none for what no other session shows.
LEAST_SESSION_PAIRS = 50
MIN_MATCHES = 20
_FLOOR = 1e-6
# Two records of a source that holds each person once are two people: there is nothing to learn of matches from them.
_MAY_MATCH = "(l.one_person_key = r.one_person_key) IS NOT TRUE"


class TrainingFailed(RuntimeError):
    """Training gave no usable model; the message says which step and why."""


def train(
    con: duckdb.DuckDBPyConnection,
    table: str,
    day: date,
    population: int,
    seed: int = 1,
    note: str = "",
    design: Design = COUNCIL,
) -> Model:
    """Train on `table` (as person.records.link_table writes it). `population` is the number of people it stands for.

    Raises TrainingFailed if EM does not converge or a comparison could not be trained.
    """
    columns = design.prepare(con, table)
    at_hand = sorted(columns)
    chosen = comparisons_here(con, table, design, columns)
    records = con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    if records < 2:
        raise TrainingFailed("there is nothing to train on: fewer than two records")
    prior = certain_prior(con, table, columns, records)
    terms = terms_here(con, table, columns.intersection(design.weighed))
    if design is COUNCIL and columns.issuperset({"forename", "surname_key"}):
        terms |= learn_communities(con, table)
        table, columns = with_telling_names(con, table, terms, population), columns | {"telling_name"}
    settings = settings_of(chosen, prior)
    linker = linker_for(con, table, settings, terms)
    linker.training.estimate_u_using_random_sampling(max_pairs=policy.U_PAIRS, seed=seed, min_count_per_level=None)
    seen = linker.misc.save_model_to_json()
    if design is COUNCIL:
        count_local_levels(con, table, seen)
        _share_among_the_rest(seen)
    else:
        raise_u(con, table, seen, chosen, columns)
    names = {each.name for each in chosen}
    sessions = tuple(each for each in SESSIONS[design.name] if names & (each.trains | each.evidence))
    patterns = [patterns_of(con, table, seen, usable) for usable in _usable_sessions(con, table, sessions, columns)]
    every = pairs_that_may_match(con, table, records)
    most = {each.name: [level.most for level in each.levels] for each in chosen}
    for _ in range(PASSES):
        trained = json.loads(json.dumps(seen))
        take_matches_out_of_u(trained, chosen, prior)
        learnt = _learnt(trained, patterns, spare=design is GENERAL)
        assumed = _settle(trained, chosen, learnt, spare=design is GENERAL)
        found = max((each.matches for each in learnt), default=0.0)
        prior = max(prior, min(found / policy.PRIOR_RULE_RECALL / every, policy.PRIOR_MOST))
    if design is GENERAL:
        try:
            every_pair = learn_from_every_pair(con, table, trained, terms, design, columns, every, prior, most)
        except NotConverged as fault:
            raise TrainingFailed(str(fault)) from None
        prior = min(every_pair.matches / every, policy.PRIOR_MOST)
        assumed = [name for name in assumed if every_pair.counts[name].sum() < MIN_MATCHES]
        if lacking := CORE.intersection(assumed):
            _too_little(min(lacking), float(every_pair.counts[min(lacking)].sum()))
        learnt.append(every_pair)
        weigh_twins(trained, prior)
    trained["probability_two_random_records_match"] = prior
    card = {
        "assumed": assumed,
        "records": records,
        "note": note,
        "seed": seed,
        "columns": at_hand,
        "sessions": {
            " + ".join(each.rule): {"iterations": each.iterations, "matches": round(each.matches)} for each in learnt
        },
        "rare_terms_pooled_below": policy.RARE_TERM_COUNT,
        "calibrated": False,
    }
    con.execute("DROP TABLE IF EXISTS training_record")
    return Model(version_name(day), population, trained, terms, card, design=design.name)


def comparisons_here(
    con: duckdb.DuckDBPyConnection, table: str, design: Design, columns: set[str]
) -> list[comparisons.Comparison]:
    """What the columns at hand allow to compare. Raises TrainingFailed if nothing."""
    chosen = design.comparisons_of(columns)
    if not chosen:
        raise TrainingFailed("there is nothing to train on: no column tells people apart")
    return without_families(chosen) if design is GENERAL and not families_seen(con, table, columns) else chosen


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


def raise_u(
    con: duckdb.DuckDBPyConnection,
    table: str,
    seen: dict[str, Any],
    chosen: list[comparisons.Comparison],
    columns: set[str],
) -> None:
    """No u below what half a pair would have given: of a column that few records hold, the sample saw few pairs."""
    held = ", ".join(
        f"greatest({', '.join(f'avg(({x} IS NOT NULL)::INT)' for x in each.needs if x in columns)})" for each in chosen
    )
    (shares,) = con.execute(f"SELECT {held} FROM {table}").fetchall()
    for comparison, share in zip(seen["comparisons"], shares, strict=True):
        least = min(0.5 / max(policy.U_PAIRS * share**2, 1.0), 0.1)
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level") and not level.get("fix_u_probability"):
                level["u_probability"] = max(level.get("u_probability", 0.0), least)


def families_seen(con: duckdb.DuckDBPyConnection, table: str, columns: set[str]) -> bool:
    """Whether people of one surname live together in these records: of the pairs of one surname in one home, those
    whose forename and birth date both differ, against those that agree on both."""
    if not columns.issuperset({"home_key", "surname_key", "forename_root", "birth_date"}):
        return True
    differ, agree = con.execute(
        f"""SELECT count(*) FILTER (l.initial <> r.initial AND l.birth_year <> r.birth_year),
            count(*) FILTER (l.forename_root = r.forename_root AND l.birth_date = r.birth_date)
        FROM {table} l JOIN {table} r ON l.home_key = r.home_key AND l.surname_key = r.surname_key
            AND l.unique_id < r.unique_id"""
    ).fetchall()[0]
    return bool(differ > policy.FAMILY_SHARE * (differ + agree))


def settings_of(chosen: list[comparisons.Comparison], prior: float) -> dict[str, Any]:
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "source_dataset_column_name": "source_dataset",
        "comparisons": [comparisons.as_settings(each) for each in chosen],
        "blocking_rules_to_generate_predictions": [{"blocking_rule": "1 = 1", "sql_dialect": "duckdb"}],
        "probability_two_random_records_match": prior,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "sql_dialect": "duckdb",
    }


def certain_prior(con: duckdb.DuckDBPyConnection, table: str, columns: set[str], records: int) -> float:
    """Probability of a match: pairs that meet a deterministic rule, over the share of true pairs such rules find."""
    rules = {name: keys for name, keys in deterministic.RULES.items() if columns.issuperset(keys)}
    if not rules:
        rules = {
            "names_birth_date": tuple(sorted(columns & {"forename_root", "surname_key", "birth_date", "home_key"}))
        }
    pairs = " UNION ".join(
        f"SELECT l.unique_id AS a, r.unique_id AS b FROM {table} l JOIN {table} r ON "
        + " AND ".join(f"l.{key} = r.{key}" for key in keys)
        + " AND l.unique_id < r.unique_id"
        for keys in rules.values()
    )
    certain = con.execute(f"SELECT count(*) FROM ({pairs})").fetchall()[0][0]
    every = records * (records - 1) / 2
    return min(max(certain, 1) / policy.PRIOR_RULE_RECALL / every, policy.PRIOR_MOST)


def patterns_of(
    con: duckdb.DuckDBPyConnection,
    table: str,
    seen: dict[str, Any],
    usable: tuple[Session, int],
) -> Patterns:
    """The comparison patterns of a session's pairs, sampled down to EM_PAIRS."""
    session, pairs = usable
    sampled = pairs // policy.EM_PAIRS + 1
    rule = " AND ".join(f"l.{column} = r.{column}" for column in session.rule) + f" AND {_MAY_MATCH}"
    if sampled > 1:
        rule += f" AND hash(l.unique_id, r.unique_id) % {sampled} = 0"
    compared = [each for each in seen["comparisons"] if each["output_column_name"] in session.trains | session.evidence]
    settings = seen | {
        "comparisons": unweighed(compared),
        "blocking_rules_to_generate_predictions": [{"blocking_rule": rule, "sql_dialect": "duckdb"}],
        "retain_matching_columns": True,
    }
    names = [each["output_column_name"] for each in compared]
    gammas = ", ".join(f"gamma_{name}" for name in names)
    counted = f"SELECT {gammas}, count(*) * {sampled} AS pairs FROM predicted GROUP BY {gammas}"
    predicted = linker_for(con, table, settings, {}, counted).inference.predict()
    counts = con.execute(f"FROM {predicted.physical_name} ORDER BY {gammas}").fetchnumpy()
    predicted.drop_table_from_database_and_remove_from_cache()
    return Patterns(session, names, counts)


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
        else level | {"u_probability": min(level["u_probability"] / max(reach, _FLOOR), 1.0)}
        for level in levels
    ]


def _usable_sessions(
    con: duckdb.DuckDBPyConnection, table: str, sessions: tuple[Session, ...], columns: set[str]
) -> list[tuple[Session, int]]:
    """The sessions whose columns are at hand and that make enough pairs, with their pairs; where these leave out what
    the model leans on, also smaller ones."""
    at_hand = {" + ".join(session.rule): session for session in sessions if columns.issuperset(session.rule)}
    costs = blocking.rule_costs(con, table, {name: session.rule for name, session in at_hand.items()})
    for least in (MIN_SESSION_PAIRS, LEAST_SESSION_PAIRS):
        usable = [(at_hand[cost.rule], cost.pairs) for cost in costs if cost.pairs >= least]
        if CORE.issubset(frozenset().union(*(session.trains for session, _ in usable))):
            break
    if not usable:
        raise TrainingFailed(
            f"no training rule makes {LEAST_SESSION_PAIRS} pairs: too few records share a name, birth date or home"
        )
    return usable


def _share_among_the_rest(seen: dict[str, Any]) -> None:
    """A level of fixed weight can take most of what random pairs show (a child beside an adult, whatever their birth
    dates): u of the other levels is their share of the pairs that it leaves."""
    for comparison in seen["comparisons"]:
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        known = [level for level in levels if level.get("u_probability") is not None]
        sampled = [level for level in known if not level.get("fix_u_probability")]
        total = sum(level["u_probability"] for level in sampled) or 1.0
        for level in sampled:
            # none at all is what few records show, not what is impossible
            level["u_probability"] = max(level["u_probability"] / total, _FLOOR / 100)


def take_matches_out_of_u(trained: dict[str, Any], chosen: list[comparisons.Comparison], prior: float) -> None:
    """Random pairs hold `prior` of true matches, which matters where agreement is rarer than that: u = (seen - prior
    m) / (1 - prior).

    What part of the matches reach a level is a rough guess of comparisons.py; a twentieth of what was seen is the
    least left.
    """
    for comparison, source in zip(trained["comparisons"], chosen, strict=True):
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        for level, known in zip(levels, source.levels, strict=True):
            level["m_probability"] = level["m_probability"] if level.get("fix_m_probability") else known.m
            seen = level.setdefault("u_probability", _FLOOR)
            if not level.get("fix_u_probability"):
                level["u_probability"] = max((seen - prior * known.share) / (1 - prior), seen / 20, _FLOOR / 100)


def pairs_that_may_match(con: duckdb.DuckDBPyConnection, table: str, records: int) -> float:
    (apart,) = con.execute(
        f"""SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM (SELECT count(*) AS n FROM {table}
        WHERE one_person_key IS NOT NULL GROUP BY one_person_key)"""
    ).fetchall()[0]
    return float(max(records * (records - 1) / 2 - apart, 1.0))


def _too_little(name: str, found: float) -> NoReturn:
    raise TrainingFailed(
        f"too little data on {name!r}: {found:.0f} pairs of one person hold it on both sides, and at least"
        f" {MIN_MATCHES} are needed"
    )


def _settle(
    trained: dict[str, Any], chosen: list[comparisons.Comparison], learnt: list[Learnt], spare: bool
) -> list[str]:
    """Set each m to the mean of the sessions, weighted by their matches. Returns the comparisons of which no session
    had a pair (an identifier that one source alone holds): they keep assumed values. Raises TrainingFailed for one that
    a model leans on, unless all pairs are asked later (`spare`)."""
    assumed = []
    for comparison, source in zip(trained["comparisons"], chosen, strict=True):
        counts = [each.counts[source.name] for each in learnt if source.name in each.counts]
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        if not counts or sum(float(each.sum()) for each in counts) < MIN_MATCHES:
            if source.name in CORE and not spare:
                _too_little(source.name, sum(float(each.sum()) for each in counts))
            assumed.append(source.name)
            continue
        total = np.sum(counts, axis=0) + SMOOTHING
        for level, count in zip(levels, (total / total.sum()).tolist(), strict=True):
            if not level.get("fix_m_probability"):
                level["m_probability"] = count
    for comparison, source in zip(trained["comparisons"], chosen, strict=True):
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        for level, known in zip(levels, source.levels, strict=True):
            level["m_probability"] *= 2.0**-known.discount
    return assumed
