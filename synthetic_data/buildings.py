"""Buildings along the streets, and the units in them: dwellings, blocks, converted and shared houses, institutions."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from synthetic_data.frames import NOTHING, texts
from synthetic_data.randomness import apportion, stream, weighted

BUILDING_KINDS = ["detached", "semi", "terraced", "block", "conversion", "above_shop", "hmo"]
CLASS = {
    "detached": "RD02",
    "semi": "RD03",
    "terraced": "RD04",
    "block": "PP",
    "conversion": "PP",
    "above_shop": "CR08",
    "hmo": "RH01",
    "care_home": "RI01",
    "student_hall": "RI03",
    "commercial": "CR08",
}
KIND = {
    "detached": "house",
    "semi": "house",
    "terraced": "house",
    "block": "shell",
    "conversion": "shell",
    "above_shop": "commercial",
    "hmo": "hmo",
    "care_home": "care_home",
    "student_hall": "student_hall",
    "commercial": "commercial",
}
BLOCK_SIZES, BLOCK_WEIGHTS = [4, 6, 8, 9, 12, 16, 24, 36, 60], [16, 18, 16, 10, 14, 10, 8, 5, 3]
CONVERSION_SIZES, CONVERSION_WEIGHTS = [2, 3, 4, 5, 6], [55, 24, 13, 5, 3]
HOUSES_A_STREET = 46
FLOORS = ["GROUND FLOOR FLAT", "FIRST FLOOR FLAT", "SECOND FLOOR FLAT", "TOP FLOOR FLAT", "BASEMENT FLAT", "REAR FLAT"]
BLOCK_WORDS = ["COURT", "HOUSE", "LODGE", "MANSIONS", "HEIGHTS", "POINT", "PLACE", "TOWERS"]
NAME_WORDS = [
    "ASHLEIGH",
    "BALMORAL",
    "BEAUMONT",
    "BRIARWOOD",
    "CARLTON",
    "CASTLE",
    "CHELSEA",
    "CLIFTON",
    "CROMWELL",
    "DENEWOOD",
    "ELMHURST",
    "ESPLANADE",
    "FAIRLAWN",
    "GARFIELD",
    "GROSVENOR",
    "HAMILTON",
    "HARCOURT",
    "HOLMWOOD",
    "KINGSLEY",
    "LANCASTER",
    "LINDEN",
    "MARINE",
    "MELROSE",
    "NEPTUNE",
    "OAKDENE",
    "ORMONDE",
    "PRIORY",
    "QUEENSWAY",
    "RAYLEIGH",
    "ROSEMOUNT",
    "SANDRINGHAM",
    "SEACREST",
    "STIRLING",
    "TEMPLE",
    "TRINITY",
    "VALENCIA",
    "VICTORIA",
    "WAVERLEY",
    "WESTBURY",
    "WINDSOR",
]
COTTAGES = [
    "ROSE IVY OAK CHERRY TREE",
    "THE LAURELS",
    "HILLCREST",
    "SEA BREEZE",
    "THE COTTAGE",
    "WILLOW LODGE",
    "FAIRWAYS",
    "DUNELM",
    "THE HAVEN",
]
TRADES = [
    "STORES",
    "CAFE",
    "HAIR AND BEAUTY",
    "DENTAL PRACTICE",
    "MOTORS",
    "DRY CLEANERS",
    "BAKERY",
    "SOLICITORS",
    "FISH BAR",
    "PHARMACY",
    "CARPETS",
    "NEWS",
]


def draw_buildings(facts: dict[str, Any], households: int, seed: int) -> pl.DataFrame:
    """One row a building: ward, street, place in the street, kind, units; some homes stay empty."""
    rng = stream(seed, "buildings")
    wards = list(facts["wards"].values())
    dwellings = apportion([row[2] for row in wards], round(households / facts["occupied_share"]))
    shares = np.array([facts["accommodation"][kind] for kind in BUILDING_KINDS])
    scale = households / facts["households"]
    institutions = {
        "care_home": max(1, round(facts["communal"]["care_homes"] * scale)),
        "student_hall": max(1, round(facts["communal"]["halls"] * scale)),
        "commercial": max(3, round(0.035 * households)),
    }
    private = np.array([row[6] for row in wards])
    social = np.array([row[5] for row in wards])
    rented = (private + 0.8 * social) / np.average(private + 0.8 * social, weights=dwellings)
    let = private / np.average(private, weights=dwellings)
    parts, street = [], 0
    extra_ward = {
        kind: weighted(rng, private if kind != "commercial" else dwellings, count)
        for kind, count in institutions.items()
    }
    fewest = {"hmo": 2, "conversion": 4, "block": 2}  # so that a tiny borough still has each
    for w, wanted in enumerate(dwellings):
        mix = shares.copy()
        mix[3:] *= np.array([rented[w] ** 0.9, let[w] ** 1.15, let[w], let[w] ** 1.3])
        mix[3:] *= min(1.0, 0.85 / mix[3:].sum())
        mix[:3] *= (1 - mix[3:].sum()) / mix[:3].sum()
        size = np.array(
            [
                1,
                1,
                1,
                np.average(BLOCK_SIZES, weights=BLOCK_WEIGHTS),
                np.average(CONVERSION_SIZES, weights=CONVERSION_WEIGHTS),
                1,
                1,
            ]
        )
        kind = weighted(rng, mix / size, int(wanted) + 1)
        if households < 10_000:
            for i, name in enumerate(sorted(fewest)):
                kind[(7 * w + i) % len(kind)] = (
                    BUILDING_KINDS.index(name) if w % 3 == i else kind[(7 * w + i) % len(kind)]
                )
        units = np.ones(len(kind), dtype=np.int64)
        units[kind == 3] = np.array(BLOCK_SIZES)[weighted(rng, BLOCK_WEIGHTS, int((kind == 3).sum()))]
        units[kind == 4] = np.array(CONVERSION_SIZES)[weighted(rng, CONVERSION_WEIGHTS, int((kind == 4).sum()))]
        if wanted < 400:
            units[kind == 3] = np.minimum(units[kind == 3], 6)
        upto = int(np.searchsorted(np.cumsum(units), wanted)) + 1
        kind, units = kind[:upto], units[:upto]
        names = [BUILDING_KINDS[k] for k in kind]
        order = np.argsort(kind + rng.normal(0, 1.3, len(kind)), kind="stable")
        names, units = [names[i] for i in order], units[order]
        for extra, homes in extra_ward.items():
            for _ in range(int((homes == w).sum())):
                spot = int(rng.integers(len(names) + 1))
                names.insert(spot, extra)
                units = np.insert(units, spot, 0)
        streets = max(1, round(len(names) / HOUSES_A_STREET))
        cuts = (
            np.sort(rng.permutation(np.arange(1, len(names)))[: streets - 1])
            if len(names) > streets
            else np.arange(1, streets)
        )
        even = (np.arange(1, streets) * len(names) // streets)[: len(cuts)]
        cuts = np.unique((cuts + 2 * even) // 3)
        local = np.searchsorted(cuts, np.arange(len(names)), side="right")
        parts.append(pl.DataFrame({"ward": [w] * len(names), "street": street + local, "kind": names, "units": units}))
        street += int(local.max()) + 1
    frame = pl.concat(parts).with_columns(place=pl.int_range(1, pl.len() + 1).over("street"))
    return number_buildings(frame.with_row_index("building").cast({"building": pl.Int64, "place": pl.Int64}), seed)


def number_buildings(buildings: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Numbers along the street: often no 13, infill houses with a suffix, names alone, named blocks."""
    rng = stream(seed, "numbers")
    count = len(buildings)
    street = buildings["street"].to_numpy()
    shy_of_13 = (rng.random(street.max() + 1) < 0.5)[street]
    kind = buildings["kind"].to_numpy()
    single = np.isin(kind, ["detached", "semi", "terraced"])
    infill = single & (rng.random(count) < 0.018) & (buildings["place"].to_numpy() > 1)
    numbered = (
        pl.DataFrame({"street": street, "infill": infill})
        .select(pl.int_range(1, pl.len() + 1).over("street") - pl.col("infill").cum_sum().over("street"))["literal"]
        .to_numpy()
    )
    number = numbered + (shy_of_13 & (numbered >= 13))
    named = single & ~infill & (rng.random(count) < np.where(kind == "detached", 0.05, 0.005))
    block_name = [
        f"{NAME_WORDS[a]} {BLOCK_WORDS[b]}"
        for a, b in zip(
            rng.integers(len(NAME_WORDS), size=count), weighted(rng, [8, 6, 3, 1, 1, 1, 1, 0.5], count), strict=True
        )
    ]
    cottage = np.array(COTTAGES, dtype=object)[rng.integers(len(COTTAGES), size=count)]
    owner = np.array(NAME_WORDS, dtype=object)[rng.integers(len(NAME_WORDS), size=count)]
    trade = np.array(TRADES, dtype=object)[rng.integers(len(TRADES), size=count)]
    shop = np.isin(kind, ["above_shop", "commercial"])
    unnumbered_block = (kind == "block") & (rng.random(count) < 0.45)
    care = kind == "care_home"
    text = np.where(kind == "block", np.array(block_name, dtype=object), np.where(named, cottage, NOTHING))
    text = np.where(care, owner + np.where(rng.random(count) < 0.5, " CARE HOME", " HOUSE NURSING HOME"), text)
    text = np.where(kind == "student_hall", owner + " HALLS", text)
    return buildings.with_columns(
        pao_number=pl.Series(
            np.where((named & (rng.random(count) < 0.7)) | unnumbered_block, NOTHING, number).tolist(), dtype=pl.Int64
        ),
        pao_suffix=texts(np.where(infill, "A", NOTHING)),
        pao_text=texts(text),
        organisation=texts(
            np.where(shop, owner + " " + trade, np.where(care | (kind == "student_hall"), text, NOTHING))
        ),
        style=pl.Series(weighted(rng, [46, 20, 22, 12], count)),
        draw=pl.Series(rng.random(count)),
    )


