"""Each address to its UPRN: given, cross-reference, unique key, Splink on the rest; else its building, ambiguous,
unmatched.

Working tables are temporary and live in the connection's own memory.
"""

import duckdb
from splink import Linker
from splink.backends.duckdb import DuckDBAPI

from linkage_models.address import model, thresholds
from linkage_models.address.gazetteer import KEYS, KEYS_WITH_POSTCODE, prepare_gazetteer
from linkage_models.address.normalise import any_of, create_macros, fill, parse_addresses, vocabulary

METHODS = ("given", "cross_reference", "normalised_key", "splink", "building", "ambiguous", "unmatched", "no_address")


class TooManyCandidates(Exception):
    """The blocking rules would make more pairs than thresholds.PAIRS_AN_ADDRESS allows."""


def match_addresses(
    con: duckdb.DuckDBPyConnection,
    addresses: str,
    properties: str,
    variants: str,
    wordings: str,
    cross_references: str,
    out: str,
) -> None:
    """Make temp table `out`, one row an address of `addresses`: address_id, uprn, method, match_weight (bits),
    runner_up_gap (bits), candidate_uprn, candidates, building_uprn, door_key, retired_uprn.

    addresses: address_id, address_text, postcode, uprn_given, xref_source, xref_key, no_home (a shop or office itself
    is meant, not the home above it). The gazetteer's tables are those of `prepare_gazetteer`, and cross_references
    (xref_source, xref_key, uprn); all of them may be empty.
    `retired_uprn` is the UPRN under which an address was known that is placed at its successor.
    Raises TooManyCandidates.
    """
    create_macros(con)
    prepare_gazetteer(con, properties, variants, wordings)
    _prepare_references(con, cross_references)
    _prepare_sources(con, addresses)
    con.execute(
        fill(
            "identifiers.sql",
            addresses="source_address",
            out="address_identified",
            street_similarity=str(thresholds.STREET_SIMILARITY),
        )
    )
    _look_up_keys(con)
    _score_rest(con)
    con.execute(
        fill(
            "door.sql",
            out="address_door",
            block_words=any_of(vocabulary()["block_words"]),
            street_types=any_of(vocabulary()["street_types"]),
        )
    )
    con.execute(
        fill(
            "decide.sql",
            out=out,
            accept_weight=str(thresholds.ACCEPT_WEIGHT),
            accept_gap=str(thresholds.ACCEPT_GAP),
            candidate_weight=str(thresholds.CANDIDATE_WEIGHT),
            settled=str(thresholds.SETTLED_WEIGHT),
            same_key=" OR ".join(f"g.{key} = s.{key}" for key in KEYS),
        )
    )


def _prepare_references(con: duckdb.DuckDBPyConnection, cross_references: str) -> None:
    con.execute(f"""-- grain: one reference of one system that means one UPRN; leading zeros do not count
        CREATE OR REPLACE TEMP TABLE gazetteer_reference AS
        SELECT xref_source, ltrim(xref_key, '0') AS reference, min(home_uprn) AS uprn, bool_or(is_shell) AS is_shell,
            min(uprn) FILTER (is_retired) AS retired_uprn
        FROM {cross_references} JOIN gazetteer_home USING (uprn)
        GROUP BY ALL HAVING count(DISTINCT home_uprn) = 1""")


def _prepare_sources(con: duckdb.DuckDBPyConnection, addresses: str) -> None:
    """source_address (one row an address) and source_identity (one row a distinct text and postcode)."""
    con.execute(f"""-- grain: one distinct address text with its postcode
        CREATE OR REPLACE TEMP TABLE source_text AS
        SELECT row_number() OVER () AS text_id, * FROM (
            SELECT address_text, postcode FROM {addresses}
            WHERE NOT regexp_full_match(address_words(address_text), '{any_of(["", *vocabulary()["no_address"]])}')
            GROUP BY ALL ORDER BY address_text, postcode)""")
    con.execute(f"""CREATE OR REPLACE TEMP TABLE source_address AS
        SELECT a.address_id, t.text_id, address_postcode(a.postcode) AS postcode_clean, a.uprn_given, a.xref_source,
            a.xref_key, coalesce(a.no_home, false) AS no_home
        FROM {addresses} a
        LEFT JOIN source_text t ON t.address_text = a.address_text AND t.postcode IS NOT DISTINCT FROM a.postcode""")
    parse_addresses(con, "source_text", "gazetteer_lexicon", "source_parsed")
    con.execute(fill("keys.sql", parsed="source_parsed", lexicon="gazetteer_lexicon", out="source_identity"))


