"""Do probabilities hold in a place whose names are not those that the shipped model was trained on?

`python -m benchmarks.crowded_names --folder DIR [--people N] [--seeds A B]` makes boroughs in which ten surnames cover
half of the families, and eight forenames each cohort of each sex. It links them by the shipped model and prints, beside
the truth, what is said of all pairs and of those that names speak for alone: of another address, or of none.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.fixtures import VIEW, Fixture, fixture, linked
from linkage_models.evaluation.rates import judge, overall
from linkage_models.models import pinned
from pipelines.view_edges import open_view_edges
from synthetic_data import vocabulary

# The ten commonest surnames of Wales; there they cover some 30 people in 100, in some valleys half.
CROWD = ("Jones", "Davies", "Williams", "Evans", "Thomas", "Roberts", "Hughes", "Lewis", "Morgan", "Griffiths")
CROWD_SHARE = 0.5
FORENAMES = 8
LOW, HIGH = -5.0, 15.0
SURE = 0.95
NAMES_ALONE = (
    "same surname, address of one unknown",
    "same surname, another address",
    "different surnames and addresses",
)


@contextmanager
def crowded() -> Iterator[None]:
    """The generator draws from few names."""
    surnames, forenames = vocabulary.surname_pool, vocabulary.forename_pool

    @cache
    def few_surnames(pool: str) -> vocabulary.Pool:
        usual = surnames(pool)
        rest = [place for place, word in enumerate(usual.words) if word not in CROWD]
        head = vocabulary.rank_weights(len(CROWD), 0.5) * CROWD_SHARE
        tail = usual.weights[rest] / usual.weights[rest].sum() * (1 - CROWD_SHARE)
        return vocabulary.Pool(
            np.concatenate([np.array(CROWD, dtype=object), usual.words[rest]]), np.append(head, tail)
        )

    @cache
    def few_forenames(pool: str, sex: str, cohort: int) -> vocabulary.Pool:
        usual = forenames(pool, sex, cohort)
        kept = np.argsort(-usual.weights, kind="stable")[:FORENAMES]
        return vocabulary.Pool(usual.words[kept], usual.weights[kept])

    vocabulary.surname_pool, vocabulary.forename_pool = few_surnames, few_forenames
    try:
        yield
    finally:
        vocabulary.surname_pool, vocabulary.forename_pool = surnames, forenames


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--folder", default="boroughlink-demo/crowded", help="where the boroughs are kept")
    asked.add_argument("--people", type=int, default=6_000)
    asked.add_argument("--seeds", type=int, nargs="+", default=[1301, 1302])
    given = asked.parse_args()
    with crowded():
        places = [fixture(Path(given.folder).resolve(), seed, given.people) for seed in given.seeds]
    told = pl.concat([pairs_of(place) for place in places])
    tell("all pairs", told)
    for level in NAMES_ALONE:
        tell(level, told.filter(pl.col("home") == level))


def pairs_of(place: Fixture) -> pl.DataFrame:
    """The compared pairs of a place: weight, what is said of them, whether they are of one person."""
    words = {gamma: pinned().level_words("home", gamma) for gamma in range(-1, 12)}
    with linked(place) as wh:
        open_view_edges(wh, VIEW)
        judge(wh.con, "found_cluster", "truth_record", "truth_record")
        print(f"{place.place.name}: {overall(wh.con)}")
        found = wh.frame(
            """SELECT e.match_weight AS weight, e.match_probability AS said, e.gamma_home AS home,
                (l.person_id = r.person_id)::DOUBLE AS same,
                CASE WHEN e.gamma_birth_date < 0 THEN 'no birth date' ELSE 'birth dates' END AS dated
            FROM view_edge e
            JOIN truth_record l ON l.record_id = e.record_l JOIN truth_record r ON r.record_id = e.record_r"""
        )
        return found.with_columns(pl.col("home").replace_strict(words, default=None))


def tell(title: str, pairs: pl.DataFrame) -> None:
    """Print the calibration error of the pairs between LOW and HIGH, and of the sure ones what is said and true."""
    inside = pairs.filter(pl.col("weight").is_between(LOW, HIGH)).sort("weight")
    bins = 15 if inside.height >= 1_500 else 5
    cut = inside.with_columns(bin=pl.int_range(pl.len()) * bins // pl.len()).group_by("bin")
    told = cut.agg(pl.len().alias("pairs"), error=(pl.col("said").mean() - pl.col("same").mean()).abs())
    error, worst = told.select(
        (pl.col("error") * pl.col("pairs")).sum() / pl.col("pairs").sum(), pl.col("error").max().alias("worst")
    ).row(0)
    print(f"{title}: {inside.height:,} pairs, calibration error {error:.4f}, worst bin {worst:.4f}")
    sure = pairs.filter(pl.col("said") >= SURE).group_by("dated").agg(pl.len(), pl.col("said", "same").mean())
    for dated, count, said, same in sure.sort("dated").iter_rows():
        print(f"  said {SURE} or more, {dated}: {count:,} pairs, said {said:.4f}, true {same:.4f}")


if __name__ == "__main__":
    main()
