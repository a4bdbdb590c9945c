"""The staged land and property gazetteer as places: properties, wordings of their addresses, cross-references.

It comes as AddressBase Premium or as DTF 7.3; both are read as one.
"""

from pathlib import Path

import yaml

from linkage_models.address import read_wordings
from pipelines.warehouse import Warehouse, sql_file

PROPERTY = "identity.places.property"
ADDRESS_VARIANT = "identity.places.address_variant"
CROSS_REFERENCE = "identity.places.cross_reference"
#: The wordings read into parts and keys once, for the search.
ADDRESS_WORDING = "identity.places.address_wording"
TABLES = (PROPERTY, ADDRESS_VARIANT, CROSS_REFERENCE, ADDRESS_WORDING)
_ROOM = Path(__file__).parent
_NO_ONSUD = "SELECT NULL::BIGINT AS uprn, NULL AS wd25cd, NULL AS lsoa21cd WHERE false"
_NO_LSOA = "SELECT NULL AS lsoa21cd, NULL AS wd25nm, NULL::INTEGER AS imd25_decile WHERE false"


def build_gazetteer(wh: Warehouse) -> dict[str, int]:
    """Build TABLES from the staged gazetteer; empty tables of the same shape where none has come."""
    if not _read_as_one(wh):
        return _empty(wh)
    wh.execute(
        f"CREATE OR REPLACE TABLE memory.main.address_wording AS {(_ROOM / 'address_wording.sql').read_text('utf-8')}"
    )
    areas = {
        "onsud": _staged(wh, "onsud", "uprn, wd25cd, lsoa21cd", _NO_ONSUD),
        "lsoa": _staged(wh, "lsoa", "lsoa21cd, wd25nm, imd25_decile", _NO_LSOA),
    }
    properties = wh.table(PROPERTY, sql_file(_ROOM / "property.sql", **areas))
    read_wordings(wh.con, PROPERTY, "memory.main.address_wording", "wording_read")
    wh.table(ADDRESS_WORDING, "SELECT * FROM wording_read ORDER BY text_id")
    variants = wh.table(
        ADDRESS_VARIANT,
        """SELECT v.uprn, variant, v.address_text, v.postcode, v.street, v.building, has_unit, locality, town, key
        FROM memory.main.address_wording v LEFT JOIN wording_read w
        ON w.variant_uprn = v.uprn AND w.address_text = v.address_text AND w.postcode_written IS NOT DISTINCT
            FROM v.postcode
        ORDER BY v.uprn, variant, v.address_text""",
    )
    wh.execute("DROP TABLE memory.main.address_wording")
    references = wh.table(CROSS_REFERENCE, (_ROOM / "cross_reference.sql").read_text("utf-8"))
    return {"properties": properties, "wordings": variants, "cross-references": references}


def _read_as_one(wh: Warehouse) -> bool:
    """Temporary views llpg_<table> over what stands of either layout; False if no gazetteer has ever come."""
    has = {part: wh.exists(f"identity.staged.llpg__{part}blpu") for part in ("", "dtf_")}
    for name, (empty, *layouts) in yaml.safe_load((_ROOM / "layouts.yaml").read_text(encoding="utf-8")).items():
        there = [sql for prefix, sql in zip(has, layouts, strict=True) if sql and has[prefix]]
        selects = " UNION ALL BY NAME ".join(f"({sql})" for sql in (f"SELECT {empty} LIMIT 0", *there))
        wh.execute(f"CREATE OR REPLACE TEMP VIEW llpg_{name} AS {selects}")
    return any(has.values())


def _staged(wh: Warehouse, table: str, columns: str, otherwise: str) -> str:
    name = f"identity.staged.llpg__{table}"
    return f"SELECT {columns} FROM {name} WHERE valid_to IS NULL" if wh.exists(name) else otherwise


def _empty(wh: Warehouse) -> dict[str, int]:
    """No gazetteer at hand: the same tables without rows."""
    for name, columns in (
        (PROPERTY, PROPERTY_COLUMNS),
        (ADDRESS_VARIANT, VARIANT_COLUMNS),
        (CROSS_REFERENCE, "xref_source VARCHAR, xref_key VARCHAR, uprn BIGINT"),
    ):
        wh.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")
        wh.note(name)
    read_wordings(wh.con, PROPERTY, ADDRESS_VARIANT, "wording_read")
    wh.table(ADDRESS_WORDING, "SELECT * FROM wording_read")
    return {"properties": 0, "wordings": 0, "cross-references": 0}


PROPERTY_COLUMNS = """uprn BIGINT, parent_uprn BIGINT, logical_status INTEGER, state INTEGER, class_code VARCHAR,
    x DOUBLE, y DOUBLE,
    postcode VARCHAR, ward_code VARCHAR, ward VARCHAR, lsoa VARCHAR, imd_decile INTEGER, usrn INTEGER, street VARCHAR,
    is_current BOOLEAN, is_dwelling BOOLEAN, is_communal BOOLEAN, is_shell BOOLEAN, address VARCHAR,
        successor_uprn BIGINT,
    only_home_uprn BIGINT"""
VARIANT_COLUMNS = """uprn BIGINT, variant VARCHAR, address_text VARCHAR, postcode VARCHAR, street VARCHAR,
    building VARCHAR,
    has_unit BOOLEAN, locality VARCHAR, town VARCHAR, key VARCHAR"""
