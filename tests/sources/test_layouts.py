"""Alternative layouts of a source, and the gazetteer as a supply of changes: other files, the same borough."""

import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.places.gazetteer import ADDRESS_VARIANT, CROSS_REFERENCE, PROPERTY, build_gazetteer
from pipelines.quality.gate import gate
from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.facts_build import build_fact
from pipelines.sources.intake import take_in
from pipelines.warehouse import Warehouse, scratch_warehouse
from synthetic_data.borough import make_borough

CONTRACTS = load_contracts(SHIPPED_SOURCES)
LAST = date(2026, 10, 31)
PEOPLE, SEED = 700, 3


def taken(wh: Warehouse, source: str, landing: Path) -> None:
    for intake in take_in(wh, CONTRACTS[source], landing, None, gate(wh, [])):
        assert intake.state == "accepted", intake.reason


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("usual")
    make_borough(out, PEOPLE, SEED)
    return out


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("other")
    make_borough(out, PEOPLE, SEED, layouts={"llpg": "dtf", "council_tax": "nfi"})
    return out


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("months")
    make_borough(out, PEOPLE, SEED, months=4)
    return out


def places(landing: Path) -> dict[str, list[tuple[object, ...]]]:
    with scratch_warehouse(as_of=LAST) as wh:
        taken(wh, "llpg", landing)
        build_gazetteer(wh)
        asked = {
            PROPERTY: "uprn, parent_uprn, logical_status, class_code, postcode, ward_code, is_current, address",
            ADDRESS_VARIANT: "uprn, address_text, postcode FROM {} WHERE variant <> 'dpa'",
            CROSS_REFERENCE: "*",
        }
        return {
            table: wh.rows(f"SELECT {said.format(table) if '{}' in said else f'{said} FROM {table}'} ORDER BY ALL")
            for table, said in asked.items()
        }


def test_dtf_gives_the_places_that_addressbase_gives(usual: Path, other: Path) -> None:
    premium, dtf = places(usual / "landing"), places(other / "landing")
    assert len(premium[PROPERTY]) > 300
    for table in (PROPERTY, ADDRESS_VARIANT, CROSS_REFERENCE):
        assert dtf[table] == premium[table], table


def test_the_flat_file_names_the_liable_and_their_homes(other: Path) -> None:
    truth = {
        name: dict(pl.read_parquet(other / "truth" / f"{name}.parquet").filter(source="council_tax")[:, 1:].rows())
        for name in ("records", "addresses")
    }
    with scratch_warehouse(as_of=LAST) as wh:
        taken(wh, "council_tax", other / "landing")
        for fact in CONTRACTS["council_tax"].facts:
            build_fact(wh, fact, {"council_tax": CONTRACTS["council_tax"]})
        found = {key for (key,) in wh.rows("SELECT source_key FROM identity.facts.person_record")}
        homes = {key for (key,) in wh.rows("SELECT address_key FROM identity.facts.address")}
        assert found == set(truth["records"]) and len(found) > 200
        assert any(key.endswith("/2") for key in found)
        assert homes == set(truth["addresses"])
        kinds = dict(wh.rows("SELECT kind, count(*) FROM identity.facts.discount WHERE to_date IS NULL GROUP BY ALL"))
        assert kinds["discount"] > 20
        nowhere = "SELECT count(*) FROM identity.facts.residence r ANTI JOIN identity.facts.address USING (address_id)"
        assert wh.scalar(nowhere) == 0


def staged(landings: list[Path]) -> dict[str, list[tuple[object, ...]]]:
    """What stands of the gazetteer, and since when, after these landings, one after the other."""
    llpg = CONTRACTS["llpg"]
    with scratch_warehouse(as_of=LAST) as wh:
        for landing in landings:
            taken(wh, "llpg", landing)
        return {
            table.name: wh.rows(
                f"SELECT * EXCLUDE (loaded_run, extract_date) FROM {llpg.staged(table.name)} ORDER BY ALL"
            )
            for table in llpg.tables
            if table.changes and not table.name.startswith("dtf_")
        }


def test_a_supply_of_changes_keeps_the_gazetteer_up_to_date_in_any_order(months: Path, tmp_path: Path) -> None:
    deliveries = sorted((months / "landing" / "llpg").iterdir())
    in_order = staged([months / "landing"])
    assert sum(len(rows) for rows in in_order.values()) > 2000
    retired = [row for row in in_order["blpu"] if row[-1] is not None]
    assert retired, "no property changed over the months"
    landings = []
    for place in (2, 0, 3, 1):
        landings.append(tmp_path / f"only{place}")
        shutil.copytree(deliveries[place], landings[-1] / "llpg" / deliveries[place].name)
    assert staged(landings) == in_order
    # the areas came once and stand
    with scratch_warehouse(as_of=LAST) as wh:
        taken(wh, "llpg", months / "landing")
        assert wh.scalar("SELECT count(*) FROM identity.staged.llpg__onsud WHERE valid_to IS NULL") > 300
        build_gazetteer(wh)
        known = wh.scalar(f"SELECT count(successor_uprn) FROM {PROPERTY} WHERE NOT is_current")
        assert known and known > 0
