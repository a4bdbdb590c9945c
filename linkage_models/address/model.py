"""The Splink model of addresses: what is compared, which pairs are made, and its pinned weights.

weights.json was counted on an invented borough; `python -m benchmarks.address_weights` counts it anew.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from splink import SettingsCreator, block_on

#: Comparison levels, best first: (label, condition). The condition of `NULL` levels says nothing either way.
COMPARISONS: dict[str, list[tuple[str, str]]] = {
    "number": [
        ("NULL", "number_l = '' AND number_r = ''"),
        ("equal", "number_l = number_r AND number_end_l = number_end_r"),
        ("missing on one side", "number_l = '' OR number_r = ''"),
        ("inside a range", "number_l = number_r OR number_l = number_end_r OR number_end_l = number_r"),
        ("suffix differs", "regexp_extract(number_l, '^[0-9]+') = regexp_extract(number_r, '^[0-9]+')"),
        ("different", "ELSE"),
    ],
    "unit": [
        ("NULL", "unit_l IS NULL OR unit_r IS NULL"),
        ("equal", "unit_l = unit_r AND unit_l <> ''"),
        ("none", "unit_l = '' AND unit_r = ''"),
        ("a bare word in the source", "unit_r = '' AND unit_kind_l = 'word'"),
        ("only in the source", "unit_r = ''"),
        ("only in the gazetteer", "unit_l = ''"),
        ("named another way", "unit_kind_l <> unit_kind_r"),
        ("different", "ELSE"),
    ],
    "building": [
        ("NULL", "building_l = '' OR building_r = ''"),
        ("equal", "building_l = building_r"),
        ("similar", "jaro_winkler_similarity(building_l, building_r) >= 0.9 OR contains(building_l, building_r)"),
        ("different", "ELSE"),
    ],
    "street": [
        ("NULL", "street_l = '' OR street_r = ''"),
        ("equal", "street_l = street_r"),
        ("held by the text", "contains(' ' || street_l || ' ', ' ' || street_r || ' ')"),
        (
            "nearly equal",
            "damerau_levenshtein(street_l, street_r) <= 2 OR jaro_winkler_similarity(street_l, street_r) >= 0.94",
        ),
        ("nearly equal with the building", "jaro_winkler_similarity(line_l, line_r) >= 0.92"),
        (
            "similar",
            "jaro_winkler_similarity(street_l, street_r) >= 0.85 OR starts_with(street_l, street_r) "
            "OR starts_with(street_r, street_l)",
        ),
        ("different", "ELSE"),
    ],
    "postcode": [
        ("NULL", "postcode_l IS NULL OR postcode_r IS NULL"),
        ("equal", "postcode_l = postcode_r"),
        ("one slip", "damerau_levenshtein(postcode_l, postcode_r) <= 1"),
        ("same sector", "postcode_l[:-3] = postcode_r[:-3]"),
        ("same district", "split_part(postcode_l, ' ', 1) = split_part(postcode_r, ' ', 1)"),
        ("different", "ELSE"),
    ],
}
#: the block_ columns are null where the part is empty: nothing never blocks with nothing.
BLOCKING = [
    block_on("postcode", "block_number"),
    block_on("street", "block_number"),
    block_on("block_number", "rare_word"),
    block_on("postcode", "block_unit"),
    block_on("block_building", "unit"),
]


@cache
def weights() -> dict[str, Any]:
    """The pinned probabilities of each comparison level: m among matches, u at random."""
    return json.loads(files(__package__).joinpath("weights.json").read_text("utf-8"))


def _comparison(name: str) -> dict[str, Any]:
    pinned = weights()["comparisons"][name]
    levels: list[dict[str, Any]] = []
    for label, condition in COMPARISONS[name]:
        level: dict[str, Any] = {"sql_condition": condition, "label_for_charts": label}
        if label == "NULL":
            level["is_null_level"] = True
        else:
            level["m_probability"], level["u_probability"] = pinned[label]
        levels.append(level)
    return {"output_column_name": name, "comparison_levels": levels}


def settings(homes: int) -> SettingsCreator:
    """Splink settings of the link from source addresses to the wordings of so many homes; the prior is one in them."""
    return SettingsCreator(
        link_type="link_only",
        unique_id_column_name="text_id",
        probability_two_random_records_match=1 / max(homes, 2),
        comparisons=[_comparison(name) for name in COMPARISONS],
        blocking_rules_to_generate_predictions=BLOCKING,
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )
