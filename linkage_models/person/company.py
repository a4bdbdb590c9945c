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

# SQL over a record: its home and its initial as 64-bit hashes, quicker to compare and to join by than names. None where
# company can't be told.
HOME = f"CASE WHEN initial IS NOT NULL AND {IS_HOME} THEN hash(home_key) END"
FIRST = "hash(initial)"


def company(con: duckdb.DuckDBPyConnection, edges: str, records: str, model: Model, target: str) -> None:
    """Write the temporary table `target` (record_l, record_r, match_weight, bits, beside_l, beside_r): what each
    pair of `edges` gains from each pair beside it; `strongest` says which one counts.

    `edges` has record_l, record_r, match_weight, gamma_home and, if the model compares moves, gamma_move, and of either
    record HOME and FIRST as home_l, home_r, first_l and first_r; `records` has record_id, surname_key, from_date and
    to_date. Two records say nothing of each other's company unless their stays overlap and their initials differ: a
    second record of the same person is no company.
    """
    if "home" not in model.comparisons:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {target} AS SELECT record_l, record_r, match_weight,"
            f" 0.0::DOUBLE AS bits, record_l AS beside_l, record_r AS beside_r FROM {edges} LIMIT 0"
        )
        return
    move_bits = _shared(model, "move", "NULL") if "move" in model.comparisons else "0"
    terms = model.terms.get("surname_key", {"": 1.0})
    frame = pl.DataFrame({"value": list(terms), "frequency": list(terms.values())})
    con.register("company_term", frame)
    con.execute(
        f"""-- one row per pair between two homes that a pair of others lies between too, turned so that home 1 < home 2
        CREATE OR REPLACE TEMP TABLE company_pair AS
        WITH turned AS (
            SELECT *, home_l < home_r AS ahead, least(home_l, home_r) AS home_1, greatest(home_l, home_r) AS home_2,
                CASE WHEN ahead THEN first_l ELSE first_r END AS first_1,
                CASE WHEN ahead THEN first_r ELSE first_l END AS first_2
            FROM {edges} WHERE home_l <> home_r AND match_weight > {COMPANY_FLOOR}
        ), accompanied AS (  -- between most homes all pairs are of one person, who is no company
            SELECT * FROM turned SEMI JOIN (
                SELECT home_1, home_2 FROM turned GROUP BY ALL
                HAVING min(first_1) <> max(first_1) AND min(first_2) <> max(first_2)
            ) USING (home_1, home_2)
        ), person AS NOT MATERIALIZED (
            SELECT record_id, surname_key, coalesce(from_date, DATE '0001-01-01') AS since,
                coalesce(to_date, DATE '9999-12-31') AS until
            FROM {records}
        )
        SELECT e.record_l, e.record_r, e.match_weight, {move_bits} AS move_bits,
            {_shared(model, "home", f"coalesce(t.frequency, {terms['']!r})")} AS surname_bits,
            home_1, first_1, one.surname_key AS surname_1, one.since AS from_1, one.until AS to_1,
            home_2, first_2, two.surname_key AS surname_2, two.since AS from_2, two.until AS to_2
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
            SELECT p.record_l, p.record_r, p.match_weight,
                log2(1 + pow(2, {gain!r} - p.move_bits
                    - CASE WHEN p.surname_1 = c.surname_1 AND p.surname_2 = c.surname_2 THEN p.surname_bits ELSE 0 END)
                    / (1 + pow(2, -least(c.match_weight, 40)))) AS bits,
                c.record_l AS beside_l, c.record_r AS beside_r
            FROM company_pair p JOIN company_pair c USING (home_1, home_2)
            WHERE p.first_1 <> c.first_1 AND p.first_2 <> c.first_2
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
