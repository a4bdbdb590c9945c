"""A series over time: nobody's path is theirs alone, and who was cut off can't be paired with who came."""

from collections import Counter
from typing import Any

import polars as pl
import pytest

from pipelines.releases.building import build
from pipelines.releases.lifecycle import check
from pipelines.releases.paths import Link, Paths, Trace
from pipelines.releases.rare_values import lead_across, without_values
from pipelines.releases.sealed import rows_of
from pipelines.releases.series import called
from pipelines.releases.sets import ReleaseRefused, load_set
from pipelines.releases.store import find
from pipelines.warehouse import Warehouse
from tests.releases.desk import ANN, RECIPIENT, Desk

K = 10


def next_of(desk: Desk, name: str) -> tuple[str, pl.DataFrame]:
    manifest = build(desk.wh, desk.at, load_set(name), ANN, series="monthly")
    release_id = str(manifest["release_id"])
    return release_id, rows_of(desk.folder, desk.operations, find(desk.operations, release_id))


def checked(desk: Desk, release_id: str) -> Any:
    return check(desk.wh, desk.at, release_id, RECIPIENT, ANN)[1]


def as_followed(name: str, first: pl.DataFrame, second: pl.DataFrame) -> tuple[Counter[Any], ...]:
    """How many rows share each path; how many go from each group; how many come into each."""
    quasi = load_set(name).quasi
    then, now = (dict(zip(rows["person"], rows.select(quasi).rows(), strict=True)) for rows in (first, second))
    return (
        Counter((then[one], now[one]) for one in then.keys() & now.keys()),
        Counter(then[one] for one in then.keys() - now.keys()),
        Counter(now[one] for one in now.keys() - then.keys()),
    )


def move(wh: Warehouse, people: list[int], to: str) -> None:
    ids = [f"id{one:05d}" for one in people]
    wh.execute(f"UPDATE attributes.attributes.person SET {to} WHERE list_contains(?::VARCHAR[], person_id)", [ids])


def test_the_one_who_moved_is_not_found_by_where_they_lived_then_and_live_now(desk: Desk) -> None:
    _, first = next_of(desk, "partner_needs")
    move(desk.wh, [1], "ward = 'Leigh'")
    release_id, second = next_of(desk, "partner_needs")
    go_on, gone, new = as_followed("partner_needs", first, second)
    assert all(then == now for then, now in go_on) and min(go_on.values()) >= K
    then, now = ("20-29", "M", "Milton"), ("20-29", "M", "Leigh")
    assert gone.keys() == new.keys() == {then, now} and min([*gone.values(), *new.values()]) >= K
    assert go_on.total() > 0.97 * first.height  # a few are drawn to hide the one, no more
    assert checked(desk, release_id).path >= K
    manifest = find(desk.operations, release_id).manifest
    people = [f"id{one:05d}" for one in range(1500)]
    known = called(desk.operations, find(desk.operations, release_id), people)
    assert len({known[one] for one in second["person"]}) == second.height  # whoever may look still finds everyone
    assert manifest["quasi_identifiers"] and manifest["continuity"]["people_gone"] == gone.total()


def test_a_birthday_that_few_share_in_a_month_gives_nobody_away(desk: Desk) -> None:
    _, first = next_of(desk, "risk_stratification")
    older = "age_from = 30, age_band = '30-34'"  # from 20: the borough's next band
    move(desk.wh, [4, *range(8, 8 + 12 * 60, 60)], older)  # one alone, and twelve of one group
    release_id, second = next_of(desk, "risk_stratification")
    go_on, gone, new = as_followed("risk_stratification", first, second)
    older_by_one = {path: count for path, count in go_on.items() if path[0] != path[1]}
    assert list(older_by_one.values()) == [12] and len(gone) == len(new) == 2
    assert min([*go_on.values(), *gone.values(), *new.values()]) >= K
    assert checked(desk, release_id).path >= K
    assert second["household"].null_count() == second.height  # who lives together would tell whose path it is


@pytest.mark.parametrize("name", ["partner_needs", "risk_stratification"])
def test_who_leaves_or_comes_is_not_alone_either(desk: Desk, name: str) -> None:
    _, first = next_of(desk, name)
    for table in ("attributes.attributes.person", "attributes.risk.score"):
        desk.wh.execute(f"UPDATE {table} SET person_id = 'new1' WHERE person_id = 'id00021'")
        desk.wh.execute(f"DELETE FROM {table} WHERE person_id = 'id00022'")
    _, second = next_of(desk, name)
    assert all(min(counts.values()) >= K for counts in as_followed(name, first, second))


def test_the_check_follows_people_over_the_files_and_refuses_a_path_of_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_of(desk, "partner_needs")
    move(desk.wh, [1], "ward = 'Leigh'")
    with monkeypatch.context() as careless:
        careless.setattr(Paths, "that_may_stand", lambda self, links: set(links))
        release_id, _ = next_of(desk, "partner_needs")
    with pytest.raises(ReleaseRefused, match="rarest path is shared by 1 rows; at least 10"):
        checked(desk, release_id)
    assert find(desk.operations, release_id).state == "refused"
    assert checked(desk, next_of(desk, "partner_needs")[0]).path >= K  # what was refused is no ground to go on from


