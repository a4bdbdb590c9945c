"""Children's social care: the SSDA903 return as CSV, the children in need census as XML. Codes, no names.

Layout: the 903 with dates dd/mm/yyyy and the code list of the year in which an episode began; the census after its XML
schema. A child has one id of the council in both, and a UPN once at school.
"""

from datetime import date

import polars as pl

from synthetic_data.extracts.delivery import Rendered, csv_file
from synthetic_data.extracts.xml_text import element, xml_file
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "children_social_care"
DATE = "%d/%m/%Y"
HEADER = ["CHILD", "SEX", "DOB", "ETHNIC", "UPN", "MOTHER", "MC_DOB"]
EPISODE = ["CHILD", "DECOM", "RNE", "LS", "CIN", "PLACE", "PLACE_PROVIDER", "DEC", "REC", "REASON_PLACE_CHANGE",
           "HOME_POST", "PL_POST", "URN"]  # fmt: skip
ETHNICITIES = {
    "white_british": "WBRI", "white_other": "WOTH", "black_african": "BAFR", "black_caribbean": "BCRB",
    "indian": "AIND", "pakistani": "APKN", "bangladeshi": "ABAN", "chinese": "CHNE", "other_asian": "AOTH",
    "arab": "OOTH", "mixed": "MOTH", "other": "OOTH",
}  # fmt: skip


def _children(world: World, rates: Rates) -> pl.DataFrame:
    """One row a child and episode of need, with what both returns say of the child."""
    rows = world.children_in_need.sort("child_id")
    people = world.persons.select("person_id", "sex", "birth_date", "ethnic_group")
    held = pl.Series(rates.draws(f"{SYSTEM}:upn", rows["child_id"]).random() < rates.coverage(SYSTEM, "upn"))
    return (
        rows.join(people, on="person_id", how="left", maintain_order="left")
        .join(world.properties.select("uprn", "postcode"), on="uprn", how="left", maintain_order="left")
        .with_columns(
            upn=pl.when(held).then("upn"),
            ethnic=pl.col("ethnic_group").replace_strict(ETHNICITIES, default="NOBT"),
            sector=pl.col("postcode"),
        )
    )


def _census(children: pl.DataFrame, extract_date: date) -> tuple[list[str], int]:
    """The census' child elements, and the rows of all its tables: children, episodes of need and plans."""
    rows, count = [], 0
    for child in children.iter_rows(named=True):
        plan = ""
        if child["plan_start"] and child["plan_start"] <= extract_date:
            ended = child["plan_end"] if child["plan_end"] and child["plan_end"] <= extract_date else None
            plan = element(
                "ChildProtectionPlans",
                {"CPPstartDate": child["plan_start"], "CPPendDate": ended, "InitialCategoryOfAbuse": child["abuse"]},
            )
        closed = child["closure_date"] if child["closure_date"] and child["closure_date"] <= extract_date else None
        details = element(
            "CINdetails",
            {
                "CINreferralDate": child["referral_date"],
                "ReferralSource": child["referrer"],
                "PrimaryNeedCode": child["need"],
                "CINclosureDate": closed,
                "ReasonForClosure": "RC8" if closed else None,
            },
            plan,
        )
        identity = element(
            "ChildIdentifiers",
            {
                "LAchildID": child["child_id"],
                "UPN": child["upn"],
                "UPNunknown": None if child["upn"] else "UN1",
                "PersonBirthDate": child["birth_date"],
                "Sex": child["sex"],
            },
        )
        character = element("ChildCharacteristics", {"Ethnicity": child["ethnic"]})
        rows.append(f"<Child>{identity}{character}{details}</Child>")
        count += 2 + bool(plan)
    return rows, count


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The two returns of extract_date; they name nobody, so there is no record of a person and no address."""
    children = _children(world, rates).filter(pl.col("referral_date") <= extract_date)
    episodes = world.placements.join(
        children.select("child_id", "upn", "sex", "birth_date", "ethnic", "need", "postcode"),
        on="child_id",
        how="inner",
        maintain_order="left",
    ).sort("child_id", "start_date")
    heads = episodes.unique("child_id", keep="first", maintain_order=True).select(
        CHILD="child_id",
        SEX="sex",
        DOB=pl.col("birth_date").dt.strftime(DATE),
        ETHNIC="ethnic",
        UPN=pl.coalesce("upn", pl.lit("UN1")),
        MOTHER=pl.lit(None, dtype=pl.String),
        MC_DOB=pl.lit(None, dtype=pl.String),
    )
    rows = episodes.select(
        CHILD="child_id",
        DECOM=pl.col("start_date").dt.strftime(DATE),
        RNE="reason",
        LS="legal_status",
        CIN=pl.when(pl.col("need") == "N9").then(pl.lit("N8")).otherwise("need"),
        PLACE="place",
        PLACE_PROVIDER=pl.lit("PR1"),
        DEC=pl.when(pl.col("end_date") <= extract_date).then(pl.col("end_date").dt.strftime(DATE)),
        REC=pl.when(pl.col("end_date") <= extract_date).then(pl.lit("X1")),
        REASON_PLACE_CHANGE=pl.lit(None, dtype=pl.String),
        HOME_POST=pl.col("postcode"),
        PL_POST=pl.lit(None, dtype=pl.String),
        URN=pl.lit(None, dtype=pl.String),
    )
    elements, count = _census(children, extract_date)
    header = element("Header", {"Collection": "CIN", "ReferenceDate": extract_date, "SourceLEA": "882"})
    nobody = pl.DataFrame(schema={"source_key": pl.String, "person_id": pl.Int64})
    nowhere = pl.DataFrame(schema={"address_key": pl.String, "uprn": pl.Int64})
    files = [
        csv_file("header.csv", heads, HEADER),
        csv_file("episodes.csv", rows, EPISODE),
        xml_file("cin.xml", "Message", header, ["<Children>", *elements, "</Children>"], count),
    ]
    return Rendered(SYSTEM, files, nobody, nowhere)
