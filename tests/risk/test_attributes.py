"""The attributes store from hand-made facts: banded, by month, and without identity."""

from datetime import date
from typing import Any

import pytest

from pipelines.governance.purposes import Purposes
from pipelines.risk.attributes import (
    HERE,
    TABLES,
    IdentityInAttributes,
    activity_joined,
    build_attributes,
    require_stated,
)
from pipelines.warehouse import Warehouse, scratch_warehouse, sql_file
from tests.fraud.given import lay
from tests.releases.borough import purposes

GIVEN: dict[str, Any] = {
    "place": [{"uprn": 1, "ward": "Milton", "imd": 2}],
    "record": [
        {"id": "council_tax:A1", "who": "p1", "name": "ANN SMITH"},
        {"id": "benefits:C1", "who": "p1", "name": "ANN SMITH", "born": date(1936, 11, 1), "sex": "F"},
        {"id": "adult_social_care:S1", "who": "p1", "name": "ANN SMITH", "born": date(1936, 11, 1), "sex": "F"},
        {"id": "electoral_register:E9", "who": "p9", "name": "EVE WHITE"},
        {"id": "council_tax:A3", "who": "p3", "name": "CAT BROWN"},
        {"id": "benefits:C2", "who": "p2", "name": "BOB JONES", "born": date(1950, 1, 1), "sex": "M"},
    ],
    "liability": [{"account_ref": "A1", "record_id": "council_tax:A1", "at": 1, "from_date": date(2019, 4, 17)}],
    "discount": [{"account_ref": "A1", "at": 1, "from_date": date(2020, 5, 9)}],
    "claim": [
        {"claim_ref": "C1", "record_id": "benefits:C1", "at": 1, "from_date": date(2021, 6, 30), "weekly_award": 23}
    ],
    "edge": [["council_tax:A1", "benefits:C1", 12], ["adult_social_care:S1", "benefits:C1", 6]],
}  # fmt: skip


def stated_otherwise(source: str, **changed: Any) -> Purposes:
    """The shipped purposes and contracts, but for what one contract states for `risk`."""
    told = purposes()
    contract: Any = told.contracts[source]
    basis = contract.purposes["risk"].model_copy(update=changed)
    assert set(basis.treatment) <= set(contract.classes)
    told.contracts[source] = contract.model_copy(update={"purposes": {**contract.purposes, "risk": basis}})
    return told


def households(wh: Warehouse) -> None:
    wh.execute(
        "CREATE TABLE identity.linkage.household AS SELECT 'risk' AS view, 'h1' AS household_id, 1::BIGINT AS uprn, "
        "DATE '2019-04-17' AS from_date, NULL::DATE AS to_date"
    )
    wh.execute(
        "CREATE TABLE identity.linkage.household_member AS SELECT 'risk' AS view, 'h1' AS household_id, "
        "'p1' AS person_id, DATE '2019-04-17' AS from_date, NULL::DATE AS to_date, 2 AS evidence"
    )
    wh.execute("CREATE TABLE identity.linkage.property_id AS SELECT 1::BIGINT AS uprn, 'r1' AS property_id")
    wh.execute(
        "CREATE TABLE identity.people.record_address AS SELECT record_id, uprn, NULL::DATE AS from_date, "
        "true AS is_current FROM identity.people.record"
    )
    wh.execute("UPDATE identity.people.record SET death_date = DATE '2026-01-01' WHERE record_id = 'benefits:C2'")
    wh.execute(
        "INSERT INTO identity.facts.care_episode BY NAME "
        "SELECT 'X1' AS event_ref, 'adult_social_care:S1' AS record_id, "
        "'request' AS event_type, DATE '2026-07-19' AS from_date, 44.4 AS weekly_cost, 'adult_social_care' AS source"
    )


def test_activity_that_names_nobody_joins_by_a_number_the_law_lets_be_looked_up() -> None:
    with scratch_warehouse() as wh:
        lay(wh, GIVEN, views=("risk",))
        households(wh)
        wh.execute("UPDATE identity.people.record SET nhs_number = '9990000018' WHERE record_id = 'benefits:C1'")
        # a number that two persons bear leads to neither
        wh.execute("UPDATE identity.people.record SET nhs_number = '9990000026' WHERE source <> 'benefits'")
        for ref, number in (("K1", "999 000 0018"), ("K2", "9990000026"), ("K3", None)):
            wh.execute(
                "INSERT INTO identity.facts.activity BY NAME SELECT ? AS activity_ref, 'caretrak' AS source, "
                "'emergency' AS kind, 120.4 AS quantity, 'pounds' AS unit, DATE '2026-03-09' AS from_date, "
                "'nhs_number' AS subject_scheme, ? AS subject_number",
                [ref, number],
            )
        build_attributes(wh, stated_otherwise("caretrak", lookup=None))
        assert wh.rows("SELECT * FROM attributes.attributes.activity") == []
        build_attributes(wh, purposes())
        joined = wh.rows("SELECT person_id, kind, from_month, times, quantity FROM attributes.attributes.activity")
        assert joined == [("p1", "emergency", date(2026, 3, 1), 1, 120)]
        counts = activity_joined(wh)
    assert counts == {"activity of caretrak joined to a person": 1, "activity of caretrak that joins nobody": 2}


