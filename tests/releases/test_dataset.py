"""The rows of a release: pseudonyms that no two share, small groups out, an order that tells nothing."""

import hmac
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.governance.purposes import PurposeRefused
from pipelines.keys.pseudonyms import pseudonym
from pipelines.releases import sets
from pipelines.releases.attacks import attack, require_profile
from pipelines.releases.content import require_no_identifiers
from pipelines.releases.dataset import Built, build_rows
from pipelines.releases.sets import ReleaseRefused, ReleaseSet, SubjectColumn, allowed, load_set, profiles, set_names
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.releases.borough import lay, opt_out, purposes

PURPOSES = purposes()
RISK = load_set("risk_stratification")
ONE, TWO = b"1" * 32, b"2" * 32


def rows_of(wh: Warehouse, asked: ReleaseSet = RISK, naming: bytes = ONE, order: bytes = ONE, **profile: Any) -> Built:
    purpose = PURPOSES.purposes[asked.purpose]
    return build_rows(wh, asked, purpose, profiles()[purpose.profile].model_copy(update=profile), naming, order)


@pytest.fixture
def wh() -> Iterator[Warehouse]:
    with scratch_warehouse() as opened:
        lay(opened)
        yield opened


def test_no_group_is_smaller_than_k_and_few_rows_are_lost(wh: Warehouse) -> None:
    built = rows_of(wh)
    groups = Counter(built.rows.select("age_band", "sex", "ward", "imd").rows())
    assert min(groups.values()) == built.protection.smallest_group >= RISK.k
    assert built.rows.height == built.protection.rows == 3000 - built.protection.suppressed
    assert built.protection.suppressed <= 0.05 * 3000
    assert len(groups) == built.protection.groups


def test_two_releases_share_no_pseudonym_and_no_order(wh: Warehouse) -> None:
    one, two, again = rows_of(wh).rows, rows_of(wh, naming=TWO, order=TWO).rows, rows_of(wh).rows
    assert not set(one["person"]) & set(two["person"])
    assert one.equals(again) and one["person"].n_unique() == one.height
    ids = [f"id{i:05d}" for i in range(3000)]
    place = {key: {p: i for i, p in enumerate(rows["person"])} for key, rows in ((ONE, one), (TWO, two))}
    both = [
        (place[ONE].get(left), place[TWO].get(right))
        for left, right in zip(pseudonym(ONE, "person", ids), pseudonym(TWO, "person", ids), strict=True)
    ]
    ranks = pl.DataFrame([pair for pair in both if None not in pair], schema=["one", "two"], orient="row")
    assert abs(ranks.select(pl.corr("one", "two", method="spearman")).item()) < 0.06  # three standard errors
    by_id = ranks.with_row_index("nr").select(pl.corr("nr", "one", method="spearman")).item()
    assert abs(by_id) < 0.06


def test_a_pseudonym_is_no_hash_of_anything_that_can_be_guessed(wh: Warehouse) -> None:
    told = set(rows_of(wh).rows["person"])
    guesses = [f"id{i:05d}" for i in range(3000)]
    for key in (b"", b"public", TWO):
        assert not told & set(pseudonym(key, "person", guesses))
    assert not any(hmac.digest(b"", g.encode(), "sha256").hex()[:26] in told for g in guesses)


def test_a_household_that_can_be_told_by_who_lives_in_it_has_no_pseudonym(wh: Warehouse) -> None:
    wh.execute(
        "UPDATE attributes.attributes.person SET age_from = 20 + (hash(person_id) % 14)::INTEGER * 5, "
        "age_band = printf('%02d+', 20 + (hash(person_id) % 14)::INTEGER * 5)"
    )
    few = RISK.model_copy(
        update={"columns": ("person", "household", "age_band", "sex", "tier"), "coarser": ("household",)}
    )
    built = rows_of(wh, few)
    assert built.protection.levels["household"] == "not shown"
    assert built.rows["household"].null_count() == built.rows.height
    kept = rows_of(wh, few, mean_risk=1.0, suppress_first=0.05)
    assert kept.protection.levels["household"] == "pseudonym"
    found = attack(wh, few, kept.rows, kept.protection.levels)
    assert found.household and found.household > 0 and found.mean_risk > 0.03


