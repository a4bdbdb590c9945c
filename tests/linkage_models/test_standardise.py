"""Standardisation: the given/expected tables, dates, sounds and nicknames."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from linkage_models.standardise import install, standardise_people
from linkage_models.standardise.install import nickname_roots

HERE = Path(__file__).parent
COLUMNS = [
    "title",
    "forename",
    "middle",
    "surname",
    "name_text",
    "former_surname",
    "sex",
    "nino",
    "nhs_number",
    "phone",
    "email",
    "sensitivity",
    "role",
]


def table(name: str) -> Any:
    return yaml.safe_load((HERE / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        install(opened)
        yield opened


def standardised(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    schema = {
        "record_id": pl.String,
        "source": pl.String,
        "birth_date": pl.Date,
        "death_date": pl.Date,
    } | dict.fromkeys(COLUMNS, pl.String)
    full = [dict.fromkeys(schema) | {"record_id": f"{place:04}", "source": "s"} | row for place, row in enumerate(rows)]
    with duckdb.connect() as con:
        con.register("given", pl.DataFrame(full, schema=schema))
        standardise_people(con, "given", "said", date(2026, 10, 31))
        return con.sql("SELECT * FROM said ORDER BY record_id").pl().to_dicts()


def test_names_held_as_one_string() -> None:
    cases = table("names_one_string.yaml")
    for case, said in zip(cases, standardised([{"name_text": case["given"]} for case in cases]), strict=True):
        assert said["party_kind"] == case.get("party", "person"), case
        assert said["is_person"] == (case.get("party", "person") in ("person", "executors") and case["given"] != ""), (
            case
        )
        for part in ("forename", "middle", "surname"):
            assert said[part] == case.get(part), case
        if "sex" in case:
            assert said["sex"] == case["sex"], case


@pytest.mark.parametrize(
    ("macro", "case"), [(macro, case) for macro, cases in table("values.yaml").items() for case in cases]
)
def test_values(con: duckdb.DuckDBPyConnection, macro: str, case: dict[str, Any]) -> None:
    assert con.execute(f"SELECT {macro}(?)", [case["given"]]).fetchall()[0][0] == case["expected"]


def test_separate_names_and_birth_dates() -> None:
    said = standardised([
        {"forename": "Mary Ann", "middle": "Jane", "surname": "O’Neil", "former_surname": "Mac Donald",
        "birth_date": date(1900, 1, 1)},
        {"forename": "Bill", "surname": "Smith Jnr", "birth_date": date(1980, 1, 1), "title": "Mr."},
        {"forename": "Aya", "surname": "Khan", "birth_date": date(2027, 1, 5), "sex": "female"},
        {"forename": "Olive", "surname": "Old", "birth_date": date(1905, 5, 5)},
    ])  # fmt: skip
    assert [(row["forename"], row["middle"], row["surname"]) for row in said[:2]] == [
        ("MARY", "ANN JANE", "ONEIL"),
        ("BILL", None, "SMITH"),
    ]
    assert set(said[0]["surname_parts"]) == {"ONEIL", "MCDONALD"}
    assert [row["birth_date"] for row in said] == [None, date(1980, 1, 1), None, None]
    assert said[1]["weak_birth_date"] and said[1]["sex"] == "M" and said[1]["forename_root"] == "WILLIAM"
    assert said[2]["sex"] == "F"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SMITH", "SMYTHE"),
        ("PHILLIPS", "FILIPS"),
        ("CLARKE", "CLARK"),
        ("STEPHENS", "STEVENS"),
        ("WRIGHT", "RIGHT"),
        ("BEGUM", "BEGAM"),
    ],
)
def test_names_that_sound_alike(con: duckdb.DuckDBPyConnection, one: str, other: str) -> None:
    codes = con.execute("SELECT std_phonetic(?), std_phonetic(?)", [one, other]).fetchall()[0]
    assert codes[0] == codes[1]


def test_names_that_sound_different(con: duckdb.DuckDBPyConnection) -> None:
    names = ["SMITH", "JONES", "TAYLOR", "PATEL", "KHAN", "WALKER", "KOWALSKI", "GREEN", "BROWN", "EVANS"]
    codes = con.execute("SELECT count(DISTINCT std_phonetic(n)) FROM (SELECT unnest(?) AS n)", [names]).fetchall()[0][0]
    assert codes == len(names)


def test_nickname_roots_do_not_chain() -> None:
    roots = nickname_roots()
    assert roots["BOB"] == "ROBERT" and roots["MUHAMMAD"] == "MOHAMMED" and roots["KATE"] == "CATHERINE"
    assert {root for root in roots.values() if roots[root] != root} == set()
