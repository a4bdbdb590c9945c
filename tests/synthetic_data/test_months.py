"""Three months of a borough: each delivery shows what its system knew then, and what is written stays written."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from synthetic_data.borough import RENDERERS, make_borough
from synthetic_data.hazards import rules
from synthetic_data.months import BELONGS_TO, UNDATED, dating, month_ends
from synthetic_data.schemas import SCHEMAS

DAYS = ["2026-08-31", "2026-09-30", "2026-10-31"]


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("months")
    make_borough(out, 1500, 6, months=3)
    return out


def table(months: Path, source: str, day: str, file: str, encoding: str = "utf-8-sig") -> pl.DataFrame:
    content = (months / "landing" / source / day / file).read_bytes().decode(encoding)
    return pl.read_csv(content.encode(), infer_schema=False)


@pytest.mark.parametrize(
    ("last", "count", "expected"),
    [
        (date(2026, 10, 31), 3, [date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31)]),
        (date(2024, 3, 30), 2, [date(2024, 2, 29), date(2024, 3, 30)]),
        (date(2026, 1, 15), 2, [date(2025, 12, 15), date(2026, 1, 15)]),
    ],
)
def test_months_end_alike(last, count, expected):
    assert month_ends(last, count) == expected


def test_every_frame_is_dated_or_stands_still():
    members = {name for name in BELONGS_TO if dating(name) is None}
    undated = {name for name in SCHEMAS if dating(name) is None}
    assert undated == set(UNDATED) | members, "say in months.DATED when its system hears of a row"


def test_every_source_delivers_every_month_with_its_truth(months):
    for source in RENDERERS:
        assert sorted(p.name for p in (months / "landing" / source).iterdir()) == DAYS
    assert sorted(p.name for p in (months / "truth" / "months").iterdir()) == DAYS
    last = months / "truth" / "months" / DAYS[-1]
    assert (last / "records.parquet").read_bytes() == (months / "truth" / "records.parquet").read_bytes()


@pytest.mark.parametrize(
    ("source", "file", "key", "moving"),
    [
        ("council_tax", "ctliable.csv", ["account_ref", "liab_pers_occ", "party_ref"], {"liab_to"}),
        ("council_tax", "ctproperty.csv", ["property_ref"], set()),
        ("benefits", "hbmember.csv", ["claim_id", "house_id", "person_ref"], {"deceased_date"}),
        ("electoral_register", "register.csv", ["elector_id"], {"elector_dob"}),
        ("deaths", "deaths.csv", ["registration_id"], set()),
    ],
)
def test_what_is_written_stays_written(months, source, file, key, moving):
    """But for ends, deaths told, attainers, new surnames (few) and what was put right (fewer)."""
    encoding = "latin-1" if source == "council_tax" else "utf-8-sig"
    first, last = (table(months, source, day, file, encoding) for day in (DAYS[0], DAYS[-1]))
    both = first.join(last, on=key, suffix="_later", nulls_equal=True)
    assert both.height > 10
    for column in set(first.columns) - set(key) - moving:
        assert both[column].ne_missing(both[f"{column}_later"]).sum() <= 0.02 * both.height, column


def test_a_migration_changes_every_key_once_and_nothing_else(months):
    before, after, last = (table(months, "housing", day, "member.csv") for day in DAYS)
    assert not set(before["house_ref"]) & set(after["house_ref"])
    assert set(after["house_ref"]) <= set(last["house_ref"])
    assert before["house_ref"].n_unique() <= after["house_ref"].n_unique() <= before["house_ref"].n_unique() + 3
    records = pl.read_parquet(months / "truth" / "months" / DAYS[1] / "records.parquet")
    keys = after.select(pl.concat_str("house_ref", "person_no", separator="/")).to_series()
    assert set(keys) == set(records.filter(pl.col("source") == "housing")["source_key"])
    tenancies = table(months, "housing", DAYS[1], "tenagree.csv")
    crosswalk = table(months, "housing", DAYS[1], "key_crosswalk.csv")  # comes once
    assert set(crosswalk["old_house_ref"]) >= set(before["house_ref"])
    assert set(crosswalk["new_house_ref"]) == set(tenancies["house_ref"])
    assert not (months / "landing" / "housing" / DAYS[2] / "key_crosswalk.csv").exists()
    assert set(table(months, "housing", DAYS[1], "rentaccount.csv")["tag_ref"]) <= set(tenancies["tag_ref"])
    cases = pl.read_parquet(months / "truth" / "months" / DAYS[1] / "planted.parquet")
    assert set(cases.filter(pl.col("subject_source") == "housing")["subject_ref"]) <= set(tenancies["tag_ref"])


def test_an_upload_gone_wrong_is_wrong_for_one_month(months):
    key = ["claim_id", "house_id", "person_ref"]
    good, wrong, again = (table(months, "benefits", day, "hbmember.csv").select(*key, "birth_date") for day in DAYS)
    both = good.join(wrong, on=key, suffix="_wrong").join(again, on=key, suffix="_again")
    spoilt = both.filter(pl.col("birth_date").ne_missing(pl.col("birth_date_wrong")))
    assert 0.005 < spoilt.height / both.height < 0.06
    assert (spoilt["birth_date"] == spoilt["birth_date_again"]).mean() > 0.9


def test_hazards_come_true_as_often_as_they_say_and_show_in_the_sources(months):
    truth = pl.read_parquet(months / "truth" / "hazards.parquet")
    assert set(truth["hazard"]) == set(rules()["hazards"])
    assert truth["month"].unique().sort().to_list() == [date(2026, 9, 30), date(2026, 10, 31)]
    expected = truth["probability"].sum()
    assert abs(truth["happened"].sum() - expected) < 3 * expected**0.5 + 1
    begun = truth.filter(pl.col("happened") & pl.col("hazard").is_in(["home_care", "care_home"]))["person_id"]
    records = pl.read_parquet(months / "truth" / "records.parquet")
    known = records.filter(pl.col("source") == "adult_social_care")["person_id"]
    assert len(begun) and begun.is_in(known.implode()).all()
    homes = pl.read_parquet(months / "truth" / "residence.parquet")
    entered = truth.filter(pl.col("happened") & (pl.col("hazard") == "care_home"))["person_id"]
    residents = homes.filter(pl.col("role") == "resident")["person_id"]
    assert entered.is_in(residents.implode()).all()
    indebted = truth.filter(pl.col("happened") & (pl.col("hazard") == "debt_escalation"))["person_id"]
    accounts = records.filter((pl.col("source") == "council_tax") & pl.col("person_id").is_in(indebted.implode()))
    held = {key.split("/")[0] for key in accounts["source_key"]}
    arrears = table(months, "council_tax", DAYS[-1], "ctarrears.csv", "latin-1")
    assert len(held & set(arrears["account_ref"])) >= 0.5 * len(indebted) > 0


def test_a_month_shows_nothing_that_came_later(months):
    for day in DAYS:
        register = table(months, "electoral_register", day, "register.csv")
        assert register["added_date"].str.to_date("%d/%m/%Y").max() <= date.fromisoformat(day)
        deaths = table(months, "deaths", day, "deaths.csv")
        assert deaths["registered_date"].str.to_date("%Y%m%d").max() <= date.fromisoformat(day)
        ends = table(months, "council_tax", day, "ctoccupation.csv", "latin-1")["vacation_date"].str.to_date("%d/%m/%Y")
        assert ends.filter(ends < date(2099, 1, 1)).max() <= date.fromisoformat(day)


def test_the_register_keeps_those_who_have_gone_for_a_while(months):
    homes = pl.read_parquet(months / "truth" / "residence.parquet")
    left = homes.filter(pl.col("to_date").is_not_null() & pl.col("uprn").is_not_null())
    left = left.filter(
        ~pl.col("person_id").is_in(
            homes.filter(pl.col("to_date").is_null() & pl.col("uprn").is_not_null())["person_id"].implode()
        )
    )
    entries = [pl.read_parquet(months / "truth" / "months" / day / "records.parquet") for day in (DAYS[0], DAYS[-1])]
    listed = [
        set(e.filter(pl.col("source") == "electoral_register")["person_id"]) & set(left["person_id"]) for e in entries
    ]
    assert listed[0] - listed[1] and listed[0] & listed[1]


def test_the_truth_of_a_month_is_of_that_month(months):
    for day in DAYS:
        truth = months / "truth" / "months" / day
        people, homes = (pl.read_parquet(truth / f"{name}.parquet") for name in ("persons", "residence"))
        on = date.fromisoformat(day)
        assert people["birth_date"].max() <= on and people["death_date"].drop_nulls().max() <= on
        assert homes["from_date"].max() <= on and homes["to_date"].drop_nulls().max() <= on
        records = pl.read_parquet(truth / "records.parquet")
        assert records.join(people, on="person_id", how="anti").is_empty()
