"""Addresses as a system writes them: one wording of flats a building, one of a street, slips of the hand a row."""

import numpy as np
import polars as pl

from synthetic_data.address_damage import learnt_damage
from synthetic_data.corruption.characters import damage_where, digit_wrong, mistyped
from synthetic_data.rates import Rates
from synthetic_data.world import World

LINES = ["addr1", "addr2", "addr3", "addr4"]

# How a building's flats are worded instead of FLAT 2; each building keeps to one wording in one system.
UNIT_WORDINGS = (
    "FLT",
    "APARTMENT",
    "APT",
    "UNIT",
    "bare number",
    "letter on house number",
    "slash",
    "floor",
    "FLAT NO",
)
_UNIT_WEIGHTS = (0.17, 0.10, 0.10, 0.05, 0.20, 0.14, 0.08, 0.10, 0.06)
# A flat's letter on the house number, and the floor that people say instead.
_LETTERS = {str(place): letter for place, letter in enumerate("ABCDEFGH", 1)} | {
    letter: letter for letter in "ABCDEFGH"
}
FLOORS = {"A": "GROUND FLOOR FLAT", "B": "FIRST FLOOR FLAT", "C": "SECOND FLOOR FLAT", "D": "TOP FLOOR FLAT"}
_STREET_WORDS = {
    "ROAD": "RD", "AVENUE": "AVE", "STREET": "ST", "CLOSE": "CL", "DRIVE": "DR", "GARDENS": "GDNS", "CRESCENT": "CRES",
    "LANE": "LN", "GROVE": "GR", "TERRACE": "TERR", "COURT": "CT", "PLACE": "PL", "SQUARE": "SQ", "PARADE": "PDE",
}  # fmt: skip


def address_components(world: World) -> pl.DataFrame:
    """One row a property: uprn, root (the building's UPRN) and the parts of its address."""
    blank = pl.lit("")
    return (
        world.properties.sort("uprn")
        .join(world.streets.select("usrn", "street", "locality", "town"), on="usrn", how="left", maintain_order="left")
        .select(
            "uprn",
            "parent_uprn",
            "usrn",
            "logical_status",
            "successor_uprn",
            root=pl.coalesce("parent_uprn", "uprn"),
            unit=_joined(
                pl.when(pl.col("sao_text").is_null() & pl.col("sao_number").is_not_null())
                .then(pl.lit("FLAT"))
                .otherwise("sao_text"),
                pl.col("sao_number").cast(pl.String) + pl.coalesce("sao_suffix", blank),
            ),
            building="pao_text",
            number=pl.col("pao_number").cast(pl.String) + pl.coalesce("pao_suffix", blank),
            street="street",
            locality="locality",
            town="town",
            postcode="postcode",
        )
    )


def _joined(*parts: pl.Expr) -> pl.Expr:
    """The parts that are there, joined by a blank; null when none is."""
    text = pl.concat_str(parts, separator=" ", ignore_nulls=True).str.strip_chars()
    return pl.when(text == "").then(None).otherwise(text)


def with_conventions(components: pl.DataFrame, rates: Rates, system: str) -> pl.DataFrame:
    """The components worded as one system words them, consistently within a building and a street."""
    roots = components.filter(pl.col("unit").is_not_null()).select("root").unique().sort("root")
    edges = np.cumsum(_UNIT_WEIGHTS)
    of_building = rates.draws(f"{system}:unit wordings", roots["root"])
    wordings = np.array(UNIT_WORDINGS)[np.searchsorted(edges, of_building.random() * edges[-1], side="right")]
    unusual = of_building.random() < rates.address("unit_convention", system)
    roots = roots.with_columns(wording=pl.Series(np.where(unusual, wordings, ""), dtype=pl.String))
    streets = components.select("usrn").unique().sort("usrn")
    of_street = rates.draws(f"{system}:street wordings", streets["usrn"])
    streets = streets.with_columns(
        short=pl.Series(of_street.random() < rates.address("street_abbreviated", system)),
        no_locality=pl.Series(of_street.random() < rates.address("locality_left_out", system)),
        town_form=pl.Series(of_street.below(4)),
    )
    worded = components.join(roots, on="root", how="left", maintain_order="left").join(
        streets, on="usrn", how="left", maintain_order="left"
    )
    flat = pl.col("unit").str.extract(r"^(?:FLAT|APARTMENT) (\d+|[A-Z])$")
    letter = flat.replace_strict(_LETTERS, default=None)
    on_number = letter.is_not_null() & pl.col("number").is_not_null() & pl.col("building").is_null()
    abbreviated = pl.col("street")
    for word, short in _STREET_WORDS.items():
        abbreviated = abbreviated.str.replace(f" {word}$", f" {short}")
    return worded.with_columns(
        pl.when((pl.col("wording") == "letter on house number") & on_number & pl.col("number").str.contains(r"^\d+$"))
        .then(pl.col("number") + letter)
        .when((pl.col("wording") == "slash") & on_number)
        .then(flat + "/" + pl.col("number"))
        .otherwise("number")
        .alias("number"),
        pl.when(pl.col("wording").is_in(["letter on house number", "slash"]) & on_number)
        .then(None)
        .when((pl.col("wording") == "floor") & letter.is_in(list(FLOORS)))
        .then(letter.replace_strict(FLOORS, default=None))
        .when((pl.col("wording") == "bare number") & flat.is_not_null())
        .then(flat)
        .when(pl.col("wording").is_in(["FLT", "APARTMENT", "APT", "UNIT", "FLAT NO"]) & flat.is_not_null())
        .then(pl.col("wording") + " " + flat)
        .otherwise("unit")
        .alias("unit"),
        street=pl.when("short").then(abbreviated).otherwise("street"),
        locality=pl.when("no_locality").then(None).otherwise("locality"),
        town=pl.when(pl.col("town_form") == 0)
        .then(pl.col("town"))
        .when(pl.col("town_form") == 1)
        .then(pl.col("town").str.replace_all("-", " ") + " ESSEX")
        .otherwise(pl.col("town").str.replace_all("-", " ")),
    ).drop("wording", "short", "no_locality", "town_form")


