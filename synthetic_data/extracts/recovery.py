"""How far the recovery of a debt has gone on the day of an extract: a reminder last month is a summons this month."""

from datetime import date

import polars as pl

# Stages, and days after the debt arose at which an unpaid one reaches them: Council Tax (Administration and
# Enforcement)
# Regulations 1992 regs. 23, 33-34 and 45 set the order; the days are a usual council's calendar (assumed).
COUNCIL_TAX = [("REM", 45), ("FIN", 75), ("SUM", 110), ("LO", 140), ("ARR", 175), ("EA", 230)]
RENT = [("1", 21), ("2", 60), ("3", 170), ("4", 260)]  # letter, notice, possession order, warrant
OVERPAYMENT = [("INV", 0), ("REM", 35), ("DEA", 120)]
KEPT_DAYS = 365  # a settled debt stays in the extract so long
LEAST_LEFT = 0.2  # of a debt, until it is settled


def standing(debts: pl.DataFrame, stages: list[tuple[str, int]], day: date) -> pl.DataFrame:
    """Debts (raised_date, settled_date) that stand on the day, or were settled lately and had reached a first stage.

    Adds stage and stage_date, left (share still owed) and cleared_date (null while anything is owed).
    """
    known = debts.filter(
        (pl.col("raised_date") <= day) & (pl.col("settled_date") > pl.lit(day) - pl.duration(days=KEPT_DAYS))
    )
    age = (pl.min_horizontal(pl.lit(day), "settled_date") - pl.col("raised_date")).dt.total_days()
    stage: pl.Expr = pl.lit(None, dtype=pl.String)
    after: pl.Expr = pl.lit(None, dtype=pl.Int64)
    for name, days in stages:
        stage = pl.when(age >= days).then(pl.lit(name)).otherwise(stage)
        after = pl.when(age >= days).then(pl.lit(days, dtype=pl.Int64)).otherwise(after)
    lasts = (pl.col("settled_date") - pl.col("raised_date")).dt.total_days()
    settled = pl.col("settled_date") <= day
    return known.with_columns(
        stage=stage,
        stage_date=pl.col("raised_date") + pl.duration(days=after),
        left=pl.when(settled).then(0.0).otherwise(pl.max_horizontal(LEAST_LEFT, 1 - age / lasts)),
        cleared_date=pl.when(settled).then("settled_date"),
    ).filter(pl.col("stage").is_not_null())
