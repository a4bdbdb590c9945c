"""The words in which the council speaks about its data, and those of the Government Data Quality Framework."""

from enum import StrEnum


class Principle(StrEnum):
    """The council's principle: data is accurate, valid, reliable, timely, relevant and complete."""

    ACCURATE = "accurate"
    VALID = "valid"
    RELIABLE = "reliable"
    TIMELY = "timely"
    RELEVANT = "relevant"
    COMPLETE = "complete"

    @property
    def question(self) -> str:
        """What the principle asks of an extract, for people who read the scorecard."""
        return _QUESTIONS[self]


class Dimension(StrEnum):
    """The six dimensions of the Government Data Quality Framework (December 2020)."""

    ACCURACY = "accuracy"
    COMPLETENESS = "completeness"
    UNIQUENESS = "uniqueness"
    CONSISTENCY = "consistency"
    TIMELINESS = "timeliness"
    VALIDITY = "validity"


class Severity(StrEnum):
    """What a failure does: critical refuses the extract, a warning is shown and goes on."""

    CRITICAL = "critical"
    WARNING = "warning"


_QUESTIONS = {
    Principle.ACCURATE: "Does it agree with an authority or with the world?",
    Principle.VALID: "Does every value have the form and the codes agreed?",
    Principle.RELIABLE: "Does it hold together, within itself and with the last extract?",
    Principle.TIMELY: "Is it as fresh as the source promised?",
    Principle.RELEVANT: "Is it all needed, and nothing more?",
    Principle.COMPLETE: "Is everything there that should be?",
}
