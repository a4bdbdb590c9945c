"""Connected components of scored pairs, as stock Splink clusters; and the threshold at which they do best."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from linkage_models.clustering import Floats, Ints, components

# Match weights tried for the best threshold.
GRID = tuple(float(weight) for weight in range(-2, 31))


@dataclass(frozen=True)
class Graph:
    """Records 0..n-1 in the order of `names`, their true persons (-1 where not known) and the scored pairs."""

    names: list[str]
    person: Ints
    left: Ints
    right: Ints
    weight: Floats


def graph(con: duckdb.DuckDBPyConnection, edges: str, truth: str) -> Graph:
    """`edges` (record_l, record_r, match_weight) between the records of `truth` (record_id, person_id)."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE graph_node AS SELECT row_number() OVER (ORDER BY record_id) - 1 AS node,
            record_id, dense_rank() OVER (ORDER BY person_id) - 1 AS person FROM {truth}"""
    )
    nodes = con.execute("SELECT record_id, person FROM graph_node ORDER BY node").fetchnumpy()
    found = con.execute(
        f"""SELECT l.node AS left, r.node AS right, e.match_weight AS weight FROM {edges} e
        JOIN graph_node l ON l.record_id = e.record_l JOIN graph_node r ON r.record_id = e.record_r"""
    ).fetchnumpy()
    con.execute("DROP TABLE graph_node")
    left, right, weight = (np.asarray(found[name]) for name in ("left", "right", "weight"))
    return Graph(nodes["record_id"].tolist(), np.asarray(nodes["person"]), left, right, weight)


def at_threshold(seen: Graph, threshold: float) -> Ints:
    """The cluster of every record: components of the pairs at or above a match weight."""
    chosen = seen.weight >= threshold
    return components(len(seen.names), seen.left[chosen], seen.right[chosen])


def best_threshold(seen: Graph) -> float:
    """The threshold of GRID whose components have the highest pair F1 against the truth; the lowest of equals."""
    return max(GRID, key=lambda threshold: (pair_f1(at_threshold(seen, threshold), seen.person), -threshold))


def pair_f1(cluster: Ints, person: Ints) -> float:
    """F1 of the pairs of a clustering."""
    both = np.unique(cluster * (person.max(initial=0) + 1) + person, return_counts=True)[1]
    right, found, true = (float((n * (n - 1) // 2).sum()) for n in (both, np.bincount(cluster), np.bincount(person)))
    return 2 * right / (found + true) if found + true else 0.0


def write(con: duckdb.DuckDBPyConnection, seen: Graph, cluster: Ints) -> None:
    """Write the temporary table yardstick_cluster."""
    con.register("yardstick_label", pl.DataFrame({"record_id": seen.names, "cluster": cluster}))
    con.execute("CREATE OR REPLACE TEMP TABLE yardstick_cluster AS SELECT record_id, cluster FROM yardstick_label")
    con.unregister("yardstick_label")


def our_components(con: duckdb.DuckDBPyConnection, records: str, edges: str, truth: str) -> Iterator[str]:
    """Our own scores, clustered as stock Splink would: what the clustering adds."""
    seen = graph(con, edges, truth)
    best = best_threshold(seen)
    for title, threshold in (("best threshold", best), ("probability 0.99", float(np.log2(99.0)))):
        write(con, seen, at_threshold(seen, threshold))
        yield f"our scores, connected components at {title}" + (f" ({best:g} bits)" if threshold == best else "")
