"""The yardstick: a competent stock Splink 5 script on the same records, from Parquet to clusters.

`python -m benchmarks.bare_splink RECORDS.parquet CLUSTERS.parquet` prints one JSON line. It trains, scores and clusters
by connected components, as Splink's own tutorials do; it has no views, constraints, lasting ids or protection at rest.
"""

import json
import resource
import sys
import time
from typing import Any

import duckdb

from linkage_models.yardsticks.stock_splink import trained


def link(records: str, clusters: str, threshold: float = 0.99) -> dict[str, Any]:
    began, cpu = time.perf_counter(), time.process_time()
    con = duckdb.connect()
    con.execute("CREATE VIEW given AS SELECT * FROM read_parquet('" + records.replace("'", "''") + "')")
    linker = trained(con, "given", surname_terms=True)
    training = time.process_time()
    edges = linker.inference.predict(threshold_match_weight=0)
    scoring = time.process_time()
    grouped = linker.clustering.cluster_pairwise_predictions_at_threshold(edges, threshold_match_probability=threshold)
    found = f"SELECT unique_id AS record_id, cluster_id FROM {grouped.physical_name}"
    con.execute(f"COPY ({found}) TO '{clusters}' (FORMAT parquet)")
    return {
        "training": round(training - cpu, 2),
        "scoring": round(scoring - training, 2),
        "clustering and ids": round(time.process_time() - scoring, 2),
        "all": round(time.process_time() - cpu, 2),
        "wall seconds": round(time.perf_counter() - began, 2),
        "records": con.execute("SELECT count(*) FROM stock_record").fetchall()[0][0],
        "pairs": con.execute(f"SELECT count(*) FROM {edges.physical_name}").fetchall()[0][0],
        "peak memory MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    print(json.dumps(link(*sys.argv[1:3])))
