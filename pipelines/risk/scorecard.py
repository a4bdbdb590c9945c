"""A points scorecard: YAML in, SQL out; score, tier by top share, and the three reasons that weighed most."""

from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from pipelines.faults import BoroughlinkError
from pipelines.warehouse import Warehouse, sql_file

HERE = Path(__file__).parent
REASONS = 3


class LeakageFound(BoroughlinkError):
    """A feature rests on the index month or later: it would know the outcome."""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Bin(Part):
    """Points for a value of at least `from` and less than `to`."""

    low: float = Field(alias="from")
    high: float | None = Field(None, alias="to")
    points: int
    reason: str


class Factor(Part):
    name: str
    source: str
    bins: tuple[Bin, ...]


class Tier(Part):
    name: str
    top_share: float = Field(gt=0, le=1)


class Scorecard(Part):
    name: str
    version: str
    title: str
    outcome: str
    horizon_months: int
    population: str
    owner: str
    review_by: date
    bar: dict[str, float]
    never: tuple[str, ...]
    tiers: tuple[Tier, ...]
    factors: tuple[Factor, ...]

    def review(self, day: date) -> str:
        """When its owner looks at it again, in words."""
        return f"{'Overdue since' if self.review_by < day else 'By'} {self.review_by:%-d %B %Y}: {self.owner}"


def load_scorecard(path: Path = HERE / "scorecards" / "home_care_start.yaml") -> Scorecard:
    """Read a scorecard; raises BoroughlinkError when bins overlap, tiers do not rise to 1 or a factor is barred."""
    card = Scorecard(**yaml.safe_load(path.read_text(encoding="utf-8")))
    shares = [tier.top_share for tier in card.tiers]
    if shares != sorted(set(shares)) or shares[-1] != 1:
        raise BoroughlinkError(f"{path.name}: the tiers' top shares must rise and end with 1.")
    for factor in card.factors:
        if any(word in factor.name for word in card.never):
            raise BoroughlinkError(f"{path.name}: `{factor.name}` may not be a factor.")
        for one, following in zip(factor.bins, factor.bins[1:], strict=False):
            if one.high is None or one.high > following.low:
                raise BoroughlinkError(f"{path.name}: the bins of `{factor.name}` overlap or are out of order.")
    return card


def index_month(as_of: date, months_back: int = 0) -> date:
    """The first day of the month of `as_of`, or of a month before it."""
    months = as_of.year * 12 + as_of.month - 1 - months_back
    return date(months // 12, months % 12 + 1, 1)


def build_features(wh: Warehouse, index: date, table: str = "attributes.risk.feature") -> int:
    """Factors of the scored population from before the index month, one row a person and factor."""
    rows = wh.table(table, sql_file(HERE / "features.sql", index=f"DATE '{index.isoformat()}'"))
    require_no_leakage(wh, table, index)
    return rows


def require_no_leakage(wh: Warehouse, table: str, index: date) -> None:
    """Raise LeakageFound if any feature rests on the index month or a later one."""
    for factor, rows in wh.rows(
        f"SELECT factor, count(*) FROM {table} WHERE evidence_month >= ? GROUP BY factor ORDER BY factor", [index]
    ):
        raise LeakageFound(f"The factor `{factor}` rests on {index:%B %Y} or later in {rows} rows.")


def build_scores(wh: Warehouse, card: Scorecard, index: date) -> dict[str, Any]:
    """Build `attributes.risk.score`, one row a person of the population, `attributes.risk.tier` and `.reason`.

    Tiers are top shares of the population by score. Ties: one score is never split; a tier takes a score only if all
    who have it fit into its share, so a tier may come out smaller than asked, and its actual share is reported.
    """
    build_features(wh, index)
    wh.table("attributes.risk.score", score_sql(card, "attributes.risk.feature", index))
    reasons = [(one.reason, factor.name) for factor in card.factors for one in factor.bins]
    wh.table(
        "attributes.risk.reason",
        "-- a reason of the scorecard (reason)\nSELECT unnest(?::VARCHAR[]) AS reason, unnest(?::VARCHAR[]) AS factor",
        [[reason for reason, _ in reasons], [factor for _, factor in reasons]],
    )
    shares = ", ".join(f"({place}, '{tier.name}', {tier.top_share})" for place, tier in enumerate(card.tiers))
    wh.table(
        "attributes.risk.tier",
        "-- a tier of a scorecard (tier)\n"
        "SELECT asked.tier, asked.top_share::DOUBLE AS top_share, count(score.person_id)::INTEGER AS persons, "
        "min(score.score) AS lowest_score, "
        "count(score.person_id) / greatest((SELECT count(*) FROM attributes.risk.score), 1) AS actual_share "
        f"FROM (VALUES {shares}) AS asked(place, tier, top_share) "
        "LEFT JOIN attributes.risk.score AS score USING (tier) GROUP BY ALL ORDER BY 2",
    )
    return {f"tier {tier}": persons for tier, persons in wh.rows("SELECT tier, persons FROM attributes.risk.tier")}


def score_sql(card: Scorecard, features: str, index: date) -> str:
    """The scorecard compiled to one SELECT over a feature table: person_id, score, tier, reasons and the versions."""
    points = ",\n    ".join(
        f"('{factor.name}', {one.low}, {'NULL' if one.high is None else one.high}, {one.points}, "
        f"'{one.reason.replace(chr(39), chr(39) * 2)}')"
        for factor in card.factors
        for one in factor.bins
    )
    tiers = "\n            ".join(f"WHEN share <= {tier.top_share} THEN '{tier.name}'" for tier in card.tiers)
    return f"""-- a scored person (person_id)
WITH points(factor, low, high, points, reason) AS (VALUES
    {points}
),
gained AS (
    SELECT f.person_id, f.factor, p.points, p.reason
    FROM {features} AS f
    LEFT JOIN points AS p ON p.factor = f.factor AND f.value >= p.low AND (p.high IS NULL OR f.value < p.high)
),
summed AS (
    SELECT person_id, coalesce(sum(points), 0)::BIGINT AS score,
           coalesce(list(reason ORDER BY points DESC, factor) FILTER (points > 0), [])[:{REASONS}] AS reasons
    FROM gained
    GROUP BY person_id
),
ranked AS (
    SELECT *, cume_dist() OVER (ORDER BY score DESC) AS share FROM summed
)
SELECT person_id, '{card.name}' AS scorecard, '{card.version}' AS version, DATE '{index.isoformat()}' AS index_month,
       score, CASE
            {tiers} END AS tier, reasons
FROM ranked
ORDER BY person_id"""
