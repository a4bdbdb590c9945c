"""Pairwise precision and recall of any clustering of the person records."""

from pathlib import Path

import polars as pl


def pair_rates(clusters: pl.DataFrame, group: str, records: Path, truth: pl.DataFrame) -> dict[str, float]:
    """`clusters` has record_id and `group`; `truth` has source, source_key, person_id. Counts pairs by group sizes."""
    known = (
        pl.read_parquet(records, columns=["record_id", "source", "source_key"])
        .join(truth.rename({"person_id": "true_person"}), on=["source", "source_key"])
        .join(clusters.select("record_id", pl.col(group).alias("found")), on="record_id")
    )

    def pairs(*columns: str) -> int:
        sizes = known.group_by(columns).len()["len"].cast(pl.Int64)
        return int((sizes * (sizes - 1) // 2).sum())

    right, found, true = pairs("found", "true_person"), pairs("found"), pairs("true_person")
    precision, recall = right / max(found, 1), right / max(true, 1)
    return {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / max(precision + recall, 1e-9), 4),
        "largest": int(known.group_by("found").len()["len"].max() or 0),  # type: ignore[arg-type]
    }
