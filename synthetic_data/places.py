"""Streets and the gazetteer of properties: houses, blocks, institutions, shops, and what they once were.

UPRNs are fictitious (twelve digits from 999). Postcodes keep a real sector, but one or both inward letters come from
C I K M O V, which Royal Mail never uses there, so no postcode is real.
"""

from datetime import date
from itertools import product
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synthetic_data.buildings import draw_buildings, units_of
from synthetic_data.frames import NOTHING, shaped, texts
from synthetic_data.randomness import stream

UPRN_BASE = 999_000_000_000
USRN_BASE = 16_100_000
ADDRESSES_A_POSTCODE = 17
LETTERS, UNUSED = "ABDEFGHJLNPQRSTUWXYZCIKMOV", "CIKMOV"
INWARD = [a + b for a, b in product(LETTERS, LETTERS) if a in UNUSED or b in UNUSED]
STREET_WORDS = (
    (
        "Acacia Albany Alexandra Almond Anchor Arundel Ash Avondale Balmoral Barley Beach Beech Belgrave "
        "Birch Blenheim Boundary Bramble Brook Burleigh Burnham Castle Cedar Chancellor Chapel Cherry "
        "Chestnut Church Claremont Cliff Clover Coleman Colne Cornwall Cottesmore Crown Dale Daffodil "
        "Deepdale Devon Drake Dunes Eagle East Elm Estuary Fairfax Fairview Ferry Field Fir Fleet Foxglove "
        "Garrison Glebe Gordon Grange Hadleigh Hamlet Harbour Harvest Hawthorn Hazel Heath Hereford Heron "
        "Hill Hillside Holly Ilfracombe Imperial Ivy Jubilee Juniper Kensington Kestrel Keats Lancaster Larch "
        "Laurel Lavender Lime Lodge Lonsdale Lower Manor Maple Marina Marine Meadow Mill Nelson Norfolk North "
        "Oakleigh Oak Orchard Oxford Palmerston Park Pebble Pier Pine Poplar Primrose Princes Prospect Quay "
        "Queens Ravendale Regent Richmond River Rochester Roots Rose Rowan Royal Saxon School Seaview Shore "
        "Silver South Spring Stanley Station Sycamore Tennyson Thames Tudor Valley Vicarage Victory Walnut "
        "Warwick Water Waverley Wellesley West Whitegate Willow Windermere Windsor Winton Woodfield Wren Yew "
        "York Zealand "
    )
    .upper()
    .split()
)
STREET_TYPES = {
    "ROAD": 40,
    "AVENUE": 18,
    "CLOSE": 11,
    "DRIVE": 8,
    "GARDENS": 7,
    "STREET": 4,
    "CRESCENT": 4,
    "WAY": 3,
    "GROVE": 3,
    "LANE": 2,
    "TERRACE": 1,
    "WALK": 1,
    "PLACE": 1,
    "PARADE": 1,
}


