"""The read-only snapshot: the tables that the app and the reading commands need, encrypted and indexed."""

from pipelines.warehouse import Warehouse

#: What is published, and the columns by which readers look things up.
PUBLISHED: dict[str, tuple[str, ...]] = {
    "facts.address": ("address_id",),
    "people.record": ("record_id",),
    "people.record_address": ("record_id",),
    "places.property": ("uprn",),
    "places.address_uprn": (),
    "linkage.model": (),
    "linkage.threshold": (),
    "linkage.edge": ("record_l", "record_r"),
    "linkage.company": (),
    "linkage.review_edge": (),
    "linkage.person": ("person_id",),
    "linkage.membership": ("record_id", "person_id"),
    "linkage.household": ("household_id",),
    "linkage.household_member": ("person_id",),
    "linkage.ledger": (),
    "residents.resident": ("person_id",),
    "residents.reconciliation": (),
    "linkage.household_ledger": (),
    "fraud.flagged_pair": ("flag_id",),
    "review.queue": (),
    "review.member": (),
    "quality.result": (),
    "meta.intake": (),
    "meta.fault": (),
}


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
        rows[name] = wh.table(f"published.{name}", f"SELECT * FROM identity.{name}")
        for key in keys:
            wh.execute(f"CREATE INDEX {schema}_{table}_{key} ON published.{name} ({key})")
    return rows


def keep_tiers(wh: Warehouse) -> dict[str, int]:
    """Keep each scored person's tier with the run, by random id and under the key of `attributes`: what a later run is
    compared with."""
    if not wh.exists("attributes.risk.score"):
        return {}
    select = "-- a scored person (person_id)\nSELECT person_id, tier FROM attributes.risk.score ORDER BY person_id"
    return {"risk.tier_of": wh.table("tiers.risk.tier_of", select)}
