"""At tight limits too, a view is what its own records make it: small random boroughs with crowds, or a small budget."""

from collections.abc import Callable, Iterator

import polars as pl
import pytest

from linkage_models.person import blocking
from pipelines.faults import BoroughlinkError
from pipelines.linkage.certainty import THRESHOLD
from pipelines.linkage.constraints import load_decisions
from pipelines.linkage.doubts import REVIEW_EDGE
from pipelines.linkage.edges import RULE, SCORING, build_edge
from pipelines.linkage.homes import HOUSEHOLD, HOUSEHOLD_MEMBER, build_households
from pipelines.linkage.persons import LEDGER, MEMBERSHIP, PERSON, build_persons
from pipelines.linkage.ties import ties_among
from pipelines.people.records import BASIS, RECORD, RECORD_ADDRESS, STANDARDISED, build_record, build_record_address
from pipelines.people.touched import SETTLED
from pipelines.view_edges import COMPANY, EDGE, OTHERWISE, open_view_edges
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.linkage.facts_of_town import EACH_PERSON, load
from tests.linkage_models.small_town import SOURCES, Town, build

VIEWS = {"fraud": ["council_tax", "benefits", "electoral_register", "housing"], "data_quality": list(SOURCES),
         "risk": ["council_tax", "benefits", "housing", "adult_social_care"]}  # fmt: skip
TOLD = (COMPANY, MEMBERSHIP, PERSON, LEDGER, REVIEW_EDGE, HOUSEHOLD, HOUSEHOLD_MEMBER, f"identity.{THRESHOLD}")


@pytest.fixture(params=["a crowd", "a budget", "both"])
def tight(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Blocks of more than six records are a crowd; the budget takes blocks of four."""
    if request.param != "a budget":
        monkeypatch.setattr(blocking, "LARGEST_BLOCK", 6)
    if request.param != "a crowd":
        monkeypatch.setattr(blocking, "PAIR_BUDGET_PER_RECORD", 0.8)
        monkeypatch.setattr(blocking, "PAIR_BUDGET_FLOOR", 0)
        monkeypatch.setattr(blocking, "SMALLER_BLOCKS", (8, 6, 5, 4, 3, 2))
        monkeypatch.setattr(blocking, "SAMPLED_PAIRS", 1_000)
    yield


def link(wh: Warehouse) -> str | None:
    build_record_address(wh, VIEWS)
    build_record(wh, b"k" * 32, EACH_PERSON)
    afresh = build_edge(wh, VIEWS).afresh
    load_decisions(wh, [])
    build_persons(wh, VIEWS, b"i" * 32)
    build_households(wh, VIEWS, b"i" * 32)
    return afresh


def told(wh: Warehouse, view: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of a view, and its pairs with all that is said of them."""
    open_view_edges(wh, view)
    names = ", ".join(f"'{source}'" for source in VIEWS[view])
    edges = wh.rows(f"FROM view_edge WHERE source_l IN ({names}) AND source_r IN ({names}) ORDER BY ALL")
    return {"pairs": edges} | {table: wh.rows(f"FROM {table} WHERE view = '{view}'") for table in TOLD}


def in_order(wh: Warehouse) -> dict[str, list[tuple[object, ...]]]:
    """What all views hold, whatever stands first: a night adds its rows to those that stand."""
    return {table: wh.rows(f"FROM {table} ORDER BY ALL") for table in (EDGE, *TOLD)}


def forget(wh: Warehouse) -> None:
    """Take away what a night builds on."""
    for table in (RECORD_ADDRESS, STANDARDISED, BASIS, SCORING, SETTLED):
        wh.execute(f"DROP TABLE {table}")


def assert_the_same_alone(
    town: Town, loaded: Callable[[Warehouse, Town], None], whole: dict[str, dict[str, list[tuple[object, ...]]]]
) -> None:
    """Each narrow view is what it was when only the sources that it reads are there."""
    for view in ("fraud", "risk"):
        with scratch_warehouse() as wh:
            loaded(wh, Town(town.records.filter(pl.col("source").is_in(VIEWS[view])), town.truth))
            link(wh)
            alone = told(wh, view)
        for table, rows in whole[view].items():
            assert rows == alone[table], (view, table)


def crowded(seed: int) -> Town:
    """A small town in which a source of each view gives many of its records one birth date and name."""
    town = build(220, seed=seed)
    nr = pl.col("record_id").hash(seed)
    crowd = (nr % 3 == 0) & pl.col("source").is_in(["adult_social_care", "electoral_register"])
    records = town.records.with_columns(
        birth_date=pl.when(crowd).then(pl.col("birth_date").first()).otherwise("birth_date"),
        surname=pl.when(crowd & (nr % 2 == 0)).then(pl.lit("THISTLEWOOD")).otherwise("surname"),
        forename=pl.when(crowd & (nr % 2 == 0)).then(pl.lit("ZEBEDEE")).otherwise("forename"),
    )
    return Town(records, town.truth)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.prove) for seed in range(2, 14))])
