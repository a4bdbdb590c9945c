"""Shipped sources of a small borough, taken in and mapped into facts: held against the truth and against the law."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.governance.purposes import PurposeRefused, Purposes
from pipelines.quality.gate import gate
from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.facts_build import build_fact
from pipelines.sources.intake import take_in
from pipelines.warehouse import Warehouse, scratch_warehouse, sql_file
from synthetic_data.borough import Summary, make_borough

CONTRACTS = load_contracts(SHIPPED_SOURCES)
PURPOSES = Purposes.load(CONTRACTS.values(), date(2026, 10, 31))
OFFICES = ("permits", "citizen_account", "housing_register", "right_to_buy", "births", "marriages", "business_rates")
INDEBTED = ("council_tax", "benefits", "housing")
COUNTED = ("core_lettings", "mortality")


@pytest.fixture(scope="module")
def borough(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return make_borough(tmp_path_factory.mktemp("offices"), 1500, 5)


@pytest.fixture(scope="module")
def wh(borough: Summary) -> Iterator[Warehouse]:
    """The sources of this page, taken in; their facts built."""
    with scratch_warehouse(as_of=date(2026, 10, 31)) as warehouse:
        for source in (*OFFICES, *INDEBTED, *COUNTED):
            (intake,) = take_in(warehouse, CONTRACTS[source], borough.landing, None)
            assert intake.state == "accepted", (source, intake.reason)
        taken = {source: CONTRACTS[source] for source in (*OFFICES, *INDEBTED)}
        for fact in sorted({fact for contract in taken.values() for fact in contract.facts}):
            build_fact(warehouse, fact, taken)
        yield warehouse


@pytest.mark.parametrize("source", OFFICES)
def test_each_true_mention_is_one_record_and_has_its_home(wh: Warehouse, borough: Summary, source: str) -> None:
    truth = pl.read_parquet(borough.truth / "records.parquet").filter(pl.col("source") == source)
    found = {
        key for (key,) in wh.rows(f"SELECT source_key FROM identity.facts.person_record WHERE source = '{source}'")
    }
    assert found == set(truth["source_key"]) and found
    nowhere = wh.scalar(
        "SELECT count(*) FROM identity.facts.residence r LEFT JOIN identity.facts.address a USING (address_id) "
        f"WHERE r.source = '{source}' AND a.address_id IS NULL"
    )
    assert nowhere == 0
    homes = set(pl.read_parquet(borough.truth / "addresses.parquet").filter(pl.col("source") == source)["address_key"])
    held = {key for (key,) in wh.rows(f"SELECT address_key FROM identity.facts.address WHERE source = '{source}'")}
    assert held <= homes


def test_debts_are_owed_by_people_of_the_account_and_settled_ones_owe_nothing(wh: Warehouse) -> None:
    kinds = dict(wh.rows("SELECT kind, count(*) FROM identity.facts.debt GROUP BY ALL"))
    assert set(kinds) == {"council_tax", "benefit_overpayment", "rent"}
    assert wh.scalar("SELECT count(*) FROM identity.facts.debt WHERE (to_date IS NOT NULL) <> (balance = 0)") == 0
    assert wh.scalar("SELECT count(*) FROM identity.facts.debt WHERE balance > amount OR stage IS NULL") == 0
    assert wh.scalar("SELECT count(*) FROM identity.facts.debt WHERE stage_date < from_date") == 0
    named = wh.scalar("SELECT avg((record_id IS NOT NULL)::INTEGER) FROM identity.facts.debt")
    assert named is not None and named > 0.8
    strangers = wh.scalar(
        "SELECT count(*) FROM identity.facts.debt d ANTI JOIN identity.facts.person_record USING (record_id) "
        "WHERE d.record_id IS NOT NULL"
    )
    assert strangers == 0


def test_permits_run_out_and_applications_close(wh: Warehouse) -> None:
    wrong = wh.scalar(
        "SELECT count(*) FROM identity.facts.permit "
        "WHERE is_live <> (to_date >= DATE '2026-10-31') AND to_date <> DATE '2026-10-31'"
    )
    assert wrong == 0
    assert {kind for (kind,) in wh.rows("SELECT DISTINCT kind FROM identity.facts.permit")} >= {
        "blue_badge",
        "older_persons_pass",
        "resident_parking",
    }
    still_open = (
        "SELECT count(*) FROM identity.facts.application WHERE (status IN ('open', 'suspended')) <> (to_date IS NULL)"
    )
    assert wh.scalar(still_open) == 0
    assert wh.scalar("SELECT count(*) FROM identity.facts.application WHERE role = 'applicant'") > 0


def test_a_marriage_ties_two_surnames_and_a_birth_two_parents(wh: Warehouse) -> None:
    two_names = "source = 'marriages' AND former_surname IS NOT NULL AND upper(former_surname) <> upper(surname)"
    assert wh.scalar(f"SELECT count(*) FROM identity.facts.person_record WHERE {two_names}") > 5
    parents = dict(
        wh.rows("SELECT role, count(*) FROM identity.facts.person_record WHERE source = 'births' GROUP BY ALL")
    )
    assert parents["child"] == parents["mother"] > parents["father"] > 0
    dated = "source = 'births' AND role <> 'child' AND birth_date IS NOT NULL"
    assert wh.scalar(f"SELECT count(*) FROM identity.facts.person_record WHERE {dated}") == 0


def test_a_shop_is_no_part_of_a_name(wh: Warehouse) -> None:
    names = [name for (name,) in wh.rows("SELECT liab_name FROM identity.staged.business_rates__ndraccount")]
    assert any(" T/A " in name for name in names)
    traders = [
        name
        for (name,) in wh.rows("SELECT name_text FROM identity.facts.person_record WHERE source = 'business_rates'")
    ]
    assert traders and not any("T/A" in name or "LTD" in name for name in traders)


def test_a_bill_to_the_door_of_the_shop_names_the_shop_not_the_home_above_it(wh: Warehouse, borough: Summary) -> None:
    truth = "read_parquet(?)"
    told = wh.rows(
        f"""SELECT f.no_home, bill.uprn = shop.uprn AS at_the_shop, count(*) FROM identity.facts.address f
        JOIN identity.staged.business_rates__ndraccount a ON a.account_ref = f.address_key
        JOIN {truth} bill ON bill.source = f.source AND bill.address_key = f.address_key
        JOIN {truth} shop ON shop.source = f.source AND shop.address_key = a.property_ref
        WHERE f.source = 'business_rates' AND a.liab_kind = 'S' GROUP BY ALL ORDER BY ALL""",
        [str(borough.truth / "addresses.parquet")] * 2,
    )
    counted = {(no_home, shop): n for no_home, shop, n in told}
    assert set(counted) <= {(False, False), (True, True), (False, True)}  # a bill without a postcode proves nothing
    assert counted[True, True] > counted.get((False, True), 0)


def test_a_bill_to_the_home_above_the_shop_or_down_the_street_names_a_home() -> None:
    bills = {"56 High St": True, "56A High St": False, "Flat 1, 56 High St": False, "58 High St": False}
    row = (
        "DATE '2026-10-31' AS extract_date, DATE '2026-10-31' AS valid_from, NULL::DATE AS valid_to, 'r' AS loaded_run"
    )
    rest = ", ".join(f"NULL::VARCHAR AS {{0}}{line}" for line in (2, 3, 4))
    with scratch_warehouse() as wh:
        wh.execute("CREATE MACRO whole_uprn(uprn) AS uprn")
        wh.execute(
            f"CREATE TEMP TABLE premises AS SELECT 's' AS property_ref, '56 HIGH ST' AS addr1, {rest.format('addr')},"
            f" 'SS1 1AA' AS postcode, 1::BIGINT AS uprn, {row}"
        )
        wh.execute(
            f"CREATE TEMP TABLE bill AS SELECT corr_addr1 AS account_ref, 's' AS property_ref, 'S' AS liab_kind,"
            f" corr_addr1, {rest.format('corr_addr')}, 'SS1 1AA' AS corr_postcode, {row}"
            " FROM (SELECT unnest(?) AS corr_addr1)",
            [[*bills]],
        )
        query = sql_file(SHIPPED_SOURCES / "business_rates" / "address.sql", ndrproperty="premises", ndraccount="bill")
        told = dict(wh.rows(f"SELECT address_key, no_home FROM ({query}) WHERE address_key <> 's'"))
    assert told == bills


@pytest.mark.parametrize(
    ("source", "purpose"),
    [
        ("mortality", "fraud"),
        ("mortality", "risk"),
        ("electoral_register", "risk"),
        ("births", "fraud"),
        ("births", "risk"),
        ("citizen_account", "fraud"),
        ("permits", "risk"),
        ("core_lettings", "fraud"),
    ],
)
def test_what_the_law_does_not_allow_is_refused_before_a_byte_is_read(source: str, purpose: str) -> None:
    with pytest.raises(PurposeRefused, match=source):
        PURPOSES.require(purpose, [source])
    assert source not in PURPOSES.sources(purpose)


@pytest.mark.parametrize("source", COUNTED)
def test_what_joins_nobody_gives_no_fact_and_keeps_no_key_to_a_person(wh: Warehouse, source: str) -> None:
    assert CONTRACTS[source].facts == ()
    kept = [column for table in CONTRACTS[source].tables for column in table.kept]
    assert not [column.name for column in kept if column.personal in ("name", "birth_date", "contact", "address")]
    (table,) = CONTRACTS[source].tables
    staged = {name for (name, *_) in wh.rows(f"DESCRIBE {CONTRACTS[source].staged(table.name)}")}
    assert not staged & {"nhs_number", "postcode", "tenancycode", "propcode", "uprn"}


def test_the_full_register_states_what_its_regulations_allow() -> None:
    register = CONTRACTS["electoral_register"]
    assert set(register.purposes) == {"data_quality", "fraud"}
    for basis in register.purposes.values():
        assert "reg. 107(4)" in (basis.gateway or "") and basis.conditions
    assert register.table("register").leave_out is not None


def test_why_somebody_has_a_badge_is_never_kept(wh: Warehouse) -> None:
    staged = {name for (name, *_) in wh.rows("DESCRIBE identity.staged.permits__blue_badges")}
    assert "badge_holder_name" in staged and "eligibility_code" not in staged


# The flat file: the columns, and three accounts by those that they fill.
FLAT = (
    {"account_reference": "100", "uprn": "999000000001", "title": "MR", "surname": "MARLOW", "forename": "IAN",
     "address1": "1 TEST ROAD", "other_title": "MRS", "other_surname": "MARLOW", "other_forename": "EVE",
     "other_date_of_birth": "05/06/1980", "discount_start_date": "01/04/2024", "disregard_code": "STU", "band": "C",
     "discount_amount": "475.00"},
    {"account_reference": "200", "title": "MISS", "surname": "HALE", "forename": "JO", "address1": "2 TEST ROAD",
     "discount_start_date": "01/04/2023", "discount_code": "SPD", "band": "B", "discount_amount": "400.00"},
    {"account_reference": "300", "surname": "PIER LETTINGS LTD", "address1": "3 TEST ROAD", "band": "A"},
)  # fmt: skip


def test_the_flat_file_of_the_national_fraud_initiative_serves_the_same_facts(tmp_path: Path) -> None:
    folder = tmp_path / "council_tax" / "2026-09-30"
    folder.mkdir(parents=True)
    contract = CONTRACTS["council_tax"].model_copy(update={"control": "none"})
    columns = [column.name for column in contract.table("nfi_council_tax").columns]
    lines = [columns, *([row.get(name, "SS1 1AA" if name == "postcode" else "") for name in columns] for row in FLAT)]
    (folder / "nfi_council_tax.csv").write_text("\n".join(map(",".join, lines)) + "\n", encoding="latin-1")
    with scratch_warehouse(as_of=date(2026, 10, 31)) as wh:
        (intake,) = take_in(wh, contract, tmp_path, None, gate(wh))
        assert intake.state == "accepted", intake.reason
        for fact in contract.facts:
            build_fact(wh, fact, {"council_tax": contract})
        people = wh.rows("SELECT source_key, forename, surname FROM identity.facts.person_record ORDER BY ALL")
        assert people == [("100", "IAN", "MARLOW"), ("100/2", "EVE", "MARLOW"), ("200", "JO", "HALE")]
        homes = wh.rows(
            "SELECT p.source_key, a.postcode, a.uprn_given FROM identity.facts.residence r "
            "JOIN identity.facts.address a USING (address_id) JOIN identity.facts.person_record p USING (record_id) "
            "ORDER BY 1"
        )
        assert homes == [("100", "SS1 1AA", 999000000001), ("100/2", "SS1 1AA", 999000000001), ("200", "SS1 1AA", None)]
        taken_off = wh.rows("SELECT account_ref, kind, code, amount::DOUBLE FROM identity.facts.discount ORDER BY ALL")
        assert taken_off == [("100", "disregard", "student", 475.0), ("200", "discount", "single_person", 400.0)]
        parties = wh.rows("SELECT account_ref, party_kind, is_live, band FROM identity.facts.liability ORDER BY ALL")
        assert parties == [
            ("100", "person", True, "C"),
            ("100", "person", True, "C"),
            ("200", "person", True, "B"),
            ("300", "company", True, "A"),
        ]
        assert wh.scalar("SELECT count(*) FROM identity.facts.debt") == 0
