"""Evidence from those who moved along: two records at two homes, and beside each a person who is one and the same.

A couple that moves shows two pairs of records between the same two homes. If one pair is of one person, the other
comes from a handful of people, not from the whole borough. So a pair gains log2(1 + p 2^g) bits: p is the probability
of the pair beside it, g the log odds that someone who lived with a mover moved along, against the odds of two random
records. What two pairs of one household share by being a household, the surname and the date of the move, is taken
off g: it counts once. p is the weight of that pair alone, so no two pairs raise each other in circles. (Relational
evidence in the sense of Bhattacharya and Getoor 2007, one step of it.)
"""

import math

import duckdb
import polars as pl

from linkage_models.models import Model
from linkage_models.person.records import IS_HOME
from linkage_models.thresholds import COMPANY_FLOOR, COMPANY_LEAST, MOVES_ALONG


def company(con: duckdb.DuckDBPyConnection, edges: str, records: str, model: Model, target: str) -> None:
    """Write the temporary table `target` (record_l, record_r, bits, beside_l, beside_r): what each pair of `edges`
    gains from each pair beside it; `strongest` says which one counts.

    `edges` has record_l, record_r, match_weight, gamma_home and, if the model compares moves, gamma_move; `records` has
    record_id, initial, surname_key, home_key, from_date and to_date. Two records say nothing of each other's company
    unless their stays overlap and their initials differ: a second record of the same person is no company.
    """
    if "home" not in model.comparisons:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {target} AS SELECT record_l, record_r, 0.0::DOUBLE AS bits,"
            f" record_l AS beside_l, record_r AS beside_r FROM {edges} LIMIT 0"
        )
        return
    moves = "move" in model.comparisons
    move, move_bits = (", e.gamma_move", _shared(model, "move", "NULL")) if moves else ("", "0")
    terms = model.terms.get("surname_key", {"": 1.0})
    frame = pl.DataFrame({"value": list(terms), "frequency": list(terms.values())})
    con.register("company_term", frame)
    con.execute(
        f"""-- one row per pair between two homes that a pair of others lies between too, turned so that home 1 < home 2
        CREATE OR REPLACE TEMP TABLE company_pair AS
        WITH person AS NOT MATERIALIZED (  -- homes as 64-bit hashes: quicker to compare and to join by than names
            SELECT record_id, initial, surname_key, hash(home_key) AS home, hash(initial) AS first,
                coalesce(from_date, DATE '0001-01-01') AS since, coalesce(to_date, DATE '9999-12-31') AS until
            FROM {records} WHERE home_key IS NOT NULL AND initial IS NOT NULL AND {IS_HOME}
        ), turned AS (
            SELECT e.record_l, e.record_r, e.match_weight, e.gamma_home{move}, a.home < b.home AS ahead,
                hash(least(a.home, b.home), greatest(a.home, b.home)) AS way,
                CASE WHEN ahead THEN a.first ELSE b.first END AS first_1,
                CASE WHEN ahead THEN b.first ELSE a.first END AS first_2
            FROM {edges} e
            JOIN person a ON a.record_id = e.record_l JOIN person b ON b.record_id = e.record_r
            -- of a plain comparison DuckDB may make a join: all records to all of other homes, before any pair
            WHERE CASE WHEN a.home = b.home THEN false ELSE true END AND e.match_weight > {COMPANY_FLOOR}
        ), accompanied AS (  -- of most ways all pairs are of one person, who is no company
            SELECT * FROM turned SEMI JOIN (
                SELECT way FROM turned GROUP BY way HAVING min(first_1) <> max(first_1) AND min(first_2) <> max(first_2)
            ) USING (way)
        )
        SELECT e.record_l, e.record_r, least(e.match_weight, 40) AS weight, {move_bits} AS move_bits,
            {_shared(model, "home", f"coalesce(t.frequency, {terms['']!r})")} AS surname_bits,
            one.home AS home_1, one.initial AS initial_1, one.surname_key AS surname_1, one.since AS from_1,
            one.until AS to_1,
            two.home AS home_2, two.initial AS initial_2, two.surname_key AS surname_2, two.since AS from_2,
            two.until AS to_2
        FROM accompanied e
        JOIN person one ON one.record_id = CASE WHEN ahead THEN e.record_l ELSE e.record_r END
        JOIN person two ON two.record_id = CASE WHEN ahead THEN e.record_r ELSE e.record_l END
        LEFT JOIN company_term t ON t.value = CASE WHEN ahead THEN one.surname_key ELSE two.surname_key END"""
    )
    gain = math.log2(MOVES_ALONG / (1 - MOVES_ALONG)) - math.log2(model.prior / (1 - model.prior))
    con.execute(
        f"""-- one row per pair and pair beside it that it gains from
        CREATE OR REPLACE TEMP TABLE {target} AS
        SELECT * FROM (
            SELECT p.record_l, p.record_r,
                log2(1 + pow(2, {gain!r} - p.move_bits
                    - CASE WHEN p.surname_1 = c.surname_1 AND p.surname_2 = c.surname_2 THEN p.surname_bits ELSE 0 END)
                    / (1 + pow(2, -c.weight))) AS bits,
                c.record_l AS beside_l, c.record_r AS beside_r
            FROM company_pair p JOIN company_pair c USING (home_1, home_2)
            WHERE p.initial_1 <> c.initial_1 AND p.initial_2 <> c.initial_2
                AND p.from_1 <= c.to_1 AND c.from_1 <= p.to_1 AND p.from_2 <= c.to_2 AND c.from_2 <= p.to_2)
        WHERE bits >= {COMPANY_LEAST}"""
    )
    con.unregister("company_term")
    con.execute("DROP TABLE company_pair")


def strongest(gained: str, among: str) -> str:
    """Query: of the rows of `gained` (as `company` writes it) whose four records all are in `among` (a query of
    record_id), the one that each pair gains most from."""
    inside = " AND ".join(f"{column} IN ({among})" for column in ("record_l", "record_r", "beside_l", "beside_r"))
    return f"""-- one row per pair that gains from its company
        SELECT * FROM {gained} WHERE {inside}
        QUALIFY row_number() OVER (PARTITION BY record_l, record_r ORDER BY bits DESC, beside_l, beside_r) = 1
        ORDER BY record_l, record_r"""


def _shared(model: Model, name: str, frequency: str) -> str:
    """SQL: the bits that a pair's level of comparison `name` speaks for one person, none if against; with the term
    frequency of its surname where the level weighs by it."""
    (comparison,) = (each for each in model.settings["comparisons"] if each["output_column_name"] == name)
    levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
    cases = []
    for gamma, level in enumerate(reversed(levels)):
        u = frequency if level.get("tf_adjustment_column") else repr(level["u_probability"])
        cases.append(f"WHEN {gamma} THEN greatest(0, log2({level['m_probability']!r} / {u}))")
    return f"CASE gamma_{name} {' '.join(cases)} ELSE 0 END"
