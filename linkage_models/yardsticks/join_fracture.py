"""A join and fracture rule, as the Ministry of Justice's hmpps-person-match and hmpps-person-record practise it.

A record joins every cluster that holds a record at or above the join weight; a cluster stays while pairs at or above
the fracture weight connect it; a possible twin (same surname and birth date at one home, another forename, no number
shared) counts a fixed negative weight. Records that don't change never fracture, since all that joined lies above the
fracture weight: over one set of records the rule is the join. Scores are those of the stock script without surname term
frequency; the published weights were chosen for another model, so the best threshold is shown beside them.
"""

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import numpy as np

from linkage_models.thresholds import NAME_SIMILARITY
from linkage_models.yardsticks.components import Graph, at_threshold, best_threshold, graph, write
from linkage_models.yardsticks.stock_splink import scored, trained

JOIN, FRACTURE, POSSIBLE_TWIN = 20.0, 14.0, -5.0


def join_fracture(con: duckdb.DuckDBPyConnection, records: str, edges: str, truth: str) -> Iterator[str]:
    """At the published join weight, and at the best one."""
    predicted, seen = scored(con, trained(con, records, surname_terms=False), truth)
    seen = _without_twins(con, records, truth, seen)
    predicted.drop_table_from_database_and_remove_from_cache()
    best = best_threshold(seen)
    for title, weight in (("20, as published", JOIN), (f"best threshold ({best:g} bits)", best)):
        write(con, seen, at_threshold(seen, weight))
        yield f"join and fracture with twins rule, stock scores, join at {title}"


def _without_twins(con: duckdb.DuckDBPyConnection, records: str, truth: str, seen: Graph) -> Graph:
    """The graph with possible twins at their fixed weight."""
    twins = f"""(SELECT l.record_id AS record_l, r.record_id AS record_r, {POSSIBLE_TWIN} AS match_weight
        FROM {records} l JOIN {records} r ON l.record_id < r.record_id AND l.birth_date = r.birth_date
            AND l.surname_key = r.surname_key AND (l.home_key = r.home_key OR l.postcode = r.postcode)
        WHERE length(l.forename) > 1 AND length(r.forename) > 1 AND l.forename_root <> r.forename_root
            AND jaro_winkler_similarity(l.forename, r.forename) < {NAME_SIMILARITY}
            AND (l.nino = r.nino) IS NOT TRUE AND (l.nhs_number = r.nhs_number) IS NOT TRUE)"""
    found = graph(con, twins, truth)
    count = len(seen.names)

    def code(each: Graph) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.minimum(each.left, each.right) * count + np.maximum(each.left, each.right)

    return replace(seen, weight=np.where(np.isin(code(seen), code(found)), POSSIBLE_TWIN, seen.weight))
