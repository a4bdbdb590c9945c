"""Each row of the table reaches the level of the birth date comparison that it states, whichever record comes first."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from linkage_models.person.comparisons import BIRTH_DATE

ROWS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


def _side(said: dict[str, Any], side: str) -> str:
    """The columns of one record, as SQL."""
    born: date | None = said.get("birth_date")
    since: date | None = said.get("since")
    values = {
        "birth_date": f"DATE '{born}'" if born else "NULL::DATE",
        "birth_year": born.year if born else "NULL::INTEGER",
        "birth_text": f"'{born}'" if born else "NULL::VARCHAR",
        "weak_birth_date": born is not None and (born.month, born.day) == (1, 1),
        "home_key": f"'{said['home']}'" if "home" in said else "NULL::VARCHAR",
        "forename_root": f"'{said.get('forename', 'ANN')}'",
        "is_child": said.get("child", False),
        "acts_as_adult": said.get("adult", False),
        "is_pupil": said.get("role") == "pupil",
        "is_young": said.get("role") in ("young_person", "dependant"),
        "is_contact": said.get("role") == "contact",
        "born_since": f"DATE '{said.get('pupil_from', born)}' - INTERVAL {19 if 'pupil_from' in said else 0} YEAR"
        if born or "pupil_from" in said
        else "NULL::TIMESTAMP",
        "born_by": f"DATE '{since}' - INTERVAL 16 YEAR" if since else "NULL::TIMESTAMP",
    }
    return ", ".join(f"{value} AS {name}_{side}" for name, value in values.items())


@pytest.mark.parametrize("row", ROWS, ids=[f"{number}: {row['expected']}" for number, row in enumerate(ROWS, 1)])
@pytest.mark.parametrize("turned", [False, True])
def test_level(row: dict[str, Any], turned: bool) -> None:
    first, second = (row["right"], row["left"]) if turned else (row["left"], row["right"])
    levels = " ".join(
        f"WHEN {level.condition} THEN '{level.words}'" for level in BIRTH_DATE.levels if level.condition != "ELSE"
    )
    case = (
        f"CASE WHEN {BIRTH_DATE.null} THEN '{BIRTH_DATE.null_words}' {levels} ELSE '{BIRTH_DATE.levels[-1].words}' END"
    )
    with duckdb.connect() as con:
        ((words,),) = con.execute(f"SELECT {case} FROM (SELECT {_side(first, 'l')}, {_side(second, 'r')})").fetchall()
    assert words.startswith(row["expected"])
