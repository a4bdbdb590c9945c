"""Each row of the table reaches the level of the general design that it states, whichever record comes first."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from linkage_models.person.general import BIRTH_DATE, FORENAME, HOME
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
