"""Each row of the table reaches the level of the general design that it states, whichever record comes first."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from linkage_models.person.general import BIRTH_DATE, FORENAME, HOME, shares_of_pairs, weigh_among_these
from linkage_models.person.levels import Comparison

COMPARED = {each.name: each for each in (HOME, FORENAME, BIRTH_DATE)}
ROWS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


def _side(said: dict[str, Any], side: str) -> str:
    """The columns of one record, as SQL."""
    forename, surname, home = said.get("forename", "ANN"), said.get("surname", "ADAMS"), said.get("home")
    texts = {"forename": forename, "forename_root": forename, "initial": forename[0], "middle_initial": None}
    texts |= {"surname": surname, "surname_key": surname, "surname_phonetic": surname}
    texts |= {"surname_initial": surname and surname[0], "home_key": home, "address_line": home}
    texts |= {"postcode": said.get("postcode"), "address_number": home and home.split()[0]}
    texts |= {"phone": said.get("phone"), "email": said.get("email")}
    born: date | None = said.get("born")
    texts |= {"birth_text": born and str(born)}
    lists = {"address_words": home and home.split(), "surname_parts": surname and [surname], "middle_names": None}
    values = {name: f"'{text}'" if text else "NULL::VARCHAR" for name, text in texts.items()}
    values |= {name: repr(words) if words else "NULL::VARCHAR[]" for name, words in lists.items()}
    values |= {"birth_date": f"DATE '{born}'", "birth_year": born.year} if born else {
        "birth_date": "NULL::DATE", "birth_year": "NULL::INTEGER"
    }  # fmt: skip
    values["weak_birth_date"] = born is not None and (born.month, born.day) == (1, 1)
    return ", ".join(f"{value} AS {name}_{side}" for name, value in values.items())


def _place(comparison: Comparison) -> str:
    """SQL: the place of the level that a pair reaches, -1 if it can't be compared."""
    whens = " ".join(f"WHEN {level.condition} THEN {place}" for place, level in enumerate(comparison.levels[:-1]))
    return f"CASE WHEN {comparison.null} THEN -1 {whens} ELSE {len(comparison.levels) - 1} END"


@pytest.mark.parametrize("row", ROWS, ids=[f"{number}: {row['left']}" for number, row in enumerate(ROWS, 1)])
@pytest.mark.parametrize("turned", [False, True])
def test_level(row: dict[str, Any], turned: bool) -> None:
    first, second = (row["right"], row["left"]) if turned else (row["left"], row["right"])
    ((comparison, expected),) = ((COMPARED[name], row[name]) for name in COMPARED.keys() & row.keys())
    with duckdb.connect() as con:
        ((place,),) = con.execute(
            f"SELECT {_place(comparison)} FROM (SELECT {_side(first, 'l')}, {_side(second, 'r')})"
        ).fetchall()
    assert ([level.words for level in comparison.levels] + [comparison.null_words])[place] == expected


def test_how_common_a_surname_is_counts_among_the_pairs_that_a_level_is_for() -> None:
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE given AS SELECT CASE WHEN n < 4 THEN 'h' END AS home_key, CASE WHEN n = 4 THEN 'a' END AS"
            " address_line, CASE WHEN n < 2 OR n > 7 THEN 'p' END AS postcode FROM range(10) t(n)"
        )
        shares = shares_of_pairs(con, "given")
        assert shares == {
            "same surname, an address unknown": pytest.approx(1 - 0.7**2),
            "same surname, other addresses": pytest.approx(0.7**2),
        }
        con.execute("UPDATE given SET postcode = 'p'")
        assert shares_of_pairs(con, "given") == {"same surname, other addresses": 1.0}
    home = [{"label_for_charts": words, "m_probability": 0.1} for words in (*shares, "same surname and postcode")]
    trained = {"comparisons": [{"output_column_name": "home", "comparison_levels": home}]}
    weigh_among_these(trained, shares)
    assert [level["m_probability"] for level in home] == pytest.approx([0.1 / 0.51, 0.1 / 0.49, 0.1])
