"""What readiness says of records and pairs made by hand, with the shipped model."""

from copy import deepcopy

import duckdb
import pytest

from linkage_models.models import pinned
from linkage_models.person.designs import DESIGNS
from linkage_models.readiness.chances import capped, drop_chances, write_chances
from linkage_models.readiness.fields import FIELDS, bits, levels_of, worth
from linkage_models.readiness.mending import Mending, forecast
from linkage_models.readiness.mirror import home_mirror
from linkage_models.readiness.reach import reach_sql

MODEL = pinned()
GAMMAS = ("forename", "home", "birth_date", "nino", "nhs_number", "contact", "sex")


def gamma(comparison: str, begins: str) -> int:
    """Splink's number of the level whose words begin so."""
    words = [level["label_for_charts"] for level in levels_of(MODEL, comparison)]
    return next(place for place, said in enumerate(words) if said.startswith(begins))


def bits_of(comparison: str, begins: str) -> float:
    return bits(levels_of(MODEL, comparison)[gamma(comparison, begins)])


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        yield connection


def town(con, lacking=("a",), weight=-4.0, probability=0.6, key=None, child=False, crowd=12):
    """Records a (benefits) and b (housing), a scored pair apart; a crowd of each source that holds every field."""
    lacks = ", ".join(f"false AS lacks_{field.name}" for field in FIELDS if field.name != "birth_date")
    con.execute(
        f"""CREATE OR REPLACE TABLE record AS
        SELECT 'a' AS record_id, 'benefits' AS source UNION ALL SELECT 'b', 'housing'
        UNION ALL SELECT source || i, source FROM range({crowd}) r(i), unnest(['benefits', 'housing']) u(source)"""
    )
    con.execute(
        f"""CREATE OR REPLACE TABLE record AS
        SELECT record_id, record_id AS cluster, source, 'tenant' AS role,
            CASE WHEN record_id IN ('a', 'b') THEN ?::VARCHAR END AS one_person_key,
            list_contains(?::VARCHAR[], record_id) AS lacks_birth_date, {lacks} FROM record""",
        [key, list(lacking)],
    )
    born = gamma("birth_date", "one is a child") if child else -1
    levels = {
        "forename": gamma("forename", "same forename"),
        "home": gamma("home", "same surname, another"),
        "birth_date": born,
    }
    told = ", ".join(f"{levels.get(name, -1)} AS gamma_{name}" for name in GAMMAS)
    con.execute(
        f"""CREATE OR REPLACE TABLE edge AS SELECT 'a' AS record_l, 'b' AS record_r, {weight} AS match_weight,
            {probability} AS match_probability, {told}"""
    )
    write_chances(con, "record", "edge")


def birth_date(con):
    found = forecast(con, MODEL, "record", 0.0, "named")
    return {each.source: each for each in found if each.field == "birth_date"}


def test_a_missing_birth_date_that_would_join_two_records_is_named(con):
    town(con)
    mending = birth_date(con)["benefits"]
    assert (mending.held, mending.lacking, mending.rows) == (12, 1, 1)
    ((apart,),) = con.execute("SELECT apart FROM chance").fetchall()
    # as often as the two then agree, or agree well enough; never more than the chance that they are one person
    assert 0.8 * apart < mending.links <= apart
    assert con.execute("SELECT record_id, source, field FROM named").fetchall() == [("a", "benefits", "birth_date")]
    drop_chances(con)


def test_a_record_that_would_join_a_group_needs_what_the_design_asks_of_it(con):
    town(con, weight=-4.0)
    # b stands in a group with c, which says against a record as b speaks for it
    con.execute("INSERT INTO record SELECT * REPLACE ('c' AS record_id) FROM record WHERE record_id = 'b'")
    con.execute("UPDATE record SET cluster = 'b' WHERE record_id = 'c'")
    con.execute("UPDATE record SET source = 'homes', one_person_key = NULL WHERE record_id = 'c'")
    top = max(bits(level) for level in levels_of(MODEL, "birth_date"))
    con.execute("ALTER TABLE edge ALTER match_weight TYPE DOUBLE")
    pair = "INSERT INTO edge SELECT * REPLACE (?::VARCHAR AS record_l, 'c' AS record_r, ? AS match_weight) FROM edge"
    for left, weight in (("a", -5.5 - 2 * top), ("b", 9.0)):
        con.execute(f"{pair} WHERE record_r = 'b'", [left, weight])
    write_chances(con, "record", "edge")

    def links(lone: float) -> float:
        found = forecast(con, MODEL, "record", 0.0, "named", lone)
        return sum(each.links for each in found if each.field == "birth_date")

    assert con.execute("SELECT joins_group, best FROM chance").fetchall() == [(True, -4.0)]
    assert links(0.0) == 0 < links(20.0)
    drop_chances(con)


@pytest.mark.parametrize("one_person", [False, True])
@pytest.mark.parametrize("names", [("1", "2", "3"), ("2", "1", "3"), ("3", "1", "2")])
def test_a_record_that_fits_two_persons_is_one_of_them_at_most(con, names, one_person):
    first, *others = names
    lacks = ", ".join(f"false AS lacks_{field.name}" for field in FIELDS)
    con.execute(
        f"""CREATE TABLE record AS SELECT i::VARCHAR AS record_id, i::UBIGINT AS cluster, 'benefits' || i AS source,
            'tenant' AS role, NULL::VARCHAR AS one_person_key, {lacks} FROM range(1, 4) r(i)"""
    )
    pairs = [(first, other) for other in others] + ([tuple(others)] if one_person else [])
    told = ", ".join(f"-1 AS gamma_{name}" for name in GAMMAS)
    con.execute("CREATE TABLE found (l VARCHAR, r VARCHAR)")
    con.executemany("INSERT INTO found VALUES (?, ?)", pairs)
    con.execute(
        f"""CREATE TABLE edge AS SELECT least(l, r) AS record_l, greatest(l, r) AS record_r, 9.0 AS match_weight,
            0.999 AS match_probability, {told} FROM found"""
    )
    write_chances(con, "record", "edge")
    apart = [each for (each,) in con.execute("SELECT apart FROM chance").fetchall()]
    # two others that may be one person do not contend for it
    assert apart == pytest.approx([1.0] * 3 if one_person else [0.5] * 2, abs=0.02)


