"""Who owns or lets each dwelling: social homes stand together, converted houses are mostly let."""

from typing import Any

import numpy as np
import polars as pl

from synthetic_data.frames import NOTHING, texts
from synthetic_data.randomness import stream, weighted_rows


def tenures(units: pl.DataFrame, facts: dict[str, Any], seed: int) -> pl.Series:
    """Tenure of each dwelling: whole terraces and blocks are social, ownership falls with deprivation."""
    rng = stream(seed, "tenures")
    wards = facts["wards"]
    codes = units["ward_code"].to_list()
    social = np.array([wards[c][5] for c in codes]) / 100 * 1.13
    private = np.array([wards[c][6] for c in codes]) / 100
    kind = units["kind"].to_numpy()
    factor_social = np.where(kind == "flat", 2.6, np.where(kind == "converted_flat", 0.15, 0.72))
    factor_private = np.where(kind == "flat", 0.95, np.where(kind == "converted_flat", 1.9, 0.72))
    cluster = units["street_index"].to_numpy() * 8 + units["place"].to_numpy() // 12
    of_building = np.where(kind == "flat", units["building"].to_numpy() + 10_000_000, cluster)
    keys, inverse = np.unique(of_building, return_inverse=True)
    estate = rng.random(len(keys))[inverse]  # shared by neighbours, so whole terraces and blocks are social
    chance = np.minimum(social * factor_social, 0.9)
    is_social = estate < chance * 0.97
    bought = is_social & (rng.random(len(units)) < 0.10)  # right to buy
    is_social = (is_social & ~bought) | (rng.random(len(units)) < chance * 0.10)
    landlord = rng.random(len(keys))[inverse] < facts["social_split"]["council"]
    open_market = np.maximum(1 - chance, 0.05)
    p_private = np.clip(private * factor_private / open_market, 0.02, 0.92)
    p_owner = 1 - p_private
    outright = facts["ownership"]["owned"] * np.where(
        np.isin(units["class_code"].to_numpy(), ["RD02", "RD03"]), 1.12, 0.8
    )
    pick = weighted_rows(
        rng,
        np.column_stack(
            [p_owner * outright, p_owner * (1 - outright), p_private, np.full(len(units), facts["rent_free"])]
        ),
    )
    market = np.array(["owned", "mortgage", "private_rent", "rent_free"], dtype=object)[pick]
    tenure = np.where(is_social, np.where(landlord, "council", "housing_association"), market)
    tenure = np.where(kind == "hmo", "private_rent", tenure)
    # even a tiny borough has enough council homes for every kind of tenancy
    fewest = min(24, int((kind != "hmo").sum()) // 4)
    candidates = np.flatnonzero(units["is_dwelling"].to_numpy() & (kind != "hmo") & (tenure != "council"))
    missing = max(0, fewest - int((tenure == "council").sum()))
    tenure[candidates[:: max(1, len(candidates) // max(1, missing))][:missing]] = "council"
    return texts(np.where(units["is_dwelling"].to_numpy(), tenure, NOTHING)).alias("tenure")