def test_rare_reasons_are_cut(wh: Warehouse) -> None:
    built = rows_of(wh)
    assert built.reasons_cut == 1
    assert {tuple(reasons) for reasons in built.rows["reasons"]} == {("Lives alone",)}


def test_a_reason_never_tells_what_its_column_was_made_coarser_to_hide() -> None:
    told = {}
    for people in (1500, 500):
        with scratch_warehouse() as wh:
            lay(wh, people)
            wh.execute("UPDATE attributes.risk.score SET reasons = ['In a deprived area'] WHERE tier = 'high'")
            built = rows_of(wh)
            told[people] = built.rows.filter(pl.col("reasons").list.contains("In a deprived area")).height
            coarse = "imd" in built.protection.coarsened
            assert (told[people] == 0) == coarse == ("imd_decile" in built.reasons_withheld)
    assert told[500] == 0 < told[1500]


def test_a_column_gets_coarser_only_where_that_saves_rows() -> None:
    with scratch_warehouse() as wh:
        lay(wh, 1500)
        loose = rows_of(wh, suppress_first=0.05).protection
        tight = rows_of(wh, suppress_first=0.0).protection
        with pytest.raises(ReleaseRefused):
            rows_of(wh, RISK.model_copy(update={"coarser": ("household",)}), kept=1.0, suppress_first=0.0)
    assert loose.levels["ward"] == "ward" and loose.levels["imd"] == "tenth"
    assert loose.suppressed == 5  # people of 90 and over in one ward
    assert tight.suppressed == 0
    assert tight.levels["ward"] == "borough"
    assert tight.levels["imd"] == "tenth"


def test_too_small_a_population_is_refused_with_the_costly_columns() -> None:
    with scratch_warehouse() as wh:
        lay(wh, 12)
        with pytest.raises(ReleaseRefused, match=r"12 of 12 rows stand in groups.*What costs most: .*(ward|imd|sex)"):
            rows_of(wh)


def test_nobody_is_no_release(wh: Warehouse) -> None:
    wh.execute("DELETE FROM attributes.risk.score")
    with pytest.raises(ReleaseRefused, match="nobody to release"):
        rows_of(wh)


def test_whoever_opted_out_is_left_out_and_counted(wh: Warehouse) -> None:
    opt_out(wh, ["id00010", "id00011"])
    built = rows_of(wh)
    assert built.opted_out == 2 and not {"id00010", "id00011"} & set(built.people)


@pytest.mark.parametrize("name", ["partner_needs", "research_cohort"])
def test_the_partner_profile_holds_against_attack(wh: Warehouse, name: str) -> None:
    asked = load_set(name)
    profile = profiles()["partner"]
    built = rows_of(wh, asked)
    found = attack(wh, asked, built.rows, built.protection.levels)
    require_profile(found, asked, profile, 3000)
    assert found.k >= 10 and min(found.l.values()) >= 2 and found.unique == 0 and found.max_risk <= 0.1
    assert built.rows.height >= 0.95 * 3000
    assert found.linked <= 0.1 and max(found.linked_knowing.values()) > 0
    assert "household" not in built.rows.columns


def test_the_attack_believes_the_file_and_not_the_build(wh: Warehouse) -> None:
    built = rows_of(wh)
    rows = built.rows.with_columns(
        ward=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("A place of one")).otherwise("ward")
    )
    found = attack(wh, RISK, rows, built.protection.levels)
    assert (found.unique, found.k, found.max_risk) == (1, 1, 1.0)
    with pytest.raises(ReleaseRefused, match="the smallest group is 1"):
        require_profile(found, RISK, profiles()["internal"], 3000)


