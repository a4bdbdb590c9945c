"""No basis, no byte: what is missing, expired, unapproved or impossible is refused with what to arrange."""

import shutil
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from pipelines.governance import purposes as room
from pipelines.governance.purposes import PurposeContradiction, PurposeRefused, Purposes, articles, purposes_file
from pipelines.governance.treatments import TELLING, Treatment, age_sql, passing_sql
from pipelines.keys.keyring import STANDING_KEYS, open_keyring
from pipelines.operations import Operations
from pipelines.settings import SHIPPED_SOURCES, DataFolder, load_settings
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.contracts import PurposeBasis
from pipelines.store_tables import audit_table
from pipelines.warehouse import scratch_warehouse

TODAY = date(2026, 10, 31)
CASES = yaml.safe_load((Path(__file__).parent / "refusals.yaml").read_text(encoding="utf-8"))
IN_ORDER = {
    "basis": "UK GDPR art. 6(1)(e) and 9(2)(h); Data Protection Act 2018 sch. 1 para 2",
    "gateway": "Care Act 2014 s.2",
    "assessment": "DPIA-1",
    "agreement": "AGR-1",
    "approved_by": ["information asset owner", "Caldicott Guardian", "data protection officer"],
    "expires": date(2027, 1, 1),
}
BORN, ASKED = "DATE '1980-05-17'", "DATE '2026-11-01'"
NINE = {"risk", "commissioning", "fraud", "debt", "data_quality", "research", "partner", "police", "subject_access"}


@dataclass(frozen=True)
class Source:
    """As much of a contract as the purposes look at."""

    purposes: dict[str, PurposeBasis]
    name: str = "adult_social_care"
    level: str = "person"
    facts: tuple[str, ...] = ("person_record", "residence")
    classes: dict[str, str] = field(
        default_factory=lambda: {"client.full_name": "name", "client.born": "birth_date", "client.need": "sensitive"}
    )


def stated(**changed: Any) -> PurposeBasis:
    return PurposeBasis(**{name: value for name, value in (IN_ORDER | changed).items() if value is not None})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["says"][:60])
def test_what_is_not_in_order_is_refused(case: dict[str, Any]) -> None:
    source = Source({case["purpose"]: stated(**case["changed"])})
    said = case["says"].replace("`care`", f"`{source.name}`")
    if case.get("load"):
        with pytest.raises(PurposeContradiction) as refused:
            Purposes.load([source], TODAY)
    else:
        loaded = Purposes.load([source], TODAY)
        assert source.name not in loaded.sources(case["purpose"])
        with pytest.raises(PurposeRefused) as refused:
            loaded.require(case["purpose"], [source.name])
    assert said in str(refused.value)


def test_what_is_in_order_passes() -> None:
    loaded = Purposes.load([Source({"risk": stated(), "research": stated()})], TODAY)
    loaded.require("risk", ["adult_social_care"])
    assert loaded.require_view("research").profile == "partner"
    assert str(loaded.treatment_of("risk", "adult_social_care")["client.born"]) == "band 5"
    with pytest.raises(PurposeRefused, match="states no lawful basis"):
        loaded.require("fraud", ["adult_social_care"])


def test_an_output_stands_on_no_link_that_its_purpose_may_not_know() -> None:
    care, homes = Source({"risk": stated()}), Source({"risk": stated(), "research": stated()}, name="housing")
    with pytest.raises(PurposeRefused, match=r"`adult_social_care` may not be read for `research`"):
        Purposes.load([care, homes], TODAY).require_view("research")
    nameless = Source({"risk": stated()}, facts=("activity",))
    Purposes.load([nameless, homes], TODAY).require_view("research")
    with pytest.raises(PurposeRefused, match="no view of linked persons"):
        Purposes.load([homes], TODAY).require_view("debt")


@pytest.mark.parametrize(
    ("purpose", "changed", "says"),
    [
        ("risk", {"treatment": "by_name"}, "nobody may be known, but address, birth_date"),
        ("risk", {"profile": None}, "needs a `profile`"),
        ("risk", {"identifiable": True}, "take `profile` out"),
        ("risk", {"approvers": []}, "asks for an approval, but names nobody"),
        ("risk", {"needs": []}, "names approvers whom `needs` doesn't ask for"),
        ("risk", {"opt_out": "no"}, "and the reason"),
        ("risk", {"view": "everything"}, "view"),
        ("risk", {"vieww": "risk"}, "vieww"),
        ("risk", {"view": "fraud"}, "the purpose `risk`, by which its view is linked, is missing"),
        ("risk", {"release_approvers": ["friend"]}, "release_approvers.0"),
        ("fraud", {"treatment": "loosely"}, "is one of by_name"),
        ("commissioning", {"retention_days": None}, "needs `retention_days`"),
    ],
)
def test_a_purpose_that_contradicts_itself_is_refused_when_it_is_read(
    tmp_path: Path, purpose: str, changed: dict[str, Any], says: str
) -> None:
    text = yaml.safe_load(room.SHIPPED.read_text(encoding="utf-8"))
    text["purposes"][purpose] |= changed
    own = tmp_path / "purposes.yaml"
    own.write_text(yaml.safe_dump(text), encoding="utf-8")
    assert purposes_file(tmp_path) == own
    with pytest.raises(PurposeContradiction) as refused:
        Purposes.load([], TODAY, own)
    assert says in str(refused.value)


