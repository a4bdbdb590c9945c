"""Jr, Sr and numbers behind a name: what they say of two records in the general design."""

import duckdb
import pytest

from linkage_models.person.designs import COUNCIL, GENERAL
from linkage_models.person.general import GENERATION
from linkage_models.standardise import install


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("SMITH JR", "Smith, Jr.", "both Sr"),
        ("SMITH II", "SMITH JNR", "both Sr"),
        ("SMITH JR", "SMITH SR", "one Sr, the other Jr"),
        ("SMITH III", "SMITH IV", "one Sr, the other Jr"),
        ("SMITH JR", "SMITH", "not known for both"),
        ("SENIOR", "SMITH JR", "not known for both"),
    ],
)
def test_level(first: str, second: str, words: str) -> None:
    same, other = GENERATION.levels
    with duckdb.connect() as con:
        install(con)
        ((found,),) = con.execute(
            f"SELECT CASE WHEN {GENERATION.null} THEN '{GENERATION.null_words}' WHEN {same.condition}"
            f" THEN '{same.words}' ELSE '{other.words}' END"
            " FROM (SELECT std_generation(?) AS generation_l, std_generation(?) AS generation_r)",
            [first, second],
        ).fetchall()
    assert found.startswith(words)


def test_only_records_of_any_origin_are_compared_by_it() -> None:
    assert GENERATION in GENERAL.comparisons_of({"generation"})
    assert GENERATION not in COUNCIL.comparisons