def build_areas(facts: dict[str, Any], seed: int) -> pl.DataFrame:
    """One row an LSOA: the borough's 108, scores spread about their ward's published mean."""
    rng = stream(seed, "areas")
    wards = facts["wards"]
    counts = [row[1] for row in wards.values()]
    ward = np.repeat(np.arange(len(counts)), counts)
    mean = np.array([row[4] for row in wards.values()])[ward]
    score = np.clip(mean * np.exp(rng.normal(-0.06, 0.35, len(ward))), 2.0, 82.0)
    # national rank by score: the shape of the England distribution, most deprived 1 of 33,755
    points, ranks = (
        [0, 5, 8.5, 11, 14, 17.5, 21.5, 27, 34, 45, 60, 92],
        np.array([1, 0.93, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.03, 0]),
    )
    rank = np.maximum(1, np.round(np.interp(score, points, ranks * 33_755))).astype(np.int64)
    number = np.concatenate([np.arange(count) for count in counts])
    codes = [f"E01{15814 + i:06d}" for i in range(len(ward) - 1)] + ["E01034095"]
    return shaped(
        "areas",
        pl.DataFrame(
            {
                "lsoa": codes,
                "lsoa_name": [f"Southend-on-Sea {w + 1:03d}{'ABCDEFGH'[n]}" for w, n in zip(ward, number, strict=True)],
                "msoa": [f"E0200{3280 + w}" for w in ward],
                "ward_code": np.array(list(wards))[ward],
                "ward_name": np.array([row[0] for row in wards.values()])[ward],
                "imd_rank": rank,
                "imd_score": score.round(1),
                "imd_decile": np.minimum(10, 1 + rank * 10 // 33_756),
            }
        ),
    )


def build_streets(buildings: pl.DataFrame, areas: pl.DataFrame, facts: dict[str, Any], seed: int) -> pl.DataFrame:
    """One row a street of the buildings, with the name, sector and small area that it lies in."""
    rng = stream(seed, "streets")
    wards = list(facts["wards"].values())
    per_ward = buildings.group_by("ward").agg(streets=pl.col("street").n_unique()).sort("ward", maintain_order=True)
    ward = np.repeat(per_ward["ward"].to_numpy(), per_ward["streets"].to_numpy())
    count = len(ward)
    place = np.concatenate([np.arange(n) for n in per_ward["streets"]])
    share = place / per_ward["streets"].to_numpy()[np.repeat(np.arange(len(per_ward)), per_ward["streets"].to_numpy())]
    first = np.cumsum([0] + [row[1] for row in wards])
    area = first[ward] + np.floor(share * np.array([row[1] for row in wards])[ward]).astype(np.int64)
    from faker.providers.person.en_GB import Provider

    words = list(dict.fromkeys(STREET_WORDS + sorted(name.upper() for name in Provider.last_names if name.isalpha())))
    likely = np.where(np.arange(len(words)) < len(STREET_WORDS), 4.0, 1.0)
    pairs = rng.choice(
        len(words) * len(STREET_TYPES),
        size=count,
        replace=False,
        p=np.outer(likely, list(STREET_TYPES.values())).ravel() / (likely.sum() * sum(STREET_TYPES.values())),
    )
    names = [f"{words[p // len(STREET_TYPES)]} {list(STREET_TYPES)[p % len(STREET_TYPES)]}" for p in pairs]
    # the same name once in each old town, as where villages grew together
    localities = [wards[w][9] for w in ward]
    for shared_name in ("HIGH STREET", "STATION ROAD", "CHURCH ROAD"):
        for locality in sorted({x for x in localities if x}):
            spots = [i for i, x in enumerate(localities) if x == locality and names[i].endswith("ROAD")]
            if len(spots) > 20:
                names[spots[int(rng.integers(len(spots)))]] = shared_name
    sectors = [wards[w][8][int(s * len(wards[w][8]))] for w, s in zip(ward, share, strict=True)]
    return pl.DataFrame(
        {
            "street_index": np.arange(count),
            "usrn": USRN_BASE + 1 + np.arange(count) * 3,
            "street": names,
            "locality": localities,
            "town": ["SOUTHEND-ON-SEA"] * count,
            "ward_code": np.array(list(facts["wards"]))[ward],
            "lsoa": areas["lsoa"].gather(area),
            "postcode_sector": sectors,
            "easting": np.array([row[10] for row in wards])[ward] * 1000 + rng.normal(0, 420, count),
            "northing": np.array([row[11] for row in wards])[ward] * 1000 + rng.normal(0, 330, count),
            "bearing": rng.uniform(0, np.pi, count),
        }
    )


def latitude_longitude(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """British National Grid metres to degrees: a plane fitted at the borough's centre, right to about 10 m there."""
    east, north, turn = x - 588_100, y - 185_600, np.deg2rad(2.13)
    true_north, true_east = north * np.cos(turn) + east * np.sin(turn) * -1, east * np.cos(turn) + north * np.sin(turn)
    return (51.5378 + true_north / 111_260).round(7), (0.7114 + true_east / 69_300).round(7)


def postcodes(properties: pl.DataFrame) -> pl.Series:
    """A postcode for each run of about seventeen addresses of a street."""
    place = pl.int_range(pl.len()).over("street_index") // ADDRESSES_A_POSTCODE
    runs = properties.select("postcode_sector", "street_index", run=place)
    distinct = runs.unique(maintain_order=True).with_columns(
        inward=pl.int_range(pl.len()).over("postcode_sector") * 61 % len(INWARD)
    )
    distinct = distinct.with_columns(
        postcode=pl.col("postcode_sector")
        + pl.col("inward").replace_strict(list(range(len(INWARD))), INWARD, return_dtype=pl.String)
    )
    return runs.join(distinct, on=["postcode_sector", "street_index", "run"], how="left", maintain_order="left")[
        "postcode"
    ]


def bands(properties: pl.DataFrame, areas: pl.DataFrame, facts: dict[str, Any], seed: int) -> NDArray[np.object_]:
    """Council tax band by size of the home and wealth of the area, with the borough's shares of each band."""
    rng = stream(seed, "bands")
    score = properties.join(areas, on="lsoa", how="left", maintain_order="left")["imd_score"].to_numpy()
    size = (
        properties["class_code"]
        .replace_strict({"RD02": 2.2, "RD03": 1.2, "RD04": 0.6, "RD06": -0.8}, default=0.0)
        .to_numpy()
    )
    worth = size - score / 25 + rng.normal(0, 0.7, len(score))
    rank = worth.argsort(kind="stable").argsort(kind="stable") / max(1, len(worth))
    edges = np.cumsum(list(facts["bands"].values()))
    chosen = np.array(list(facts["bands"]), dtype=object)[np.minimum(np.searchsorted(edges, rank), len(edges) - 1)]
    return np.where(properties["is_dwelling"].to_numpy(), chosen, NOTHING)


def build_places(
    facts: dict[str, Any], households: int, seed: int, as_of: date
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The areas, the streets and the properties (tenure still null) for so many occupied private homes."""
    areas = build_areas(facts, seed)
    buildings = draw_buildings(facts, households, seed)
    streets = build_streets(buildings, areas, facts, seed)
    units = units_of(buildings, seed, as_of).join(
        streets.select(
            pl.col("street_index").alias("street"),
            "usrn",
            "ward_code",
            "lsoa",
            "postcode_sector",
            "easting",
            "northing",
            "bearing",
        ),
        on="street",
        how="left",
        maintain_order="left",
    )
    units = units.sort("street", "place", "unit", maintain_order=True).rename({"street": "street_index"})
    rng = stream(seed, "uprns")
    step = (pl.col("place") * 9.0) + (pl.col("unit") > 0) * 0.5
    units = units.with_columns(
        uprn=pl.Series(UPRN_BASE + np.cumsum(rng.integers(1, 4, len(units)))),
        x=(pl.col("easting") + step * pl.col("bearing").cos()).round(2),
        y=(pl.col("northing") + step * pl.col("bearing").sin()).round(2),
    )
    latitude, longitude = latitude_longitude(units["x"].to_numpy(), units["y"].to_numpy())
    units = units.with_columns(postcode=postcodes(units), latitude=pl.Series(latitude), longitude=pl.Series(longitude))
    heads = units.filter(pl.col("unit") == 0).select("building", parent_uprn="uprn")
    firsts = units.filter(pl.col("unit") == 1).select("building", first_uprn="uprn")
    twins = units.filter(pl.col("unit") > 0).select("building", now_unit="unit", now_uprn="uprn")
    units = (
        units.join(heads, on="building", how="left", maintain_order="left")
        .join(firsts, on="building", how="left", maintain_order="left")
        .join(
            twins,
            left_on=["building", "replaced_by"],
            right_on=["building", "now_unit"],
            how="left",
            maintain_order="left",
        )
        .with_columns(
            parent_uprn=pl.when(pl.col("unit") > 0).then("parent_uprn"),
            successor_uprn=pl.when(pl.col("logical_status") == 8).then(
                pl.coalesce("now_uprn", "first_uprn", "parent_uprn")
            ),
        )
        .with_columns(tenure=pl.lit(None, dtype=pl.String))
    )
    units = units.with_columns(band=texts(bands(units, areas, facts, seed))).sort("uprn", maintain_order=True)
    return areas, streets.pipe(lambda frame: shaped("streets", frame)), units
