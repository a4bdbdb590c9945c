"""The UPRN of every address of every source."""

from linkage_models.address import METHODS, match_addresses
from pipelines.places.gazetteer import ADDRESS_VARIANT, ADDRESS_WORDING, CROSS_REFERENCE, PROPERTY
from pipelines.warehouse import Warehouse

ADDRESS_UPRN = "identity.places.address_uprn"
ADDRESSES = "identity.facts.address"


def build_address_uprn(wh: Warehouse) -> dict[str, float]:
    """Build ADDRESS_UPRN, one row an address as it last stood; return how many each method settled, and the share."""
    wh.execute(f"""CREATE OR REPLACE TEMP TABLE address_to_match AS
        SELECT address_id, address_text, postcode, uprn_given, xref_source, xref_key FROM {ADDRESSES}
        QUALIFY row_number() OVER (
            PARTITION BY address_id ORDER BY valid_to DESC NULLS FIRST, extract_date DESC) = 1""")
    match_addresses(
        wh.con, "address_to_match", PROPERTY, ADDRESS_VARIANT, ADDRESS_WORDING, CROSS_REFERENCE, "address_matched"
    )
    rows = wh.table(ADDRESS_UPRN, "SELECT * FROM address_matched ORDER BY address_id")
    counts: dict[str, float] = {
        method: wh.scalar(f"SELECT count(*) FROM {ADDRESS_UPRN} WHERE method = ?", [method]) for method in METHODS
    }
    settled = wh.scalar(f"SELECT count(uprn) FROM {ADDRESS_UPRN}")
    addressed = rows - counts["no_address"]
    counts["share matched"] = round(settled / addressed, 4) if addressed else 0.0
    return counts
