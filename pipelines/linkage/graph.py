"""The records of people and their scored pairs as arrays, and the part of them that a purpose view may read."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from linkage_models.clustering import Bools, Edges, Floats, Ints, components
from linkage_models.constraints import Constraints
from linkage_models.merging import STEPS
from linkage_models.person.company import FIRST, HOME
from linkage_models.person.records import numbered_records
from pipelines.linkage.constraints import constraints_of
from pipelines.people.records import RECORD
from pipelines.view_edges import EDGE, OTHERWISE
from pipelines.warehouse import Warehouse

# Temporary tables of a run: records and edges by the places of the graph.
NODE, NODE_EDGE = "person_node", "person_node_edge"


@dataclass(frozen=True)
class Graph:
    """`records` (record_id, source, anew: to be clustered) in the order of record_id; edges, in order, and constraints
    name them by their place."""

    records: pl.DataFrame
    edges: Edges
    constraints: Constraints

    def part(self, sources: Collection[str]) -> "Graph":
        """The graph over the records of these sources alone: what lies outside leaves no trace in it."""
        return self.among(self.records["source"].is_in(list(sources)).to_numpy())

    def among(self, chosen: Bools) -> "Graph":
        """The graph over the chosen records alone."""
        if chosen.all():
            return self
        place = np.cumsum(chosen) - 1

        def within(pairs: Ints) -> Ints:
            return place[pairs[chosen[pairs].all(axis=1)]]

        kept = chosen[self.edges.left] & chosen[self.edges.right]
        edges = Edges(place[self.edges.left[kept]], place[self.edges.right[kept]], self.edges.weight[kept])
        every = self.constraints
        constraints = Constraints(
            within(every.must),
            within(every.cannot),
            every.exclusive[chosen],
            every.dead_from[chosen],
            every.begins[chosen],
        )
        return Graph(self.records.filter(chosen), edges, constraints)

    def raised(self, left: Ints, right: Ints, bits: Floats) -> "Graph":
        """The graph with `bits` more on the pairs of places `left`, `right`, all of which it has."""
        weight = self.edges.weight.copy()
        every = self.records.height
        weight[np.searchsorted(self.edges.left * every + self.edges.right, left * every + right)] += bits
        return replace(self, edges=replace(self.edges, weight=weight))

    def without(self, left: Ints, right: Ints) -> "Graph":
        """The graph without the edges of these pairs of places."""
        every = self.records.height
        kept = ~np.isin(self.edges.left * every + self.edges.right, left * every + right)
        edges = Edges(self.edges.left[kept], self.edges.right[kept], self.edges.weight[kept])
        return replace(self, edges=edges)

    def pairs(self, left: Ints, right: Ints) -> pl.DataFrame:
        """Record ids of pairs of places: record_l < record_r."""
        ids = self.records["record_id"]
        return pl.DataFrame(
            {"record_l": ids.gather(np.minimum(left, right)), "record_r": ids.gather(np.maximum(left, right))}
        )


def write_nodes(wh: Warehouse, among: str | None = None) -> None:
    """Write the temporary tables NODE and NODE_EDGE: the records of people in a query of RECORD and `anew`, whether
    they are to be clustered anew, without one all of them; and the edges among them; needs EDGE."""
    records = f"(FROM ({among or f'SELECT *, true AS anew FROM {RECORD}'}) WHERE is_person)"
    numbered = numbered_records(wh.con, records, "node", of_one_table=not among)
    wh.execute(
        f"""-- one row per record of a person, numbered in the order of record_id
        CREATE OR REPLACE TEMP TABLE {NODE} AS
        SELECT node, record_id, source, anew, {HOME} AS home, {FIRST} AS first, surname_key, from_date, to_date,
            death_date, last_begun, CASE WHEN one_person_key IS NOT NULL THEN hash(one_person_key) END AS one_person
        FROM {numbered}"""
    )
    gammas = "".join(f", e.{name}" for name in ("gamma_home", "gamma_move") if name in wh.columns(EDGE))
    wh.execute(
        f"""-- one row per edge
        CREATE OR REPLACE TEMP TABLE {NODE_EDGE} AS
        WITH known AS NOT MATERIALIZED (  -- by 64-bit hashes: quicker to join by than names
            SELECT node, home, first, hash(record_id) AS h FROM {NODE}
        )
        SELECT l.node AS record_l, r.node AS record_r, e.match_weight{gammas}, l.home AS home_l, r.home AS home_r,
            l.first AS first_l, r.first AS first_r
        FROM {EDGE} e JOIN known l ON l.h = hash(e.record_l) JOIN known r ON r.h = hash(e.record_r)"""
    )


def left_out(wh: Warehouse, view: str) -> str | None:
    """Query of the edges of NODE_EDGE (record_l, record_r) that a view does not compare; None where it compares all."""
    if not wh.exists(OTHERWISE):
        return None
    return (
        f"SELECT l.node AS record_l, r.node AS record_r FROM {OTHERWISE} o JOIN {NODE} l ON l.record_id = o.record_l"
        f" JOIN {NODE} r ON r.record_id = o.record_r WHERE o.rules = 0 AND o.view = '{view}'"
    )


def load_graph(wh: Warehouse, raised: str, stop: float, least: float) -> Graph:
    """The graph of NODE and of the edges of NODE_EDGE that decide anything; needs the tables of load_decisions.

    `raised` is a query of the edges (record_l, record_r, by places) that may weigh more in a view; from the weight
    `least` on one makes a question or counts towards a threshold. A weaker one is only ever evidence between two groups
    that a stronger one lies between: both its records lie in one component of edges above `stop`, raised ones and
    must-links, and one of them may join another record.
    """
    records = wh.frame(f"SELECT record_id, source, anew FROM {NODE} ORDER BY node")
    constraints = constraints_of(wh, NODE)
    above = stop - 1 / STEPS  # as clustering rounds
    joining = f"SELECT record_l, record_r, false AS gains FROM {NODE_EDGE} WHERE match_weight > {above!r}"
    joining += f" UNION ALL SELECT record_l, record_r, true FROM ({raised})"
    joined = wh.con.execute(joining).fetchnumpy()
    ends = [np.asarray(joined[name], dtype=np.int64) for name in ("record_l", "record_r")]
    code, may_join = constraints.exclusive, np.zeros(records.height, dtype=np.bool_)
    free = (code[ends[0]] < 0) | (code[ends[0]] != code[ends[1]]) | np.asarray(joined["gains"])
    for place, end in enumerate(ends):
        may_join[end[free]] = True
        may_join[constraints.must[:, place]] = True
    left, right = (np.concatenate([end, constraints.must[:, place]]) for place, end in enumerate(ends))
    part = components(records.height, left, right)
    several = np.flatnonzero(np.bincount(part)[part] > 1)
    with wh.given(pl.DataFrame({"node": several, "part": part[several], "joins": may_join[several]})):
        edges = wh.con.execute(
            f"""SELECT record_l, record_r, match_weight FROM {NODE_EDGE}
            LEFT JOIN given l ON l.node = record_l LEFT JOIN given r ON r.node = record_r
            WHERE match_weight >= '{least}'::DOUBLE OR (l.part = r.part AND (l.joins OR r.joins))"""
        ).fetchnumpy()
    order = np.argsort(edges["record_l"] * records.height + edges["record_r"])  # far quicker than to sort the table
    left, right, weight = (np.asarray(edges.pop(name))[order] for name in ("record_l", "record_r", "match_weight"))
    return Graph(records, Edges(left, right, weight), constraints)
