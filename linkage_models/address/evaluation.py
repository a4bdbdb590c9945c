"""Addresses against the truth: how many were matched, how many rightly, by source and method."""

import duckdb

RATES = """count(*) AS addresses, count(*) FILTER (matchable) AS matchable, count(uprn) AS matched,
    count(*) FILTER (uprn = true_uprn) AS right,
    count(uprn) FILTER (matchable) / nullif(count(*) FILTER (matchable), 0) AS match_rate,
    count(*) FILTER (uprn = true_uprn) / nullif(count(uprn), 0) AS precision,
    count(*) FILTER (uprn = true_uprn) / nullif(count(*) FILTER (matchable), 0) AS recall"""


def evaluate_addresses(
    con: duckdb.DuckDBPyConnection,
    truth_parquet: str,
    addresses: str = "identity.facts.address",
    matched: str = "identity.places.address_uprn",
) -> list[dict[str, object]]:
    """Rows (source, method, addresses, matchable, matched, right, match_rate, precision, recall); null means all.

    Matchable: the truth names a UPRN and the source holds more than a postcode. Recall by method is the share of all
    matchable addresses in the group that this method got right.
    """
    relation = con.execute(
        f"""
        WITH judged AS (
            SELECT a.source, m.method, m.uprn, t.uprn AS true_uprn,
                   t.uprn IS NOT NULL
                       AND (trim(a.address_text) <> '' OR a.uprn_given IS NOT NULL OR a.xref_key IS NOT NULL)
                       AS matchable
            FROM {addresses} a JOIN {matched} m USING (address_id)
            JOIN read_parquet(?) t ON t.source = a.source AND t.address_key = a.address_key
            WHERE a.valid_to IS NULL)
        SELECT source, method, {RATES} FROM judged
        GROUP BY GROUPING SETS ((), (source), (method), (source, method))
        ORDER BY source NULLS FIRST, method NULLS FIRST""",
        [truth_parquet],
    )
    names = [column[0] for column in relation.description]
    return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
