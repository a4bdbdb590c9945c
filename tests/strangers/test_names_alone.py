"""Lists of names with nothing beside them that tells namesakes apart: linked only where that is sure, else reviewed."""

from math import log2

import numpy as np
import pytest

from linkage_models.person.agreements import warily_in_words
from linkage_models.thresholds import CLUSTER_STOP, NOTHING_LINKS, TARGET_PRECISION
from pipelines.linkage.doubts import BETWEEN, REVIEW_EDGE
from pipelines.linkage.explain import Looked, explain
from pipelines.linkage.names_alone import WARY, beside_rivals, fitting_as_well
from pipelines.linkage.persons import MEMBERSHIP
from pipelines.linkage.trial import show_published, try_model
from pipelines.people.records import RECORD
from pipelines.people.repeats import REPEATS, may_repeat, write_repeats
from pipelines.publication.snapshot import build_snapshot
from pipelines.warehouse import scratch_warehouse
from tests.strangers.linking import VIEW, Row, copied, link, people

BARE = {"birth_date": None, "address_text": None}


def bare(rows: list[Row]) -> list[Row]:
    return [row | BARE for row in rows]


def test_pairs_that_are_not_sure_enough_are_reviewed_and_not_joined() -> None:
    everyone = people(900, 8)
    with scratch_warehouse() as wh:
        _, persons = link(wh, {"a": bare(everyone), "b": bare(copied(everyone[:450], 9))})
        likely = wh.scalar("SELECT count(*) FROM identity.linkage.edge WHERE match_weight > 0")
        asked = wh.scalar(f"SELECT count(*) FROM {REVIEW_EDGE} WHERE reason = '{BETWEEN}' AND match_weight > 0")
    joined = [records for records in persons.values() if len(records) > 1]
    assert likely > 200 and asked > 150, "as likely of one person as not, and no more"
    assert len(joined) < 20 and all(len({each.split(":")[1] for each in records}) == 1 for records in joined)


def test_a_pair_too_little_to_join_by_itself_does_not_part_what_others_join() -> None:
    few = people(30, 4)  # of few names, so that no name tells who is meant
    everyone = [
        row | BARE | {"email": f"{row['source_key']}@mail.example", "forename": few[number % 13]["forename"]}
        for number, row in enumerate(people(600, 8))
    ]
    homes = [row | {"address_text": home["address_text"]} for row, home in zip(everyone, people(600, 8), strict=True)]
    booked = [row | {"email": None} for row in (*copied(homes, 10), *copied(homes, 11, "9"))]
    with scratch_warehouse() as wh:
        _, persons = link(wh, {"shop": copied(homes, 9), "news": everyone, "booked": booked})
        against = f"count(*) FILTER (match_weight < least(bits, {CLUSTER_STOP}))"
        ((spoke, short),) = wh.rows(f"SELECT {against}, count(*) FROM {WARY} WHERE bits < bar")
    whole = sum(len(records) == 4 for records in persons.values())
    mixed = sum(len({each[-8:-2] for each in records}) > 1 for records in persons.values())
    assert (spoke, short > 0) == (0, True), (spoke, short)
    assert whole > 0.9 * len(everyone) and mixed <= 3, (whole, mixed)


def test_a_trial_beside_the_published_tables_makes_the_persons_of_the_run() -> None:
    everyone, views, persons = people(900, 8), {VIEW: ["a", "b"]}, f"SELECT list(record_id) FROM {MEMBERSHIP}"
    with scratch_warehouse() as wh:
        linked, _ = link(wh, {"a": bare(everyone), "b": bare(copied(everyone[:450], 9))})
        made = sorted(sorted(group) for (group,) in wh.rows(f"{persons} GROUP BY person_id"))
        wh.execute("ATTACH ':memory:' AS published")
        build_snapshot(wh)
        wh.execute("DETACH identity")
        wh.execute("ATTACH ':memory:' AS identity")
        show_published(wh)
        try_model(wh, linked.model, views, [], TARGET_PRECISION, CLUSTER_STOP)
        assert sorted(sorted(group) for (group,) in wh.rows(f"{persons} GROUP BY person_id")) == made
        wh.execute(f"DROP VIEW {REPEATS}")
        try_model(wh, linked.model, views, [], TARGET_PRECISION, CLUSTER_STOP)
        told = "a run published before this was: what the trial said then"
        assert len(wh.rows(f"{persons} GROUP BY person_id")) < len(made), told


