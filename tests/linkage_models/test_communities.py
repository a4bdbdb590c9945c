"""Names go together by community: what a shared surname says depends on the forename beside it."""

import math

import duckdb
import polars as pl
import pytest

from linkage_models.person.communities import (
    FORENAME,
    SURNAME,
    is_axis,
    learn_communities,
    names_go_together,
    write_frequencies,
)
from linkage_models.thresholds import NAMESAKES_FEWEST, RARE_TERM_COUNT

# 40 forenames and 60 surnames of a majority, all combined; 8 and 8 of a minority of one in some forty, all combined.
# VERA is borne in both. One forename of the minority is rare.
MAJORITY = [(f"MAN{f}", f"SON{s}") for f in range(40) for s in range(60)] + [("VERA", f"SON{s}") for s in range(60)]
MINORITY = [(f"AN{f}", f"SKI{s}") for f in range(8) for s in range(8)] + [("VERA", f"SKI{s}") for s in range(8)]
RARE = [("WANDA", "SKI1"), ("WANDA", "SKI2")]


def told(names: list[tuple[str, str]], asked: list[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """By how many bits P(surname | forename) stands above P(surname), learnt from `names`."""
    schema = [FORENAME, SURNAME]
    with duckdb.connect() as con:
        con.register("learnt", pl.DataFrame(names, schema=schema, orient="row"))
        terms = learn_communities(con, "learnt")
        assert all(is_axis(term) for term in terms)
        for column, term in ((FORENAME, "forename"), (SURNAME, SURNAME)):
            counted = pl.DataFrame(names, schema=schema, orient="row")[column].value_counts()
            common = counted.filter(pl.col("count") >= RARE_TERM_COUNT).rows()
            terms[term] = {name: count / len(names) for name, count in common} | {"": 1 / len(names)}
        frame = pl.DataFrame(asked, schema=schema, orient="row").with_columns(
            full_name=pl.concat_str(FORENAME, SURNAME, separator="/")
        )
        con.register("asked", frame)
        write_frequencies(con, "asked", terms, "told")
        found = dict(con.execute("FROM told").fetchall())
    return {(f, s): math.log2(found[f"{f}/{s}"] / terms[SURNAME].get(s, terms[SURNAME][""])) for f, s in asked}


def test_a_surname_is_likelier_beside_a_forename_of_its_community() -> None:
    asked = [("AN1", "SKI1"), ("MAN1", "SON1"), ("MAN1", "SKI1"), ("VERA", "SKI1"), ("WANDA", "SKI2"), ("A", "SKI2")]
    found = told(MAJORITY + MINORITY + RARE, asked)
    # one name in 34 is the minority's: there SKI1 is as much likelier, a little less as few show it
    assert found["AN1", "SKI1"] == pytest.approx(math.log2(34), abs=1.0)
    assert found["MAN1", "SON1"] == 0 and found["MAN1", "SKI1"] == 0 and found["A", "SKI2"] == 0
    assert found["VERA", "SKI1"] < found["AN1", "SKI1"] - 1
    # a name too rare to be learnt of is of the community that it is found in
    assert found["WANDA", "SKI2"] > 3


def test_nothing_depends_on_row_order_repetition_or_rare_names() -> None:
    names = MAJORITY + MINORITY + RARE
    with duckdb.connect() as con:
        learnt = []
        for rows in (names, names[::-1] + [("AN1", "SKI1")] * 50):
            con.register("learnt", pl.DataFrame(rows, schema=[FORENAME, SURNAME], orient="row"))
            learnt.append(learn_communities(con, "learnt"))
    assert learnt[0] == learnt[1] and learnt[0]
    assert not any("WANDA" in places for places in learnt[0].values()) and len(RARE) < RARE_TERM_COUNT


def test_too_few_names_have_no_communities() -> None:
    assert told([("ANNA", "SMITH"), ("JOHN", "JONES")], [("ANNA", "SMITH")]) == {("ANNA", "SMITH"): 0.0}


@pytest.mark.parametrize(
    ("surname", "apart", "postcode", "together"),
    [
        ("of the forename", 10, "own", True),  # every forename has its own surname
        ("of anybody", 10, "own", False),  # namesakes as chance makes them
        ("of the forename", 1, "own", False),  # the copies of one person, a year of birth wrongly told
        ("of the forename", 10, "shared", False),  # the same, with another year at one postcode
        ("of few", 10, "own", False),  # too few namesakes to say
    ],
)
def test_names_go_together_where_plainly_different_namesakes_abound(
    surname: str, apart: int, postcode: str, together: bool
) -> None:
    people = 400 if surname != "of few" else NAMESAKES_FEWEST // 10
    rows = [
        {
            FORENAME: f"AN{n % 20}",
            SURNAME: f"SKI{(n if surname != 'of anybody' else n // 20) % 20}",
            "birth_year": 1950 + apart * (n // 20 % 4),
            "postcode": f"P{n if postcode == 'own' else n % 20}",
            "home_key": None,
        }
        for n in range(people)
    ]
    with duckdb.connect() as con:
        con.register("given", pl.DataFrame(rows, schema_overrides={"home_key": pl.String}))
        assert names_go_together(con, "given") is together
