"""What people owe the council: council tax by year, benefit paid out too much, rent.

Whether a debt arises and when it is settled rests on the account, claim or tenancy and the year alone, never on the
day of an extract; how far recovery has gone by then is for the extract to say (extracts/recovery.py).
"""

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.timeline import day_number

CT_IN_ARREARS = (
    0.14  # of accounts a year ever get a reminder; 0.97 of the charge is paid in the year (collection rates)
)
CT_PROPENSITY = {"private_rent": 1.7, "council": 1.5, "housing_association": 1.5, "owned": 0.35, "mortgage": 0.6}
CT_PAY_DAYS = 130  # mean days until an unpaid bill is settled
CT_YEARS = 5
RENT_IN_ARREARS, RENT_PAY_DAYS = 0.34, 110  # share of tenancies a year that fall behind (assumed)
RENT_YEARS = 3
OVERPAID_A_YEAR, RECOVERY_DAYS = 0.07, 420  # of housing benefit claims a year (assumed)
ORDER_DAYS = 140  # from the bill to a liability order, as in extracts/recovery.py
KEPT_DAYS = 800  # settled debts that a delivery of the last months may still show


def _waits(draws: NDArray[np.float64], mean: float) -> pl.Series:
    return pl.Series((-np.log1p(-draws) * mean).astype(np.int64) + 1)


def _keys(frame: pl.DataFrame, *columns: str) -> pl.Series:
    return frame.select(pl.concat_str(*columns, separator="/")).to_series()


def _recent(scene: Scene, debts: pl.DataFrame) -> pl.DataFrame:
    """Debts that have arisen and were not settled long ago."""
    return debts.filter((pl.col("raised") <= scene.as_of) & (pl.col("settled") > scene.as_of - KEPT_DAYS))


def _council_tax(scene: Scene, frames: FRAMES) -> pl.DataFrame:
    """One row an account and financial year (named by its first year) with a bill that went unpaid."""
    homes = scene.units.select("uprn", "tenure")
    accounts = (
        frames["ct_accounts"]
        .filter(pl.col("liable_kind").is_in(["person", "company"]))
        .join(homes, left_on="property_uprn", right_on="uprn", how="left", maintain_order="left")
        .sort("account_ref")
    )
    this_year = date(1970, 1, 1).year + int((scene.as_of - 90) / 365.2425)
    years = []
    for year in range(this_year - CT_YEARS + 1, this_year + 1):
        begins, ends = day_number(date(year, 4, 1)), day_number(date(year + 1, 3, 31))
        billed = accounts.filter((pl.col("start") <= ends) & (pl.col("end") > begins)).with_columns(
            fin_year=pl.lit(year), raised=pl.max_horizontal(pl.lit(begins), pl.col("start") + 14)
        )
        years.append(billed.with_columns(part=(pl.min_horizontal("end", pl.lit(ends)) - pl.col("raised")) / 365.0))
    bills = pl.concat(years).filter(pl.col("part") > 0.02)
    # Who falls behind falls behind again: two thirds of the chance rest on the account, a third on the year.
    lasting = scene.draws("council tax payers", bills["account_ref"]).random()
    draws = scene.draws("council tax arrears", _keys(bills, "account_ref", "fin_year"))
    propensity = bills["tenure"].replace_strict(CT_PROPENSITY, default=1.0, return_dtype=pl.Float64).to_numpy()
    behind = np.where(draws.random() < 2 / 3, lasting, draws.random()) < CT_IN_ARREARS * propensity
    wait = _waits(draws.random(), CT_PAY_DAYS)
    share = pl.Series(0.25 + 0.75 * draws.random())
    return (
        bills.with_columns(settled=pl.col("raised") + 40 + wait, unpaid=share)
        .filter(pl.Series(behind))
        .select("account_ref", "fin_year", "raised", "settled", "part", "unpaid")
    )


def _escalated(scene: Scene, frames: FRAMES) -> pl.DataFrame:
    """One row a liable person's account whose debt a hazard drove to a liability order on the day, by the calendar of
    recovery; it stays unpaid past the last month."""
    liable = frames["ct_liable"].select("account_ref", "person_id", begun="start", ended="end")
    happened = scene.happenings.filter(pl.col("hazard") == "debt_escalation")
    rows = happened.join(liable, on="person_id", how="inner", maintain_order="left").filter(
        (pl.col("begun") < pl.col("day")) & (pl.col("ended") >= pl.col("day"))
    )
    rows = rows.with_columns(raised=pl.max_horizontal("begun", pl.col("day") - ORDER_DAYS))
    raised = pl.col("raised").cast(pl.Int32).cast(pl.Date)
    return rows.unique("account_ref", keep="first", maintain_order=True).select(
        "account_ref",
        fin_year=(raised.dt.year() - (raised.dt.month() < 4).cast(pl.Int32)).cast(pl.Int32),
        raised="raised",
        settled=pl.col("day") + KEPT_DAYS,
        part=pl.lit(0.9),
        unpaid=pl.lit(0.8),
    )


