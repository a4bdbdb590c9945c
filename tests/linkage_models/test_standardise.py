"""Standardisation: the given/expected tables of the folder `standardise`, sounds and nicknames."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from linkage_models.standardise import install, mark_people, standardise_people
from linkage_models.standardise.install import nicknames

TABLES = Path(__file__).parent / "standardise"
TODAY = date(2026, 10, 31)
COLUMNS = [
    "title",
    "forename",
    "middle",
    "surname",
    "name_text",
    "former_surname",
    "birth_place",
    "occupation",
    "sex",
    "nino",
    "nhs_number",
    "person_number",
    "phone",
    "email",
    "sensitivity",
    "role",
]
DATED = ("std_read_date", "std_birth_date")  # these ask what day it is


def table(name: str) -> Any:
    return yaml.safe_load((TABLES / f"{name}.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        install(opened)
        yield opened


def standardised(rows: list[dict[str, Any]], birth_date: Any = pl.Date) -> list[dict[str, Any]]:
    schema = {
        "record_id": pl.String,
        "source": pl.String,
        "birth_date": birth_date,
        "death_date": pl.Date,
    } | dict.fromkeys(COLUMNS, pl.String)
    full = [dict.fromkeys(schema) | {"record_id": f"{place:04}", "source": "s"} | row for place, row in enumerate(rows)]
    with duckdb.connect() as con:
        con.register("given", pl.DataFrame(full, schema=schema))
        standardise_people(con, "given", "said", TODAY)
        return con.sql("SELECT * FROM said ORDER BY record_id").pl().to_dicts()


def test_names_held_as_one_string() -> None:
    cases = [case for theme in table("names_one_string").values() for case in theme]
    for case, said in zip(cases, standardised([{"name_text": case["given"]} for case in cases]), strict=True):
        party = case.get("party", "person")
        read = {
            "party": said["party_kind"],
            "person": said["is_person"],
            "second": said["second_given"],
            "former": said["former_surname"],
        } | {part: said[part] for part in ("forename", "middle", "surname")}
        expected = {part: case.get(part) for part in ("forename", "middle", "surname", "second", "former")}
        named = party in ("person", "executors") and case["given"] != ""
        assert read == expected | {"party": party, "person": named}, case
        if "sex" in case:
            assert said["sex"] == case["sex"], case


def test_names_held_apart() -> None:
    cases = table("names_apart")
    for case, said in zip(cases, standardised([case["given"] for case in cases]), strict=True):
        for part, expected in case["expected"].items():
            if isinstance(expected, list):
                assert sorted(said[part]) == sorted(expected), (case, part)
            else:
                assert said[part] == expected, (case, part)


@pytest.mark.parametrize(
    ("macro", "case"),
    [
        (macro, case)
        for theme in ("words", "dates", "identifiers", "contacts", "postcodes")
        for macro, cases in table(theme).items()
        for case in cases
    ],
)
def test_values(con: duckdb.DuckDBPyConnection, macro: str, case: dict[str, Any]) -> None:
    arguments = [case["given"], TODAY] if macro in DATED else [case["given"]]
    given = case["given"]
    if macro == "std_read_date":
        arguments[0] = given.isoformat() if isinstance(given, date) else str(given)
    said = con.execute(f"SELECT {macro}({', '.join('?' for _ in arguments)})", arguments).fetchall()[0][0]
    assert (said.date() if hasattr(said, "hour") else said) == case["expected"], case


def test_birth_dates_may_come_as_text() -> None:
    (said,) = standardised([{"surname": "Smith", "birth_date": "03-Apr-85"}], birth_date=pl.String)
    assert said["birth_date"] == date(1985, 4, 3) and said["birth_date_swapped"] == date(1985, 3, 4)


def test_a_name_is_never_lost_and_order_of_rows_is_nothing() -> None:
    names = ["Mr", "Esq", "Jr", "De", "bin", "O", "Ng", "Ma", "ß", "김", "Ó", "'", "J0", "Ǆ", "ﬁ", "Ⅳ"]
    rows = [{"forename": name, "surname": name} for name in names] + [{"name_text": name} for name in names[3:]]
    said = standardised(rows)
    for row, given in zip(said, rows, strict=True):
        if any(sign.isalpha() for sign in str(given.get("surname") or given.get("name_text"))):
            assert row["surname"] is not None and row["is_person"], given
    again = standardised(rows[::-1])
    for row in (*said, *again):
        del row["record_id"]
    assert again == said[::-1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SMITH", "SMYTHE"),
        ("PHILLIPS", "FILIPS"),
        ("CLARKE", "CLARK"),
        ("STEPHENS", "STEVENS"),
        ("WRIGHT", "RIGHT"),
        ("BEGUM", "BEGAM"),
        ("KOWALSKI", "KOWALSKA"),
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
    roots = dict(nicknames().select("name", "root").rows())
    assert roots["BOB"] == "ROBERT" and roots["MUHAMMAD"] == "MOHAMMED" and roots["KATE"] == "CATHERINE"
    assert roots["ALEX"] == roots["ALEXANDRA"] == roots["ALEXANDER"]
    assert {root for root in roots.values() if roots[root] != root} == set()


def test_a_mark_changes_where_the_day_or_another_record_changes_what_is_read() -> None:
    births = [date(1980, 5, 5), date(2010, 11, 10), date(2026, 11, 8), date(1905, 1, 2), None, date(1911, 11, 9)]
    old = [date(1890, 1, day) for day in range(1, 26)]
    given = pl.DataFrame(
        [{"record_id": f"{place:02}", "source": "s", "birth_date": born} for place, born in enumerate(births)]
        + [{"record_id": f"h{place}", "source": "s", "birth_date": born} for place, born in enumerate(old)]
    ).with_columns(death_date=pl.lit(None, dtype=pl.Date), **{c: pl.lit(None, dtype=pl.String) for c in COLUMNS})
    given = given.with_columns(forename=pl.lit("ANN"))
    seen = []
    with duckdb.connect() as con:
        for day, table in (
            (date(2026, 11, 1), given.head(6)), (date(2026, 11, 15), given.head(6)), (date(2026, 11, 15), given),
        ):  # fmt: skip
            con.register("given", table)
            mark_people(con, "given", "mark", day, b"")
            standardise_people(con, "given", "said", day)
            marks = dict(con.execute("FROM mark").fetchall())
            seen.append({row[0]: (row, marks[row[0]]) for row in con.execute("FROM said").fetchall()})
    for before, after in (seen[:2], seen[1:]):
        changed = {record for record in before if before[record][1] != after[record][1]}
        assert changed and all(before[record][0] == after[record][0] for record in before.keys() - changed)
    # one turns 16, one is born, one passes 115; with enough of the long dead the source is about the past
    assert {r for r in seen[0] if seen[0][r][1] != seen[1][r][1]} == {"01", "02", "05"}
    assert {r for r in seen[1] if seen[1][r][1] != seen[2][r][1]} == {"03", "05"}
