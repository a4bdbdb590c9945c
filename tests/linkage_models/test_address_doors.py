"""Where no gazetteer knows an address, its wordings still agree on the door."""

from pathlib import Path

import duckdb
import pytest
import yaml

from linkage_models.address import match_addresses, read_wordings
from tests.linkage_models.test_address_matching import load

TABLE = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
WORDINGS = [wording for kind in ("same", "other") for group in TABLE[kind] for wording in group]


@pytest.fixture(scope="module")
def doors() -> dict[tuple[str, str | None], str | None]:
    wanted = {(text, code[0] if code else None) for text, *code in WORDINGS} | {(text, None) for text in TABLE["none"]}
    with duckdb.connect() as con:
        load(con, [], [])
        con.execute("""CREATE TABLE addresses (address_id VARCHAR, address_text VARCHAR, postcode VARCHAR,
            uprn_given BIGINT, xref_source VARCHAR, xref_key VARCHAR,
            no_home BOOLEAN)""")
        for number, (text, postcode) in enumerate(sorted(wanted, key=str)):
            con.execute("INSERT INTO addresses VALUES (?, ?, ?, NULL, NULL, NULL, NULL)", [str(number), text, postcode])
        read_wordings(con, "properties", "variants", "wordings")
        match_addresses(con, "addresses", "properties", "variants", "wordings", "cross_references", "matched")
        found = con.execute("SELECT address_text, postcode, door_key FROM addresses JOIN matched USING (address_id)")
        return {(text, postcode): door for text, postcode, door in found.fetchall()}


def _keys(doors: dict[tuple[str, str | None], str | None], group: list[list[str]]) -> list[str | None]:
    return [doors[text, code[0] if code else None] for text, *code in group]


@pytest.mark.parametrize("group", TABLE["same"], ids=lambda group: group[0][0])
def test_one_door_in_many_wordings(doors: dict[tuple[str, str | None], str | None], group: list[list[str]]) -> None:
    keys = _keys(doors, group)
    assert keys[0] and set(keys) == {keys[0]}


@pytest.mark.parametrize("group", TABLE["other"], ids=lambda group: group[0][0])
def test_different_doors(doors: dict[tuple[str, str | None], str | None], group: list[list[str]]) -> None:
    keys = _keys(doors, group)
    assert None not in keys and len(set(keys)) == len(keys)


@pytest.mark.parametrize("text", TABLE["none"])
def test_no_door(doors: dict[tuple[str, str | None], str | None], text: str) -> None:
    assert doors[text, None] is None
