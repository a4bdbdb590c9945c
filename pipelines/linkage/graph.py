"""The records of people and their scored pairs as arrays, and the part of them that a purpose view may read."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from linkage_models.clustering import Constraints, Edges, Ints
from pipelines.linkage.constraints import constraints_of
from pipelines.linkage.edges import EDGE
from pipelines.people.records import RECORD
from pipelines.warehouse import Warehouse


@dataclass(frozen=True)
class Graph:
    """`records` (record_id, source) in the order of record_id; edges and constraints name them by their place."""

    records: pl.DataFrame
    edges: Edges
    constraints: Constraints

    def part(self, sources: Collection[str]) -> "Graph":
        """The graph over the records of these sources alone: what lies outside leaves no trace in it."""
        inside = self.records["source"].is_in(list(sources)).to_numpy()
        place = np.cumsum(inside) - 1

        def within(pairs: Ints) -> Ints:
            return place[pairs[inside[pairs].all(axis=1)]]

        kept = inside[self.edges.left] & inside[self.edges.right]
        edges = Edges(place[self.edges.left[kept]], place[self.edges.right[kept]], self.edges.weight[kept])
        every = self.constraints
        constraints = Constraints(
            within(every.must),
            within(every.cannot),
            every.exclusive[inside],
            every.dead_from[inside],
            every.begins[inside],
        )
        return Graph(self.records.filter(inside), edges, constraints)

    def raised(self, gained: pl.DataFrame) -> "Graph":
        """The graph with `bits` more on the pairs (record_l, record_r) of `gained`, all of which it has."""
        place = self.records.select("record_id").with_row_index("place")
        named = gained.join(place.rename({"record_id": "record_l", "place": "l"}), on="record_l").join(
            place.rename({"record_id": "record_r", "place": "r"}), on="record_r"
        )
        every = self.records.height
        known = self.edges.left.astype(np.int64) * every + self.edges.right
        wanted = named["l"].cast(pl.Int64).to_numpy() * every + named["r"].cast(pl.Int64).to_numpy()
        order = np.argsort(known, kind="stable")
        weight = self.edges.weight.copy()
        weight[order[np.searchsorted(known, wanted, sorter=order)]] += named["bits"].to_numpy()
        return replace(self, edges=replace(self.edges, weight=weight))

    def pairs(self, left: Ints, right: Ints) -> pl.DataFrame:
        """Record ids of pairs of places: record_l < record_r."""
        ids = self.records["record_id"]
        return pl.DataFrame(
            {"record_l": ids.gather(np.minimum(left, right)), "record_r": ids.gather(np.maximum(left, right))}
        )


def load_graph(wh: Warehouse) -> Graph:
    """Everyone's graph; needs EDGE and the tables of load_decisions."""
    wh.execute(
        f"""-- one row per record of a person, numbered in the order of record_id
        CREATE OR REPLACE TEMP TABLE person_node AS
        SELECT row_number() OVER (ORDER BY record_id) - 1 AS node, record_id, source FROM {RECORD} WHERE is_person"""
    )
    records = wh.frame("SELECT record_id, source FROM person_node ORDER BY node")
    edges = wh.con.execute(
        f"""-- one row per edge
        SELECT l.node AS left, r.node AS right, e.match_weight AS weight
        FROM {EDGE} e JOIN person_node l ON l.record_id = e.record_l JOIN person_node r ON r.record_id = e.record_r"""
    ).fetchnumpy()
    constraints = constraints_of(wh, "person_node")
    return Graph(records, Edges(*(np.asarray(edges[name]) for name in ("left", "right", "weight"))), constraints)