def test_a_birth_date_with_a_postcode_names_nearly_everyone_and_is_refused(
    wh: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were such columns there at all: each person has a birthday, and thirty live in a postcode."""
    born = "(DATE '1940-01-01' + (hash(person_id) % 25000)::INTEGER)::VARCHAR"
    columns = {
        "birth_date": SubjectColumn(kind="quasi", means="birth date", levels=(("day", born),)),
        "postcode": SubjectColumn(
            kind="quasi", means="postcode", levels=(("unit", "(hash(household_id) % 100)::VARCHAR"),)
        ),
    }
    person = sets.subjects()["person"]
    known = {"person": person.model_copy(update={"columns": person.columns | columns})}
    monkeypatch.setattr(sets, "subjects", lambda: known)
    asked = load_set("partner_needs").model_copy(
        update={"columns": ("person", "birth_date", "postcode", "support"), "start": {}, "coarser": ()}
    )
    with pytest.raises(
        ReleaseRefused, match=r"rows stand in groups of fewer than 10.*costs most: (birth_date|postcode)"
    ):
        rows_of(wh, asked)


@pytest.mark.parametrize(
    "column",
    [
        "birth_date",
        "postcode",
        "Postcode",
        "ward ",
        "wаrd",
        "age_band; DROP TABLE x",
        "person_id AS ward",
        "uprn",
        "*",
        "",
    ],
)
def test_only_a_column_of_the_list_leaves_whatever_it_is_called(tmp_path: Path, column: str) -> None:
    stated = yaml.safe_load((sets.HERE / "sets" / "partner_needs.yaml").read_text(encoding="utf-8"))
    stated["columns"] = [*stated["columns"], column]
    (tmp_path / "slip.yaml").write_text(yaml.safe_dump(stated, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ReleaseRefused, match="is no column that may leave"):
        load_set("slip", tmp_path)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"rows": "everything"}, "`rows` is one of"),
        ({"columns": ["person", "support"]}, "at least one column that others may know"),
        ({"columns": ["person", "ward", "ward"]}, "stands twice"),
        ({"coarser": ["support"]}, "is no column of the set that gets coarser"),
        ({"start": {"ward": 7}}, "names a step that its column does not have"),
        ({"colums": []}, "colums"),
    ],
)
def test_a_set_that_can_not_be_is_refused_when_it_is_read(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    stated = yaml.safe_load((sets.HERE / "sets" / "partner_needs.yaml").read_text(encoding="utf-8"))
    (tmp_path / "odd.yaml").write_text(yaml.safe_dump(stated | changed), encoding="utf-8")
    with pytest.raises(ReleaseRefused) as refused:
        load_set("odd", tmp_path)
    assert says in str(refused.value)


def test_every_shipped_set_is_allowed_for_its_purpose_and_no_other_source_stands_behind_it() -> None:
    for name in set_names():
        purpose, profile = allowed(load_set(name), PURPOSES)
        assert profile is profiles()[str(purpose.profile)]
    care = load_set("research_cohort").model_copy(update={"purpose": "fraud"})
    with pytest.raises(PurposeRefused, match="people appear by name"):
        allowed(care, PURPOSES)
    counts = load_set("research_cohort").model_copy(update={"purpose": "commissioning"})
    with pytest.raises(PurposeRefused, match="counts only"):
        allowed(counts, PURPOSES)
    long = load_set("partner_needs").model_copy(update={"days": 400})
    with pytest.raises(PurposeRefused, match="the purpose allows 365"):
        allowed(long, PURPOSES)


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("SS1 2AB", "a postcode"),
        ("ss12ab", "a postcode"),
        ("AB123456C", "a National Insurance number"),
        ("999 000 0018", "an NHS number"),
        ("100090012345", "a UPRN"),
        ("ann@example.org", "an e-mail address"),
        ("07700 900123", "a telephone number"),
        ("1980-05-17", "a date of a day"),
        ("17/05/1980", "a date of a day"),
    ],
)
def test_a_value_that_looks_like_an_identifier_is_found_under_any_name(value: str, shape: str) -> None:
    for rows in (pl.DataFrame({"note_flag": ["none", value]}), pl.DataFrame({"reasons": [["Lives alone", value]]})):
        with pytest.raises(ReleaseRefused, match=shape) as refused:
            require_no_identifiers(rows)
        assert value not in str(refused.value)
    require_no_identifiers(pl.DataFrame({"index_month": ["2026-10"], "age_band": ["20-24"], "version": ["1.2"]}))
