"""Address text into parts: flat, floor, building name, number, street, postcode.

Both sides, gazetteer and source, go through the same rules, so a rule only has to be consistent. The words stand in
vocabulary.yaml, the steps in normalise.sql; the lexicon (streets and buildings that exist) comes from the gazetteer.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import yaml

from linkage_models.statements import read_sql

POSTCODE = "[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}"
NUMBER = r"\d+[A-Z]?(?:~\d+[A-Z]?)?"


@cache
def vocabulary() -> dict[str, Any]:
    """The word lists of vocabulary.yaml."""
    return yaml.safe_load(files(__package__).joinpath("vocabulary.yaml").read_text("utf-8"))


def fill(name: str, **values: str) -> str:
    """The text of the .sql file `name` of this package with its ${placeholders} filled."""
    return read_sql(Path(__file__).with_name(name), **values)


def any_of(words: Any) -> str:
    """Regular expression alternatives, longest first."""
    return "|".join(sorted(map(str, words), key=lambda word: (-len(word), word)))


def _patterns() -> dict[str, str]:
    words = vocabulary()
    floors = f"({any_of(words['floors'])}) (?:{any_of(words['floor_words'])})|({any_of(words['floor_phrases'])})"
    sides = any_of(words["sides"])
    return {
        "postcode_tail": f" {POSTCODE}$",
        "floor_pattern": rf"\b(?:({sides}) )?(?:{floors})\b(?:(?: FLATX?)? ({sides})\b)?",
        "unit_pattern": r"\bFLAT (\d+[A-Z]?|[A-Z]\d*)\b",
        "bare_unit": rf"\b(?:THE |(?:{any_of(words['sides'])}) )?FLATX?\b(?: (?:{any_of(words['position_words'])})\b)?",
        "number_pattern": rf"^(.*\s)?({NUMBER})\s+([^0-9]+)$",
        "named_units": any_of(words["named_units"]),
        "position_words": any_of(words["position_words"]),
        "building_words": any_of(words["building_words"]),
    }


def _clean_expression(text: str) -> str:
    """SQL that brings an upper-case address text to plain words, units as FLAT, ranges as 12~14."""
    words = vocabulary()
    units = any_of(words["unit_words"])
    steps = [
        (r"\b(?:C ?/ ?O|CARE OF)\b[^,0-9]*", " "),
        (r"['’`]", ""),
        (r"\bANNEX\b", "ANNEXE"),
        (r"&", " AND "),
        (rf"\b(?:{units})\b *[,(]", "FLATX "),
        (rf"\b(?:{units})[ .]*(\d)", r"FLAT \1"),
        (rf"\b(?:{units})\b", "FLAT"),
        (rf"\b(?:{any_of(words['number_words'])})\b[ .:]*(\d)", r"\1"),
        (rf"\bFLAT (?:{any_of(words['number_words'])})\b[ .:]*", "FLAT "),
        (r"(\d[A-Z]?) ?(?:-|–| TO | AND ) ?(\d)", r"\1~\2"),
        (r"(\bFLAT [A-Z0-9]+[ ,]+)(\d+[A-Z]?) ?/ ?(\d+[A-Z]?)\b", r"\1\2~\3"),
        (r"\b(\d+[A-Z]?|[A-Z]) ?/ ?(\d+[A-Z]?)\b", r"FLAT \1 \2"),
        (r"\b(\d+)/([A-Z])\b", r"\1\2"),
        (r"[^A-Z0-9~]+", " "),
        (r"\b0+(\d)", r"\1"),
        (r"\b(\d+) ([A-Z])\b", r"\1\2"),
    ]
    for pattern, replacement in steps:
        text = f"regexp_replace({text}, '{pattern.replace(chr(39), chr(39) * 2)}', '{replacement}', 'g')"
    for short, ordinal in words["ordinals"].items():
        text = f"replace({text}, ' {short} ', ' {ordinal} ')"
    for word, digit in words["numerals"].items():
        text = f"replace({text}, 'FLAT {word} ', 'FLAT {digit} ')"
    return f"trim({text})"


def create_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Create the macros address_clean, address_postcode, address_floor and the table address_word on the connection."""
    words = vocabulary()
    clean = _clean_expression("' ' || upper(strip_accents(coalesce(address_text, ''))) || ' '")
    con.execute(f"CREATE OR REPLACE TEMP MACRO address_clean(address_text) AS {clean}")
    con.execute(
        "CREATE OR REPLACE TEMP MACRO address_words(address_text) AS "
        "trim(regexp_replace(upper(address_text), '[^A-Z0-9]+', ' ', 'g'))"
    )
    con.execute(r"""CREATE OR REPLACE TEMP MACRO address_postcode_mended(code) AS
        regexp_replace(regexp_replace(code[:-4], '^([A-Z]{1,2})O', '\10'), '^S5', 'SS')
        || translate(code[-3:-3], 'OISZB', '01528') || translate(code[-2:], '0158', 'OISB')""")
    con.execute(r"""CREATE OR REPLACE TEMP MACRO address_postcode_spaced(code) AS
        CASE WHEN regexp_full_match(code, '[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}')
            THEN code[:-4] || ' ' || code[-3:] END""")
    con.execute(r"""CREATE OR REPLACE TEMP MACRO address_postcode(given) AS
        address_postcode_spaced(address_postcode_mended(regexp_replace(upper(given), '[^A-Z0-9]', '', 'g')))""")
    floors = " ".join(f"WHEN '{name}' THEN '{code}'" for name, code in words["floors"].items())
    phrases = " ".join(f"WHEN '{name}' THEN '{code}'" for name, code in words["floor_phrases"].items())
    con.execute(f"""CREATE OR REPLACE TEMP MACRO address_floor(floor, phrase, side) AS
        CASE floor {floors} ELSE CASE phrase {phrases} ELSE '' END END || CASE WHEN side = '' THEN ''
            ELSE ' ' || side END""")
    con.execute("""CREATE OR REPLACE TEMP MACRO address_unit_kind(unit) AS CASE
        WHEN unit = '' THEN 'none' WHEN starts_with(unit, 'FLOOR ') THEN 'floor' WHEN regexp_matches(unit, '^[0-9]')
            THEN 'number'
        WHEN length(unit) = 1 THEN 'letter' ELSE 'word' END""")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE address_word AS SELECT unnest(?) AS token, unnest(?) AS word",
        [list(words["words"]), list(words["words"].values())],
    )


