"""Sensitive values so rare that they lead across a cut pseudonym: who had one and is gone, who has it and is new.

A cut hides somebody among others of their group who were cut with them. Values that few of all who were cut had before,
and few of all who came then have, tell them apart again, for most values stay from one release to the next.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from pipelines.releases.sets import ReleaseSet


def lead_across(asked: ReleaseSet, releases: Sequence[tuple[Sequence[str], pl.DataFrame]], k: int) -> set[str]:
    """The names in the last release that a sensitive value, or all together, leads back: somebody had it whose name
    ended just before theirs began, and fewer than `k` of such had it, or of those whose names began then have it."""
    rows = [dict(zip(names, each.iter_rows(named=True), strict=True)) for names, each in releases]
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for at, held in enumerate(rows):
        first = dict.fromkeys(held, at) | first
        last |= dict.fromkeys(held, at)
    found: set[str] = set()
    for at in range(1, len(rows)):
        ended = Counter(told for name, row in rows[at - 1].items() if last[name] < at for told in _told(asked, row))
        began = {name: set(_told(asked, row)) for name, row in rows[-1].items() if first[name] == at}
        now = Counter(told for every in began.values() for told in every)
        rare = {told for told in now if ended[told] > 0 and min(ended[told], now[told]) < k}
        found |= {name for name, every in began.items() if every & rare}
    return found


def without_values(asked: ReleaseSet, rows: pl.DataFrame, names: set[str]) -> pl.DataFrame:
    """The rows, those of these names without what is sensitive."""
    told = ~pl.col("person").is_in(list(names))
    return rows.with_columns(pl.when(told).then(pl.col(name)).alias(name) for name in asked.of_kind("sensitive"))


def _told(asked: ReleaseSet, row: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The sensitive values of a row, each alone and all together, without and with the sex; none that is not told."""
    values = tuple(f"{name} {row[name]}" for name in asked.of_kind("sensitive") if row[name] is not None)
    for told in {values, *((value,) for value in values)} - {()}:
        yield told
        yield (*told, f"sex {row.get('sex')}")
