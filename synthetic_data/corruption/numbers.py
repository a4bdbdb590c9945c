"""Birth dates, National Insurance and NHS numbers as a system holds them."""

from datetime import date

import numpy as np
import polars as pl

from synthetic_data.corruption.characters import damage_where, digits_swapped
from synthetic_data.corruption.names import hits
from synthetic_data.draws import Draws
from synthetic_data.rates import Rates

DUMMY_BIRTH_DATE = date(1900, 1, 1)


def kept(values: pl.Series, share: float, draws: Draws) -> pl.Series:
    """The values of a random share of rows, null elsewhere."""
    return values.set(pl.Series(draws.random() >= share), None)


def swapped_day_month(dates: pl.Expr) -> pl.Expr:
    """Day and month changed over where that is a date, else the date as it was."""
    return (
        pl.when(dates.dt.day() <= 12).then(pl.date(dates.dt.year(), dates.dt.day(), dates.dt.month())).otherwise(dates)
    )


def damaged_birth_dates(people: pl.DataFrame, rates: Rates, system: str, as_of: date) -> pl.Series:
    """birth_date as the system wrote it; never after as_of."""
    draws = rates.draws(f"{system}:birth dates", people["row_key"])
    factor = people["factor"]

    def struck(error: str, weight: pl.Series = factor) -> pl.Series:
        return pl.Series(hits(draws, rates.person(error, system), weight))

    arrival = rates.group_factor("birth_first_january", "recent_arrival")
    placeholder = factor * people["recent_arrival"].fill_null(False).replace_strict(
        {True: arrival, False: 1.0}, return_dtype=pl.Float64
    )
    birth = pl.col("birth_date")
    slip = pl.lit(pl.Series(np.array([-10, -1, -1, 1, 1, 10])[draws.below(6)]))
    other_day = pl.lit(pl.Series(1 + draws.below(28)))
    steps: list[tuple[pl.Series, pl.Expr]] = [
        (struck("birth_digit_wrong"), pl.date(birth.dt.year(), birth.dt.month(), other_day)),
        (
            struck("birth_year_slip"),
            pl.date(birth.dt.year() + slip, birth.dt.month(), pl.min_horizontal(birth.dt.day(), 28)),
        ),
        (struck("birth_day_month_swapped"), swapped_day_month(birth)),
        (struck("birth_first_january", placeholder), pl.date(birth.dt.year(), 1, 1)),
        (struck("birth_dummy"), pl.lit(DUMMY_BIRTH_DATE)),
        (struck("birth_missing"), pl.lit(None, dtype=pl.Date)),
    ]
    frame = people.select("birth_date")
    for mask, changed in steps:
        frame = frame.with_columns(birth_date=pl.when(mask & birth.is_not_null()).then(changed).otherwise(birth))
    put_right = rates.corrected(system, people["row_key"])
    wrong = frame["birth_date"].ne_missing(people["birth_date"])
    rates.note_corrected(system, "birth_date", people["row_key"], put_right & wrong)
    # A slip into the future would be refused at the keyboard.
    return frame.select(
        pl.when((birth > as_of) | put_right).then(people["birth_date"]).otherwise(birth).alias("birth_date")
    ).to_series()


def damaged_ninos(people: pl.DataFrame, rates: Rates, system: str, share: float, group: pl.Series) -> pl.Series:
    """nino as the system holds it: a share filled, digits swapped, a partner's number (same group), temporary ones."""
    draws = rates.draws(f"{system}:ninos", people["row_key"])
    factor = people["factor"]
    nino = people["nino"]
    neighbour = nino.shift(1)
    of_partner = pl.Series(hits(draws, rates.person("nino_of_partner", system), factor)) & (
        group == group.shift(1)
    ).fill_null(False)
    nino = nino.zip_with(~(of_partner & neighbour.is_not_null()), neighbour)
    nino = damage_where(nino, hits(draws, rates.person("nino_digits_swapped", system), factor), digits_swapped, draws)
    held = kept(nino, share, draws)
    temporary = pl.Series(hits(draws, rates.person("nino_temporary", system), factor)) & held.is_null()
    made_up = people.select(
        # Temporary numbers are TN, the birth date and the sex.
        pl.concat_str(pl.lit("TN"), pl.col("birth_date").dt.strftime("%d%m%y"), pl.col("sex").fill_null("M"))
    ).to_series()
    return held.zip_with(~temporary, made_up)


def damaged_sexes(people: pl.DataFrame, rates: Rates, system: str) -> pl.Series:
    """sex (M, F) as the system wrote it."""
    wrong = pl.Series(
        hits(rates.draws(f"{system}:sex", people["row_key"]), rates.person("sex_wrong", system), people["factor"])
    )
    other = people["sex"].replace_strict({"M": "F", "F": "M"}, default=None)
    return people["sex"].zip_with(~wrong, other)
