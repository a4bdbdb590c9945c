"""The record types of DTF 7.3, in which councils hand over their own gazetteer (BS 7666:2006): columns in order.

The order is that of two public readers of the format. Class, organisation and ward stand with the property, the
postcode with the address; delivery points and successors there are none.
"""

import polars as pl

from synthetic_data.extracts.abp_records import CUSTODIAN

_CUSTODY = ["CUSTODIAN_ONE", "CUSTODIAN_TWO", "CAN_KEY"]
# Columns after RECORD_IDENTIFIER, CHANGE_TYPE and PRO_ORDER, in file order.
RECORDS: dict[int, list[str]] = {
    11: ["USRN", "RECORD_TYPE", "SWA_ORG_REF_NAMING", "STATE", "STATE_DATE", "STREET_SURFACE", "STREET_CLASSIFICATION",
         "VERSION", "RECORD_ENTRY_DATE", "LAST_UPDATE_DATE", "STREET_START_DATE", "STREET_END_DATE", "STREET_START_X",
         "STREET_START_Y", "STREET_END_X", "STREET_END_Y", "STREET_TOLERANCE"],
    15: ["USRN", "STREET_DESCRIPTOR", "LOCALITY_NAME", "TOWN_NAME", "ADMINISTRATIVE_AREA", "LANGUAGE"],
    21: ["UPRN", "LOGICAL_STATUS", "BLPU_STATE", "BLPU_STATE_DATE", "BLPU_CLASS", "PARENT_UPRN", "X_COORDINATE",
         "Y_COORDINATE", "RPC", "LOCAL_CUSTODIAN_CODE", "START_DATE", "END_DATE", "LAST_UPDATE_DATE", "ENTRY_DATE",
         "ORGANISATION", "WARD_CODE", "PARISH_CODE", *_CUSTODY],
    23: ["UPRN", "XREF_KEY", "START_DATE", "LAST_UPDATE_DATE", "ENTRY_DATE", "END_DATE", "CROSS_REFERENCE", "SOURCE"],
    24: ["UPRN", "LPI_KEY", "LANGUAGE", "LOGICAL_STATUS", "START_DATE", "END_DATE", "ENTRY_DATE", "LAST_UPDATE_DATE",
         "SAO_START_NUMBER", "SAO_START_SUFFIX", "SAO_END_NUMBER", "SAO_END_SUFFIX", "SAO_TEXT", "PAO_START_NUMBER",
         "PAO_START_SUFFIX", "PAO_END_NUMBER", "PAO_END_SUFFIX", "PAO_TEXT", "USRN", "LEVEL", "POSTAL_ADDRESS",
         "POSTCODE", "POST_TOWN", "OFFICIAL_FLAG", *_CUSTODY],
}  # fmt: skip


def as_dtf(abp: dict[int, pl.DataFrame], wards: pl.DataFrame) -> dict[int, pl.DataFrame]:
    """The tables of AddressBase Premium records as those of DTF 7.3; `wards` (UPRN, WARD_CODE)."""
    town = abp[15].select("USRN", POST_TOWN="TOWN_NAME")
    places = abp[21].select(
        "UPRN",
        POSTCODE="POSTCODE_LOCATOR",
        POSTAL_ADDRESS=pl.when(pl.col("ADDRESSBASE_POSTAL") == "N").then(pl.lit("N")).otherwise(pl.lit("Y")),
    )
    custody = {"CUSTODIAN_ONE": pl.lit(CUSTODIAN)}
    return {
        11: abp[11],
        15: abp[15].rename({"STREET_DESCRIPTION": "STREET_DESCRIPTOR", "LOCALITY": "LOCALITY_NAME"}),
        21: abp[21]
        .join(abp[32].select("UPRN", BLPU_CLASS="CLASSIFICATION_CODE"), on="UPRN", how="left", maintain_order="left")
        .join(abp[31].select("UPRN", "ORGANISATION"), on="UPRN", how="left", maintain_order="left")
        .join(wards, on="UPRN", how="left", maintain_order="left")
        .with_columns(**custody),
        23: abp[23],
        24: abp[24]
        .join(places, on="UPRN", how="left", maintain_order="left")
        .join(town, on="USRN", how="left", maintain_order="left")
        .with_columns(**custody),
    }
