"""Each row of the table reaches the level of the home comparison that it states, whichever record comes first; what is
unknown tells nobody apart."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from linkage_models.person.comparisons import HOME, as_settings
from linkage_models.training import of_unknown

ROWS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
LEVELS = as_settings(HOME)["comparison_levels"]


def _side(said: dict[str, Any], side: str) -> str:
    """The columns of one record, as SQL."""
    texts = {
        "surname": said["surname"],
        "surname_key": said["surname"],
        "surname_phonetic": said["surname"],
        "forename": "ANN",
        "initial": "A",
    }
    texts |= {
        "sex": said.get("sex"),
        "surname_initial": said["surname"][0],
        "postcode": said.get("postcode"),
        "home_key": said.get("home"),
    }
    values = {name: f"'{text}'" if text else "NULL::VARCHAR" for name, text in texts.items()}
    lists = ("surname_parts", "middle_names", "other_homes")
    values |= dict.fromkeys(lists, "NULL::VARCHAR[]") | {"home_is_communal": "false"}
    values |= dict.fromkeys(("moved_in", "moved_out"), "NULL::DATE")
    return ", ".join(f"{value} AS {name}_{side}" for name, value in values.items())


@pytest.mark.parametrize("row", ROWS, ids=[f"{number}: {row['expected']}" for number, row in enumerate(ROWS, 1)])
@pytest.mark.parametrize("turned", [False, True])
def test_level(row: dict[str, Any], turned: bool) -> None:
    first, second = (row["right"], row["left"]) if turned else (row["left"], row["right"])
    whens = " ".join(f"WHEN {level['sql_condition']} THEN {place}" for place, level in enumerate(LEVELS[:-1]))
    with duckdb.connect() as con:
        ((place,),) = con.execute(
            f"SELECT CASE {whens} ELSE -1 END FROM (SELECT {_side(first, 'l')}, {_side(second, 'r')})"
        ).fetchall()
    assert LEVELS[place]["label_for_charts"] == row["expected"]


def test_m_of_an_unknown_address_is_a_share_of_the_pairs_of_which_one_has_none() -> None:
    levels = [{"m_probability": 0.02, "u_probability": 0.0006} for _ in HOME.levels]
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE three AS SELECT unnest(['SS01AA', 'SS02BB', NULL]) AS postcode, NULL::VARCHAR AS home_key"
        )
        of_unknown(con, "three", {"comparisons": [{"comparison_levels": levels}]}, [HOME])
    (place,) = (place for place, level in enumerate(HOME.levels) if level.unknown)
    # of nine ordered pairs five lack one
    assert levels[place]["m_probability"] == pytest.approx(0.02 * 9 / 5)
    assert levels[place]["u_probability"] == pytest.approx(2 * 0.0006)
    assert levels[place - 1] == {"m_probability": 0.02, "u_probability": 0.0006}
