"""A small borough rendered whole: exact layouts, manifests that hold, truth for every record, the same bytes twice."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import date
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from synthetic_data.borough import AS_OF, RENDERERS, Summary, make_borough
from synthetic_data.extracts import (
    adult_social_care,
    benefits,
    births,
    business_rates,
    caretrak,
    children_social_care,
    citizen_account,
    core_lettings,
    council_tax,
    deaths,
    electoral_register,
    housing,
    housing_register,
    marriages,
    mortality,
    permits,
    right_to_buy,
    schools,
)
from synthetic_data.extracts.abp_records import RECORDS
from synthetic_data.extracts.delivery import write_delivery
from synthetic_data.rates import Rates
from synthetic_data.world import build_world

PEOPLE, SEED = 1500, 5
DAY = "2026-10-31"
LAYOUTS = {
    ("council_tax", "ctaccount.csv"): council_tax.ACCOUNT,
    ("council_tax", "ctproperty.csv"): council_tax.PROPERTY,
    ("council_tax", "ctoccupation.csv"): council_tax.OCCUPATION,
    ("council_tax", "ctliable.csv"): council_tax.LIABLE,
    ("council_tax", "ctdiscount.csv"): council_tax.DISCOUNT,
    ("benefits", "hbclaim.csv"): benefits.CLAIM,
    ("benefits", "hbhousehold.csv"): benefits.HOUSEHOLD,
    ("benefits", "hbmember.csv"): benefits.MEMBER,
    ("housing", "tenagree.csv"): housing.TENANCY,
    ("housing", "member.csv"): housing.MEMBER,
    ("housing", "property.csv"): housing.PROPERTY,
    ("electoral_register", "register.csv"): electoral_register.REGISTER,
    ("adult_social_care", "cld.csv"): adult_social_care.CLD,
    ("adult_social_care", "persons.csv"): adult_social_care.PERSON,
    ("adult_social_care", "addresses.csv"): adult_social_care.ADDRESS,
    ("adult_social_care", "direct_payments.csv"): adult_social_care.DIRECT_PAYMENT,
    ("adult_social_care", "care_home_payments.csv"): adult_social_care.CARE_HOME_PAYMENT,
    ("caretrak", "spells.csv"): caretrak.SPELL,
    ("caretrak", "lookup.csv"): caretrak.LOOKUP,
    ("children_social_care", "header.csv"): children_social_care.HEADER,
    ("children_social_care", "episodes.csv"): children_social_care.EPISODE,
    ("schools", "pupil.csv"): schools.PUPIL,
    ("schools", "address.csv"): schools.ADDRESS,
    ("schools", "contact.csv"): schools.CONTACT,
    ("schools", "pupil_contact.csv"): schools.RELATION,
    ("schools", "attendance.csv"): schools.ATTENDANCE,
    ("schools", "sen.csv"): schools.NEED,
    ("deaths", "deaths.csv"): deaths.DEATHS,
    ("council_tax", "ctarrears.csv"): council_tax.ARREARS,
    ("benefits", "hboverpayment.csv"): benefits.OVERPAYMENT,
    ("housing", "rentaccount.csv"): housing.RENT,
    ("permits", "blue_badges.csv"): permits.BADGE,
    ("permits", "parking_permits.csv"): permits.PERMIT,
    ("permits", "bus_passes.csv"): permits.PASS,
    ("citizen_account", "accounts.csv"): citizen_account.ACCOUNT,
    ("citizen_account", "preferences.csv"): citizen_account.PREFERENCE,
    ("housing_register", "applications.csv"): housing_register.APPLICATION,
    ("housing_register", "applicants.csv"): housing_register.PERSON,
    ("right_to_buy", "rtb.csv"): right_to_buy.RTB,
    ("core_lettings", "core_lettings.csv"): core_lettings.LOG,
    ("births", "births.csv"): births.BIRTH,
    ("births", "birth_parties.csv"): births.PARTY,
    ("marriages", "marriages.csv"): marriages.MARRIAGE,
    ("marriages", "marriage_parties.csv"): marriages.PARTY,
    ("mortality", "mortality.csv"): mortality.MORTALITY,
    ("business_rates", "ndraccount.csv"): business_rates.ACCOUNT,
    ("business_rates", "ndrproperty.csv"): business_rates.PROPERTY,
    ("business_rates", "ndrrelief.csv"): business_rates.RELIEF,
}
ENCODINGS = {"council_tax": "latin-1", "business_rates": "latin-1"} | dict.fromkeys(
    ("deaths", "births", "marriages"), "utf-8-sig"
)


@pytest.fixture(scope="module")
def borough(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return make_borough(tmp_path_factory.mktemp("borough"), PEOPLE, SEED)


def rows_of(borough: Summary, source: str, file: str) -> list[dict[str, str]]:
    text = (borough.landing / source / DAY / file).read_bytes().decode(ENCODINGS.get(source, "utf-8"))
    return list(csv.DictReader(io.StringIO(text, newline="")))


def hashes(out: Path) -> dict[str, str]:
    return {str(p.relative_to(out)): sha256(p.read_bytes()).hexdigest() for p in sorted(out.rglob("*")) if p.is_file()}


def test_every_source_is_delivered_with_a_manifest_that_holds(borough):
    assert sorted(p.name for p in borough.landing.iterdir()) == sorted(RENDERERS)
    for source in RENDERERS:
        folder = borough.landing / source / DAY
        manifest = json.loads((folder / "manifest.json").read_text())
        assert (manifest["source"], manifest["extract_date"], manifest["synthetic"]) == (source, DAY, True)
        named = [file["name"] for file in manifest["files"]]
        assert sorted(p.name for p in folder.iterdir()) == sorted([*named, "manifest.json"])
        for file in manifest["files"]:
            content = (folder / file["name"]).read_bytes()
            assert file["sha256"] == sha256(content).hexdigest() and file["bytes"] == len(content)
            if file["name"].endswith(".csv") and file["name"] != "addressbase_premium.csv":
                assert file["rows"] == len(rows_of(borough, source, file["name"]))


@pytest.mark.parametrize(("source", "file"), LAYOUTS)
def test_the_header_is_the_layout(borough, source, file):
    content = (borough.landing / source / DAY / file).read_bytes()
    header = content.decode(ENCODINGS.get(source, "utf-8")).splitlines()[0]
    assert next(csv.reader([header])) == LAYOUTS[source, file]
    assert (b"\r\n" in content) == (source in ("council_tax", "business_rates"))
    assert content.startswith(b"\xef\xbb\xbf") == (ENCODINGS.get(source) == "utf-8-sig")


def test_the_gazetteer_is_whole_and_every_record_has_its_columns(borough):
    text = (borough.landing / "llpg" / DAY / "addressbase_premium.csv").read_text(encoding="utf-8")
    lines = list(csv.reader(io.StringIO(text)))
    assert (lines[0][0], lines[-1][0]) == ("10", "99")
    assert int(lines[-1][2]) == len(lines) - 3  # header, metadata and trailer are not counted
    types = [int(line[0]) for line in lines]
    assert types == sorted(types)
    for line in lines[1:-1]:
        if line[0] != "29":
            assert len(line) == 3 + len(RECORDS[int(line[0])])
    orders = [int(line[2]) for line in lines[1:-1] if line[0] != "29"]
    assert orders == list(range(1, len(orders) + 1))
    uprns = {line[3] for line in lines if line[0] == "21"}
    assert all(uprn.startswith("999") and len(uprn) == 12 for uprn in uprns)
    assert {line[3] for line in lines if line[0] in {"23", "24", "28", "32"}} <= uprns
    sources = [line[7] for line in lines if line[0] == "23"]
    references = {source: sources.count(source) for source in ("1590CT", "1590ER")}
    properties = len(rows_of(borough, "council_tax", "ctproperty.csv"))
    assert all(0.90 < count / properties < 0.98 for count in references.values())


def test_cross_references_lead_from_council_tax_to_the_right_property(borough):
    lines = csv.reader(io.StringIO((borough.landing / "llpg" / DAY / "addressbase_premium.csv").read_text()))
    xref = {line[5].lstrip("0"): line[3] for line in lines if line[0] == "23" and line[7] == "1590CT"}
    truth = pl.read_parquet(borough.truth / "addresses.parquet").filter(pl.col("source") == "council_tax")
    led = [(xref[key], str(uprn)) for key, uprn in truth.select("address_key", "uprn").rows() if key in xref]
    assert len(led) > 0.9 * truth.height and all(found == true for found, true in led)


def test_truth_names_each_record_of_each_file_once(borough):
    records = pl.read_parquet(borough.truth / "records.parquet")
    assert records.select(pl.struct("source", "source_key").is_duplicated().any()).item() is False
    people = set(pl.read_parquet(borough.truth / "persons.parquet")["person_id"])
    assert set(records["person_id"]) <= people
    keys = {
        "council_tax": ("ctliable.csv", "{account_ref}/{liab_pers_occ}/{party_ref}"),
        "benefits": ("hbmember.csv", "{claim_id}/{person_ref}"),
        "housing": ("member.csv", "{house_ref}/{person_no}"),
        "electoral_register": ("register.csv", "{elector_id}"),
        "deaths": ("deaths.csv", "{registration_id}"),
    }
    for source, (file, form) in keys.items():
        written = {form.format(**row) for row in rows_of(borough, source, file)}
        known = set(records.filter(pl.col("source") == source)["source_key"])
        assert known and known <= written


def test_addresses_have_one_true_uprn_each(borough):
    addresses = pl.read_parquet(borough.truth / "addresses.parquet")
    assert addresses.select(pl.struct("source", "address_key").is_duplicated().any()).item() is False
    written = {row["property_ref"] for row in rows_of(borough, "council_tax", "ctproperty.csv")}
    assert set(addresses.filter(pl.col("source") == "council_tax")["address_key"]) == written


def test_council_tax_names_stand_in_one_field_of_capitals(borough):
    names = [row["liab_name"] for row in rows_of(borough, "council_tax", "ctliable.csv")]
    assert all(name and len(name) <= 32 and name == name.upper() and name.isascii() for name in names)
    born = [row["liab_dob"] for row in rows_of(borough, "council_tax", "ctliable.csv")]
    assert sum(map(bool, born)) / len(born) < 0.12


def test_uprns_are_filled_as_the_coverage_file_says(borough):
    for source, file, column, expected in [
        ("council_tax", "ctproperty.csv", "uprn", 0.78),
        ("electoral_register", "register.csv", "property_urn", 0.82),
        ("benefits", "hbhousehold.csv", "uprn", 0.55),
    ]:
        values = [row[column] for row in rows_of(borough, source, file)]
        assert abs(sum(map(bool, values)) / len(values) - expected) < 0.08
        assert all(value.isdigit() for value in values if value)


def test_anonymous_electors_are_bare_and_only_attainers_are_dated(borough):
    rows = rows_of(borough, "electoral_register", "register.csv")
    for row in rows:
        if row["anonymous"] == "Y":
            assert not (row["elector_surname"] or row["property_address_1"] or row["property_ref"])
    assert sum(bool(row["elector_dob"]) for row in rows) < 0.1 * len(rows)


def test_coverage_is_stated(borough):
    coverage = json.loads((borough.truth / "coverage.json").read_text())
    assert list(coverage) == list(RENDERERS)
    assert coverage["electoral_register"]["residents_covered"] > 0.4
    assert 0.5 < coverage["housing"]["filled"]["member.csv"]["forename"] <= 1.0


def in_processes(script: str, tmp_path: Path) -> list[dict[str, str]]:
    """The hashes of what a script writes to `out`, in two processes of other hash seeds and numbers of threads."""
    seen = []
    for hash_seed, threads in (("1", "1"), ("77", "3")):
        out = tmp_path / hash_seed
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "POLARS_MAX_THREADS": threads}
        command = f"from pathlib import Path\nout = Path({str(out)!r})\n{script}"
        subprocess.run([sys.executable, "-c", command], check=True, env=environment, cwd=Path(__file__).parents[2])
        seen.append(hashes(out))
    return seen


def test_a_borough_is_the_same_bytes_in_every_process(tmp_path):
    # Large enough that Polars divides its work: an unordered join would show.
    script = "from synthetic_data.borough import make_borough\nmake_borough(out, 4000, 9)"
    first, second = in_processes(script, tmp_path)
    assert [name for name in first if first[name] != second.get(name)] == [] and len(first) == len(second) > 40


def test_flagged_subjects_stand_in_the_extracts(borough):
    planted = pl.read_parquet(borough.truth / "planted.parquet")
    references = {
        "council_tax": {row["account_ref"] for row in rows_of(borough, "council_tax", "ctaccount.csv")},
        "housing": {row["tag_ref"] for row in rows_of(borough, "housing", "tenagree.csv")},
    }
    assert planted.height > 0
    for source, reference in planted.select("subject_source", "subject_ref").rows():
        assert reference in references[source]


def test_another_seed_and_a_harsher_profile_give_other_bytes(tmp_path):
    worlds = {seed: build_world(500, seed, AS_OF) for seed in (9, 10)}
    registers = set()
    for seed, profile in ((9, "central"), (10, "central"), (9, "harsh")):
        out = tmp_path / f"{seed}-{profile}"
        write_delivery(electoral_register.render(worlds[seed], Rates(profile, seed), AS_OF), out, AS_OF)
        registers.add(hashes(out)[f"electoral_register/{AS_OF}/register.csv"])
    assert len(registers) == 3


def test_a_child_has_one_upn_in_every_system(borough):
    truth = pl.read_parquet(borough.truth / "records.parquet")
    person = {(row["source"], row["source_key"]): row["person_id"] for row in truth.iter_rows(named=True)}
    known = {
        person["schools", f"pupil/{row['pupilid']}"]: row["upn"]
        for row in rows_of(borough, "schools", "pupil.csv")
        if row["upn"]
    }
    told = [row for row in rows_of(borough, "benefits", "hbmember.csv") if row["unique_pupil_num"]]
    shared = [row for row in told if person["benefits", f"{row['claim_id']}/{row['person_ref']}"] in known]
    assert len(shared) > 10
    for row in shared:
        assert row["unique_pupil_num"] == known[person["benefits", f"{row['claim_id']}/{row['person_ref']}"]]


def test_few_leave_the_borough_in_a_year(borough):
    world = build_world(PEOPLE, SEED, AS_OF)
    stays, then = world.residences.filter(pl.col("uprn").is_not_null()), date(2025, 10, 31)
    here = stays.filter((pl.col("from_date") <= then) & (pl.col("to_date").is_null() | (pl.col("to_date") > then)))
    now = stays.filter(pl.col("to_date").is_null())
    alive = world.persons.filter(pl.col("death_date").is_null())["person_id"]
    gone = here.join(now, on="person_id", how="anti").filter(pl.col("person_id").is_in(alive.implode()))
    assert 0.03 < gone["person_id"].n_unique() / here["person_id"].n_unique() < 0.08