def _look_up_keys(con: duckdb.DuckDBPyConnection) -> None:
    """address_keyed: texts whose first known key means one UPRN; a key without postcode needs a near postcode."""
    listed = " UNION ALL ".join(
        f"SELECT text_id, postcode, {rank} AS rank, {key} AS key FROM open_text WHERE {key} IS NOT NULL"
        for rank, key in enumerate(KEYS, start=1)
    )
    con.execute(f"""-- grain: one text still open
        CREATE OR REPLACE TEMP TABLE address_keyed AS
        WITH open_text AS (
            SELECT * FROM source_identity
            WHERE text_id IN (SELECT text_id FROM source_address ANTI JOIN address_identified USING (address_id))),
        first_hit AS (
            SELECT text_id, min(rank) AS rank, arg_min_null(uprn, rank) AS uprn, any_value(postcode) AS postcode
            FROM ({listed}) JOIN gazetteer_key USING (rank, key) GROUP BY text_id)
        SELECT f.text_id, f.rank, f.uprn FROM first_hit f
        WHERE f.uprn IS NOT NULL AND (f.rank <= {KEYS_WITH_POSTCODE} OR f.postcode IS NULL OR EXISTS (
            SELECT 1 FROM gazetteer_identity g WHERE g.home_uprn = f.uprn
            AND damerau_levenshtein(g.postcode, f.postcode) <= {thresholds.POSTCODE_EDITS}))""")


def _score_rest(con: duckdb.DuckDBPyConnection) -> None:
    """address_scored: candidate UPRNs of texts that no key settled; lacks_unit where the text names a part of one."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE address_scored (text_id BIGINT, uprn BIGINT, weight DOUBLE, lacks_unit BOOLEAN)"
    )
    con.execute(fill("candidates.sql"))
    waiting, known = con.execute(
        "SELECT (SELECT count(*) FROM splink_source), (SELECT count(DISTINCT home_uprn) FROM gazetteer_identity)"
    ).fetchall()[0]
    if not waiting or not known:
        return
    api = DuckDBAPI(con)
    frames = [
        api.register("splink_source", dataset_display_name="source"),
        api.register("splink_gazetteer", dataset_display_name="gazetteer"),
    ]
    linker = Linker(frames, model.settings(known), log_level=None)
    pairs = linker.inference.compute_blocked_pairs_for_predict()
    made = con.execute(f"SELECT count(*) FROM {pairs.physical_name}").fetchall()[0][0]
    if made > thresholds.PAIRS_AN_ADDRESS * max(waiting, 1000):
        raise TooManyCandidates(
            f"{made} candidate pairs for {waiting} addresses: the gazetteer repeats itself too much."
        )
    scored = linker.inference.predict(threshold_match_weight=thresholds.CANDIDATE_WEIGHT)
    con.execute(f"""INSERT INTO address_scored
        SELECT e.source_id, g.home_uprn, max(e.weight),
               bool_and(g.unit = '' AND address_unit_kind(s.unit) IN ('number', 'letter', 'floor')) FROM (
            SELECT CASE WHEN source_dataset_l = 'source' THEN text_id_l ELSE text_id_r END AS source_id,
                   CASE WHEN source_dataset_l = 'source' THEN text_id_r ELSE text_id_l END AS wording,
                       match_weight AS weight
            FROM {scored.physical_name}) e
        JOIN gazetteer_identity g ON g.text_id = e.wording JOIN source_identity s ON s.text_id = e.source_id
        GROUP BY e.source_id, g.home_uprn""")
    for frame in (scored, pairs):
        frame.drop_table_from_database_and_remove_from_cache()
