"""The numbers behind expected recall, fitted anew on invented boroughs whose truth is known.

`--out` names folders that `python -m benchmarks.readiness --out` left (borough, truth, a run in `base`). Printed: the
terms of `APART` (linkage_models/readiness/chances.py), by a logistic regression over the pairs of clusters that the
clustering left apart and no other person is in question for, each weighed by the root of its pairs of records and
`--weights` of its borough; and the share of what Chao's estimator foretells (`UNSEEN`,
pipelines/readiness/thresholds.py) that is there, by least squares.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.readiness import LINKED, opened
from linkage_models.models import Model
from linkage_models.readiness.chances import APART, apart_terms, write_chances
from pipelines.linkage.edges import MODEL
from pipelines.readiness.measuring import PAIR, VIEW, write_records
from pipelines.readiness.thresholds import UNSEEN
from pipelines.settings import DataFolder
from pipelines.view_edges import open_view_edges
from pipelines.warehouse import Warehouse


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out", nargs="+", required=True, type=Path)
    asked.add_argument("--weights", nargs="*", type=float, default=[])
    given = asked.parse_args()
    terms, unseen = [], []
    for place, out in enumerate(given.out):
        with opened(DataFolder.at(out / "base"), out.resolve()) as wh:
            weight = given.weights[place] if place < len(given.weights) else 1.0
            rows = apart_of(wh)
            rows[:, 1] *= weight
            terms.append(rows)
            unseen += unseen_of(wh)
    every = np.vstack(terms)
    for name, value in zip(APART, logistic(every[:, 2:], every[:, 0], every[:, 1]), strict=True):
        print(f"{name:40}{value:8.2f}   in use {APART[name]:.2f}")
    told, real = np.array(unseen, dtype=float).T
    print(f"{'UNSEEN':40}{(told @ real) / (told @ told):8.2f}   in use {UNSEEN}")


def apart_of(wh: Warehouse) -> np.ndarray:
    """One row per pair of clusters left apart: is it one person, its weight, the terms."""
    ((body, frequencies),) = wh.rows(f"SELECT body, terms FROM {MODEL}")
    write_records(wh, Model.of(body, frequencies))
    open_view_edges(wh, VIEW)
    write_chances(wh.con, "readiness_record", "view_edge")
    sql = ", ".join(apart_terms().values())
    found = wh.con.execute(
        f"""WITH sized AS (
            SELECT cluster, count(*) AS n, list(DISTINCT source) AS sources FROM chance_record GROUP BY cluster
        ), real AS (
            SELECT x, y, bool_or(l.person_id = r.person_id)::INTEGER AS one FROM chance_pair
            JOIN truth_record l ON l.record_id = record_l JOIN truth_record r ON r.record_id = record_r GROUP BY x, y
        ), told AS (
            SELECT c.*, one, a.n AS n_x, b.n AS n_y, len(list_intersect(a.sources, b.sources)) AS shared
            FROM chance c JOIN real USING (x, y) JOIN sized a ON a.cluster = x JOIN sized b ON b.cluster = y
            WHERE rivals = 1
        )
        SELECT one, sqrt(pairs), {sql} FROM told"""
    ).fetchnumpy()
    return np.column_stack([np.asarray(column, dtype=float) for column in found.values()])


def unseen_of(wh: Warehouse) -> list[tuple[float, int]]:
    """Of pairs of sources with 100 true pairs: what Chao's estimator foretold beyond all that is told; the truth."""
    return wh.rows(
        f"""WITH told AS (
            SELECT least(a.source, b.source) AS source_l, greatest(a.source, b.source) AS source_r, sum(apart) AS told
            FROM chance_pair JOIN readiness_record a ON a.record_id = record_l
            JOIN readiness_record b ON b.record_id = record_r GROUP BY ALL
        ), real AS (
            SELECT a.source AS source_l, b.source AS source_r, count(*) AS pairs,
                count(*) FILTER (e.record_l IS NULL AND c.x IS NULL AND a.cluster <> b.cluster) AS unseen
            FROM ({LINKED}) a JOIN ({LINKED}) b ON b.person_id = a.person_id AND a.source < b.source
            JOIN readiness_record p ON p.record_id = a.record_id JOIN readiness_record q ON q.record_id = b.record_id
            LEFT JOIN chance c ON c.x = least(p.cluster, q.cluster) AND c.y = greatest(p.cluster, q.cluster)
            LEFT JOIN clustered_edge e ON e.record_l = least(a.record_id, b.record_id)
                AND e.record_r = greatest(a.record_id, b.record_id)
            GROUP BY ALL
        )
        SELECT (missed - coalesce(told, 0)) / {UNSEEN!r}, unseen FROM {PAIR} JOIN real USING (source_l, source_r)
        LEFT JOIN told USING (source_l, source_r) WHERE pairs >= 100"""
    )


def logistic(terms: np.ndarray, real: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The coefficients, by Newton's method."""
    found = np.zeros(terms.shape[1])
    for _ in range(40):
        told = 1 / (1 + np.exp(-terms @ found))
        slope = (terms * (weight * told * (1 - told))[:, None]).T @ terms
        found += np.linalg.solve(slope, terms.T @ (weight * (real - told)))
    return found


if __name__ == "__main__":
    main()
