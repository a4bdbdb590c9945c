"""Lists that do not show whether anybody comes twice are linked warily: only where the target precision is met, where
other pairs join as soon as they are likelier of one person than of two.

That holds for pairs that nothing but names speaks for, namesakes look the same there, and for all pairs of lists that
hold a person once each: there every other pair of its two records speaks against a pair (father and son of one name in
one home), and that most people of one list stand in the other speaks for one that has no rival. The odds of a pair are
those of the one-to-one matchings that it leaves open: its own, over those of its rivals and of both records having no
partner (as in the posterior of a bipartite matching: Sadinle, JASA 2017).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl

from linkage_models.calibration import face_value, thresholds
from linkage_models.clustering import Floats, Ints
from linkage_models.person.designs import GENERAL
from linkage_models.person.records import IS_HOME
from linkage_models.thresholds import FITS_AS_WELL, MOST_IN_BOTH
from pipelines.linkage.certainty import calibration_of, design_of
from pipelines.linkage.graph import Graph
from pipelines.people.records import RECORD
from pipelines.people.repeats import REPEATS
from pipelines.warehouse import Warehouse

WARY = "identity.linkage.wary"
COLUMNS = (
    "view VARCHAR, record_l VARCHAR, record_r VARCHAR, bits DOUBLE, bar DOUBLE, rivals BIGINT, match_weight DOUBLE"
)
# What tells namesakes apart, a bit each: two records that have none in common are of names alone.
_TELLING = (
    "birth_date IS NOT NULL AND NOT weak_birth_date",
    IS_HOME,
    *(f"{column} IS NOT NULL" for column in ("nino", "nhs_number", "person_number", "phone", "email")),
)
_TOLD = " + ".join(f"CASE WHEN {held} THEN {1 << place} ELSE 0 END" for place, held in enumerate(_TELLING))


def silent_lists(wh: Warehouse) -> list[str]:
    """The lists whose records do not show whether anybody comes twice (REPEATS), where the model is of records of any
    origin."""
    if not wh.exists(REPEATS) or design_of(wh) is not GENERAL:
        return []
    return [
        source for (source,) in wh.rows(f"SELECT source FROM {REPEATS} WHERE is_list AND is_silent ORDER BY source")
    ]


def warily(wh: Warehouse, view: str, graph: Graph, lists: Sequence[str], target: float, stop: float) -> Graph:
    """The graph of a view, whole, with other weights on pairs of silent `lists`: so that `stop` joins those that reach
    the target precision together, and no others. Adds these pairs to WARY."""
    if graph.records["source"].is_in(lists).sum() == 0:
        return graph
    told = wh.frame(
        f"SELECT record_id, {_TOLD} AS told, coalesce(one_person_key = source, false) AS once FROM {RECORD}"
    )
    records = graph.records.join(told, on="record_id", how="left", maintain_order="left")
    source = records["source"].rank("dense").cast(int).to_numpy() - 1
    silent, once, tells = records["source"].is_in(lists).to_numpy(), *(records[x].to_numpy() for x in ("once", "told"))
    left, right, code = graph.edges.left, graph.edges.right, graph.constraints.exclusive
    open_pair = (silent[left] | silent[right]) & ~((code[left] == code[right]) & (code[left] >= 0))
    between = open_pair & once[left] & once[right]
    weight = graph.edges.weight.copy()
    odds = calibration_of(wh).odds(weight)
    weight[between] = beside_rivals(left[between], right[between], odds[between], source)
    wary = open_pair & (between | (tells[left] & tells[right] == 0))
    bar = max(thresholds(face_value(), weight[wary], target).link, stop)
    rivals = np.zeros(len(weight), dtype=np.int64)
    rivals[between] = fitting_as_well(left[between], right[between], odds[between], source)
    shown = graph.pairs(left[wary], right[wary]).with_columns(
        bits=pl.Series(weight[wary]), bar=pl.lit(bar), rivals=pl.Series(rivals[wary])
    )
    # what is too little to join two neither speaks against what other records of theirs say
    short = wary & ~between & (weight <= bar)
    weight[short] = np.minimum(weight[short], stop)
    weight[wary & ~short] -= bar - stop
    with wh.given(shown.with_columns(match_weight=pl.Series(weight[wary]))):
        wh.execute(f"CREATE TABLE IF NOT EXISTS {WARY} ({COLUMNS})")
        wh.execute(f"INSERT INTO {WARY} SELECT ?, * FROM given", [view])
    return replace(graph, edges=replace(graph.edges, weight=weight))


def beside_rivals(left: Ints, right: Ints, odds: Floats, source: Ints) -> Floats:
    """Log2 odds of pairs, each of records of two sources that hold a person once: `odds` are those by their own records
    alone, `source` is a number of each record's source."""
    sources = int(source.max()) + 1
    own = np.exp2(np.clip(odds, -40, 40))
    one, other = _ends(left, right, source)
    rivals = sum(np.bincount(end, own)[end] - own for end in (one, other))
    way = np.minimum(source[left], source[right]) * sources + np.maximum(source[left], source[right])
    matches, records = np.bincount(way, own / (1 + own))[way], np.bincount(source)
    alone = np.prod([1 - np.minimum(matches / records[source[end]], MOST_IN_BOTH) for end in (left, right)], axis=0)
    return np.asarray(np.log2(own) - np.log2(np.maximum(rivals, 0) + alone))


def fitting_as_well(left: Ints, right: Ints, odds: Floats, source: Ints) -> Ints:
    """Of each such pair how many others of one of its records and the other's list weigh about as much, or more."""
    found = np.zeros(len(odds), dtype=np.int64)
    apart, own = 1000.0, np.clip(odds, -40, 40)
    for end in _ends(left, right, source):
        ordered = np.sort(end * apart + own)
        least, beyond = end * apart + own - FITS_AS_WELL, (end + 0.5) * apart
        found += np.searchsorted(ordered, beyond) - np.searchsorted(ordered, least) - 1
    return found


class Wary(NamedTuple):
    """What a pair of lists that do not show who comes twice counts, in bits, and must reach; how many fit as well."""

    bits: float
    bar: float
    rivals: int


def wary_pair(wh: Warehouse, view: str, left: str, right: str, catalog: str) -> Wary | None:
    """What is asked of a pair in a view, if it is one of such lists."""
    table = WARY.replace("identity", catalog, 1)
    if not wh.exists(table):
        return None
    at = "view = ? AND record_l = least(?, ?) AND record_r = greatest(?, ?)"
    found = wh.rows(f"SELECT bits, bar, rivals FROM {table} WHERE {at}", [view, left, right, left, right])
    return Wary(*found[0]) if found else None


def _ends(left: Ints, right: Ints, source: Ints) -> tuple[Ints, Ints]:
    """Numbers of what pairs compete for: a record, as the partner of one of another list."""
    sources = int(source.max()) + 1
    one, other = (np.unique(a * sources + source[b], return_inverse=True)[1] for a, b in ((left, right), (right, left)))
    return one, other
