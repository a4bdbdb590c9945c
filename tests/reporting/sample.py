"""Made-up figures of a run, in the proportions of a whole borough."""

from datetime import date

from pipelines.reporting.figures import Figures, Part
from pipelines.reporting.rows import (
    AddressMatch,
    Backtest,
    ClusterSize,
    Coverage,
    Fault,
    FlaggedPairs,
    LeftOut,
    LinkBand,
    Overlap,
    Refusal,
    Release,
    Remark,
    Residents,
    ReviewItems,
    RiskTier,
    Score,
    SeenPopulation,
    SourceTable,
    Step,
    View,
    Ward,
)

DAY = date(2026, 10, 31)
TABLES = {
    "llpg": {"blpu": 104_311, "lpi": 131_870, "dpa": 92_004, "xref": 188_402, "onsud": 98_870, "lsoa": 108},
    "council_tax": {
        "ctaccount": 121_433,
        "ctproperty": 86_210,
        "ctoccupation": 121_433,
        "ctliable": 188_740,
        "ctdiscount": 41_906,
    },
    "benefits": {"hbclaim": 21_044, "hbhousehold": 24_480, "hbmember": 45_390},
    "housing": {"tenagree": 9_870, "member": 19_406, "property": 6_301},
    "electoral_register": {"register": 128_602},
    "adult_social_care": {"cld": 25_480},
    "deaths": {"deaths": 3_912},
}
RECORDS = {
    "council_tax": (188_112, 141_220),
    "benefits": (45_390, 41_204),
    "housing": (19_406, 17_830),
    "electoral_register": (128_480, 124_990),
    "adult_social_care": (5_040, 4_985),
    "deaths": (3_912, 3_880),
}
PERSONS = 176_204
METHODS = {
    "council_tax": (61_040, 22_310, 1_804, 402, 410, 244),
    "benefits": (8_120, 9_904, 4_380, 1_110, 806, 160),
    "housing": (5_020, 990, 210, 31, 50, 0),
    "electoral_register": (74_010, 42_800, 8_640, 1_490, 1_540, 122),
    "adult_social_care": (0, 0, 0, 0, 0, 0, 5_040),
    "deaths": (0, 2_402, 1_106, 188, 216, 0),
}


