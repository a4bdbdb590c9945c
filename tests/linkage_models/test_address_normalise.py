"""The address normaliser against its table of given and expected parts."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from linkage_models.address.normalise import canonical_phrases, parse_addresses

TABLE = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
PARTS = ("flat", "floor", "name", "after_number", "number", "number_end", "street", "rest", "postcode")


@pytest.fixture(scope="module")
def parsed() -> dict[int, dict[str, Any]]:
    con = duckdb.connect()
    names = [(kind, name) for kind, found in TABLE["lexicon"].items() for name in found]
    con.execute("CREATE TABLE names (kind VARCHAR, name VARCHAR)")
    con.executemany("INSERT INTO names VALUES (?, ?)", names)
    canonical_phrases(con, "names", "lexicon")
    con.execute("CREATE TABLE texts (text_id INTEGER, address_text VARCHAR, postcode VARCHAR)")
    rows = [(number, case["given"], case.get("postcode")) for number, case in enumerate(TABLE["cases"])]
    con.executemany("INSERT INTO texts VALUES (?, ?, ?)", rows)
    parse_addresses(con, "texts", "lexicon", "parsed")
    found = con.execute(f"SELECT text_id, street_known, {', '.join(PARTS)} FROM parsed").fetchall()
    return {row[0]: {"street_known": row[1], **dict(zip(PARTS, row[2:], strict=True))} for row in found}


@pytest.mark.parametrize("number", range(len(TABLE["cases"])), ids=[case["given"] for case in TABLE["cases"]])
def test_parts(parsed: dict[int, dict[str, Any]], number: int) -> None:
    case = TABLE["cases"][number]
    got = {part: parsed[number][part] for part in PARTS if parsed[number][part]}
    assert got == case["parts"]
    assert parsed[number]["street_known"] == (bool(case["given"]) and not case.get("unknown_street", False))