def test_the_odds_of_a_pair_are_held_against_its_rivals_and_against_no_partner() -> None:
    # two lists of ten; records 0 and 1 of the first, 10 and 11 of the second
    source = np.repeat([0, 1], 10)
    left, right, odds = np.array([0, 0, 1]), np.array([10, 11, 11]), np.array([10.0, 4.0, 5.0])
    found = beside_rivals(left, right, odds, source)
    matches = sum(2**w / (1 + 2**w) for w in odds)
    alone = (1 - matches / 10) ** 2
    expected = [10 - log2(16 + alone), 4 - log2(1024 + 32 + alone), 5 - log2(16 + alone)]
    assert found == pytest.approx(expected)
    assert fitting_as_well(left, right, odds, source).tolist() == [0, 2, 1]
    assert beside_rivals(left[:1], right[:1], odds[:1], source)[0] > 10, "no rival, and most may stand in both"


def test_a_pair_that_stays_apart_though_its_evidence_is_for_one_person_is_explained() -> None:
    everyone = people(900, 8)
    with scratch_warehouse() as wh:
        link(wh, {"a": bare(everyone), "b": bare(copied(everyone[:450], 9))})
        ((left, right, bits, rivals),) = wh.rows(
            f"""SELECT record_l, record_r, bits, rivals FROM {WARY} JOIN identity.linkage.edge e
            USING (record_l, record_r) WHERE rivals > 1 AND e.match_weight > 1 AND bits < bar
            ORDER BY e.match_weight DESC, record_l LIMIT 1"""
        )
        text = "\n".join(explain(wh, left, right, Looked(VIEW)).sentences)
        wh.execute(f"UPDATE {WARY} SET bar = bits + 4.5")
        short = "\n".join(explain(wh, left, right, Looked(VIEW)).sentences)
    assert "two persons" in text and "do not show whether anybody comes twice in these lists" in text
    assert f"counts {bits:+.1f} bits: {rivals:,} other records fit one of the two about as well or better" in text
    assert "none of them is" in text and "It falls" not in text and "It falls 4.5 bits short of that." in short
    assert "and more count as linked" not in text + short and "merge above" not in text + short, "one bar, not three"
    assert "Nothing forbids it" not in text


@pytest.mark.parametrize(
    ("bits", "bar", "rivals", "said"),
    [
        (3.04, 7.2, 4, "sure: from +7.2 bits. Beside what else it may be, this one counts +3.0 bits: 4 other records"),
        (3.0, 7.2, 1, "+3.0 bits: another record fits one of the two about as well or better."),
        (3.0, NOTHING_LINKS, 0, "sure: none of them is. Beside what else it may be, this one counts +3.0 bits."),
    ],
)
def test_what_a_pair_of_silent_lists_must_reach_in_words(bits: float, bar: float, rivals: int, said: str) -> None:
    assert said in warily_in_words(bits, bar, rivals)


def test_a_list_with_visible_copies_is_not_presumed_to_hold_a_person_once() -> None:
    everyone = bare(people(300, 8))
    twice = everyone + [row | {"source_key": row["source_key"] + "x"} for row in everyone]
    with scratch_warehouse() as wh:
        link(wh, {"a": everyone, "b": twice})
        assert may_repeat(wh, ()) == {"a": True, "b": False}


def test_no_list_is_presumed_anything_for_what_another_view_may_not_read() -> None:
    everyone = bare(people(300, 8))
    with scratch_warehouse() as wh:
        link(wh, {"a": everyone, "b": copied(everyone, 9), "c": copied(everyone, 10)})
        for views, presumed in (
            ({"x": ["a", "b", "c"]}, ["a", "b", "c"]),
            ({"x": ["a"], "y": ["a", "b"]}, ["b"]),  # nobody reads b who may not read a
            ({"x": ["a", "b"], "y": ["c"], "z": ["a", "b", "c"]}, ["a", "b"]),
            ({"x": ["a", "b"], "y": [], "z": ["a", "b"]}, ["a", "b"]),  # the same for x without c
            ({"x": ["a"], "y": ["b"], "z": ["c"]}, []),
        ):
            write_repeats(wh, RECORD, {}, views)
            found = wh.rows(f"SELECT source FROM {REPEATS} WHERE presumed ORDER BY source")
            assert [source for (source,) in found if source in set().union(*views.values())] == presumed, views
