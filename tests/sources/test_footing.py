"""On which extract a source stands, and what everything downstream is told."""

from datetime import date

import pytest

from pipelines.exports import Stamp
from pipelines.sources.footing import FOOTING, footing_of, note_footing, old_extracts
from pipelines.sources.intake import INTAKE, make_intake_tables
from pipelines.warehouse import scratch_warehouse
from tests.quality.lettings import CONTRACT

TODAY = date(2026, 10, 31)


@pytest.mark.parametrize(
    ("intakes", "words"),
    [
        ({"2026-10-30": "accepted"}, None),
        ({"2026-09-30": "refused", "2026-10-30": "accepted"}, None),
        ({"2026-10-01": "accepted", "2026-10-30": "refused"}, "of 2026-10-01: the extract of 2026-10-30 was refused."),
        ({"2026-10-01": "accepted", "2026-10-30": "unjudged"}, "could not be judged, because a check is broken."),
        ({"2026-09-01": "accepted"}, "of 2026-09-01: none has come in the 31 days in which one was promised."),
        ({"2026-10-30": "refused"}, "has no extract in force: the extract of 2026-10-30 was refused."),
        ({}, None),
    ],
)
def test_a_source_stands_on_its_newest_extract_or_says_why_not(intakes: dict[str, str], words: str | None) -> None:
    with scratch_warehouse(as_of=TODAY) as wh:
        make_intake_tables(wh)
        for day, state in intakes.items():
            wh.execute(
                f"INSERT INTO {INTAKE} (source, extract_date, state) VALUES ('lettings', ?, ?)",
                [date.fromisoformat(day), state],
            )
        for _ in range(2):  # noted once a source
            note_footing(wh, footing_of(wh, CONTRACT))
        told = old_extracts(wh)
        assert wh.scalar(f"SELECT count(*) FROM identity.{FOOTING}") == 1
    assert (told == ()) if words is None else (words in told[0] and told[0].startswith("Lettings "))


def test_nothing_is_old_where_no_step_has_noted_it() -> None:
    with scratch_warehouse() as wh:
        assert old_extracts(wh) == ()


def test_the_stamp_of_what_leaves_says_what_it_stood_on() -> None:
    lines = Stamp("test", "run", TODAY, stands_on=("Lettings stands on its extract of 2026-10-01: refused.",)).lines()
    assert "Old extract: Lettings stands on its extract of 2026-10-01: refused." in lines
