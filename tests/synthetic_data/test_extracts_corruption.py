"""What corruption does to names, dates and numbers, and that it does so at the rates and to the people it should."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from synthetic_data import rates as rates_module
from synthetic_data.corruption.batches import batches_of
from synthetic_data.corruption.characters import (
    damage_where,
    digit_wrong,
    digits_swapped,
    misheard,
    mistyped,
    nickname,
    tables,
)
from synthetic_data.corruption.names import damaged_names, error_factor, people_of, without_accents
from synthetic_data.corruption.numbers import damaged_birth_dates, damaged_ninos
from synthetic_data.draws import Draws
from synthetic_data.extracts.delivery import with_intake_faults
from synthetic_data.rates import Rates, profiles

COUNT = 4000


def people(**columns: object) -> pl.DataFrame:
    """Four thousand Stephen Thompsons, or whatever is asked for."""
    base = {
        "row_key": list(map(str, range(COUNT))), "person_id": list(range(1, COUNT + 1)),
        "forename": "Stephen", "middle": "John", "surname": "Thompson",
        "title": "MR", "sex": "M", "birth_date": date(1980, 3, 7), "ethnic_group": "white_british",
        "recent_arrival": False, "factor": 1.0, "nino": "ZZ123456T",
    } | columns  # fmt: skip
    return pl.DataFrame({name: value if isinstance(value, list) else [value] * COUNT for name, value in base.items()})


def share(mask: pl.Series) -> float:
    return float(mask.fill_null(True).mean())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("damage", "word", "draw", "expected"),
    [
        (mistyped, "Harris", (0.5, 0.45, 0.50, 0.0), "Harirs"),
        (mistyped, "Harris", (0.5, 0.45, 0.70, 0.0), "Haris"),
        (mistyped, "Harris", (0.5, 0.1, 0.90, 0.0), "Haarris"),
        (mistyped, "Harris", (0.5, 0.0, 0.10, 0.0), "Hqrris"),
        (mistyped, "Jo", (0.5, 0.0, 0.10, 0.0), "Jo"),
        (misheard, "Stephen", (0.0, 0.0, 0.0, 0.0), "Steven"),
        (misheard, "SMITH", (0.0, 0.0, 0.0, 0.0), "SMYTH"),
        (digits_swapped, "ZZ123456T", (0.0, 0.0, 0.0, 0.0), "ZZ213456T"),
        (digits_swapped, "1", (0.0, 0.0, 0.0, 0.0), "1"),
        (digit_wrong, "14A", (0.0, 0.0, 0.0, 0.0), "24A"),
        (nickname, "Elizabeth", (0.0, 0.0, 0.0, 0.0), "Liz"),
        (nickname, "Qwertyman", (0.0, 0.0, 0.0, 0.0), "Qwertyman"),
    ],
)
def test_damage_of_a_word(damage, word, draw, expected):
    assert damage(word, np.array(draw)) == expected


def test_only_struck_words_change_and_nulls_stay():
    words = pl.Series(["Thompson", None, "", "Thompson"])
    spoilt = damage_where(words, np.array([True, True, True, False]), lambda word, draw: "X", Draws(1, words))
    assert spoilt.to_list() == ["X", None, "", "Thompson"]


def test_accents_go():
    assert without_accents(pl.Series(["Siân", "Łukasz", "Zoë", "Plain", None])).to_list() == [
        "Sian", "Lukasz", "Zoe", "Plain", None,
    ]  # fmt: skip


def test_tables_hold_words_only():
    for name, forms in tables()["nicknames"].items():
        assert isinstance(name, str) and all(isinstance(form, str) and form for form in forms)
    assert all(isinstance(old, str) and isinstance(new, str) for old, new in tables()["sound_groups"])


def test_profiles_damage_more_and_more():
    changed = [
        share(damaged_names(people(), Rates(profile, 1), "adult_social_care")["surname"] != "Thompson")
        for profile in profiles()
    ]
    assert changed == sorted(changed) and changed[0] > 0.003 and changed[2] > 3 * changed[0]


def test_poor_papers_mean_more_errors():
    quality = pl.Series([0.95] * (COUNT // 2) + [0.1] * (COUNT // 2))
    factor = error_factor(quality)
    assert abs(float(factor.mean()) - 1.0) < 1e-9  # type: ignore[arg-type]
    written = damaged_names(people(factor=factor.to_list()), Rates("harsh", 1), "housing")["surname"] != "Thompson"
    assert share(written[COUNT // 2 :]) > 3 * share(written[: COUNT // 2])


def test_name_order_is_a_matter_of_culture():
    rates = Rates("central", 1)
    inverted = [
        share(damaged_names(people(ethnic_group=group), rates, "housing")["surname"] == "Stephen")
        for group in ("white_british", "chinese")
    ]
    assert inverted[0] < 0.02 < 0.08 < inverted[1]


def test_relational_names_move_between_surname_and_middle():
    women = people(forename="Amina", middle="Begum", surname="Uddin", ethnic_group="bangladeshi")
    written = damaged_names(women, Rates("central", 1), "benefits")
    assert 0.1 < share(written["surname"] == "Begum") < 0.3


def test_birth_dates_are_swapped_replaced_and_never_in_the_future():
    rates = Rates("harsh", 1)
    written = damaged_birth_dates(people(), rates, "housing", date(2026, 10, 31))
    assert (written == date(1980, 7, 3)).sum() > 0
    assert (written == date(1980, 1, 1)).sum() > 0
    babies = people(birth_date=date(2026, 10, 2))
    assert damaged_birth_dates(babies, rates, "housing", date(2026, 10, 31)).max() <= date(2026, 10, 31)
    care = damaged_birth_dates(people(), rates, "adult_social_care", date(2026, 10, 31))
    assert (care == date(1900, 1, 1)).sum() > 0


def test_ninos_fill_their_share_and_temporary_ones_begin_with_tn():
    written = damaged_ninos(people(), Rates("central", 1), "housing", 0.6, pl.Series(range(COUNT)))
    temporary = written.str.starts_with("TN").fill_null(False)
    assert 0.57 < 1 - share(written.is_null() | temporary) < 0.63
    assert temporary.sum() > 0 and written.filter(temporary).unique().to_list() == ["TN070380M"]


def test_a_faulty_batch_is_wrong_in_one_way_throughout():
    rates = Rates("harsh", 4)
    frame = people().select("forename", "surname", "birth_date").with_columns(postcode=pl.lit("SS1 2KM"))
    frame = pl.concat([frame] * 20)
    batches = batches_of(pl.Series(range(frame.height)), rates, "member", "housing")
    written = batches.apply(
        frame, forename="forename", surname="surname", birth_date="birth_date", postcode="postcode"
    ).with_columns(batch=batches.number, fault=batches.fault)
    by_batch = written.group_by("batch").agg(pl.exclude("fault").n_unique(), pl.col("fault").first())
    assert by_batch.select("forename", "surname", "birth_date", "postcode").max().row(0) == (1, 1, 1, 1)
    expected = {"day_month_swapped": ("birth_date", date(1980, 7, 3)), "upper_case": ("surname", "THOMPSON"),
                "initials_only": ("forename", "S"), "postcode_unspaced": ("postcode", "SS12KM")}  # fmt: skip
    seen = set(by_batch["fault"].drop_nulls())
    assert len(seen) >= 3
    for fault, (column, value) in expected.items():
        assert written.filter(pl.col("fault") == fault)[column].unique().to_list() in ([value], [])
    sound = written.filter(pl.col("fault").is_null())
    assert sound.select("forename", "surname", "birth_date", "postcode").unique().height == 1


def test_a_new_surname_arrives_late_and_an_old_record_keeps_the_old_one():
    names = pl.DataFrame({
        "person_id": [1, 1], "forename": ["Ann", "Ann"], "middle": [None, None], "surname": ["Old", "New"],
        "sex": ["M", None],
        "from_date": [date(1980, 1, 1), date(2020, 1, 1)], "to_date": [date(2020, 1, 1), None],
    })  # fmt: skip
    persons = pl.DataFrame({
        "person_id": [1], "sex": ["F"], "birth_date": [date(1980, 1, 1)], "title": ["MRS"],
        "ethnic_group": ["white_british"], "recent_arrival": [False], "nino": ["ZZ123456T"],
        "nhs_number": ["9990000018"], "documentation_quality": [0.8],
    })  # fmt: skip
    rows = pl.DataFrame({
        "row_key": ["a", "b", "c", "d"], "person_id": [1, 1, 1, None],
        "known_from": [date(2010, 1, 1), date(2010, 1, 1), date(2019, 12, 1), date(2010, 1, 1)],
        "known_to": [date(2026, 1, 1), date(2015, 1, 1), date(2020, 1, 2), date(2026, 1, 1)],
    })  # fmt: skip
    known = people_of(rows, names, persons, Rates("central", 1), "benefits")
    assert known["surname"].to_list()[:3] == ["New", "Old", "Old"]
    assert known["surname"].to_list()[3] is None
    assert known["sex"].to_list()[:3] == ["F", "M", "M"]  # the old name was borne as another sex
    assert known["title"].to_list()[:3] == ["MRS", "MR", "MR"]


def test_an_unknown_profile_is_refused():
    with pytest.raises(ValueError, match="unknown error profile"):
        Rates("gentle", 1)


def test_draws_belong_to_their_key_whatever_the_order():
    keys = pl.Series([f"{n}/1" for n in range(COUNT)])
    numbers = Draws(7, keys).random()
    assert (Draws(7, keys[::-1]).random()[::-1] == numbers).all()
    assert Draws(7, keys[:1]).random()[0] == numbers[0]
    assert not (Draws(8, keys).random() == numbers).any()
    assert Draws(7, pl.Series([3])).random()[0] == Draws(7, pl.Series(["3"])).random()[0]


def test_draws_are_even_and_each_column_is_new():
    draws = Draws(7, pl.Series(range(100_000)))
    first, second = draws.random(), draws.random()
    assert first.min() >= 0 and first.max() < 1
    assert np.abs(np.histogram(first, bins=20, range=(0, 1))[0] / 5_000 - 1).max() < 0.06
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.015 and abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.015


def test_every_rate_names_its_source():
    errors = yaml.safe_load((Path(rates_module.__file__).parent / "errors.yaml").read_text(encoding="utf-8"))
    entries = [entry for section in ("person", "batches", "address") for entry in errors[section].values()]
    named = [entry["from"] for entry in entries if isinstance(entry, dict) and "from" in entry]
    named += [fault["from"] for fault in errors["intake_faults"]]
    assert len(named) > 40 and set(named) <= set(errors["sources"])


def test_few_rows_are_spoilt_for_the_intake():
    frame = pl.DataFrame({"elector_id": [f"E{n}" for n in range(100_000)], "added_date": ["01/02/2020"] * 100_000})
    spoilt = with_intake_faults(frame, "register.csv", Rates("central", 1))
    assert (spoilt["added_date"] == "31/02/2019").sum() == 6
    assert spoilt["elector_id"].null_count() == 4
    assert with_intake_faults(frame.head(500), "register.csv", Rates("central", 1)).equals(frame.head(500))