def figures() -> Figures:
    """A run of the whole borough with every part there."""
    names = list(RECORDS)
    overlap = [
        Overlap(
            a,
            b,
            RECORDS[a][1]
            if a == b
            else int(min(RECORDS[a][1], RECORDS[b][1]) * (0.08 + 0.13 * ((len(a) * len(b)) % 6))),
        )
        for a in names
        for b in names
    ]
    return Figures(
        run_id="20261101T023004-5f0a1c",
        as_of=DAY,
        council="Southend-on-Sea City Council",
        synthetic=True,
        titles={"llpg": "Address gazetteer (LLPG)"},
        sources=Part(
            tuple(
                SourceTable(source, table, DAY, rows, (rows * (len(table) % 4)) // 4000)
                for source, tables in TABLES.items()
                for table, rows in tables.items()
            )
        ),
        refusals=Part(
            (Refusal("housing", date(2026, 11, 30), "the manifest counts 19,800 rows, the file holds 11,204"),)
        ),
        remarks=Part((Remark("electoral_register", DAY, "register: 61 rows left out: anonymous electors"),)),
        faults=Part(
            (
                Fault("electoral_register", "register", None, "row", "duplicate key", 118),
                Fault("council_tax", "ctliable", "liab_dob", "value", "not a date", 412),
                Fault("council_tax", "ctdiscount", None, "row", "key is empty", 9),
                Fault("adult_social_care", "cld", "unit_cost", "value", "not a number", 37),
            )
        ),
        scorecard=Part(tuple(_scores())),
        addresses=Part(
            tuple(
                AddressMatch(source, method, count)
                for source, counts in METHODS.items()
                for method, count in zip(
                    ("given", "cross_reference", "normalised_key", "splink", "ambiguous", "unmatched", "no_address"),
                    counts,
                    strict=False,
                )
                if count
            )
        ),
        links=Part(
            tuple(LinkBand("model", band, 1200 + 38 * abs(band - 14) ** 2) for band in range(-8, 44, 4))
            + tuple(LinkBand("deterministic", band, 400 * (band // 4)) for band in range(12, 44, 4))
        ),
        views=Part(
            (
                View("data_quality", 390_340, PERSONS, 77_120),
                View("fraud", 385_300, 174_911, 76_804),
                View("risk", 257_948, 151_020, 74_950),
            )
        ),
        residents=Part((Residents("data_quality", "resident", 131_240), Residents("data_quality", "left", 21_307))),
        wards=Part(
            (Ward("Milton", 11_694, 9_355.2, 11_040.4, 11_694.0), Ward("Thorpe", 9_117, 7_750.0, 9_200.0, 9_117.0))
        ),
        seen_population=Part(
            (
                SeenPopulation("data_quality", 20_811, 17_105.2, 0.2, 0.056),
                SeenPopulation("fraud", 20_811, 9_000.0, 0.7, 0.1),
            )
        ),
        cluster_sizes=Part(
            tuple(
                ClusterSize(view, size, int(scale * count))
                for view, scale in (("data_quality", 1), ("fraud", 0.98), ("risk", 0.85))
                for size, count in zip(
                    range(1, 9), (61_204, 60_990, 31_411, 13_006, 6_020, 2_390, 811, 372), strict=True
                )
            )
        ),
        coverage=Part(
            tuple(
                Coverage(source, records, persons, persons / PERSONS) for source, (records, persons) in RECORDS.items()
            )
        ),
        overlap=Part(tuple(overlap)),
        flagged=Part(
            (
                FlaggedPairs("spd_second_adult", "high", 612, 79_000.0),
                FlaggedPairs("spd_second_adult", "medium", 1_480, 63_200.0),
                FlaggedPairs("spd_second_adult", "low", 902, 5_800.0),
                FlaggedPairs("spd_second_adult", "explained", 1_733, 0.0),
                FlaggedPairs("two_tenancies", "high", 21, 352_000.0),
                FlaggedPairs("two_tenancies", "medium", 14, 88_200.0),
                FlaggedPairs("two_tenancies", "low", 33, 27_000.0),
                FlaggedPairs("two_tenancies", "explained", 40, 0.0),
                FlaggedPairs("tenancy_elsewhere", "high", 40, 420_000.0),
                FlaggedPairs("tenancy_elsewhere", "medium", 66, 221_000.0),
                FlaggedPairs("tenancy_elsewhere", "low", 120, 50_000.0),
                FlaggedPairs("deceased", "high", 55, 160_000.0),
                FlaggedPairs("deceased", "medium", 31, 42_000.0),
                FlaggedPairs("deceased", "low", 70, 9_900.0),
                FlaggedPairs("deceased", "explained", 210, 0.0),
            )
        ),
        review=Part(
            (
                ReviewItems("weak bridge", 2_140),
                ReviewItems("uncertain pair", 310),
                ReviewItems("something new", 42),
            )
        ),
        risk=Part(
            (RiskTier("very_high", 7_551, 0.05), RiskTier("high", 22_653, 0.15), RiskTier("standard", 120_816, 0.8))
        ),
        backtest=Part((Backtest("home_care_start", 148_220, 612, 0.874, 0.8, 0.48, 0.04),)),
        releases=Part((Release("risk_stratification", "risk", 150_811, 209, 10, 11),)),
        left_out=Part((LeftOut("council tax arrears in the risk scorecard", "no source provides the fact `debt`"),)),
        steps=Part(
            tuple(
                Step(step, seconds, seconds * 1.6, int(memory * 1e9))
                for step, seconds, memory in (
                    ("sources/council_tax", 9.2, 0.71),
                    ("sources/llpg", 8.1, 0.82),
                    ("sources/electoral_register", 4.4, 0.80),
                    ("facts", 5.0, 1.10),
                    ("places/gazetteer", 3.7, 1.21),
                    ("places/address_uprn", 12.6, 1.90),
                    ("people/record", 6.2, 1.72),
                    ("linkage/edges", 19.8, 2.95),
                    ("linkage/persons", 8.0, 2.60),
                    ("fraud/flagged_pairs", 3.3, 2.10),
                    ("risk/tiers", 2.1, 2.05),
                    ("reporting/publish", 4.0, 2.00),
                )
            )
        ),
    )


def _scores() -> list[Score]:
    found = []
    for place, (source, tables) in enumerate(TABLES.items()):
        rows = sum(tables.values())
        for turn, principle in enumerate(("accurate", "valid", "reliable", "timely", "relevant", "complete")):
            rules = 2 + (place * turn) % 7
            warnings = 1 if (place + turn) % 5 == 4 else 0
            critical = 1 if source == "housing" and principle == "reliable" else 0
            if source == "deaths" and principle == "accurate":
                found.append(Score(source, principle, 0, 0, 0, "not judged", None, ()))
                continue
            faults = (f"A made-up rule of {principle} data. Not so in 1,870 of {rows:,} rows.",) * (warnings + critical)
            state, score = (
                "fails" if critical else "warns" if warnings else "holds",
                100 - 3.4 * warnings - 9.1 * critical,
            )
            found.append(Score(source, principle, rules, critical, warnings, state, score, faults))
    return found
