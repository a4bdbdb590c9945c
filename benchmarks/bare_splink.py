"""The yardstick: a competent stock Splink 5 script on the same records, from Parquet to clusters.

`python -m benchmarks.bare_splink RECORDS.parquet CLUSTERS.parquet` prints one JSON line. It trains, scores and clusters
by connected components, as Splink's own tutorials do; it has no views, constraints, lasting ids or protection at rest.
"""

import json
import logging
import resource
import sys
import time
from typing import Any

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

COLUMNS = (
    "record_id AS unique_id, source AS source_dataset, forename, surname, birth_date, sex, nino, nhs_number, uprn, "
    "postcode, left(forename, 1) AS initial"
)
RULES = [
    block_on("nino"),
    block_on("nhs_number"),
    block_on("birth_date", "surname"),
    block_on("birth_date", "forename"),
    block_on("uprn", "surname"),
    block_on("uprn", "forename"),
    block_on("postcode", "surname", "initial"),
    block_on("surname", "forename", "sex"),
]


def settings() -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.ForenameSurnameComparison("forename", "surname"),
            cl.DateOfBirthComparison("birth_date", input_is_string=False),
            cl.ExactMatch("sex"),
            cl.ExactMatch("uprn"),
            cl.ExactMatch("postcode"),
            cl.ExactMatch("nino"),
            cl.ExactMatch("nhs_number"),
        ],
        blocking_rules_to_generate_predictions=RULES,
        retain_matching_columns=False,
    )


def link(records: str, clusters: str, threshold: float = 0.99) -> dict[str, Any]:
    logging.getLogger("splink").setLevel(logging.ERROR)
    began, cpu = time.perf_counter(), time.process_time()
    con = duckdb.connect()
    con.execute(f"CREATE TABLE records AS SELECT {COLUMNS} FROM read_parquet(?) WHERE is_person", [records])
    api = DuckDBAPI(con)
    linker = Linker(api.register("records"), settings(), log_level=None)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("nino"), block_on("nhs_number"), block_on("birth_date", "surname", "forename")], recall=0.6
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e7, seed=1)
    for rule in (block_on("birth_date"), block_on("surname", "forename")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    trained = time.perf_counter(), time.process_time()
    edges = linker.inference.predict(threshold_match_weight=0)
    grouped = linker.clustering.cluster_pairwise_predictions_at_threshold(edges, threshold_match_probability=threshold)
    found = f"SELECT unique_id AS record_id, cluster_id FROM {grouped.physical_name}"
    con.execute(f"COPY ({found}) TO '{clusters}' (FORMAT parquet)")
    return {
        "records": con.execute("SELECT count(*) FROM records").fetchall()[0][0],
        "edges": con.execute(f"SELECT count(*) FROM {edges.physical_name}").fetchall()[0][0],
        "training seconds": round(trained[0] - began, 2),
        "training cpu seconds": round(trained[1] - cpu, 2),
        "scoring and clustering seconds": round(time.perf_counter() - trained[0], 2),
        "scoring and clustering cpu seconds": round(time.process_time() - trained[1], 2),
        "peak memory MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    print(json.dumps(link(*sys.argv[1:3])))
