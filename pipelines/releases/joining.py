"""Two releases of one purpose, in different hands: rows that are alike in all that both hold, and alone in each, could
be joined though no pseudonym is shared. Who then has both files knows of such a row what either knows.
"""

from datetime import date

import polars as pl

from pipelines.operations import Operations
from pipelines.releases.sealed import rows_of
from pipelines.releases.sets import ReleaseSet
from pipelines.releases.store import Release, releases
from pipelines.settings import DataFolder

#: States of a release that its recipient holds, or may at any time.
OUT = ("checked", "approved", "published")


def joins_most(
    folder: DataFolder, operations: Operations, release: Release, rows: pl.DataFrame, asked: ReleaseSet, today: date
) -> tuple[float, str, str] | None:
    """The largest share of the rows that joins with one release of the purpose that another recipient holds, that
    release, and its recipient; None where nobody else holds any. Raises ReleaseRefused for one that can't be opened."""
    others = [
        other
        for other in releases(operations)
        if other.purpose == release.purpose
        and other.recipient.casefold() != release.recipient.casefold()
        and other.state in OUT
        and date.fromisoformat(other.expires) >= today
    ]
    ids = set(asked.of_kind("id"))
    found = [
        (joined(rows.drop(ids, strict=False), rows_of(folder, operations, other)), other.release_id, other.recipient)
        for other in others
    ]
    return max(found, default=None)


def joined(rows: pl.DataFrame, others: pl.DataFrame) -> float:
    """The share of rows that equal one row of the other file, and that one only, in every column that both have. A
    column of one value tells nothing apart, and of two days would hide that the rest agrees."""
    both = [
        name
        for name in rows.columns
        if name in others.columns and max(rows[name].n_unique(), others[name].n_unique()) > 1
    ]
    if not both or not rows.height:
        return 0.0
    pairs = _alone(rows, both).join(_alone(others, both), on=both, nulls_equal=True)
    return pairs.height / rows.height


def _alone(rows: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    told = rows.select(
        pl.col(name).list.join("\0") if isinstance(rows[name].dtype, pl.List) else pl.col(name).cast(pl.String)
        for name in columns
    )
    return told.group_by(columns).len().filter(pl.col("len") == 1).drop("len")
