"""The yardstick: a competent stock Splink 5 script on the same records, from a table of them to clusters.

`python -m benchmarks.bare_splink RECORDS.parquet CLUSTERS.parquet` prints one JSON line. It trains, scores and clusters
by connected components, as Splink's own tutorials do; it has no views, constraints, lasting ids or protection at rest.
With `--same-rules` it is given our blocking rules and comparisons, written as Splink takes them, and the parameters of
the shipped model in place of training.
"""

import json
import resource
import sys
import time
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker

from linkage_models.models import pinned
from linkage_models.person.blocking import RULES
from linkage_models.person.records import link_table
from linkage_models.yardsticks.stock_splink import trained


def link(records: str, clusters: str, same_rules: bool = False, threshold: float = 0.99) -> dict[str, Any]:
    con = duckdb.connect()
    con.execute("CREATE TABLE given AS FROM read_parquet('" + records.replace("'", "''") + "')")
    began, cpu = time.perf_counter(), time.process_time()
    linker = with_our_rules(con) if same_rules else trained(con, "given", surname_terms=True)
    training = time.process_time()
    blocked = linker.inference.compute_blocked_pairs_for_predict()
    edges = linker.inference.predict(threshold_match_weight=0)
    scoring = time.process_time()
    grouped = linker.clustering.cluster_pairwise_predictions_at_threshold(edges, threshold_match_probability=threshold)
    named = "record_id" if same_rules else "unique_id AS record_id"
    found = f"SELECT {named}, cluster_id FROM {grouped.physical_name}"
    con.execute(f"COPY ({found}) TO '{clusters}' (FORMAT parquet)")
    return {
        "training": round(training - cpu, 2),
        "scoring": round(scoring - training, 2),
        "clustering and ids": round(time.process_time() - scoring, 2),
        "all": round(time.process_time() - cpu, 2),
        "wall seconds": round(time.perf_counter() - began, 2),
        "records": con.execute("SELECT count(*) FROM stock_record").fetchall()[0][0],
        "pairs compared": con.execute(f"SELECT count(*) FROM {blocked.physical_name}").fetchall()[0][0],
        "pairs kept": con.execute(f"SELECT count(*) FROM {edges.physical_name}").fetchall()[0][0],
        "peak memory MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def with_our_rules(con: duckdb.DuckDBPyConnection) -> Linker:
    """A linker over stock_record that blocks, compares and weighs as we do, all of it Splink's own work."""
    link_table(con, "given", "stock_record", "is_person")
    ((records,),) = con.execute("SELECT count(*) FROM stock_record").fetchall()
    model = pinned().for_population(records)
    model.extend(con, "stock_record")
    rules = [rule for keys in RULES.values() for rule in as_splink(keys)]
    settings = model.settings | {"blocking_rules_to_generate_predictions": rules}
    return Linker(DuckDBAPI(con).register("stock_record"), settings, log_level=None, validate_settings=False)


def as_splink(keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """A rule of blocking.py as Splink runs it best: lists exploded, a rule that reads either way round as two."""
    exploded = [key.removesuffix("[]") for key in keys if key.endswith("[]")]
    parts = [key.removesuffix("[]").split("=") for key in keys]
    ways = [[(part[0], part[-1]) for part in parts]]
    if any(len(part) > 1 for part in parts):
        ways.append([(other, one) for one, other in ways[0]])
    return [
        {"blocking_rule": " AND ".join(f"l.{one} = r.{other}" for one, other in way), "sql_dialect": "duckdb"}
        | ({"arrays_to_explode": exploded} if exploded else {})
        for way in ways
    ]


if __name__ == "__main__":
    print(json.dumps(link(sys.argv[1], sys.argv[2], "--same-rules" in sys.argv)))