def canonical(phrase: str) -> str:
    """A phrase of plain upper-case words in canonical words."""
    words = vocabulary()["words"]
    return " ".join(words.get(word, word) for word in phrase.split())


def canonical_phrases(con: duckdb.DuckDBPyConnection, names: str, out: str) -> None:
    """Temp table `out` (kind, phrase): the distinct names of table `names` (kind, name) in canonical words."""
    create_macros(con)
    con.execute(f"""-- grain: one known phrase of one kind
        CREATE OR REPLACE TEMP TABLE {out} AS
        WITH plain AS (SELECT DISTINCT kind, address_clean(name) AS clean FROM {names} WHERE name <> ''),
        tokens AS (SELECT kind, clean, unnest(string_split(clean, ' ')) AS token,
                          generate_subscripts(string_split(clean, ' '), 1) AS place FROM plain)
        SELECT DISTINCT kind, phrase FROM (
            SELECT kind, clean, string_agg(coalesce(word, token), ' ' ORDER BY place) AS phrase
            FROM tokens LEFT JOIN address_word USING (token) GROUP BY kind, clean)
        WHERE phrase <> ''""")


def parse_addresses(con: duckdb.DuckDBPyConnection, texts: str, lexicon: str, out: str) -> None:
    """Parse table `texts` (text_id, address_text, postcode) into temp table `out`, one row a text_id.

    `lexicon` (kind 'street', 'building' or 'place', phrase in canonical words) says what exists; it may be empty.
    """
    create_macros(con)
    known = [phrase for (phrase,) in con.execute(f"SELECT phrase FROM {lexicon} WHERE kind = 'place'").fetchall()]
    places = any_of({canonical(place) for place in vocabulary()["places"]} | set(known))
    tail = rf"(?:(?:^| )(?:{places}))+$"
    con.execute(
        f"CREATE OR REPLACE TEMP MACRO address_without_place(phrase) AS trim(regexp_replace(phrase, '{tail}', ''))"
    )
    con.execute(fill("normalise.sql", texts=texts, lexicon=lexicon, out=out, **_patterns()))
