"""What the template parts of `scorecard.html.j2` need beside the data; another page adds TEMPLATES to its loader."""

from datetime import date
from pathlib import Path

from pipelines.scorecard.sparkline import change_in_words, sparkline
from pipelines.scorecard.standing import PRINCIPLES, PrincipleStanding

#: The folder of scorecard.html.j2, for a Jinja loader, and the style of its parts.
TEMPLATES = Path(__file__).parent
STYLE = TEMPLATES / "scorecard.css"


class ScorecardParts:
    """Handed to the macros as `parts`."""

    principles = PRINCIPLES
    sparkline = staticmethod(sparkline)
    change_in_words = staticmethod(change_in_words)

    @staticmethod
    def scores(standing: PrincipleStanding) -> list[float | None]:
        return [point.score for point in standing.trend]

    @staticmethod
    def day(value: date) -> str:
        return f"{value.day} {value:%B %Y}"