def units_of(buildings: pl.DataFrame, seed: int, as_of: date) -> pl.DataFrame:
    """One row a gazetteer entry: unit 0 is the building itself, 1.. its parts, beyond 1000 what is now history."""
    rng = stream(seed, "units")
    rooms = pl.when(pl.col("kind") == "hmo").then(
        pl.when(pl.col("draw") < 0.45).then(4 + (pl.col("draw") * 7).cast(pl.Int64)).otherwise(0)
    )
    parts = rooms.when(pl.col("kind").is_in(["block", "conversion", "above_shop"])).then(pl.col("units")).otherwise(0)
    base = buildings.with_columns(parts=parts.cast(pl.Int64))
    whole = base.with_columns(
        unit=pl.lit(0, dtype=pl.Int64),
        class_code=pl.col("kind").replace_strict(CLASS),
        unit_kind=pl.col("kind").replace_strict(KIND),
        is_dwelling=pl.col("kind").is_in(["detached", "semi", "terraced", "hmo"]),
        replaced_by=pl.lit(None, dtype=pl.Int64),
        logical_status=pl.lit(1, dtype=pl.Int64),
        sao_text=pl.lit(None, dtype=pl.String),
        sao_number=pl.lit(None, dtype=pl.Int64),
        sao_suffix=pl.lit(None, dtype=pl.String),
    )
    inner = base.filter(pl.col("parts") > 0).with_columns(unit=pl.int_ranges(1, pl.col("parts") + 1)).explode("unit")
    letter = pl.col("unit").replace_strict(
        dict(zip(range(1, 27), "ABCDEFGHIJKLMNOPQRSTUVWXYZ", strict=True)), default=None, return_dtype=pl.String
    )
    number = pl.col("unit").cast(pl.String)
    split = pl.col("kind") == "conversion"
    floor = pl.col("unit").replace_strict(dict(enumerate(FLOORS, 1)), default=None, return_dtype=pl.String)
    style, lettered = (
        pl.col("style"),
        split & (pl.col("style") == 1) | (pl.col("kind") == "above_shop") & (pl.col("style") > 0),
    )
    inner = inner.with_columns(
        sao_text=pl.when(pl.col("kind") == "hmo")
        .then(pl.lit("ROOM ") + number)
        .when(lettered)
        .then(None)
        .when(pl.col("kind") == "above_shop")
        .then(pl.lit("FLAT"))
        .when(split & (style == 3))
        .then(floor)
        .when(split & (style == 2))
        .then(pl.lit("FLAT ") + letter)
        .when((pl.col("kind") == "block") & (style == 1))
        .then(None)
        .when((pl.col("kind") == "block") & (style == 3))
        .then(pl.lit("APARTMENT ") + number)
        .otherwise(pl.lit("FLAT ") + number),
        sao_number=pl.when((pl.col("kind") == "block") & (style == 1)).then("unit"),
        sao_suffix=pl.lit(None, dtype=pl.String),
        pao_suffix=pl.when(lettered).then(letter).otherwise("pao_suffix"),
        pao_text=pl.col("pao_text"),
        organisation=pl.lit(None, dtype=pl.String),
        class_code=pl.when(pl.col("kind") == "hmo").then(pl.lit("RH02")).otherwise(pl.lit("RD06")),
        unit_kind=pl.when(pl.col("kind") == "hmo")
        .then(pl.lit("hmo_room"))
        .when(pl.col("kind") == "block")
        .then(pl.lit("flat"))
        .otherwise(pl.lit("converted_flat")),
        is_dwelling=pl.col("kind") != "hmo",
        replaced_by=pl.lit(None, dtype=pl.Int64),
        logical_status=pl.lit(1, dtype=pl.Int64),
    )
    inner = inner.select(whole.columns)
    # a converted house was one house once; some converted houses were renumbered, and gave each flat a new UPRN
    once_whole = whole.filter((pl.col("kind") == "conversion") & (pl.col("draw") < 0.4)).with_columns(
        unit=pl.lit(1001, dtype=pl.Int64),
        class_code=pl.lit("RD04"),
        unit_kind=pl.lit("historic"),
        logical_status=pl.lit(8, dtype=pl.Int64),
    )
    renumbered = inner.filter((pl.col("kind") == "conversion") & (pl.col("draw") > 0.93) & (style == 0)).with_columns(
        replaced_by="unit",
        unit=pl.col("unit") + 2000,
        sao_text=floor,
        unit_kind=pl.lit("historic"),
        is_dwelling=pl.lit(False),
        logical_status=pl.lit(8, dtype=pl.Int64),
    )
    garages = (
        whole.filter((pl.col("kind") == "block") & (pl.col("draw") < 0.25))
        .with_columns(unit=pl.int_ranges(3001, 3003 + pl.col("units") // 4))
        .explode("unit")
        .with_columns(
            class_code=pl.lit("RG02"),
            unit_kind=pl.lit("garage"),
            sao_text=pl.lit("GARAGE ") + (pl.col("unit") - 3000).cast(pl.String),
        )
    )
    units = pl.concat([whole, inner, once_whole, renumbered, garages]).sort("building", "unit", maintain_order=True)
    count = len(units)
    born = np.datetime64("2001-02-15") + (rng.random(count) ** 3 * 8000).astype(np.int64)
    history = units["logical_status"].to_numpy() == 8
    ended = np.datetime64(as_of) - rng.integers(200, 3600, count)
    return units.rename({"kind": "building_kind", "unit_kind": "kind"}).with_columns(
        built_from=pl.col("building_kind").replace_strict(
            {"block": "block", "conversion": "conversion"}, default=None, return_dtype=pl.String
        ),
        start_date=pl.Series(np.where(history, np.datetime64("2001-02-15"), born).astype("datetime64[D]")),
        end_date=pl.Series(np.where(history, ended, np.datetime64("NaT")).astype("datetime64[D]")),
    )
