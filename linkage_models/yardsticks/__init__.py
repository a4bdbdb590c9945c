"""What others would make of the same records: clusterings to hold ours against.

Each is a function of (con, records, edges, truth): tables of person records (as people.record), of our compared pairs
(record_l, record_r, match_weight) and of the truth (record_id, person_id). It writes yardstick_cluster (record_id,
cluster) and yields its name, once for every variant. Where a threshold is chosen, it is the best one on this very
truth: an advantage that no user has, given to the yardstick and not to us.
"""

from collections.abc import Callable, Iterator

import duckdb

from linkage_models.yardsticks.components import our_components
from linkage_models.yardsticks.ladder import ladder

Yardstick = Callable[[duckdb.DuckDBPyConnection, str, str, str], Iterator[str]]

#: Those that cost next to nothing.
CHEAP: dict[str, Yardstick] = {"components": our_components, "ladder": ladder}


def stock() -> dict[str, Yardstick]:
    """Those that train a Splink model of their own: seconds to minutes, and Splink is imported only for them."""
    from linkage_models.yardsticks.join_fracture import join_fracture
    from linkage_models.yardsticks.stock_splink import stock_components, stock_single_best_links

    return {
        "stock components": stock_components,
        "stock single best links": stock_single_best_links,
        "join and fracture": join_fracture,
    }
