"""Lists that do not show whether anybody comes twice are linked warily: only where the target precision is met, where
other pairs join as soon as they are likelier of one person than of two.

That holds for pairs that nothing but names speaks for, namesakes look the same there, and for all pairs of lists that
hold a person once each: there every other pair of its two records speaks against a pair (father and son of one name in
one home), and that most people of one list stand in the other speaks for one that has no rival. The odds of a pair are
those of the one-to-one matchings that it leaves open: its own, over those of its rivals and of both records having no
partner (as in the posterior of a bipartite matching: Sadinle, JASA 2017).
"""

from dataclasses import replace

import numpy as np

from linkage_models.calibration import face_value, thresholds
from linkage_models.clustering import Floats, Ints
from linkage_models.person.designs import GENERAL
from linkage_models.person.records import IS_HOME
from linkage_models.thresholds import MOST_IN_BOTH
from pipelines.linkage.certainty import calibration_of
from pipelines.linkage.edges import MODEL
from pipelines.linkage.graph import Graph
from pipelines.people.records import RECORD
from pipelines.people.repeats import REPEATS
from pipelines.warehouse import Warehouse

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
    if not wh.exists(REPEATS) or wh.scalar(f"SELECT body ->> 'design' FROM {MODEL}") != GENERAL.name:
        return []
    return [
        source for (source,) in wh.rows(f"SELECT source FROM {REPEATS} WHERE is_list AND is_silent ORDER BY source")
    ]


def warily(wh: Warehouse, graph: Graph, target: float, stop: float) -> Graph:
    """The graph of a view, whole, with other weights on pairs of silent lists: so that `stop` joins those that reach
    the target precision together, and no others."""
    lists = silent_lists(wh)
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
    bar = thresholds(face_value(), weight[wary], target).link
    weight[wary] -= max(bar - stop, 0.0)
    return replace(graph, edges=replace(graph.edges, weight=weight))


def beside_rivals(left: Ints, right: Ints, odds: Floats, source: Ints) -> Floats:
    """Log2 odds of pairs, each of records of two sources that hold a person once: `odds` are those by their own records
    alone, `source` is a number of each record's source."""
    sources = int(source.max()) + 1
    own = np.exp2(np.clip(odds, -40, 40))
    one, other = (np.unique(a * sources + source[b], return_inverse=True)[1] for a, b in ((left, right), (right, left)))
    rivals = sum(np.bincount(end, own)[end] - own for end in (one, other))
    way = np.minimum(source[left], source[right]) * sources + np.maximum(source[left], source[right])
    matches, records = np.bincount(way, own / (1 + own))[way], np.bincount(source)
    alone = np.prod([1 - np.minimum(matches / records[source[end]], MOST_IN_BOTH) for end in (left, right)], axis=0)
    return np.asarray(np.log2(own) - np.log2(np.maximum(rivals, 0) + alone))
