"""Few records of strangers: trained on where they can teach, else assumed, and that said."""

import pytest
import yaml

from linkage_models.assumed import ASSUMED_M
from linkage_models.card import written
from linkage_models.models import Model
from linkage_models.person.general import COMPARISONS
from pipelines.warehouse import scratch_warehouse
from tests.strangers.linking import copied, link, people


@pytest.mark.parametrize(("count", "trained"), [(60, False), (160, True)])
def test_few_records_are_linked_and_what_was_not_learnt_is_said(count: int, trained: bool) -> None:
    rows = people(count, 3)
    with scratch_warehouse() as wh:
        linked, persons = link(wh, {"one": rows, "two": copied(rows, 5)})
        ((body, terms),) = wh.rows("SELECT body, terms FROM identity.linkage.model")
    right = sum(len(each) == 2 for each in persons.values())
    assert right >= 0.95 * count
    assert all(len({record.split(":")[1] for record in each}) == 1 for each in persons.values())
    assert linked.trained
    assert ("trained here" in linked.chosen, "WARNING" in linked.chosen) == (trained, not trained)
    assert ("Not trained: training failed" in written(Model.of(body, terms))) == (not trained)


def test_a_birth_date_that_one_list_alone_holds_keeps_nothing_from_being_learnt() -> None:
    rows = people(400, 3)
    with scratch_warehouse() as wh:
        undated = [row | {"birth_date": None} for row in copied(rows, 5)]
        linked, persons = link(wh, {"one": rows, "two": undated})
    assert "trained here" in linked.chosen
    assert sum(len(each) == 2 for each in persons.values()) >= 0.95 * len(rows)
    assert sum(len({record.split(":")[1] for record in each}) > 1 for each in persons.values()) <= 1


def test_what_is_assumed_are_shares_of_levels_that_there_are() -> None:
    known = {each.name: {level.words for level in each.levels if level.weight is None} for each in COMPARISONS}
    for name, levels in yaml.safe_load(ASSUMED_M.read_text(encoding="utf-8")).items():
        assert levels.keys() <= known[name]
        assert 0.95 < sum(levels.values()) < 1.05, name