def damaged_postcodes(postcodes: pl.Series, keys: pl.Series, rates: Rates, system: str) -> pl.Series:
    """Postcodes as written: some missing, some of the unit next door, some with letters changed over."""
    draws = rates.draws(f"{system}:postcodes", keys)
    frame = pl.DataFrame({"postcode": postcodes, "letter": pl.Series(list("CIKMOV")).gather(draws.below(6))})
    code = pl.col("postcode")
    steps = [
        ("postcode_old_unit", code.str.slice(0, code.str.len_chars() - 1) + pl.col("letter")),
        ("postcode_letters_swapped", code.str.replace(r"(.)(.)$", "${2}${1}")),
        ("postcode_missing", pl.lit(None, dtype=pl.String)),
    ]
    for error, changed in steps:
        mask = pl.Series(draws.random() < rates.address(error, system))
        frame = frame.with_columns(postcode=pl.when(mask).then(changed).otherwise(code))
    return frame["postcode"]


def written_addresses(
    components: pl.DataFrame, uprns: pl.Series, rates: Rates, system: str, keys: pl.Series | None = None
) -> pl.DataFrame:
    """addr1 to addr4 and postcode for each UPRN, row for row; all null where the UPRN is.

    Slips of the hand belong to the keys: the properties themselves unless rows are typed one by one.
    """
    worded = with_conventions(components, rates, system)
    used = components.filter(pl.col("uprn").is_in(uprns.drop_nulls().unique().implode()))
    rows = pl.DataFrame({"uprn": uprns}).join(worded, on="uprn", how="left", maintain_order="left")
    keys = uprns if keys is None else keys
    draws = rates.draws(f"{system}:address slips", keys)
    street = damage_where(rows["street"], draws.random() < rates.address("street_typo", system), mistyped, draws)
    number = damage_where(rows["number"], draws.random() < rates.address("number_typo", system), digit_wrong, draws)
    together = pl.Series(draws.random() < 0.35)
    rows = rows.with_columns(
        street=street, number=number, postcode=damaged_postcodes(rows["postcode"], keys, rates, system)
    ).with_columns(thoroughfare=_joined(pl.col("number"), pl.col("street")))
    crowded = pl.col("unit").is_not_null() & pl.col("building").is_not_null()
    one = pl.when(crowded).then(_joined(pl.col("unit"), pl.col("building"))).otherwise(pl.coalesce("unit", "building"))
    first = pl.when(together & ~crowded).then(_joined(one, pl.col("thoroughfare"))).otherwise(one)
    rest = pl.when(together & ~crowded).then(None).otherwise("thoroughfare")
    parts = pl.concat_list(first, rest, pl.col("locality"), pl.col("town")).list.drop_nulls()
    name = f"{system}:{uprns.name}:learnt damage"  # settled by the first extract that is written
    learnt = rates.settled.get(name)
    if learnt is None:
        learnt = rates.settled[name] = learnt_damage(used, rates, system)
    return (
        rows.select("uprn", "postcode", parts=parts)
        .join(learnt, on="uprn", how="left", maintain_order="left")
        .select(
            *(
                pl.coalesce("learnt", "parts").list.get(place, null_on_oob=True).alias(line)
                for place, line in enumerate(LINES)
            ),
            "postcode",
        )
    )


def one_line(lines: list[str] | None = None, separator: str = ", ") -> pl.Expr:
    """The address lines as one string."""
    text = pl.concat_str([pl.col(line) for line in lines or LINES], separator=separator, ignore_nulls=True)
    return pl.when(text == "").then(None).otherwise(text)


def recorded_uprns(
    components: pl.DataFrame, uprns: pl.Series, rates: Rates, system: str, keys: pl.Series | None = None
) -> pl.Series:
    """The UPRN column of a system, as text: a share filled, about 1 % that of a parent, neighbour or predecessor."""
    draws = rates.draws(f"{system}:uprns", uprns if keys is None else keys)
    live = components.filter(pl.col("logical_status") == 1).sort("usrn", "uprn")
    neighbours = live.select("uprn", neighbour=pl.col("uprn").shift(1).over("usrn"))
    retired = (
        components.filter(pl.col("successor_uprn").is_not_null())
        .sort("uprn")
        .unique("successor_uprn", keep="first", maintain_order=True)
        .select(uprn="successor_uprn", retired="uprn")
    )
    rows = (
        pl.DataFrame({"uprn": uprns})
        .join(neighbours, on="uprn", how="left", maintain_order="left")
        .join(components.select("uprn", "parent_uprn"), on="uprn", how="left", maintain_order="left")
        .join(retired, on="uprn", how="left", maintain_order="left")
    )
    wrong = pl.Series(draws.random() < rates.address("uprn_wrong", system))
    absent = pl.Series(draws.random() >= rates.coverage(system, "uprn"))
    return rows.select(
        pl.when(absent)
        .then(None)
        .when(wrong)
        .then(pl.coalesce("retired", "parent_uprn", "neighbour", "uprn"))
        .otherwise("uprn")
        .cast(pl.String)
        .alias("uprn")
    ).to_series()
