"""Evaluation: cases counted by hand, groups that add up to the whole, causes of misses, and yardsticks that run."""

from datetime import date

import duckdb
import polars as pl
import pytest

from linkage_models.evaluation import measure
from linkage_models.evaluation.blocking import judge_blocking
from linkage_models.evaluation.misses import BELOW, CONSTRAINT, NEVER, OUTVOTED, UNDISTINGUISHED, misses
from linkage_models.evaluation.rates import Share, by_group, by_source_pair, judge, overall
from linkage_models.standardise import install, standardise_people
from linkage_models.yardsticks import CHEAP, stock
from tests.linkage_models.small_town import build


def test_rates_on_a_case_counted_by_hand() -> None:
    found = pl.DataFrame({"record_id": ["a", "b", "c", "d", "e"], "cluster": [1, 1, 1, 2, 3]})
    truth = pl.DataFrame(
        {"record_id": ["a", "b", "c", "d", "e"], "person_id": [1, 1, 2, 2, 3], "source": list("xyxyx")}
    )
    with duckdb.connect() as con:
        con.register("found", found)
        con.register("truth", truth)
        said = measure(con, "found", "truth", "truth")
        judge(con, "found", "truth", "truth")
        pairs = {(a, b): (true, p.value, r.value) for a, b, true, p, r in by_source_pair(con, "judged")}
    assert (said.pairs.precision, said.pairs.recall) == (pytest.approx(1 / 3), 0.5)
    assert said.b_cubed.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert said.b_cubed.recall == pytest.approx((1 + 1 + 0.5 + 0.5 + 1) / 5)
    assert (said.clusters.precision, said.clusters.recall) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert said.largest == 3 and said.most_persons == 2 and said.mixed == pytest.approx(1 / 3)
    # a-b right, b-c wrong; c-d missed
    assert pairs == {("x", "y"): (2, 0.5, 0.5)}


def test_blocking_on_a_case_counted_by_hand() -> None:
    truth = pl.DataFrame({"record_id": list("abcde"), "person_id": [1, 1, 1, 2, 2], "source": list("xyxyx")})
    # of the true pairs ab, ac, bc, de the two rules bring ab (both) and de (the second) together; ad is no true pair
    edges = pl.DataFrame({"record_l": list("ada"), "record_r": list("bed"), "rules": [3, 2, 1]})
    with duckdb.connect() as con:
        con.register("truth", truth)
        con.register("edges", edges)
        con.register("found", truth.select("record_id", cluster="person_id"))
        judge(con, "found", "truth", "truth")
        recall, rules = judge_blocking(con, "edges", "judged", ["home", "name", "never"])
    assert recall == 0.5
    assert [tuple(row.values()) for row in rules] == [("name", 2, 2, 1), ("home", 2, 1, 0)]


