"""Who lives in the borough on a day, per purpose view, by signs of life in the records that the view may read."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from linkage_models.standardise import install
from pipelines.linkage.homes import HOUSEHOLD, HOUSEHOLD_MEMBER
from pipelines.linkage.persons import MEMBERSHIP
from pipelines.people.records import RECORD, RECORD_ADDRESS
from pipelines.places.gazetteer import PROPERTY
from pipelines.residents.reconciliation import RECONCILIATION, reconcile
from pipelines.warehouse import Warehouse, sql_file

ROOM = Path(__file__).parent
RESIDENT = "identity.residents.resident"
TABLES = (RESIDENT, RECONCILIATION)
#: Classes that count as living here, the surer one first.
LIVING = ("resident", "probably")


def build_residents(wh: Warehouse, views: Mapping[str, Sequence[str]], day: date) -> dict[str, float]:
    """Write RESIDENT, one row a person of a view, and RECONCILIATION; needs persons and households of the same views.

    Only what the records say up to `day` counts; taking away a source outside a view changes nothing in it. Returns how
    many live here by view, and how far wards are off the known totals where those are at hand.
    """
    install(wh.con)
    for table in TABLES:
        wh.execute(f"DROP TABLE IF EXISTS {table}")
    figures: dict[str, float] = {}
    for view, sources in sorted(views.items()):
        _judge(wh, view, sources, day)
        found = reconcile(wh, _people(wh), view)
        wh.con.register("resident_weight", found.weights)
        wh.execute(
            f"""-- one row per person of the view
            CREATE TABLE IF NOT EXISTS {RESIDENT} AS SELECT ?::VARCHAR AS view, ?::DATE AS on_day, r.*, NULL::DOUBLE
                AS weight FROM resident_placed r WHERE false""",
            [view, day],
        )
        wh.execute(
            f"""INSERT INTO {RESIDENT} SELECT ?, ?, r.*, w.weight FROM resident_placed r
                LEFT JOIN resident_weight w USING (person_id) ORDER BY person_id""",
            [view, day],
        )
        wh.con.unregister("resident_weight")
        figures[f"residents in {view}"] = int(
            wh.scalar(f"SELECT count(*) FROM {RESIDENT} WHERE view = ? AND class IN {LIVING}", [view])
        )
        figures |= {f"{name} in {view}": value for name, value in found.figures.items()}
    for table in TABLES:
        wh.note(table)
    return figures


def _judge(wh: Warehouse, view: str, sources: Sequence[str], day: date) -> None:
    """Temporary table resident_placed: a row a person of the view, with class, place, ward and household."""
    signs: dict[str, Any] = yaml.safe_load((ROOM / "signs.yaml").read_text(encoding="utf-8"))
    wh.execute(
        f"""-- one row per record of the view
        CREATE OR REPLACE TEMP TABLE view_record AS
        SELECT m.person_id, r.record_id, r.source, r.birth_date, r.death_date, r.sex, r.acts_as_adult, r.forename,
            r.initial, r.surname_key
        FROM {MEMBERSHIP} m JOIN {RECORD} r USING (record_id) WHERE m.view = ?""",
        [view],
    )
    _exemptions(wh, sources, day, signs["empty_exemptions"])
    stale: dict[str, int] = signs["stale_after_days"]
    wh.execute(
        sql_file(
            ROOM / "residents.sql",
            day=day.isoformat(),
            record_address=RECORD_ADDRESS,
            held_by=_listed(signs["held_by"]),
            sure=_listed(signs["sure"]),
            end_is_no_move=_listed(signs["end_is_no_move"]),
            stale_bases=_listed(list(stale)),
            child_below=str(int(signs["child_below"])),
            stale_days=f"{list(stale.values())}::INTEGER[]",
        )
    )
    wards = "SELECT uprn, postcode, ward_code, ward FROM " + PROPERTY
    if not wh.exists(PROPERTY):
        wards = "SELECT NULL::BIGINT AS uprn, NULL AS postcode, NULL AS ward_code, NULL AS ward WHERE false"
    wh.execute(
        f"""-- one row per person of the view: a postcode alone lies in the ward of most of its properties
        CREATE OR REPLACE TEMP TABLE resident_placed AS
        WITH property AS ({wards}),
        postcode_ward AS (
            SELECT postcode, mode(ward_code ORDER BY ward_code) AS ward_code FROM property
            WHERE ward_code IS NOT NULL GROUP BY postcode)
        SELECT n.person_id, n.class, n.uprn, n.postcode, coalesce(p.ward_code, w.ward_code) AS ward_code,
            CASE WHEN n.class IN {LIVING} THEN h.household_id END AS household_id,
            n.from_date, n.to_date, n.reasons, n.same_as, n.sex,
            date_diff('year', n.birth_date, DATE '{day.isoformat()}')
                - CASE WHEN strftime(n.birth_date, '%m%d') > '{day:%m%d}' THEN 1 ELSE 0 END AS age, n.acts_as_adult
        FROM resident_now n
        LEFT JOIN property p ON p.uprn = n.uprn
        LEFT JOIN postcode_ward w ON w.postcode = n.postcode
        LEFT JOIN (
            SELECT m.person_id, o.uprn, min(household_id) AS household_id
            FROM {HOUSEHOLD_MEMBER} m JOIN {HOUSEHOLD} o USING (view, household_id)
            WHERE m.view = '{view}' AND m.to_date IS NULL GROUP BY m.person_id, o.uprn) h
            ON h.person_id = n.person_id AND h.uprn = n.uprn"""
    )


def _exemptions(wh: Warehouse, sources: Sequence[str], day: date, empty: list[str]) -> None:
    """Temporary tables unoccupied and occupied (address_id): what exemptions and discounts say of a dwelling."""
    for table, condition in (
        ("unoccupied", "kind = 'exemption' AND list_contains(?, code)"),
        ("occupied", "NOT (kind = 'exemption' AND list_contains(?, code))"),
    ):
        wh.execute(f"CREATE OR REPLACE TEMP TABLE {table} (address_id VARCHAR)")
        if wh.exists("identity.facts.discount"):
            wh.execute(
                f"""INSERT INTO {table} SELECT DISTINCT address_id FROM identity.facts.discount
                WHERE valid_to IS NULL AND list_contains(?, source) AND coalesce(from_date <= ?, true)
                    AND coalesce(to_date > ?, true) AND {condition}""",
                [list(sources), day, day, empty],
            )


def _people(wh: Warehouse) -> pl.DataFrame:
    """Those who live here, as the reconciliation counts them."""
    return wh.frame(
        f"""-- one row per person who counts as living here
        SELECT person_id, ward_code, sex, age::INTEGER AS age, acts_as_adult FROM resident_placed
        WHERE class IN {LIVING} ORDER BY person_id"""
    )


def _listed(names: list[str]) -> str:
    """A list of plain words as a list in SQL."""
    return f"{[str(name) for name in names]}::VARCHAR[]"
