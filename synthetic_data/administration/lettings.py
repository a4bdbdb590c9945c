"""The housing register, right to buy, and the anonymous log of new lettings."""

import numpy as np
import polars as pl

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.timeline import OPEN, YEAR

# Share of the households of a tenure that apply in six years (assumed; some 1,700 households wait in a borough of this
# size).
APPLY = {"private_rent": 0.16, "council": 0.11, "housing_association": 0.10, "rent_free": 0.12}
APPLY_ADULT_CHILD = 0.06  # of grown children at home
REGISTER_YEARS = 6
CLOSED_AFTER_DAYS = 800  # mean days until an application is housed, cancelled or rejected
BUYERS, BOUGHT = 0.045, 0.006  # of council tenancies an application in five years; of owners, a home bought so in ten
KEPT_DAYS = 2 * 365  # a closed application stays in the extract so long
LOGGED_DAYS = 548  # lettings logs kept: a year and a half


def _people_of(scene: Scene, households: pl.DataFrame) -> pl.DataFrame:
    """Everyone who lived in the household on the day of its application."""
    stays = scene.residents().select("household_id", "person_id", "role", "birth", since="from", until="to")
    here = (pl.col("since") <= pl.col("applied")) & (pl.col("until") > pl.col("applied"))
    return households.join(stays, on="household_id", maintain_order="left").filter(here)


def housing_register(scene: Scene) -> FRAMES:
    """register_applications and register_people (applicant, joint applicant, household), days as numbers."""
    homes = scene.homes.filter(
        pl.col("tenure").is_in(list(APPLY)) & ~pl.col("kind").is_in(["students", "company_let", "care_home"])
    ).sort("household_id", "from")
    keys = homes.select(pl.concat_str("household_id", "from", separator="/")).to_series()
    draws = scene.draws("housing register", keys)
    rate = homes["tenure"].replace_strict(APPLY, return_dtype=pl.Float64).to_numpy()
    wants = draws.random() < rate
    wait = pl.Series((draws.random() * REGISTER_YEARS * YEAR).astype(np.int64))
    whole = homes.select(
        "household_id", "uprn", "to", applied=pl.col("from") + 30 + wait, why=pl.lit("household")
    ).filter(pl.Series(wants) & (pl.col("applied") < pl.col("to")))
    grown = scene.residents().filter(pl.col("role") == "adult_child").sort("person_id", "from")
    own = scene.draws("housing register of grown children", grown["person_id"])
    leaves = pl.Series(own.random() < APPLY_ADULT_CHILD)
    start = pl.max_horizontal("from", pl.col("birth") + int(18 * YEAR))
    later = pl.Series((own.random() * REGISTER_YEARS * YEAR).astype(np.int64))
    alone = grown.select("household_id", "uprn", "to", "person_id", applied=start + later, why=pl.lit("alone")).filter(
        leaves & (pl.col("applied") < pl.col("to"))
    )
    people = pl.concat(
        [
            _people_of(scene, whole).filter(pl.col("role") != "lodger"),
            _people_of(scene, alone.rename({"person_id": "only"}))
            .filter(pl.col("person_id") == pl.col("only"))
            .drop("only"),
        ]
    )
    adult = pl.col("applied") - pl.col("birth") >= int(18 * YEAR)
    head = (pl.col("role") == "head") | (pl.col("why") == "alone")
    people = people.with_columns(
        place=pl.when(head & adult).then(0).when((pl.col("role") == "partner") & adult).then(1).otherwise(2)
    )
    cases = people.filter(pl.col("place") == 0).select(
        "household_id", "why", "applied", "uprn", "to", lead="person_id", lead_birth="birth"
    )
    cases = cases.sort("lead", "applied").unique("lead", keep="last", maintain_order=True)
    case = scene.draws("housing applications", cases["lead"])
    closed = pl.Series((-np.log1p(-case.random()) * CLOSED_AFTER_DAYS).astype(np.int64) + 40)
    outcome = pl.Series(np.array(["Housed", "Cancelled", "Cancelled", "Rejected", "Disqualified"])[case.below(5)])
    open_state = pl.Series(np.array(["Active", "Active", "Active", "Active", "Pending", "Suspended"])[case.below(6)])
    is_closed = pl.col("applied") + closed <= scene.as_of
    cases = cases.with_columns(
        open_status=open_state,
        outcome=outcome,
        closed=pl.when(is_closed).then(pl.col("applied") + closed).otherwise(OPEN),
        band=pl.Series(np.array(["A", "B", "B", "C", "C", "C", "D", "D"])[case.below(8)]),
        homeless=pl.Series(case.random() < 0.08),
        sensitive=pl.Series(case.random() < 0.006),
        owns_property=pl.Series(case.random() < 0.01),
        number=pl.Series((case.random() * 1e8).astype(np.int64)),
    ).filter((pl.col("applied") <= scene.as_of) & (pl.col("closed") > scene.as_of - KEPT_DAYS))
    cases = cases.with_columns(application_ref=pl.lit("HR") + pl.col("number").cast(pl.String).str.zfill(8)).unique(
        "application_ref", keep="first", maintain_order=True
    )
    named = people.join(
        cases.select("household_id", "why", "applied", "application_ref", "lead"),
        on=["household_id", "why", "applied"],
        maintain_order="left",
    ).filter((pl.col("why") == "household") | (pl.col("person_id") == pl.col("lead")))
    named = named.sort("application_ref", "place", "birth", "person_id").with_columns(
        person_no=pl.int_range(1, pl.len() + 1).over("application_ref"),
        relationship=pl.col("place").replace_strict(
            {0: "applicant", 1: "joint", 2: "household"}, return_dtype=pl.String
        ),
    )
    return {
        "register_applications": cases.select(
            "application_ref",
            "uprn",
            "applied",
            "closed",
            "open_status",
            "outcome",
            "band",
            "homeless",
            "sensitive",
            "owns_property",
        ).sort("application_ref"),
        "register_people": named.select("application_ref", "person_no", "person_id", "relationship"),
    }


