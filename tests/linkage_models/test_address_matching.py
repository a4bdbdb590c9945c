"""Addresses to UPRNs against a small gazetteer and its table of cases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from linkage_models.address import METHODS, match_addresses, read_wordings

TABLE = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
CASES = TABLE["cases"]


def load(con: duckdb.DuckDBPyConnection, gazetteer: list[dict[str, Any]], references: list[dict[str, Any]]) -> None:
    con.execute("""CREATE OR REPLACE TABLE properties (uprn BIGINT PRIMARY KEY, class_code VARCHAR, is_current BOOLEAN,
        is_shell BOOLEAN, successor_uprn BIGINT, only_home_uprn BIGINT)""")
    con.execute("""CREATE OR REPLACE TABLE variants (uprn BIGINT, variant VARCHAR, address_text VARCHAR,
        postcode VARCHAR,
        street VARCHAR, building VARCHAR, has_unit BOOLEAN, locality VARCHAR, town VARCHAR)""")
    con.execute("CREATE OR REPLACE TABLE cross_references (xref_source VARCHAR, xref_key VARCHAR, uprn BIGINT)")
    for row in gazetteer:
        con.execute(
            "INSERT OR IGNORE INTO properties VALUES (?, ?, ?, ?, ?, ?)",
            [
                row["uprn"],
                row.get("class", "RD04"),
                not row.get("retired"),
                bool(row.get("shell")),
                row.get("successor"),
                row.get("only_home"),
            ],
        )
        con.execute(
            "INSERT INTO variants VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?)",
            [
                row["uprn"],
                row.get("variant", "lpi"),
                row["text"],
                row["postcode"],
                row.get("street", "HIGH STREET"),
                row.get("building"),
                bool(row.get("unit")),
                row["text"].rsplit(", ", 1)[1],
            ],
        )
    for row in references:
        con.execute("INSERT INTO cross_references VALUES (?, ?, ?)", [row["source"], row["key"], row["uprn"]])


def match(con: duckdb.DuckDBPyConnection, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    con.execute("""CREATE OR REPLACE TABLE addresses (address_id VARCHAR, address_text VARCHAR, postcode VARCHAR,
        uprn_given BIGINT, xref_source VARCHAR, xref_key VARCHAR, no_home BOOLEAN)""")
    for number, case in enumerate(cases):
        con.execute(
            "INSERT INTO addresses VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                f"a{number:04}",
                case.get("text"),
                case.get("postcode"),
                case.get("given"),
                *case.get("xref", (None, None)),
                case.get("no_home"),
            ],
        )
    read_wordings(con, "properties", "variants", "wordings")
    match_addresses(con, "addresses", "properties", "variants", "wordings", "cross_references", "matched")
    found = con.execute("SELECT * FROM matched ORDER BY address_id")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def matched() -> Iterator[list[dict[str, Any]]]:
    with duckdb.connect() as con:
        load(con, TABLE["gazetteer"], TABLE["cross_references"])
        yield match(con, CASES)


@pytest.mark.parametrize(
    "number", range(len(CASES)), ids=[f"{case.get('text')} {case.get('postcode')}" for case in CASES]
)
def test_case(matched: list[dict[str, Any]], number: int) -> None:
    case, got = CASES[number], matched[number]
    assert (got["uprn"], got["method"]) == (case.get("uprn"), case["method"]), case.get("why")
    assert got["building_uprn"] == case.get("building")
    assert got["retired_uprn"] == case.get("retired"), case.get("why")
    if "any_candidate" in case:
        assert got["candidate_uprn"] is not None and got["runner_up_gap"] == 0
    if got["method"] not in ("unmatched", "no_address"):
        assert got["match_weight"] is not None and got["runner_up_gap"] is not None


def test_one_row_an_address(matched: list[dict[str, Any]]) -> None:
    assert len(matched) == len(CASES)
    assert {row["method"] for row in matched} == set(METHODS)


def test_without_a_gazetteer_only_a_given_uprn_is_known() -> None:
    with duckdb.connect() as con:
        load(con, [], [])
        found = match(con, CASES)
    assert {row["method"] for row in found} == {"given", "unmatched", "no_address"}
    assert [row["uprn"] for row in found] == [case.get("given") for case in CASES]


def test_no_addresses() -> None:
    with duckdb.connect() as con:
        load(con, TABLE["gazetteer"], [])
        assert match(con, []) == []


def test_order_of_rows_changes_nothing() -> None:
    with duckdb.connect() as con:
        load(con, TABLE["gazetteer"], TABLE["cross_references"])
        forward = {case: row["uprn"] for case, row in enumerate(match(con, CASES))}
        load(con, TABLE["gazetteer"][::-1], TABLE["cross_references"][::-1])
        backward = match(con, CASES[::-1])
    assert [row["uprn"] for row in backward[::-1]] == list(forward.values())
