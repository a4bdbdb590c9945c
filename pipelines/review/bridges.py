"""The weakest link that carries a person: the weakest edge of the maximum spanning tree of their scored pairs."""

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

SCHEMA = {
    "person_id": pl.String,
    "record_l": pl.String,
    "record_r": pl.String,
    "match_weight": pl.Float64,
    "match_probability": pl.Float64,
    "smaller_side": pl.Int64,
}


def weakest_bridges(edges: pl.DataFrame) -> pl.DataFrame:
    """One row a person with a link inside: the link, and how many records hang on its smaller side.

    `edges` has person_id, record_l, record_r, match_weight, match_probability: pairs inside one person. The spanning
    tree takes the strongest links that connect; its weakest one is where the person would break first.
    """
    if edges.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    edges = edges.sort("record_l", "record_r", "match_weight").unique(
        ["record_l", "record_r"], keep="last", maintain_order=True
    )
    names = pl.concat([edges["record_l"], edges["record_r"]]).unique().sort()
    place = pl.DataFrame({"record": names, "place": np.arange(len(names))})
    left = edges.join(place, left_on="record_l", right_on="record", how="left", maintain_order="left")[
        "place"
    ].to_numpy()
    right = edges.join(place, left_on="record_r", right_on="record", how="left", maintain_order="left")[
        "place"
    ].to_numpy()
    weight = edges["match_weight"].to_numpy()
    cost = weight.max() - weight + 1.0  # a tree of least cost is one of greatest weight; zero would mean no link
    shape = (len(names), len(names))
    tree = minimum_spanning_tree(coo_array((cost, (left, right)), shape=shape).tocsr()).tocoo()
    chosen = pl.DataFrame({"left": tree.row.astype(np.int64), "right": tree.col.astype(np.int64), "kept": True})
    carried = (
        edges.with_columns(pl.Series("left", left.astype(np.int64)), pl.Series("right", right.astype(np.int64)))
        .join(chosen, on=["left", "right"], how="inner", maintain_order="left")
        .sort("person_id", "match_weight", "record_l", "record_r")
    )
    weakest = carried.unique("person_id", keep="first", maintain_order=True)
    rest = carried.join(weakest.select("record_l", "record_r"), on=["record_l", "record_r"], how="anti")
    sides = connected_components(
        coo_array((np.ones(len(rest)), (rest["left"].to_numpy(), rest["right"].to_numpy())), shape=shape),
        directed=False,
    )[1]
    sizes = np.bincount(sides)
    smaller = np.minimum(sizes[sides[weakest["left"].to_numpy()]], sizes[sides[weakest["right"].to_numpy()]])
    return weakest.with_columns(pl.Series("smaller_side", smaller.astype(np.int64))).select(list(SCHEMA))
