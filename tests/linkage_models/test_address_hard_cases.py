"""Hard British addresses: the home, the building, or nothing; never a guess."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from tests.linkage_models.test_address_matching import load, match

TABLE = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
CASES = TABLE["cases"]


@pytest.fixture(scope="module")
def matched() -> Iterator[list[dict[str, Any]]]:
    with duckdb.connect() as con:
        load(con, TABLE["gazetteer"], TABLE["cross_references"])
        yield match(con, CASES)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{case['text']} {case.get('postcode')}" for case in CASES])
def test_case(matched: list[dict[str, Any]], number: int) -> None:
    case, got = CASES[number], matched[number]
    found = (got["uprn"], got["building_uprn"] if "open" not in case else None)
    assert found == (case.get("uprn"), case.get("building")), (got["method"], got["candidate_uprn"], case.get("why"))