def test_a_view_is_the_same_without_the_sources_outside_it_however_tight_the_limits(seed: int, tight: None) -> None:
    town = crowded(seed)
    with scratch_warehouse() as wh:
        load(wh, town)
        link(wh)
        whole = {view: told(wh, view) for view in VIEWS}
        assert wh.scalar(f"SELECT count(note) FROM {RULE}") and wh.exists(OTHERWISE), "the limits bind nowhere"
        for view, *pair in wh.rows(f"SELECT view, record_l, record_r FROM {OTHERWISE} WHERE rules = 0 LIMIT 3"):
            assert ties_among(wh, "identity", view, pair) == [], "what explains a view knows no other pairs either"
    assert_the_same_alone(town, load, whole)


@pytest.mark.parametrize("seed", [3, *(pytest.param(seed, marks=pytest.mark.prove) for seed in range(14, 20))])
def test_a_night_at_tight_limits_is_a_run_of_everything(seed: int, tight: None) -> None:
    with scratch_warehouse() as wh:
        load(wh, crowded(seed))
        link(wh)
        wh.execute(f"UPDATE identity.facts.person_record SET sex = NULL WHERE hash(record_id, {seed}) % 60 = 0")
        afresh = link(wh)
        night = in_order(wh) | {OTHERWISE: wh.rows(f"FROM {OTHERWISE} ORDER BY ALL")}
        forget(wh)
        assert link(wh) == "no edges of an earlier run"
        assert night == in_order(wh) | {OTHERWISE: wh.rows(f"FROM {OTHERWISE} ORDER BY ALL")}
        assert afresh is None and wh.scalar(f"SELECT count(*) FROM {RECORD}") > 0


def test_a_refusal_names_the_view_that_has_too_many_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking, "PAIR_BUDGET_PER_RECORD", 0.01)
    monkeypatch.setattr(blocking, "PAIR_BUDGET_FLOOR", 0)
    with scratch_warehouse() as wh:
        load(wh, build(120, seed=1))
        with pytest.raises(BoroughlinkError, match="too alike to link: in the view data_quality blocking"):
            link(wh)


def of_any_origin(wh: Warehouse, town: Town) -> None:
    """The town without a gazetteer: addresses as text, and sources that every view reads larger than the others."""
    load(wh, town)
    wh.execute(
        "UPDATE identity.facts.address a SET address_text = (hash(u.uprn) % 60) || ' ' || ['ELM', 'OAK', 'ASH', 'FIR',"
        " 'YEW', 'BOX', 'BAY', 'IVY', 'LIME', 'PINE'][1 + (hash(u.uprn, 1) % 10)::INTEGER] || ' ROAD'"
        " FROM identity.places.address_uprn u WHERE u.address_id = a.address_id"
    )
    wh.execute("DELETE FROM identity.places.address_uprn")


@pytest.fixture
def rare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("linkage_models.person.designs.RARE_BLOCK", 3)
    yield


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.prove) for seed in range(2, 8))])
def test_what_is_rare_in_records_of_any_origin_is_told_by_those_that_all_views_read(seed: int, rare: None) -> None:
    town = build(500, seed=seed)
    with scratch_warehouse() as wh:
        of_any_origin(wh, town)
        link(wh)
        assert wh.scalar("SELECT body FROM identity.linkage.model").count('"general"') == 1
        whole = {view: told(wh, view) for view in VIEWS}
    assert_the_same_alone(town, of_any_origin, whole)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.prove) for seed in range(2, 8))])
def test_a_value_that_becomes_common_overnight_takes_its_pairs_along(seed: int, rare: None) -> None:
    with scratch_warehouse() as wh:
        of_any_origin(wh, build(300, seed=seed))
        link(wh)
        some = f"hash(record_id, {seed}) % 40 = 0"
        wh.execute(
            "UPDATE identity.facts.person_record SET surname = (SELECT surname_key FROM identity.people.record"
            f" GROUP BY ALL HAVING count(*) = 3 ORDER BY 1 LIMIT 1) WHERE {some}"
        )
        assert link(wh) is None
        night = in_order(wh)
        forget(wh)
        link(wh)
        assert night == in_order(wh)