def test_groups_add_up_to_the_whole_and_a_perfect_group_is_not_said_to_be_certain() -> None:
    records = pl.DataFrame({"record_id": [f"r{i}" for i in range(90)], "source": ["s", "t", "u"] * 30})
    with duckdb.connect() as con:
        con.register("truth", records.with_columns(person_id=pl.int_range(90) // 3))
        # persons 0 to 9 whole, then every third record elsewhere
        wrong = (pl.int_range(90) >= 30) & (pl.int_range(90) % 3 == 2)
        con.register("found", records.select("record_id", cluster=pl.int_range(90) // 3 + 100 * wrong))
        con.register(
            "half", records.select("record_id", grouping=pl.lit("half"), name=(pl.int_range(90) < 30).cast(str))
        )
        judge(con, "found", "truth", "truth")
        whole, (bad, good) = overall(con), by_group(con, "judged", "half")["half"]
    assert (good.group, good.pair_recall.value, bad.pair_recall.value) == ("true", 1.0, pytest.approx(1 / 3))
    assert good.true_pairs + bad.true_pairs == 90
    assert whole.pairs.recall == pytest.approx((30 * 1 + 60 / 3) / 90)
    assert good.whole_recall.value == 1.0 and bad.whole_recall.value == 0.0
    # ten persons without an error: at 90 % certainty no more than 26 % err (0.05 ** (1 / 10))
    assert good.pair_recall.low == pytest.approx(0.05**0.1, abs=1e-6) and good.pair_recall.high == 1.0


def test_records_of_one_person_err_together_and_widen_the_interval() -> None:
    """Fifty persons with ten pairs each, all right or all wrong, tell as much as fifty pairs."""
    together = Share.of(400, 500, (40 * 100, 40 * 100, 50 * 100), 50)
    apart = Share.of(400, 500, (400, 400, 500), 500)
    assert together.value == apart.value == 0.8
    assert together.high - together.low > 2.5 * (apart.high - apart.low)  # type: ignore[operator]


def test_every_miss_has_its_cause() -> None:
    """One person per cause; the second record of each lies in another cluster."""
    rows = [
        # record, person, cluster, forename_root, surname_key, birth_date, one_person_key
        ("a1", 1, 1, "ANN", "REED", "1980-02-01", None), ("a2", 1, 2, "ANN", "REED", "1980-02-01", None),
        ("b1", 2, 3, "BOB", "HILL", "1970-02-01", "s"), ("b2", 2, 4, "BOB", "HILL", "1970-02-01", "s"),
        ("c1", 3, 5, "CAT", "LANE", "1960-02-01", None), ("c2", 3, 6, "CAT", "LANE", "1960-02-01", None),
        ("d1", 4, 7, "DAN", "WEST", "1950-02-01", None), ("d2", 4, 8, "DAN", "WEST", "1950-02-01", None),
        ("e1", 5, 9, "EVE", "SMITH", None, None), ("e2", 5, 10, "EVE", "SMITH", None, None),
        ("f1", 6, 11, "EVE", "SMITH", None, None),
    ]  # fmt: skip
    names = ("record_id", "person", "cluster", "forename_root", "surname_key", "birth_date", "one_person_key")
    edges = [("b1", "b2", 9.0), ("c1", "c2", 1.0), ("d1", "d2", 9.0), ("e1", "e2", 9.0)]
    with duckdb.connect() as con:
        con.register("row", pl.DataFrame(rows, schema=names, orient="row"))
        con.register("edge", pl.DataFrame(edges, schema=["record_l", "record_r", "match_weight"], orient="row"))
        con.execute(
            "CREATE TABLE record AS SELECT record_id, forename_root, surname_key, birth_date::DATE AS birth_date,"
            " one_person_key, NULL::DATE AS death_date, NULL::DATE AS last_begun FROM row"
        )
        con.execute("CREATE TABLE judged AS SELECT record_id, person, cluster FROM row")
        said = misses(con, "judged", "record", "edge", link=3.0)
    assert dict(said.causes) == {UNDISTINGUISHED: 1, CONSTRAINT: 1, NEVER: 1, BELOW: 1, OUTVOTED: 1}
    assert (said.distinguished, said.found) == (4, 0)


def test_yardsticks_cluster_a_small_town() -> None:
    """Every yardstick runs on real records, links most of the town, and never makes a giant."""
    town = build(people=600, seed=3)
    with duckdb.connect() as con:
        install(con)
        con.register("fact", town.records)
        con.register("person_truth", town.truth)
        standardise_people(con, "fact", "standard", date(2026, 10, 31))
        con.execute(
            "CREATE TABLE record AS SELECT s.*, f.home_key, f.postcode, NULL::VARCHAR[] AS past_homes, NULL::BIGINT AS"
            " uprn, CASE s.source WHEN 'electoral_register' THEN s.source END AS one_person_key,"
            " NULL::DATE AS from_date, NULL::DATE AS to_date"
            " FROM standard s JOIN fact f USING (record_id)"
        )
        con.execute("CREATE TABLE truth AS SELECT t.*, r.source FROM person_truth t JOIN record r USING (record_id)")
        con.execute(
            "CREATE TABLE edge AS SELECT l.record_id AS record_l, r.record_id AS record_r, 9.0 AS match_weight"
            " FROM record l JOIN record r ON l.record_id < r.record_id AND l.home_key = r.home_key"
            " AND l.forename_root = r.forename_root"
        )
        told = {}
        # the stock components go through what the other two are made of
        for write in [*CHEAP.values(), *list(stock().values())[1:]]:
            for name in write(con, "record", "edge", "truth"):
                told[name] = measure(con, "yardstick_cluster", "truth", "truth")
    assert len(told) == 6
    published = [name for name in told if "as published" in name]
    for name, said in told.items():
        assert said.records == town.truth.height and said.largest < 30, name
        assert said.pairs.f1 > (0.0 if name in published else 0.5), (name, said)
