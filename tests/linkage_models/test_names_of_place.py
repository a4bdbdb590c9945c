"""How common names are follows the people at hand, not their records."""

import math
from datetime import date, timedelta

import duckdb
import polars as pl
import pytest

from linkage_models.models import NAMES_OF, Model, pinned, weights
from linkage_models.person.communities import LEARNT_BESIDE, SURNAME, write_frequencies
from linkage_models.person.comparisons import NEIGHBOURS, levels_by_chance
from linkage_models.term_frequencies import names_of_place
from linkage_models.thresholds import NAMES_KNOWN, ONE_FAMILY

PEOPLE = 20_000
KNOWN = pinned().terms
Row = tuple[str, str, date | None, str]


def people(surnames: dict[str, int], forename: str = "DAVID") -> list[Row]:
    """So many people of each surname, each with a birth date and a home of their own."""
    named = [surname for surname, count in surnames.items() for _ in range(count)]
    return [(forename, name, date(1950, 1, 1) + timedelta(place), f"U{place}") for place, name in enumerate(named)]


def frequencies(rows: list[Row]) -> dict[str, dict[str, float]]:
    with duckdb.connect() as con:
        schema = {"forename": pl.String, "surname_key": pl.String, "birth_date": pl.Date, "home_key": pl.String}
        con.register("record", pl.DataFrame(rows, schema=schema, orient="row"))
        return names_of_place(con, "record", KNOWN)


def test_a_name_that_half_the_people_bear_is_as_common_as_it_is_here() -> None:
    found = frequencies(people({"CROWD": PEOPLE // 2, "OTHER": PEOPLE // 2}))
    assert found["surname_key"]["CROWD"] == pytest.approx(0.5, abs=0.03)
    assert found["forename"]["DAVID"] == pytest.approx(1.0, abs=0.06)
    # of names that nobody bears here the model knows what it knew
    assert found["surname_key"]["SMITH"] == KNOWN["surname_key"]["SMITH"]
    assert found["surname_key"][""] == KNOWN["surname_key"][""] and found[LEARNT_BESIDE] == KNOWN["surname_key"]


def test_few_people_move_little_and_one_family_nothing() -> None:
    few = frequencies(people({"CROWD": 50, "KIN": ONE_FAMILY}))
    assert few["surname_key"]["CROWD"] == pytest.approx((50 - ONE_FAMILY) / (NAMES_KNOWN + 60), rel=0.01)
    assert "KIN" not in few["surname_key"]


def test_many_records_of_a_person_do_not_make_a_name_common() -> None:
    rows = people({"OTHER": 2_000}) + people({"RARE": 1}, "ZEBEDEE") * 500
    rows += [("ZEBEDEE", "RARE", None, "U1")] * 500  # and as many that give the home alone
    found = frequencies(rows)
    assert "RARE" not in found["surname_key"] and "ZEBEDEE" not in found["forename"]


def test_a_surname_is_as_common_in_its_community_as_the_model_knows_and_nowhere_rarer_than_here() -> None:
    def told(terms: dict[str, dict[str, float]]) -> dict[str, float]:
        with duckdb.connect() as con:
            con.execute(
                "CREATE TABLE asked AS SELECT f || '/' || s AS full_name, f AS forename_root, s AS surname_key FROM"
                " (VALUES ('HARPREET', 'SANDHU'), ('DAVID', 'SANDHU')) AS t (f, s)"
            )
            write_frequencies(con, "asked", terms, "told")
            return dict(con.execute("FROM told").fetchall())

    before, after = told(KNOWN), told(KNOWN | frequencies(people({"SANDHU": PEOPLE // 50, "OTHER": PEOPLE})))
    assert before["HARPREET/SANDHU"] > 10 * before["DAVID/SANDHU"]
    assert after["HARPREET/SANDHU"] == pytest.approx(before["HARPREET/SANDHU"])
    assert after["DAVID/SANDHU"] == pytest.approx(0.0196, abs=0.002)


def test_the_names_of_a_place_leave_the_model_what_it_is() -> None:
    model = pinned()
    here = model.of_place(frequencies(people({"CROWD": 100})), 100)
    assert here.mark == model.mark and here.calibration == model.calibration and here.card[NAMES_OF] == 100
    assert math.isclose(here.terms["surname_key"]["CROWD"], 0.0818, abs_tol=0.001)


def test_what_names_share_by_chance_is_as_common_as_it_is_here_and_all_else_as_it_was() -> None:
    def evidence(model: Model) -> dict[tuple[str, str], float]:
        return {(name, level): weight for name, level, weight in weights(model)}

    model = pinned()
    same = evidence(model.of_place({"forename": KNOWN["forename"], SURNAME: KNOWN[SURNAME]}, 100))
    # one in ten is called CROWD, one in three DAVID
    few = {name: KNOWN[name] | more for name, more in (("forename", {"DAVID": 1 / 3}), (SURNAME, {"CROWD": 0.1}))}
    found, known = evidence(model.of_place(few, 100)), evidence(model)
    assert same == known
    lost = {level: known[level] - weight for level, weight in found.items() if weight != known[level]}
    assert lost.keys() == levels_by_chance().keys()
    shared = sum(share**2 for name, share in KNOWN["forename"].items() if name not in ("", "DAVID"))
    ratio = (shared + 1 / 9) / (shared + KNOWN["forename"]["DAVID"] ** 2)
    assert lost["forename", "forename of one is the middle name of the other"] == pytest.approx(math.log2(ratio))
    (home,) = (each for each in model.settings["comparisons"] if each["output_column_name"] == "home")
    u = {each["label_for_charts"]: each.get("u_probability") for each in home["comparison_levels"]}
    alike = [level for name, level in lost if name == "home"]
    chance = (0.01 - KNOWN[SURNAME].get("CROWD", 0) ** 2) * u[NEIGHBOURS] / sum(u[level] for level in alike)
    for level in alike:
        assert lost["home", level] == pytest.approx(math.log2(1 + chance))