def test_people_are_banded_and_dated_by_month() -> None:
    with scratch_warehouse() as wh:
        lay(wh, GIVEN, views=("risk",))
        households(wh)
        build_attributes(wh, purposes())
        person = wh.rows("SELECT person_id, household_id, property_id, age_band, sex, ward, imd_decile, sources, "
                         "link_quality FROM attributes.attributes.person ORDER BY person_id")  # fmt: skip
        services = wh.rows("SELECT service, from_month FROM attributes.attributes.service_flag ORDER BY service")
        care = wh.rows("SELECT event_type, from_month, weekly_cost FROM attributes.attributes.care_episode")
        award = wh.scalar("SELECT weekly_award FROM attributes.attributes.claim")
        composition = wh.scalar("SELECT composition FROM attributes.attributes.household")
    assert person == [  # the dead and the unreadable are out; an age that nobody holds is not known
        ("p1", "h1", "r1", "85-89", "F", "Milton", 2, 3, "medium"),
        ("p3", None, None, "not known", None, None, None, 1, "single record"),
    ]
    assert services == [
        ("adult_social_care", date(2026, 7, 1)),
        ("council_tax_liable", date(2019, 4, 1)),
        ("council_tax_reduction", date(2021, 6, 1)),
        ("single_person_discount", date(2020, 5, 1)),
    ]
    assert care == [("request", date(2026, 7, 1), 40)]
    assert (award, composition) == (25, "one person")


def test_no_value_of_identity_reaches_the_store() -> None:
    with scratch_warehouse() as wh:
        lay(wh, GIVEN, views=("risk",))
        households(wh)
        build_attributes(wh, purposes())
        told = repr([wh.rows(f"SELECT * FROM attributes.attributes.{table}") for table in TABLES])
        assert not [value for value in ("ANN", "SMITH", "1936", "A1", "C1", "S1", "X1", "Test Street") if value in told]


#: What a contract may say of a column for `risk`, and what of the people above is in the store then.
TREATED = [
    ("benefits", {"hbclaim.weekly_award": "drop"}, "claim", "weekly_award", [None]),
    ("benefits", {"hbclaim.weekly_award": "flag"}, "claim", "weekly_award", [0]),  # 1, to five pounds
    ("benefits", {"hbclaim.weekly_award": "round 20"}, "claim", "weekly_award", [20]),
    ("benefits", {"hbclaim.weekly_award": "band 20"}, "claim", "weekly_award", [20]),
    ("benefits", {"hbclaim.weekly_award": "top_code 15"}, "claim", "weekly_award", [15]),
    ("benefits", {"hbclaim.weekly_award": "keep"}, "claim", "weekly_award", [25]),
    ("benefits", {"hbclaim.weekly_award": "pseudonymise"}, "claim", "weekly_award", [None]),
    ("benefits", {"hbmember.relationship": "flag"}, "claim", "role", ["yes"]),
    ("benefits", {"hbclaim.application_date": "truncate year"}, "claim", "from_month", [date(2021, 1, 1)]),
    ("benefits", {"hbclaim.application_date": "flag"}, "claim", "from_month", [None]),
    ("adult_social_care", {"cld.cost_frequency": "drop"}, "care_episode", "weekly_cost", [None]),  # only decides it
    ("adult_social_care", {"cld.event_type": "flag"}, "care_episode", "event_type", ["yes"]),
    ("benefits", {"hbmember.gender": "drop"}, "person", "sex", ["F", None]),  # social care says it too
    ("benefits", {"hbmember.birth_date": "band 20"}, "person", "age_band", ["80-99", "not known"]),
    ("benefits", {"hbmember.birth_date": "truncate year"}, "person", "age_band", ["90+", "not known"]),
    ("benefits", {"hbhousehold.post_code": "to_ward"}, "person", "lsoa", [None, None]),
    ("benefits", {"hbhousehold.post_code": "to_ward"}, "person", "ward", ["Milton", None]),
    ("benefits", {"hbhousehold.post_code": "truncate sector"}, "person", "ward", [None, None]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "treatment", "table", "column", "passes"), TREATED)
def test_a_column_reaches_the_store_as_its_contract_treats_it_and_in_no_other_way(
    source: str, treatment: dict[str, str], table: str, column: str, passes: list[Any]
) -> None:
    with scratch_warehouse() as wh:
        lay(wh, GIVEN, views=("risk",))
        households(wh)
        build_attributes(wh, stated_otherwise(source, treatment=treatment))
        assert [
            v for (v,) in wh.rows(f"SELECT {column} FROM attributes.attributes.{table} ORDER BY person_id")
        ] == passes


@pytest.mark.parametrize(
    ("instead_of", "written", "says"),
    [
        ("claim.role,", "claim.role, claim.claim_ref AS nickname,", "makes `nickname`, which catalogue"),
        ("claim.role,", "claim.claim_ref AS role,", "`role` is made of `claim.claim_ref`, which says who a person is"),
        ("claim.role,", "substr(sha256(claim.account_ref), 1, 8) AS role,", "says who a person is"),
        ("claim.role,", "claim.weekly_award::VARCHAR AS role,", "made of claim.weekly_award, which .* not say"),
        ("claim.role,", "(SELECT any_value(r.surname) FROM identity.people.record AS r) AS role,", "`record.surname`"),
        ("claim.role,", "(SELECT any_value(m.record_id) FROM risk_member AS m) AS role,", "`risk_member.record_id`"),
        ("claim.role,", "CASE WHEN claim.claim_ref LIKE 'C%' THEN 'x' END AS role,", "`claim.claim_ref`"),
    ],
)  # fmt: skip
def test_no_column_slips_through_under_another_name(instead_of: str, written: str, says: str) -> None:
    text = sql_file(HERE / "attribute_tables" / "claim.sql")
    require_stated("claim", text)
    with pytest.raises(IdentityInAttributes, match=says):
        require_stated("claim", text.replace(instead_of, written))
