"""Hand-made facts, places and links from a few lines of YAML, for tests of what is built on top of linkage."""

from datetime import date
from typing import Any

from pipelines.sources.facts import FACTS
from pipelines.warehouse import Warehouse

SOURCES = ("council_tax", "benefits", "housing", "permits", "electoral_register", "deaths", "adult_social_care", "llpg")
DEFAULTS: dict[str, dict[str, Any]] = {
    "liability": {"position": "resident", "party_kind": "person", "band": "C", "is_live": True},
    "discount": {"kind": "discount", "code": "single_person", "percent": 25, "amount": 480},
    "tenancy": {"tenure": "secure", "is_tenant": True},
    "claim": {"role": "claimant", "kind": "council_tax_reduction", "is_live": True, "weekly_award": 20},
    "registration": {},
    "death": {},
    "permit": {"kind": "blue_badge", "is_live": True},
}
SOURCE_OF = {
    "liability": "council_tax",
    "discount": "council_tax",
    "tenancy": "housing",
    "claim": "benefits",
    "registration": "electoral_register",
    "death": "deaths",
    "permit": "permits",
}


def lay(wh: Warehouse, given: dict[str, Any], views: tuple[str, ...] = ("fraud",)) -> None:
    """Fill facts, places, people and linkage of a scratch warehouse; `who` names a person, `at` a UPRN."""
    for fact in FACTS.values():
        columns = ", ".join(f"{column.name} {column.type}" for column in fact.all_columns)
        wh.execute(f"CREATE TABLE identity.facts.{fact.name} ({columns})")
    wh.execute(
        "CREATE TABLE identity.places.property (uprn BIGINT, parent_uprn BIGINT, logical_status INTEGER, "
        "state INTEGER, class_code VARCHAR, x DOUBLE, y DOUBLE, postcode VARCHAR, ward_code VARCHAR, ward VARCHAR, "
        "lsoa VARCHAR, imd_decile INTEGER, usrn BIGINT, street VARCHAR, is_current BOOLEAN, is_dwelling BOOLEAN, "
        "is_communal BOOLEAN, is_shell BOOLEAN, address VARCHAR, successor_uprn BIGINT)"
    )
    wh.execute("CREATE TABLE identity.places.address_uprn (address_id VARCHAR, uprn BIGINT, method VARCHAR)")
    wh.execute(
        "CREATE TABLE identity.people.record (record_id VARCHAR, source VARCHAR, role VARCHAR, title VARCHAR, "
        "forename VARCHAR, forename_root VARCHAR, surname VARCHAR, initial VARCHAR, name_tokens VARCHAR[], "
        "birth_date DATE, sex VARCHAR, nino VARCHAR, nhs_number VARCHAR, uprn BIGINT, "
        "death_date DATE, sensitivity VARCHAR, is_person BOOLEAN)"
    )
    wh.execute("CREATE TABLE identity.linkage.membership (view VARCHAR, record_id VARCHAR, person_id VARCHAR)")
    wh.execute(
        "CREATE TABLE identity.linkage.edge (record_l VARCHAR, record_r VARCHAR, source_l VARCHAR, source_r VARCHAR, "
        "match_weight DOUBLE, match_probability DOUBLE, match_key VARCHAR, tier VARCHAR)"
    )
    _places(wh, given)
    for record in given.get("record", []):
        _record(wh, dict(record), views)
    for fact in DEFAULTS:
        for row in given.get(fact, []):
            _fact(wh, fact, dict(row))
            if "at" in row and "record_id" in row:
                wh.execute(
                    "UPDATE identity.people.record SET uprn = ? WHERE record_id = ?", [row["at"], row["record_id"]]
                )
    for left, right, weight in given.get("edge", []):
        low, high = sorted((left, right))
        probability = 2**weight / (1 + 2**weight)
        row = [low, high, low.split(":")[0], high.split(":")[0], weight, probability, "name and place", "model"]
        wh.execute("INSERT INTO identity.linkage.edge VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _places(wh: Warehouse, given: dict[str, Any]) -> None:
    stated = {place["uprn"]: place for place in given.get("place", [])}
    seen = {row["at"] for fact in DEFAULTS for row in given.get(fact, []) if "at" in row}
    for uprn in sorted(seen | set(stated)):
        place = stated.get(uprn, {})
        wh.execute(
            "INSERT INTO identity.places.property BY NAME SELECT ? AS uprn, ? AS parent_uprn, ? AS is_communal, "
            "? AS is_shell, ? AS address, ? AS ward, ? AS lsoa, ? AS imd_decile, true AS is_dwelling",
            [uprn, place.get("parent"), place.get("communal", False), place.get("shell", False), f"{uprn} Test Street",
             place.get("ward", "Kursaal"), place.get("lsoa", "E01000001"), place.get("imd", 1)],
        )  # fmt: skip
        method = place.get("method", "cross_reference")
        wh.execute("INSERT INTO identity.places.address_uprn VALUES (?, ?, ?)", [f"at:{uprn}", uprn, method])


def _record(wh: Warehouse, row: dict[str, Any], views: tuple[str, ...]) -> None:
    forename, _, surname = row["name"].partition(" ")
    source = row["id"].split(":")[0]
    wh.execute(
        "INSERT INTO identity.people.record BY NAME SELECT ? AS record_id, ? AS source, ? AS forename, ? AS surname, "
        "? AS forename_root, string_split(?, ' ') AS name_tokens, "
        "? AS initial, ? AS birth_date, ? AS nino, ? AS sex, ? AS role, true AS is_person",
        [
            row["id"],
            source,
            forename,
            surname,
            forename,
            row["name"],
            forename[:1],
            row.get("born"),
            row.get("nino"),
            row.get("sex"),
            "tenant" if source == "housing" else None,
        ],
    )
    for view in views:
        wh.execute("INSERT INTO identity.linkage.membership VALUES (?, ?, ?)", [view, row["id"], row["who"]])


def _fact(wh: Warehouse, fact: str, row: dict[str, Any]) -> None:
    row = {**DEFAULTS[fact], **row}
    if "at" in row:
        row["address_id"] = f"at:{row.pop('at')}"
    row.setdefault("source", SOURCE_OF[fact])
    row.setdefault("valid_from", date(2026, 10, 31))
    placed = ", ".join(f"? AS {name}" for name in row)
    wh.execute(f"INSERT INTO identity.facts.{fact} BY NAME SELECT {placed}", list(row.values()))