SET = load_set("partner_needs")


def month(values: dict[str, str]) -> tuple[list[str], pl.DataFrame]:
    """A release of names and what each is given."""
    told = [{"person": name, "sex": "M", "support": value, "social_tenancy": None} for name, value in values.items()]
    return list(values), pl.DataFrame(told)


def test_a_rare_value_leads_across_a_cut_and_a_common_one_does_not() -> None:
    stay = {f"s{i}": "care" for i in range(40)}
    then = month(stay | {f"a{i}": "none" for i in range(12)} | {"a12": "care"})
    now = month(stay | {f"b{i}": "none" for i in range(12)} | {"b12": "care"})
    assert lead_across(SET, [then, now], K) == {"b12"}
    hidden = without_values(SET, now[1], {"b12"})
    assert hidden["support"].null_count() == 1
    assert lead_across(SET, [then, (now[0], hidden)], K) == set()
    assert lead_across(SET, [then, now, now], K) == {"b12"}  # in the next release still
    changed = month(stay | {f"b{i}": "none" for i in range(13)})
    assert lead_across(SET, [then, (now[0], hidden), changed], K) == set()  # it is told again once it leads nowhere
    begun = month(stay | {f"b{i}": "care" for i in range(12)})
    assert lead_across(SET, [month(stay | {"a0": "none"}), begun], K) == set()  # whoever is new had no name before


def test_the_check_finds_a_rare_value_that_the_build_let_stand(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    next_of(desk, "partner_needs")
    move(desk.wh, [1], "ward = 'Leigh'")
    with monkeypatch.context() as careless:
        careless.setattr("pipelines.releases.building.without_values", lambda asked, rows, names: rows)
        release_id, rows = next_of(desk, "partner_needs")
    assert rows["support"].null_count() == 0
    with pytest.raises(ReleaseRefused, match="so rare that they lead back"):
        checked(desk, release_id)
    release_id, rows = next_of(desk, "partner_needs")
    assert 0 < rows["support"].null_count() <= 0.05 * rows.height
    assert checked(desk, release_id).path >= K


def of(paths: dict[str, Any], values: str = "ab") -> dict[str, Trace]:
    return {name: Trace(tuple(path), (values[nr % len(values)],)) for nr, (name, path) in enumerate(paths.items())}


def test_two_steps_that_many_share_may_be_one_persons_together() -> None:
    """Twelve moved in one month, twelve had a birthday in the next; one person did both."""
    old = {f"m{i}": ("Leigh 20", "Milton 20") for i in range(12)} | {f"s{i}": ("Milton 20",) * 2 for i in range(40)}
    now = dict.fromkeys(old, ("Milton 20",)) | {f"s{i}": ("Milton 25",) for i in range(11)} | {"m0": ("Milton 25",)}
    paths = Paths(of(old), of(now), K, 1)
    links = {Link(name, name) for name in old}
    assert paths.smallest(links) == 1 and not paths.are_shared(links)
    standing = paths.that_may_stand(links)
    assert "m0" not in {link.old for link in standing} and paths.are_shared(standing)
    assert paths.smallest(standing) >= K
    shorter = {name: path[1:] for name, path in old.items()}
    assert Paths(of(shorter), of(now), K, 1).are_shared(links)


def test_a_path_whose_rows_all_have_one_sensitive_value_is_cut() -> None:
    old, now = {f"p{i}": ("Leigh",) for i in range(40)}, {f"p{i}": ("Leigh",) for i in range(40)}
    now |= {f"p{i}": ("Milton",) for i in range(12)} | {f"q{i}": ("Milton",) for i in range(20)}
    alike = of(now) | {f"p{i}": Trace(("Milton",), ("a",)) for i in range(12)}
    links = {Link(name, name) for name in old}
    assert Paths(of(old), of(now), K, 2).that_may_stand(links) == links
    assert {link.old for link in Paths(of(old), alike, K, 2).that_may_stand(links)} <= {f"p{i}" for i in range(12, 40)}


def test_the_table_of_supersession_names_nobody_whose_path_is_rare() -> None:
    old = {f"p{i}": ("Leigh",) for i in range(40)} | {f"q{i}": ("Milton",) for i in range(40)}
    now = {name: path for name, path in old.items() if name not in ("p0", "q0")}
    both = {Link(name, name) for name in now}
    alike, rare = Link("p0", "p1", "merge"), Link("q0", "p1", "merge")
    assert alike in Paths(of(old), of(now), K, 1).that_may_stand(both | {alike})
    standing = Paths(of(old), of(now), K, 1).that_may_stand(both | {alike, rare})
    assert rare not in standing and {"q0"} < {f"q{i}" for i in range(40)} - {link.old for link in standing}
