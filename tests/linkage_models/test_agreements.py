"""Every rule that brings records together can be said in words."""

import pytest

from linkage_models.person import blocking, deterministic, general
from linkage_models.person.agreements import agreement


@pytest.mark.parametrize("rule", sorted({*blocking.RULES, *general.RULES, *deterministic.RULES}))
def test_every_rule_has_words(rule: str) -> None:
    assert "_" not in agreement(rule)


def test_a_rule_reads_as_a_list() -> None:
    assert agreement("postcode_surname_initial") == "postcode, sound of surname and initial"
    assert agreement("nino") == "National Insurance number"
