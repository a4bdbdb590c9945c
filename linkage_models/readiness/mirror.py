"""How far a forecast for homes would be off, asked of records whose home is known as if it were not.

What a pair without a home is worth is calibrated over all pairs; but where all else agrees and only the home is
missing, more of them are of one person than that says. So records of the source that hold a home are taken without it:
those that would come apart from their people, and would be named by the forecast, show what it foretells of them beside
what is linked today. Other fields have no such mirror: who gives a birth date or a number is too unlike who doesn't.
"""

import duckdb

from linkage_models.clustering import missing_weight
from linkage_models.models import Model
from linkage_models.person.designs import Design
from linkage_models.readiness.chances import LEAST_PROBABILITY, capped, least_mean
from linkage_models.readiness.fields import SAME_HOME, bits, by_gamma, levels_of

# Records that must come apart, or the ratio is chance; and records taken, so that the cost is bounded.
FEWEST_APART, MOST_TAKEN = 30, 3_000
_UNKNOWN = "address of one unknown"


def home_mirror(
    con: duckdb.DuckDBPyConnection, model: Model, design: Design, records: str, edges: str, stop: float
) -> dict[str, float]:
    """By source: links that its records have by their home, over those that the forecast would have foretold without
    it; none where too few would come apart. `records` and `edges` as in write_chances, the edges with their `rules`."""
    rules = [place for place, keys in enumerate(design.rules.values()) if not any("home_key" in key for key in keys)]
    left = sum(1 << place for place in rules)
    ends = "record_l AS record_id, record_r AS other", "record_r AS record_id, record_l AS other"
    both = " UNION ALL ".join(
        f"SELECT {each}, match_weight, gamma_home FROM {edges} WHERE rules & {left} > 0" for each in ends
    )
    missing = missing_weight()
    bare, whole = (least_mean(stop, design.lone, "n > 1", best) for best in ("best", "best_whole"))
    found = con.execute(
        f"""-- one row per source: of the records that would be named, links that they have, over what is foretold
        WITH scale AS (
            SELECT round(match_weight, 1) AS weight, avg(match_probability) AS probability FROM {edges} GROUP BY 1
        ), taken AS (
            SELECT record_id, source, cluster FROM {records} WHERE NOT lacks_home
            QUALIFY row_number() OVER (PARTITION BY source ORDER BY hash(record_id), record_id) <= {MOST_TAKEN}
        ), sized AS (
            SELECT cluster, count(*) AS n FROM {records} GROUP BY cluster
        ), seen AS (   -- pairs that would still be compared
            SELECT t.record_id, t.source, k.cluster, k.cluster = t.cluster AS own,
                match_weight - {_lost(model)} AS bare, CASE WHEN k.lacks_home THEN bare ELSE match_weight END AS whole
            FROM ({both}) e JOIN taken t USING (record_id) JOIN {records} k ON k.record_id = e.other
        ), summed AS (
            SELECT record_id, source, own, any_value(n) - own::INTEGER AS n,
                max(bare) AS best, max(whole) AS best_whole,
                (any_value(n) - own::INTEGER - count(*)) * {missing!r} AS unseen,
                sum({capped("bare")}) + unseen AS apart, sum({capped("whole")}) + unseen AS joined
            FROM seen JOIN sized USING (cluster) GROUP BY record_id, source, cluster, own
        ), told AS (
            SELECT record_id, source, own, n, CASE WHEN joined > {whole} * n AND s.probability >= {LEAST_PROBABILITY}
                THEN s.probability * n ELSE 0 END AS foretold
            FROM summed ASOF JOIN scale s ON summed.best >= s.weight WHERE n > 0 AND apart <= {bare} * n
        ), named AS (
            SELECT source, sum(foretold) AS foretold, coalesce(sum(n) FILTER (own), 0) AS links
            FROM told GROUP BY record_id, source HAVING sum(foretold) > 0
        )
        SELECT source, sum(links) / sum(foretold) FROM named GROUP BY source
        HAVING count(*) FILTER (links > 0) >= {FEWEST_APART}"""
    ).fetchall()
    return {source: float(factor) for source, factor in found}


def _lost(model: Model) -> str:
    """SQL: the bits that a pair loses when the home of one is no longer known."""
    levels = levels_of(model, "home")
    words = [level["label_for_charts"] for level in levels]
    unknown = next(bits(level) for level, said in zip(levels, words, strict=True) if said.endswith(_UNKNOWN))
    # of those who bear other names, a missing home says nothing
    lost = {
        place: bits(level) - (unknown if said.startswith("same surname") else 0.0)
        for place, (level, said) in enumerate(zip(levels, words, strict=True))
        if SAME_HOME in said or "another" in said or "postcode" in said
    }
    return by_gamma("home", lost)