def right_to_buy(scene: Scene, frames: FRAMES) -> FRAMES:
    """rtb_applications: one row an applicant; tenants who apply, and owners who bought their council home."""
    tenants = (
        frames["tenancies"]
        .filter(pl.col("tenure") == "SEC")
        .join(frames["tenancy_members"].filter("responsible"), on="house_ref", maintain_order="left")
        .sort("tag_ref", "person_no")
        .select("tag_ref", "uprn", "person_id", "start", "end")
    )
    draws = scene.draws("right to buy", tenants["tag_ref"])  # joint tenants apply together: one draw a tenancy
    wants = pl.Series(draws.random() < BUYERS)
    after = pl.Series((draws.random() * 9 * YEAR).astype(np.int64))
    stage = pl.Series(np.array(["applied", "admitted", "offered", "withdrawn", "withdrawn"])[draws.below(5)])
    asked = tenants.with_columns(applied=pl.col("start") + int(3 * YEAR) + after, stage=stage).filter(
        wants & (pl.col("applied") <= scene.as_of) & (pl.col("applied") > scene.as_of - int(5 * YEAR))
    )
    asked = asked.filter(pl.col("applied") < pl.col("end")).with_columns(stage_date=pl.col("applied") + 60)
    owners = (
        scene.residents()
        .filter(pl.col("tenure").is_in(["owned", "mortgage"]) & (pl.col("role") == "head") & (pl.col("age") > 40))
        .sort("person_id", "from")
    )
    own = scene.draws("bought under right to buy", owners["person_id"])
    bought = pl.Series(own.random() < BOUGHT)
    since = pl.Series((own.random() * 3000).astype(np.int64))
    number = pl.Series((100_000 + own.random() * 899_999).astype(np.int64)).cast(pl.String)
    done = owners.select(
        "person_id",
        "uprn",
        tag_ref=number + pl.lit("/01"),
        start=pl.col("from"),
        end=pl.col("to"),
        applied=pl.col("from") + int(3 * YEAR) + since,
        stage=pl.lit("completed"),
    ).filter(bought & (pl.col("applied") + 200 < scene.as_of) & (pl.col("applied") + 200 < pl.col("end")))
    done = done.with_columns(stage_date=pl.col("applied") + 200).filter(
        pl.col("stage_date") > scene.as_of - int(10 * YEAR)
    )
    both = pl.concat([asked, done.select(asked.columns)]).sort("tag_ref", "person_id")
    key = scene.draws("right to buy sums", both["tag_ref"])
    both = both.with_columns(
        rtb_ref=pl.lit("RTB") + pl.col("tag_ref").str.replace("/", ""),
        discount=pl.when(pl.col("stage").is_in(["offered", "completed"])).then(
            pl.Series((30_000 + key.random() * 70_000).round(-2))
        ),
    )
    return {
        "rtb_applications": both.unique(["rtb_ref", "person_id"], keep="first", maintain_order=True)
        .with_columns(applicant_no=pl.int_range(1, pl.len() + 1).over("rtb_ref"))
        .select("rtb_ref", "applicant_no", "tag_ref", "person_id", "uprn", "applied", "stage", "stage_date", "discount")
    }


def lettings_log(scene: Scene, frames: FRAMES) -> FRAMES:
    """lettings_log: one row a letting begun lately, as sent to central government: ages and sexes, no name."""
    begun = frames["tenancies"].filter((pl.col("start") > scene.as_of - LOGGED_DAYS) & (pl.col("start") <= scene.as_of))
    people = (
        frames["tenancy_members"]
        .join(begun.select("house_ref", "tag_ref", "start"), on="house_ref", maintain_order="left")
        .join(scene.known.select("person_id", "sex", "birth"), on="person_id", how="left", maintain_order="left")
        .filter(pl.col("start").is_not_null())
        .with_columns(age=((pl.col("start") - pl.col("birth")) / YEAR).floor().cast(pl.Int64).clip(0, 120))
        .sort("tag_ref", "person_no")
    )
    lead = people.filter(pl.col("person_no") == 1).select("tag_ref", lead_age="age", lead_sex="sex")
    size = people.group_by("tag_ref", maintain_order=True).agg(
        household=pl.len().cast(pl.Int64), children=(pl.col("age") < 16).sum().cast(pl.Int64)
    )
    return {
        "lettings_log": begun.select("tag_ref", "prop_ref", "uprn", "tenure", "start", "rent")
        .join(lead, on="tag_ref", how="inner", maintain_order="left")
        .join(size, on="tag_ref", how="left", maintain_order="left")
        .sort("tag_ref")
    }
