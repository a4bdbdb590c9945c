"""A competent stock Splink script: the comparison library, compound blocking rules, EM, Splink's own clusterings.

It reads the records as we have standardised them, which spares it the cleaning; it knows nothing of families.
"""

import logging
from collections.abc import Iterator
from typing import Any

import duckdb
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from linkage_models.yardsticks.components import GRID, Graph, at_threshold, best_threshold, graph, pair_f1, write

COLUMNS = (
    "record_id AS unique_id, source AS source_dataset, forename, surname, birth_date, sex, nino, nhs_number,"
    " person_number, coalesce(uprn::VARCHAR, home_key) AS home, postcode, birth_place, occupation,"
    " left(forename, 1) AS initial"
)
RULES = (
    ("nino",),
    ("nhs_number",),
    ("person_number",),
    ("birth_date", "surname"),
    ("birth_date", "forename"),
    ("home", "surname"),
    ("home", "forename"),
    ("postcode", "surname", "initial"),
    ("surname", "forename", "sex"),
)
CERTAIN = (("nino",), ("nhs_number",), ("person_number",), ("birth_date", "surname", "forename"))
SESSIONS = (block_on("birth_date"), block_on("surname", "forename"))
ADDRESS = cl.CustomComparison(
    output_column_name="address",
    comparison_levels=[
        cll.And(cll.NullLevel("home"), cll.NullLevel("postcode")),
        cll.ExactMatchLevel("home"),
        cll.ExactMatchLevel("postcode"),
        cll.ElseLevel(),
    ],
)


def at_hand(con: duckdb.DuckDBPyConnection) -> set[str]:
    """The columns of stock_record that tell records apart: a script is written for the columns that there are."""
    names = [name for name, *_ in con.execute("DESCRIBE stock_record").fetchall()]
    (counts,) = con.execute(f"SELECT {', '.join(f'count(DISTINCT {n})' for n in names)} FROM stock_record").fetchall()
    return {name for name, count in zip(names, counts, strict=True) if count > 1}


def settings(columns: set[str], surname_terms: bool, link_type: str = "dedupe_only") -> SettingsCreator:
    """`surname_terms`: whether rare surnames weigh more, as the comparison library has it by default."""
    surname = cl.NameComparison("surname") if surname_terms else cl.JaroWinklerAtThresholds("surname", [0.92, 0.88])
    comparisons = {
        "forename": cl.NameComparison("forename"),
        "surname": surname,
        "birth_date": cl.DateOfBirthComparison("birth_date", input_is_string=False),
        "sex": cl.ExactMatch("sex"),
        "home": ADDRESS,
        "nino": cl.ExactMatch("nino"),
        "nhs_number": cl.ExactMatch("nhs_number"),
        "person_number": cl.ExactMatch("person_number"),
        "birth_place": cl.JaroWinklerAtThresholds("birth_place", [0.92]),
        "occupation": cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
    }
    return SettingsCreator(
        link_type=link_type,
        comparisons=[
            comparison
            for column, comparison in comparisons.items()
            if column in columns or (column == "home" and "postcode" in columns)
        ],
        blocking_rules_to_generate_predictions=[block_on(*keys) for keys in RULES if columns.issuperset(keys)],
        retain_matching_columns=False,
    )


def trained(
    con: duckdb.DuckDBPyConnection, records: str, surname_terms: bool, link_type: str = "dedupe_only"
) -> Linker:
    """A linker over stock_record, the persons of `records`, trained as Splink's tutorials do."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    con.execute(f"CREATE OR REPLACE TEMP TABLE stock_record AS SELECT {COLUMNS} FROM {records} WHERE is_person")
    columns = at_hand(con)
    linker = Linker(
        DuckDBAPI(con).register("stock_record"), settings(columns, surname_terms, link_type), log_level=None
    )
    certain = [block_on(*keys) for keys in CERTAIN if columns.issuperset(keys)]
    linker.training.estimate_probability_two_random_records_match(certain, recall=0.6)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e7, seed=1)
    for rule in SESSIONS:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    return linker


def scored(con: duckdb.DuckDBPyConnection, linker: Linker, truth: str) -> tuple[Any, Graph]:
    """Splink's predictions, and the same as a graph."""
    predicted = linker.inference.predict(threshold_match_weight=GRID[0])
    edges = f"(SELECT unique_id_l AS record_l, unique_id_r AS record_r, match_weight FROM {predicted.physical_name})"
    return predicted, graph(con, edges, truth)


def stock_components(con: duckdb.DuckDBPyConnection, records: str, edges: str, truth: str) -> Iterator[str]:
    """Connected components at 0.99, at which the tutorials cluster, and at the best threshold; both settings."""
    for surname_terms in (True, False):
        predicted, seen = scored(con, trained(con, records, surname_terms), truth)
        predicted.drop_table_from_database_and_remove_from_cache()
        said = "stock Splink" + ("" if surname_terms else " without surname term frequency")
        if surname_terms:
            write(con, seen, at_threshold(seen, 6.63))
            yield f"{said}, components at probability 0.99"
        best = best_threshold(seen)
        write(con, seen, at_threshold(seen, best))
        yield f"{said}, components at best threshold ({best:g} bits)"


def stock_single_best_links(con: duckdb.DuckDBPyConnection, records: str, edges: str, truth: str) -> Iterator[str]:
    """Splink's single best links, sources that hold each person once declared free of duplicates, best threshold.

    Nothing where no source is: Splink has no such clustering then.
    """
    free = con.execute(
        f"SELECT source FROM {records} GROUP BY source HAVING count(DISTINCT one_person_key) = 1 AND"
        " count(one_person_key) = count(*) ORDER BY source"
    ).fetchall()
    if not free:
        return
    # Splink knows the sources only when it links; every pair is compared all the same
    linker = trained(con, records, surname_terms=False, link_type="link_and_dedupe")
    predicted, seen = scored(con, linker, truth)
    place = {name: node for node, name in enumerate(seen.names)}
    best, chosen, threshold = -1.0, seen.person, GRID[0]
    for weight in GRID[::4]:
        grouped = linker.clustering.cluster_using_single_best_links(
            predicted, duplicate_free_datasets=[source for (source,) in free], threshold_match_weight=weight
        )
        rows = con.execute(f"SELECT unique_id, cluster_id FROM {grouped.physical_name}").fetchall()
        grouped.drop_table_from_database_and_remove_from_cache()
        named = {name: cluster for name, cluster in rows if name in place}
        number = {cluster: code for code, cluster in enumerate(sorted(set(named.values())))}
        labels = seen.person.copy()
        for name, cluster in named.items():
            labels[place[name]] = number[cluster]
        if (f1 := pair_f1(labels, seen.person)) > best:
            best, chosen, threshold = f1, labels, weight
    predicted.drop_table_from_database_and_remove_from_cache()
    write(con, seen, chosen)
    yield f"stock Splink without surname term frequency, single best links at best threshold ({threshold:g} bits)"
