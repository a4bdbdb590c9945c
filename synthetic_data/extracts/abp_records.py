"""The record types of AddressBase Premium: columns in order, which of them are text, and how a line is written."""

from datetime import date

import polars as pl

CUSTODIAN = 1590
CUSTODIAN_NAME = "SOUTHEND-ON-SEA CITY COUNCIL"

_DATES = ["START_DATE", "END_DATE", "LAST_UPDATE_DATE", "ENTRY_DATE"]
# Columns after RECORD_IDENTIFIER, CHANGE_TYPE and PRO_ORDER, in file order.
RECORDS: dict[int, list[str]] = {
    11: ["USRN", "RECORD_TYPE", "SWA_ORG_REF_NAMING", "STATE", "STATE_DATE", "STREET_SURFACE", "STREET_CLASSIFICATION",
         "VERSION", "STREET_START_DATE", "STREET_END_DATE", "LAST_UPDATE_DATE", "RECORD_ENTRY_DATE", "STREET_START_X",
         "STREET_START_Y", "STREET_START_LAT", "STREET_START_LONG", "STREET_END_X", "STREET_END_Y", "STREET_END_LAT",
         "STREET_END_LONG", "STREET_TOLERANCE"],
    15: ["USRN", "STREET_DESCRIPTION", "LOCALITY", "TOWN_NAME", "ADMINISTRATIVE_AREA", "LANGUAGE", *_DATES],
    21: ["UPRN", "LOGICAL_STATUS", "BLPU_STATE", "BLPU_STATE_DATE", "PARENT_UPRN", "X_COORDINATE", "Y_COORDINATE",
         "LATITUDE", "LONGITUDE", "RPC", "LOCAL_CUSTODIAN_CODE", "COUNTRY", *_DATES, "ADDRESSBASE_POSTAL",
         "POSTCODE_LOCATOR", "MULTI_OCC_COUNT"],
    23: ["UPRN", "XREF_KEY", "CROSS_REFERENCE", "VERSION", "SOURCE", *_DATES],
    24: ["UPRN", "LPI_KEY", "LANGUAGE", "LOGICAL_STATUS", *_DATES, "SAO_START_NUMBER", "SAO_START_SUFFIX",
         "SAO_END_NUMBER", "SAO_END_SUFFIX", "SAO_TEXT", "PAO_START_NUMBER", "PAO_START_SUFFIX", "PAO_END_NUMBER",
         "PAO_END_SUFFIX", "PAO_TEXT", "USRN", "USRN_MATCH_INDICATOR", "AREA_NAME", "LEVEL", "OFFICIAL_FLAG"],
    28: ["UPRN", "UDPRN", "ORGANISATION_NAME", "DEPARTMENT_NAME", "SUB_BUILDING_NAME", "BUILDING_NAME",
         "BUILDING_NUMBER", "DEPENDENT_THOROUGHFARE", "THOROUGHFARE", "DOUBLE_DEPENDENT_LOCALITY",
         "DEPENDENT_LOCALITY", "POST_TOWN", "POSTCODE", "POSTCODE_TYPE", "DELIVERY_POINT_SUFFIX",
         "WELSH_DEPENDENT_THOROUGHFARE", "WELSH_THOROUGHFARE", "WELSH_DOUBLE_DEPENDENT_LOCALITY",
         "WELSH_DEPENDENT_LOCALITY", "WELSH_POST_TOWN", "PO_BOX_NUMBER", "PROCESS_DATE", *_DATES],
    30: ["UPRN", "SUCC_KEY", *_DATES, "SUCCESSOR"],
    31: ["UPRN", "ORG_KEY", "ORGANISATION", "LEGAL_NAME", *_DATES],
    32: ["UPRN", "CLASS_KEY", "CLASSIFICATION_CODE", "CLASS_SCHEME", "SCHEME_VERSION", *_DATES],
}  # fmt: skip
# Every column not named here is text, and is quoted even when empty.
_UNQUOTED = {"USRN", "RECORD_TYPE", "SWA_ORG_REF_NAMING", "STATE", "STREET_SURFACE", "STREET_CLASSIFICATION",
             "VERSION", "STREET_START_X", "STREET_START_Y", "STREET_START_LAT", "STREET_START_LONG", "STREET_END_X",
             "STREET_END_Y", "STREET_END_LAT", "STREET_END_LONG", "STREET_TOLERANCE", "UPRN", "LOGICAL_STATUS",
             "BLPU_STATE", "PARENT_UPRN", "X_COORDINATE", "Y_COORDINATE", "LATITUDE", "LONGITUDE", "RPC",
             "LOCAL_CUSTODIAN_CODE", "MULTI_OCC_COUNT", "SAO_START_NUMBER", "SAO_END_NUMBER", "PAO_START_NUMBER",
             "PAO_END_NUMBER", "UDPRN", "BUILDING_NUMBER", "SUCCESSOR", "SCHEME_VERSION",
             "CUSTODIAN_ONE", "CUSTODIAN_TWO"}  # fmt: skip


def record_lines(
    record: int, columns: list[str], table: pl.DataFrame, first_order: int, extract_date: date
) -> list[str]:
    """The lines of one record type; what the table lacks is empty, LAST_UPDATE_DATE the extract date.

    CHANGE_TYPE says what became of a row; in a table without it every row is new.
    """
    if table.is_empty():
        return []
    change = pl.col("CHANGE_TYPE") if "CHANGE_TYPE" in table.columns else pl.lit("I")
    fields: list[pl.Expr] = [
        pl.format(str(record) + ',"{}"', change),
        pl.int_range(first_order, first_order + pl.len()).cast(pl.String),
    ]
    for column in columns:
        quoted = column not in _UNQUOTED and not column.endswith("_DATE")
        if column == "LAST_UPDATE_DATE":
            fields.append(pl.lit(extract_date.isoformat()))
        elif column not in table.columns:
            fields.append(pl.lit('""' if quoted else ""))
        elif quoted:
            text = pl.col(column).cast(pl.String).fill_null("").str.replace_all('"', '""', literal=True)
            fields.append(pl.concat_str(pl.lit('"'), text, pl.lit('"')))
        else:
            fields.append(pl.col(column).cast(pl.String).fill_null(""))
    return table.select(pl.concat_str(fields, separator=",")).to_series().to_list()


def keys(letter: str, count: int) -> pl.Series:
    """Keys of 14 characters: custodian, letter, nine digits."""
    return pl.Series([f"{CUSTODIAN}{letter}{number:09d}" for number in range(1, count + 1)], dtype=pl.String)