def test_nothing_is_won_where_the_other_source_lacks_it_too(con):
    town(con, lacking=("a", "b"))
    assert {source: each.links for source, each in birth_date(con).items()} == {"benefits": 0.0, "housing": 0.0}


def test_nothing_is_won_against_what_speaks_too_clearly(con):
    town(con, weight=-19.0)
    assert birth_date(con)["benefits"].links == 0.0


def test_nothing_is_won_where_one_is_a_child_when_the_other_acts(con):
    town(con, child=True)
    assert birth_date(con)["benefits"].links == 0.0


def test_nothing_joins_what_one_person_can_not_have_twice(con):
    town(con, key="housing")
    assert con.execute("SELECT count(*) FROM chance").fetchall() == [(0,)]
    assert birth_date(con)["benefits"].links == 0.0


def test_a_field_that_a_role_hardly_holds_is_not_asked_for(con):
    town(con, crowd=5)
    assert "benefits" not in birth_date(con)


@pytest.mark.parametrize(
    ("holds", "least", "most"),
    [
        ({"forename": "J"}, -100, 0),
        ({"forename": "JOHN", "surname_key": "SMITH"}, -100, 0),
        ({"forename": "JOHN", "surname_key": "SMITH", "birth_date": "1980-03-07"}, 3, 15),
        ({"surname_key": "SMITH", "home_key": "U1", "forename": "JOHN"}, 3, 15),
        ({"nino": "ZZ123456A"}, 3, 10),
    ],
)
def test_how_far_a_record_could_get(con, holds, least, most):
    columns = (
        "forename",
        "middle",
        "surname_key",
        "home_key",
        "postcode",
        "birth_date",
        "sex",
        "nino",
        "nhs_number",
        "phone",
        "email",
    )
    told = ", ".join(f"{holds.get(name)!r}::VARCHAR AS {name}".replace("None", "NULL") for name in columns)
    sql = reach_sql(MODEL, frozenset(columns))
    ((reach,),) = con.execute(f"SELECT {sql} FROM (SELECT {told}, false AS weak_birth_date) r").fetchall()
    assert least < reach < most


def test_every_field_is_worth_something_in_the_shipped_model():
    for field in FIELDS:
        told = worth(MODEL, field)
        assert told is not None
        assert sum(share for share, _ in told.outcomes) == pytest.approx(1)


def test_a_field_on_which_no_true_pair_was_seen_is_worth_nothing():
    model = deepcopy(MODEL)
    for level in levels_of(model, "contact"):
        level["m_probability"] = 0.0001
    (contact,) = (field for field in FIELDS if field.name == "contact")
    assert worth(MODEL, contact) is not None
    assert worth(model, contact) is None


@pytest.mark.parametrize(
    ("couples", "found_by", "factor"),
    [(40, "full_name", 2.0), (40, "home_forename", 1.0), (20, "full_name", 1.0)],
)
def test_a_forecast_for_homes_is_held_against_records_whose_home_is_known(con, couples, found_by, factor):
    """Without its home each pair would be one person with a probability of a half; it is one. Too few, or pairs that
    would not be compared, say nothing."""
    lacks = ", ".join(f"false AS lacks_{field.name}" for field in FIELDS)
    con.execute(
        f"""CREATE TABLE record AS SELECT s || i AS record_id, 'c' || i AS cluster, s AS source, {lacks}
        FROM range({couples}) r(i), unnest(['benefits', 'housing']) u(s)"""
    )
    design = DESIGNS[MODEL.design]
    with_home = bits_of("home", "same surname, same home") - bits_of("home", "same surname, address of one")
    con.execute(
        f"""CREATE TABLE edge AS SELECT 'benefits' || i AS record_l, 'housing' || i AS record_r,
            {with_home} - 2 AS match_weight, 0.99 AS match_probability,
            {gamma("home", "same surname, same home")} AS gamma_home, {1 << list(design.rules).index(found_by)} AS rules
        FROM range({couples}) r(i)
        UNION ALL SELECT 'others', 'elsewhere', -2.05, 0.5, 0, 1"""
    )
    found = home_mirror(con, MODEL, design, "record", "edge", 0.0)
    assert found.get("benefits", 1.0) == pytest.approx(factor)


def test_few_links_are_told_as_a_range_that_allows_for_chance_and_for_how_far_forecasts_were_off():
    few, many = Mending("s", "home", 9, 9, 9, 10.0, 4.0), Mending("s", "home", 900, 900, 900, 1000.0, 20.0)
    assert few.between == pytest.approx((10 - 1.645 * 4.272, 10 + 1.645 * 4.272), abs=0.01)
    assert many.between == pytest.approx((751.0, 1249.0), abs=1)


def test_a_weight_is_capped_and_an_unknown_one_stays_unknown(con):
    assert con.execute(f"SELECT {capped('w')} FROM (VALUES (99), (-99), (3), (NULL)) t(w)").fetchall() == [
        (20,), (-20,), (3,), (None,)
    ]  # fmt: skip
