"""How well the scorecard would have done: score as of a past month, then see whose outcome began in the year after."""

from typing import Any

from pipelines.risk.scorecard import Scorecard, build_features, index_month, score_sql
from pipelines.warehouse import Warehouse

MEASURES = """
-- one row: how a score ranked the outcomes that followed
WITH ranked AS (
    SELECT outcome, share, avg(place) OVER (PARTITION BY score) AS place
    FROM (
        SELECT outcome, score, row_number() OVER (ORDER BY score) AS place,
               cume_dist() OVER (ORDER BY score DESC) AS share
        FROM attributes.risk.backtest
    )
)
SELECT count(*)::BIGINT AS persons, count(*) FILTER (outcome)::BIGINT AS outcomes,
       (sum(place) FILTER (outcome) - count(*) FILTER (outcome) * (count(*) FILTER (outcome) + 1) / 2)
           / nullif(count(*) FILTER (outcome) * count(*) FILTER (NOT outcome), 0)::DOUBLE AS auc,
       count(*) FILTER (outcome AND share <= 0.05) / nullif(count(*) FILTER (outcome), 0)::DOUBLE
           AS recall_top_5_percent,
       count(*) FILTER (outcome AND share <= 0.05) / nullif(count(*) FILTER (share <= 0.05), 0)::DOUBLE
           AS hit_rate_top_5_percent
FROM ranked
"""


def run_backtest(wh: Warehouse, card: Scorecard) -> dict[str, Any]:
    """Score the population one horizon ago, mark whose outcome followed, and measure; nothing of it chooses anyone.

    Builds `attributes.risk.backtest` (person_id, score, outcome) and `attributes.risk.measure` (one row). AUC is the
    rank form (Mann-Whitney); `meets_bar` compares it with the bar that the scorecard states. Age bands are those of
    today, at most one band off.
    """
    index = index_month(wh.as_of, card.horizon_months)
    until = index_month(wh.as_of)
    build_features(wh, index, "attributes.risk.past_feature")
    scored = score_sql(card, "attributes.risk.past_feature", index)
    wh.table(
        "attributes.risk.backtest",
        f"SELECT person_id, score, person_id IN (SELECT person_id FROM attributes.attributes.care_episode "
        f"WHERE event_type = 'service' AND service_type ILIKE 'long term%' AND from_month >= ? AND from_month < ?) "
        f"AS outcome FROM ({scored}\n) ORDER BY person_id",
        [index, until],
    )
    bar = card.bar["auc"]
    wh.table(
        "attributes.risk.measure",
        f"SELECT ? AS scorecard, ? AS version, ?::DATE AS index_month, *, ?::DOUBLE AS bar_auc, "
        f"coalesce(auc >= ?, false) AS meets_bar FROM ({MEASURES}\n)",
        [card.name, card.version, index, bar, bar],
    )
    names = wh.columns("attributes.risk.measure")
    measured = dict(zip(names, wh.rows("SELECT * FROM attributes.risk.measure")[0], strict=True))
    return {name: value for name, value in measured.items() if isinstance(value, bool | int | float)}
