"""The read-only snapshot: the tables that the app and the reading commands need, encrypted and indexed."""

from pipelines.governance.protection import withheld
from pipelines.people.inherited import sealed_places
from pipelines.readiness.measuring import PUBLISHED as READINESS
from pipelines.warehouse import Warehouse

#: What is published, and the columns by which pages look a few rows up. Only those: an index in random order costs more
#: than to write its table, and a statement that asks two things of a table reads all of it anyway.
PUBLISHED: dict[str, tuple[str, ...]] = {
    "facts.address": (),
    "people.record": ("record_id",),
    "people.record_address": ("record_id",),
    "people.repeats": (),
    "places.property": (),
    "places.address_uprn": (),
    "linkage.model": (),
    "linkage.threshold": (),
    "linkage.stop_level": (),
    "linkage.blocking_rule": (),
    "linkage.edge": (),
    "linkage.company": (),
    "linkage.wary": (),
    "linkage.compared_otherwise": (),
    "linkage.review_edge": (),
    "linkage.person": (),
    "linkage.membership": ("record_id", "person_id"),
    "linkage.household": (),
    "linkage.household_member": ("person_id", "household_id"),
    "linkage.ledger": ("person_id",),
    "residents.resident": (),
    "residents.reconciliation": (),
    "linkage.household_ledger": (),
    "fraud.flagged_pair": ("flag_id",),
    "fraud.rule": (),
    "review.queue": ("item_id",),
    "review.member": ("item_id",),
    "review.beside": ("item_id",),
    "review.pair": ("item_id",),
    "review.sample": ("item_id",),
    "quality.result": (),
    "quality.profile": (),
    "quality.promise": (),
    "quality.principle": (),
    **{f"quality.{name}": () for name in READINESS},
    "meta.footing": (),
    "meta.intake": (),
    "meta.fault": (),
}


#: Columns that stay on the record of a hidden person: which record it is, and that it is hidden.
KEPT_OF_HIDDEN = frozenset(
    {"record_id", "source", "source_key", "role", "party_kind", "is_person", "fingerprint", "sensitivity"}
)


def build_snapshot(wh: Warehouse) -> dict[str, int]:
    """Copy the published tables out of `identity` into `published`; return rows by table.

    A table that this borough does not have (a source is missing) is left out.
    """
    rows: dict[str, int] = {}
    for name, keys in PUBLISHED.items():
        if not wh.exists(f"identity.{name}"):
            continue
        schema, table = name.split(".")
        wh.execute(f"CREATE SCHEMA IF NOT EXISTS published.{schema}")
        shown = _shown(wh, name)
        # indexes stand before their rows: made afterwards, each thread builds a tree, and merging them costs twice
        wh.execute(f"CREATE OR REPLACE TABLE published.{name} AS {shown} LIMIT 0")
        for key in keys:
            wh.execute(f"CREATE INDEX {schema}_{table}_{key} ON published.{name} ({key})")
        wh.execute(f"INSERT INTO published.{name} {shown}")
        rows[name] = wh.note(f"published.{name}")
    return rows


def _shown(wh: Warehouse, name: str) -> str:
    """SELECT of what readers may see of a table: of people never linked or sealed, that they are, and no more."""
    every = f"SELECT * FROM identity.{name}"
    if name == "people.record":
        hidden = ", ".join(
            f"CASE WHEN coalesce(sensitivity, '') NOT IN ({withheld()}) THEN {column} END AS {column}"
            for column in wh.columns(f"identity.{name}")
            if column not in KEPT_OF_HIDDEN
        )
        return f"SELECT * REPLACE ({hidden}) FROM identity.{name}"
    if name in ("facts.address", "places.address_uprn") and wh.exists("identity.facts.residence"):
        at_sealed_places = (
            "SELECT address_id FROM identity.places.address_uprn JOIN identity.facts.address USING (address_id) "
            f"JOIN {sealed_places(wh)} USING (uprn, source)"
        )
        return (
            f"{every} WHERE address_id NOT IN (SELECT address_id FROM identity.facts.residence "
            "JOIN identity.people.record USING (record_id) "
            f"WHERE sensitivity IN ({withheld()}) AND address_id IS NOT NULL UNION ALL {at_sealed_places})"
        )
    return every


def keep_tiers(wh: Warehouse) -> dict[str, int]:
    """Keep each scored person's tier with the run, by random id and under the key of `attributes`: what a later run is
    compared with."""
    if not wh.exists("attributes.risk.score"):
        return {}
    select = "-- a scored person (person_id)\nSELECT person_id, tier FROM attributes.risk.score ORDER BY person_id"
    return {"risk.tier_of": wh.table("tiers.risk.tier_of", select)}