def test_a_run_under_such_a_purpose_never_begins_and_the_audit_says_so(tmp_path: Path) -> None:
    from pipelines.definitions import Place, execute

    sources = tmp_path / "sources"
    shutil.copytree(SHIPPED_SOURCES / "council_tax", sources / "council_tax")
    text = room.SHIPPED.read_text(encoding="utf-8")
    (sources / "purposes.yaml").write_text(text.replace("treatment: pseudonymised", "treatment: by_name"))
    folder = DataFolder.at(tmp_path / "data").make()
    with pytest.raises(PurposeContradiction):
        execute(Place.of(folder.root, None, sources), "ann")
    operations = Operations.open(folder, open_keyring(folder, load_settings(folder), STANDING_KEYS))
    with operations.begin() as db:
        events = db.execute(sa.select(audit_table.c.event, audit_table.c.actor, audit_table.c.detail)).all()
    operations.close()
    assert [(event, actor) for event, actor, _ in events] == [("purposes refused", "ann")]
    assert "nobody may be known" in events[0].detail
    assert not folder.identity.exists()


def test_the_shipped_purposes_and_contracts_agree() -> None:
    loaded = Purposes.load(load_contracts(SHIPPED_SOURCES).values(), TODAY)
    assert set(loaded.purposes) == NINE
    for name, purpose in loaded.purposes.items():
        assert loaded.sources(name), name
        if purpose.view != "none":
            loaded.require_view(name)
        for source in loaded.sources(name):
            if basis := loaded.contracts[source].purposes.get(name):
                assert articles(basis.basis, 6) or loaded.contracts[source].level != "person", (name, source)
            if not purpose.identifiable:
                told = loaded.treatment_of(name, source)
                classes = loaded.contracts[source].classes
                assert not [column for column, how in told.items() if not how.hides(classes[column])]


def test_articles_are_read_from_the_words() -> None:
    assert articles("UK GDPR art. 6(1)(c) and (e)", 6) == {"c", "e"}
    assert articles("UK GDPR art. 6(1)(e) and 9(2)(h); sch. 1 para 2", 6) == {"e"}
    assert articles("UK GDPR art. 6(1)(e) and 9(2)(h); sch. 1 para 2", 9) == {"h"}
    assert articles("no personal data", 6) == set()


@pytest.mark.parametrize(
    ("treatment", "value", "kind", "becomes"),
    [
        ("keep", "'x'", "VARCHAR", "x"),
        ("drop", "'x'", "VARCHAR", None),
        ("pseudonymise", "'x'", "VARCHAR", None),  # only a key can, where there is one
        ("band 10", "47", "INTEGER", 40),
        ("band 10", "'forty-seven'", "VARCHAR", None),  # what doesn't fit lets nothing pass
        ("round 50", "1234.56::DECIMAL(10,2)", "DECIMAL(10,2)", 1250),
        ("top_code 85", "91", "BIGINT", 85),
        ("top_code 85", "84", "BIGINT", 84),
        ("flag", "'x'", "VARCHAR", "yes"),
        ("flag", "NULL", "VARCHAR", None),
        ("flag", "false", "BOOLEAN", True),
        ("flag", "123", "INTEGER", 1),
        ("flag", "DATE '1980-05-17'", "DATE", None),
        ("truncate sector", "'ss1 2ab'", "VARCHAR", "SS1 2"),
        ("truncate district", "'SS12AB'", "VARCHAR", "SS1"),
        ("truncate year", "DATE '1980-05-17'", "DATE", date(1980, 1, 1)),
        ("truncate month", "DATE '1980-05-17'", "DATE", date(1980, 5, 1)),
        ("to_lsoa", "'1 High Street'", "VARCHAR", None),
        ("to_ward", "'1 High Street'", "VARCHAR", None),
    ],
)
def test_a_treatment_does_what_it_says(treatment: str, value: str, kind: str, becomes: object) -> None:
    with scratch_warehouse() as wh:
        assert wh.scalar(f"SELECT {passing_sql(value, kind, [Treatment.read(treatment)])}") == becomes


@pytest.mark.parametrize(
    ("treatments", "age"),
    [
        (["band 5"], 45),
        (["band 5", "band 10"], 40),  # the strictest of all columns behind it
        (["truncate year"], 46),
        (["truncate month"], 46),
        (["keep"], 46),
        (["band 5", "drop"], None),
        (["flag"], None),
    ],
)
def test_a_birth_date_passes_as_an_age(treatments: list[str], age: int | None) -> None:
    told = [Treatment.read(text) for text in treatments]
    with scratch_warehouse() as wh:
        assert wh.scalar(f"SELECT {age_sql(BORN, ASKED, told)}") == age


def test_every_treatment_holds_of_a_value_made_of_several_columns() -> None:
    told = [Treatment.read(text) for text in ("top_code 90", "round 50", "keep")]
    with scratch_warehouse() as wh:
        assert wh.scalar(f"SELECT {passing_sql('130', 'INTEGER', told)}") == 90
        assert wh.scalar(f"SELECT {passing_sql('130', 'INTEGER', [*told, Treatment('drop')])}") is None


@pytest.mark.parametrize("text", ["", "hash", "band", "band x", "band 0", "keep it", "truncate", "round -5"])
def test_what_is_no_treatment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"treatment|needs|stands alone"):
        Treatment.read(text)


def test_only_what_drops_blurs_or_renames_hides() -> None:
    assert not any(Treatment.read(text).hides(c) for text in ("keep", "round 5", "top_code 9") for c in TELLING)
    assert all(Treatment("drop").hides(personal) for personal in TELLING)
    assert not Treatment.read("truncate sector").hides("name")