def _overpayments(scene: Scene, frames: FRAMES) -> pl.DataFrame:
    """One row a claim and a period in which too much was paid."""
    claims = (
        frames["claims"]
        .sort("claim_id")
        .with_columns(
            years=((pl.min_horizontal("cancel_date", pl.lit(scene.as_of)) - pl.col("application_date")) // 365).clip(
                0, 6
            )
        )
    )
    periods = claims.with_columns(year=pl.int_ranges(0, pl.col("years") + 1)).explode("year")
    draws = scene.draws("overpayments", _keys(periods, "claim_id", "year"))
    factor = np.where(periods["claim_type"].to_numpy() == "CTR", 0.5, 1.0)
    happened = draws.random() < OVERPAID_A_YEAR * factor
    offset = pl.Series((draws.random() * 365).astype(np.int64))
    weeks = pl.Series(1 + (-np.log1p(-draws.random()) * 9).astype(np.int64))
    rate = pl.Series(0.2 + 0.8 * draws.random())
    cause = pl.Series(np.array(["claimant_error", "change_late", "council_error", "system"])[draws.below(4)])
    found = (
        periods.with_columns(
            paid_from=pl.col("application_date") + pl.col("year") * 365 + offset,
            weeks=weeks,
            cause=cause,
            wait=_waits(draws.random(), RECOVERY_DAYS),
            amount=(pl.col("weekly_award") * rate * weeks).round(2),
            number=pl.Series((draws.random() * 1e9).astype(np.int64)),
        )
        .filter(pl.Series(happened))
        .with_columns(paid_to=pl.col("paid_from") + pl.col("weeks") * 7 - 1)
    )
    found = found.filter(
        (pl.col("paid_to") < pl.col("cancel_date")) & (pl.col("amount") > 1) & (pl.col("paid_to") + 30 <= scene.as_of)
    ).with_columns(raised=pl.col("paid_to") + 30)
    # A live claim repays from its award week by week; an ended one gets an invoice, and the debt lasts.
    ended = pl.col("cancel_date") < pl.col("raised") + 60
    found = found.with_columns(settled=pl.col("raised") + pl.when(ended).then(pl.col("wait") * 2).otherwise("wait"))
    return _recent(scene, found).select(
        "claim_id",
        "paid_from",
        "paid_to",
        "cause",
        "amount",
        "raised",
        "settled",
        from_award=~ended,
        overpayment_ref=pl.lit("OP") + pl.col("number").cast(pl.String).str.zfill(9),
    )


def _rent(scene: Scene, frames: FRAMES) -> pl.DataFrame:
    """One row a tenancy and year in which it fell behind."""
    tenancies = (
        frames["tenancies"]
        .sort("tag_ref")
        .with_columns(years=((pl.min_horizontal("end", pl.lit(scene.as_of)) - pl.col("start")) // 365).clip(0, 30))
    )
    first = pl.max_horizontal(0, pl.col("years") - RENT_YEARS)
    spells = tenancies.with_columns(year=pl.int_ranges(first, pl.col("years") + 1)).explode("year")
    lasting = scene.draws("rent payers", spells["tag_ref"]).random()
    draws = scene.draws("rent arrears", _keys(spells, "tag_ref", "year"))
    behind = np.where(draws.random() < 0.6, lasting, draws.random()) < RENT_IN_ARREARS
    offset = pl.Series((draws.random() * 365).astype(np.int64))
    wait = _waits(draws.random(), RENT_PAY_DAYS)
    weeks = pl.Series(1 + (-np.log1p(-draws.random()) * 4))
    spells = spells.with_columns(
        raised=pl.col("start") + pl.col("year") * 365 + offset, amount=(pl.col("rent") * weeks).round(2)
    )
    spells = spells.with_columns(settled=pl.col("raised") + 20 + wait).filter(pl.Series(behind))
    spells = spells.filter(pl.col("raised") < pl.min_horizontal("end", pl.lit(scene.as_of)))
    return _recent(scene, spells).select("tag_ref", "amount", "raised", "settled")


def debts(scene: Scene, frames: FRAMES) -> FRAMES:
    """ct_arrears, overpayments and rent_arrears, days as numbers."""
    arrears = pl.concat([_escalated(scene, frames), _council_tax(scene, frames)], how="vertical_relaxed").unique(
        ["account_ref", "fin_year"], keep="first", maintain_order=True
    )
    return {
        "ct_arrears": _recent(scene, arrears).sort("account_ref", "fin_year"),
        "overpayments": _overpayments(scene, frames)
        .unique("overpayment_ref", keep="first", maintain_order=True)
        .sort("overpayment_ref"),
        "rent_arrears": _rent(scene, frames).sort("tag_ref", "raised"),
    }
