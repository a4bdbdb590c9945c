# ruff: noqa: E501
"""The sources' SQL gives the fact tables their shape, from tiny extracts whose facts are known."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.contracts import Contract
from pipelines.sources.facts import FACTS
from pipelines.sources.facts_build import FactError, build_fact
from pipelines.sources.intake import take_in
from pipelines.warehouse import Warehouse
from tests.sources.library import DAY, both, deliver, make_contract

COUNCIL_TAX = {
    "ctaccount.csv": "account_ref,account_cd,lead_liab_name,lead_liab_pos,lead_liab_title,for_addr1,for_addr2,for_addr3,"
    "for_addr4,for_postcode,paymeth_code,person_status,party_ref\n"
    "70,1,MR JOHN SMITH,7,MR,,,,,,DD1,P,P1\n71,1,ACME LETTINGS LTD,7,,,,,,,DD1,C,P2\n",
    "ctproperty.csv": "property_ref,addr1,addr2,addr3,addr4,postcode,uprn,llpg_xref_key,band,property_type,wardcode,annexe_ind,"
    "deleted_ind\nR1,1 HIGH STREET,LEIGH,,,SS9 9ZZ,000999000000001.0,,C,HOUSE,W1,0,0\n"
    "R2,2 HIGH STREET,,,,SS9 9ZZ,99900000000X,,D,HOUSE,W1,0,0\n",
    "ctoccupation.csv": "account_ref,property_ref,occupation_date,vacation_date,live_ind,transit_ind\n"
    "70,R1,01/04/2020,31/12/2099,1,0\n71,R2,01/04/2020,01/05/2025,0,0\n",
    "ctliable.csv": "account_ref,liab_pers_occ,party_ref,liab_pos,liab_name,liab_dob,liab_from,liab_to\n"
    "70,1,P1,7,MR JOHN SMITH,01/02/1980,01/04/2020,\n70,2,P3,1,EXORS OF ANN SMITH,,01/05/2021,01/06/2022\n"
    "71,1,P2,7,ACME LETTINGS LTD,,01/04/2020,\n71,2,P4,6,THE OCCUPIER,,01/04/2020,\n",
    "ctdiscount.csv": "account_ref,property_ref,seq,kind,code,party_ref,start_date,end_date,percent,amount\n"
    "70,R1,1,D,SPD,,01/07/2022,,25.0,477.04\n70,R1,2,R,STU,P1,01/07/2022,31/12/2099,0,0\n",
}
SHIPPED_CONTRACTS = load_contracts(SHIPPED_SOURCES)


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_has_its_shape_even_without_any_extract(wh: Warehouse, fact: str) -> None:
    assert build_fact(wh, fact, SHIPPED_CONTRACTS) == 0
    described = [(row[0], row[1]) for row in wh.rows(f"DESCRIBE identity.facts.{fact}")]
    assert described == [(column.name, column.type) for column in FACTS[fact].all_columns]


def test_council_tax(wh: Warehouse, landing: Path) -> None:
    deliver(landing, COUNCIL_TAX, DAY, source="council_tax")
    assert [intake.state for intake in take_in(wh, SHIPPED_CONTRACTS["council_tax"], landing, None)] == ["accepted"]
    for fact in ("person_record", "address", "residence", "liability", "discount"):
        build_fact(wh, fact, SHIPPED_CONTRACTS)
    assert wh.rows(
        "SELECT record_id, name_text, birth_date, valid_to FROM identity.facts.person_record ORDER BY 1"
    ) == [
        ("council_tax:70/1/P1#1", "MR JOHN SMITH", date(1980, 2, 1), None),
        ("council_tax:70/2/P3#1", "EXORS OF ANN SMITH", None, None),
    ]
    assert wh.rows("SELECT address_id, address_text, uprn_given, xref_key FROM identity.facts.address ORDER BY 1") == [
        ("council_tax:R1", "1 HIGH STREET, LEIGH", 999000000001, "R1"),
        ("council_tax:R2", "2 HIGH STREET", None, "R2"),
    ]
    assert wh.rows("SELECT record_id, from_date, to_date FROM identity.facts.residence ORDER BY 1") == [
        ("council_tax:70/1/P1#1", date(2020, 4, 1), None),
        ("council_tax:70/2/P3#1", date(2021, 5, 1), date(2022, 6, 1)),
    ]
    assert wh.rows(
        "SELECT account_ref, party_kind, position, band, is_live FROM identity.facts.liability ORDER BY ALL"
    ) == [
        ("70", "executors", "joint", "C", False),
        ("70", "person", "owner", "C", True),
        ("71", "company", "owner", "D", False),
        ("71", "unnamed", "resident", "D", False),
    ]
    assert wh.rows("SELECT kind, code, record_id, percent::INT, to_date FROM identity.facts.discount ORDER BY 1") == [
        ("discount", "single_person", None, 25, None),
        ("disregard", "student", "council_tax:70/1/P1#1", 0, None),
    ]


def test_what_an_extract_no_longer_shows_has_ended(wh: Warehouse, landing: Path) -> None:
    contract = SHIPPED_CONTRACTS["council_tax"]
    earlier = date(2026, 9, 30)
    deliver(landing, COUNCIL_TAX, earlier, source="council_tax")
    without = COUNCIL_TAX | {
        "ctliable.csv": COUNCIL_TAX["ctliable.csv"].replace("MR JOHN SMITH,01/02/1980", "PRIYA NAIR,")
    }
    deliver(landing, without, DAY, source="council_tax")
    take_in(wh, contract, landing, None)
    for fact in ("residence", "liability"):
        build_fact(wh, fact, SHIPPED_CONTRACTS)
    assert wh.rows(
        "SELECT record_id, to_date, valid_to FROM identity.facts.residence WHERE record_id LIKE '%P1#%' ORDER BY 1"
    ) == [
        ("council_tax:70/1/P1#1", DAY, DAY),
        ("council_tax:70/1/P1#2", None, None),
    ]
    assert wh.rows(
        "SELECT record_id, is_live FROM identity.facts.liability WHERE record_id LIKE '%P1#%' ORDER BY 1"
    ) == [
        ("council_tax:70/1/P1#1", False),
        ("council_tax:70/1/P1#2", True),
    ]


DEATH = (
    "SELECT card AS registration_ref, record_id, 'library:' || card AS address_id, born AS death_date, born AS registered_date, "
    "extract_date, valid_from, valid_to, loaded_run FROM ${borrower}"
)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        (DEATH, None),
        (DEATH.replace("born AS death_date, ", ""), "also needs death_date"),
        (DEATH.replace("SELECT card", "SELECT 1 AS shoe_size, card"), "has no shoe_size"),
        (DEATH.replace("born AS death_date", "name AS death_date"), "death_date comes as VARCHAR"),
        (DEATH.replace("${borrower}", "${borower}"), "${borower} is no table"),
        (DEATH.replace("born AS", "birth AS"), "library/death.sql"),
        (
            DEATH.replace("${borrower}", "identity.staged.social_care__persons"),
            "it reads `identity.staged.social_care__persons`",
        ),
        (
            DEATH + " WHERE card IN (SELECT nhs FROM memory.latest.social_care__persons)",
            "it reads `memory.latest.social",
        ),
        (DEATH + " WHERE card IN (SELECT content FROM read_text('/etc/passwd'))", "it reads `read_text(…)`"),
        (DEATH + " WHERE card IN (FROM query('FROM identity.facts.address'))", "it reads `query(…)`"),
        (DEATH + " WHERE card IN (SELECT key FROM 'landing/other.csv')", "it reads `landing/other.csv`"),
        (DEATH + "; COPY ${borrower} TO 'all.csv'", "it is no SELECT"),
        (DEATH + "; DROP TABLE ${borrower}", "it is no SELECT"),
        (DEATH + "; SELECT 1", "it holds several statements"),
        ('WITH "identity.facts.x" AS (SELECT 1) SELECT * FROM identity.facts.x', "it reads `identity.facts.x`"),
        ("WITH other AS (SELECT * FROM other) SELECT * FROM other", "it reads `other`"),
        ("SELECT * FROM other, (WITH other AS (SELECT 1) SELECT 1)", "it reads `other`"),
        ("WITH own AS (FROM ${borrower}) " + DEATH.replace("${borrower}", "own"), None),
    ],
)
def test_a_strangers_sql_is_held_to_the_shape(
    wh: Warehouse, landing: Path, tmp_path: Path, sql: str, says: str | None
) -> None:
    contract: Contract = make_contract(tmp_path)
    (contract.folder / "death.sql").write_text(sql)
    deliver(landing, both())
    take_in(wh, contract, landing, None)
    if says is None:
        assert build_fact(wh, "death", {"library": contract}) == 2
    else:
        with pytest.raises(FactError) as error:
            build_fact(wh, "death", {"library": contract})
        assert says in str(error.value)
        assert "CANARY" not in str(error.value)
