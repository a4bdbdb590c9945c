"""Accounts that people opened themselves on the council's site; who moves away leaves the account behind."""

from datetime import date

import numpy as np
import polars as pl

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.timeline import YEAR, day_number

OPENED = day_number(date(2016, 4, 1))  # the first accounts
YEARS_OF_GROWTH = 12  # until everyone who will ever open one has done so (assumed)
AGES, SHARES = [16, 25, 45, 65, 80, 95], [0.3, 0.55, 0.72, 0.6, 0.35, 0.1]  # of those with an e-mail address (assumed)
LAST_VISITS = 5
SECOND_ACCOUNT = 0.04  # forgot the first one
VISIT_DAYS = 260  # mean time between two visits at which the details are looked over


def citizen_accounts(scene: Scene) -> FRAMES:
    """citizen_accounts: one row an account and day (`updated`) on which its holder looked over the details."""
    people = (
        scene.persons.filter(pl.col("email").is_not_null())
        .select("person_id")
        .join(scene.known.select("person_id", "birth", "death"), on="person_id", how="left", maintain_order="left")
        .sort("person_id")
    )
    opened = []
    for turn in (1, 2):
        draws = scene.draws(f"citizen account {turn}", people["person_id"])
        age = (OPENED + YEARS_OF_GROWTH * YEAR / 2 - people["birth"].to_numpy()) / YEAR
        share = np.interp(age, AGES, SHARES) * (1.0 if turn == 1 else SECOND_ACCOUNT)
        wants = draws.random() < share
        opens = OPENED + (draws.random() * YEARS_OF_GROWTH * YEAR).astype(np.int64) + (turn - 1) * 400
        opened.append(
            people.with_columns(
                turn=pl.lit(turn),
                opened=pl.max_horizontal(pl.Series(opens), pl.col("birth") + int(16 * YEAR)),
                period=pl.Series((-np.log1p(-draws.random()) * VISIT_DAYS).astype(np.int64) + 60),
                number=pl.Series((draws.random() * 1e12).astype(np.int64)),
            ).filter(pl.Series(wants))
        )
    accounts = pl.concat(opened).filter((pl.col("opened") <= scene.as_of) & (pl.col("opened") < pl.col("death")))
    accounts = scene.home_on(accounts, "opened").filter(pl.col("home").is_not_null()).rename({"home": "first_home"})
    # Visits come once a period, until life in the borough ends.
    last = (
        scene.stays.filter(pl.col("uprn").is_not_null())
        .group_by("person_id", maintain_order=True)
        .agg(pl.col("to").max())
        .select("person_id", left="to")
    )
    accounts = accounts.join(last, on="person_id", how="left", maintain_order="left").with_columns(
        until=pl.max_horizontal("opened", pl.min_horizontal(pl.lit(scene.as_of), pl.col("left") - 1))
    )
    turns = (pl.col("until") - pl.col("opened")) // pl.col("period")
    # The last visits, and the opening: what deliveries of the last months need.
    visits = [accounts.with_columns(visit=turns - back) for back in range(LAST_VISITS)]
    visits.append(accounts.with_columns(visit=pl.lit(0, dtype=pl.Int64)))
    accounts = (
        pl.concat(visits)
        .filter(pl.col("visit") >= 0)
        .with_columns(updated=pl.col("opened") + pl.col("visit") * pl.col("period"))
        .unique(["person_id", "turn", "visit"], keep="first", maintain_order=True)
    )
    accounts = scene.home_on(accounts, "updated")
    return {
        "citizen_accounts": accounts.select(
            "person_id",
            "opened",
            "updated",
            "turn",
            account_id=pl.lit("MS") + pl.col("number").cast(pl.String).str.zfill(12),
            uprn=pl.coalesce("home", "first_home"),
        )
        .filter(pl.col("person_id") == pl.col("person_id").first().over("account_id"))
        .sort("account_id", "updated", maintain_order=True)
    }
