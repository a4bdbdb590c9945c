"""The UPRN of every address of every source."""

from linkage_models.address import METHODS, match_addresses
from pipelines.places.gazetteer import ADDRESS_VARIANT, ADDRESS_WORDING, CROSS_REFERENCE, PROPERTY
from pipelines.warehouse import Warehouse

ADDRESS_UPRN = "identity.places.address_uprn"
ADDRESS_CANDIDATE = "identity.places.address_candidate"
ADDRESSES = "identity.facts.address"
#: Candidates kept of an address that stays open, best first.
MOST_CANDIDATES = 10


def build_address_uprn(wh: Warehouse) -> dict[str, float]:
    """Build ADDRESS_UPRN, one row an address as it last stood; return how many each method settled, and the share.

    ADDRESS_CANDIDATE has a row for each home that an open address could be: best first of an ambiguous one, the homes
    of its building for one that stops there.
    """
    wh.execute(f"""CREATE OR REPLACE TEMP TABLE address_to_match AS
        SELECT address_id, address_text, postcode, uprn_given, xref_source, xref_key, no_home
        FROM {ADDRESSES}
        QUALIFY row_number() OVER (
            PARTITION BY address_id ORDER BY valid_to DESC NULLS FIRST, extract_date DESC) = 1""")
    match_addresses(
        wh.con, "address_to_match", PROPERTY, ADDRESS_VARIANT, ADDRESS_WORDING, CROSS_REFERENCE, "address_matched"
    )
    rows = wh.table(ADDRESS_UPRN, "SELECT * FROM address_matched ORDER BY address_id")
    wh.table(
        ADDRESS_CANDIDATE,
        f"""-- one row per open address and home that it could be
        WITH open_address AS (
            SELECT m.address_id, m.method, m.building_uprn, a.text_id FROM address_matched m
            JOIN source_address a USING (address_id) WHERE m.method IN ('ambiguous', 'building')),
        could_be AS (
            SELECT o.address_id, s.uprn, s.weight FROM open_address o JOIN address_scored s USING (text_id)
            WHERE o.method = 'ambiguous'
            UNION ALL
            SELECT o.address_id, p.uprn, NULL FROM open_address o JOIN {PROPERTY} p ON p.parent_uprn = o.building_uprn
            WHERE o.method = 'building' AND p.is_current AND p.is_dwelling)
        SELECT address_id, row_number() OVER (PARTITION BY address_id ORDER BY weight DESC, uprn) AS place, uprn, weight
        FROM could_be QUALIFY place <= {MOST_CANDIDATES} ORDER BY address_id, place""",
    )
    counts: dict[str, float] = {
        method: wh.scalar(f"SELECT count(*) FROM {ADDRESS_UPRN} WHERE method = ?", [method]) for method in METHODS
    }
    counts["by the successor of a retired UPRN"] = wh.scalar(f"SELECT count(retired_uprn) FROM {ADDRESS_UPRN}")
    settled = wh.scalar(f"SELECT count(uprn) FROM {ADDRESS_UPRN}")
    addressed = rows - counts["no_address"]
    counts["share matched"] = round(settled / addressed, 4) if addressed else 0.0
    return counts
