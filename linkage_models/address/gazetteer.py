"""The gazetteer made ready for matching: lexicon, identities of every variant, keys that mean one UPRN.

Tables expected: properties (uprn, class_code, is_current, is_shell, successor_uprn, only_home_uprn) and
variants (uprn, address_text, postcode, street, building, has_unit, locality, town); see pipelines/places.
"""

import duckdb

from linkage_models.address.normalise import canonical_phrases, fill, parse_addresses
from linkage_models.address.thresholds import NEVER_A_HOME, SUCCESSOR_STEPS

#: From the strictest to the loosest; the first KEYS_WITH_POSTCODE hold the postcode.
KEYS = ("k1", "k2", "k3", "k4", "k5", "k6", "k7")
KEYS_WITH_POSTCODE = 4


def read_wordings(con: duckdb.DuckDBPyConnection, properties: str, variants: str, out: str) -> None:
    """Temp table `out`: each distinct wording of a place, read into parts and keys: the costly half of the work."""
    read_lexicon(con, variants)
    con.execute(f"""-- grain: one distinct wording of one UPRN
        CREATE OR REPLACE TEMP TABLE gazetteer_text AS
        SELECT row_number() OVER (ORDER BY uprn, address_text, postcode) AS text_id, * FROM
        (SELECT DISTINCT uprn, address_text, v.postcode FROM {variants} v JOIN {properties} p USING (uprn)
         WHERE address_text IS NOT NULL AND NOT regexp_matches(coalesce(class_code, ''),
             '^({"|".join(NEVER_A_HOME)})'))""")
    parse_addresses(con, "gazetteer_text", "gazetteer_lexicon", "gazetteer_parsed")
    con.execute(fill("keys.sql", parsed="gazetteer_parsed", lexicon="gazetteer_lexicon", out="gazetteer_keyed"))
    con.execute(f"""-- grain: one distinct wording of one UPRN, with its parts and keys
        CREATE OR REPLACE TEMP TABLE {out} AS
        SELECT k.*, t.uprn AS variant_uprn, t.address_text, t.postcode AS postcode_written, coalesce(k1, k3, k5,
            k7) AS key
        FROM gazetteer_keyed k JOIN gazetteer_text t USING (text_id)""")


def read_lexicon(con: duckdb.DuckDBPyConnection, variants: str) -> None:
    """gazetteer_lexicon: streets, buildings, blocks (buildings with units) and places known, in canonical words."""
    con.execute(f"""CREATE OR REPLACE TEMP TABLE gazetteer_name AS
        SELECT DISTINCT 'street' AS kind, street AS name FROM {variants} WHERE street IS NOT NULL
        UNION SELECT DISTINCT 'building', building FROM {variants} WHERE building IS NOT NULL
        UNION SELECT DISTINCT 'block', building FROM {variants} WHERE building IS NOT NULL AND has_unit
        UNION SELECT DISTINCT 'place', unnest([locality, town]) FROM {variants}""")
    canonical_phrases(con, "gazetteer_name", "gazetteer_lexicon")


def prepare_gazetteer(con: duckdb.DuckDBPyConnection, properties: str, variants: str, wordings: str) -> None:
    """Make temp tables gazetteer_lexicon, gazetteer_home, gazetteer_identity (a row a wording) and gazetteer_key.

    `wordings` is what `read_wordings` made of the same properties and variants.
    """
    read_lexicon(con, variants)
    _resolve_homes(con, properties)
    con.execute(f"""-- grain: one distinct wording of one UPRN, with the UPRN that stands for it today
        CREATE OR REPLACE TEMP TABLE gazetteer_identity AS
        SELECT w.*, h.home_uprn, h.is_current, h.is_shell, h.is_retired FROM {wordings} w JOIN gazetteer_home h
            ON h.uprn = w.variant_uprn""")
    _unique_keys(con)


def _resolve_homes(con: duckdb.DuckDBPyConnection, properties: str) -> None:
    """gazetteer_home: each UPRN with the one where its people live today, and whether it is retired itself.

    That is itself while it is current; its successor once retired; the flat, for a shop with a single flat above it.
    """
    con.execute(f"""CREATE OR REPLACE TEMP TABLE gazetteer_home AS
        WITH RECURSIVE steps AS (
            SELECT uprn, uprn AS home_uprn, 0 AS step FROM {properties}
            UNION ALL
            SELECT s.uprn, CASE WHEN p.is_current THEN p.only_home_uprn ELSE p.successor_uprn END AS next_uprn,
                s.step + 1
            FROM steps s JOIN {properties} p ON p.uprn = s.home_uprn
            WHERE next_uprn IS NOT NULL AND s.step < {SUCCESSOR_STEPS}
        ),
        last AS (SELECT uprn, arg_max(home_uprn, step) AS home_uprn FROM steps GROUP BY uprn)
        SELECT last.uprn, coalesce(home.uprn, last.uprn) AS home_uprn, coalesce(home.is_current,
            own.is_current) AS is_current,
               coalesce(home.is_shell, own.is_shell) AS is_shell, NOT own.is_current AS is_retired
        FROM last JOIN {properties} own ON own.uprn = last.uprn LEFT JOIN {properties} home
            ON home.uprn = last.home_uprn""")


def _unique_keys(con: duckdb.DuckDBPyConnection) -> None:
    """gazetteer_key: (rank, key) with its one UPRN, null where it means several; current ones before retired ones."""
    listed = " UNION ALL ".join(
        f"SELECT {rank} AS rank, {key} AS key, home_uprn, is_current FROM gazetteer_spelt WHERE {key} IS NOT NULL"
        for rank, key in enumerate(KEYS, start=1)
    )
    con.execute(f"""-- grain: one key of one rank
        CREATE OR REPLACE TEMP TABLE gazetteer_key AS
        WITH gazetteer_spelt AS (
            SELECT home_uprn, is_current, {", ".join(KEYS)} FROM gazetteer_identity
            UNION ALL  -- 12-14 is also found as 14, by the keys that leave the range out
            SELECT home_uprn, is_current, NULL, CASE WHEN k2 IS NOT NULL THEN concat_ws('|', unit, number_end, street,
                postcode) END,
                   NULL, NULL, NULL, CASE WHEN k6 IS NOT NULL THEN concat_ws('|', unit, number_end, street) END, NULL
            FROM gazetteer_identity WHERE number_end <> ''
        ),
        listed AS ({listed}),
        counted AS (SELECT rank, key, count(DISTINCT home_uprn) FILTER (is_current) AS current,
            min(home_uprn) FILTER (is_current) AS now,
                           count(DISTINCT home_uprn) AS ever, min(home_uprn) AS any_uprn FROM listed GROUP BY rank, key)
        SELECT rank, key, CASE WHEN current = 1 THEN now WHEN current = 0 AND ever = 1 THEN any_uprn END AS uprn,
               greatest(current, CASE WHEN current = 0 THEN ever ELSE 0 END) AS uprns
        FROM counted""")
