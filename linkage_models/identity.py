"""Ids that last: a group of members keeps the id it shares most members with since the last run.

The same rule serves persons (members are records) and households (members are person-stays at a home).
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

Draw = Callable[[int], pl.Series]  # of so many ids


@dataclass(frozen=True)
class Assigned:
    """`ids`: member, id, in the order of the members given. `events`: event, id, other_id, members, reason: what became
    of every id since the last run, in order."""

    ids: pl.DataFrame
    events: pl.DataFrame


def changed(now: pl.DataFrame, last: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of groups that aren't exactly the members of one id of the last run, and the rows of ids that aren't
    exactly one group: all that `assign` needs to see. `now` is member, group_no; `last` is member, id."""
    if last.is_empty():
        return now, last
    # by 64-bit hashes, which are joined and counted in a third of the time that names take
    was = last.select(member=pl.col("member").hash(), id=pl.col("id").hash())
    group = (
        now.select("group_no", member=pl.col("member").hash())
        .join(was, on="member", how="left")
        .group_by("group_no")
        .agg(id=pl.col("id").min(), other=pl.col("id").max(), known=pl.col("id").count(), members=pl.len())
        .join(was.group_by("id").agg(size=pl.len()), on="id", how="left")
    )
    same = group.filter(
        (pl.col("id") == pl.col("other"))
        & (pl.col("known") == pl.col("members"))
        & (pl.col("size") == pl.col("members"))
    )
    return now.join(same, on="group_no", how="anti"), last.filter(~was["id"].is_in(same["id"].implode()))


def assign(groups: pl.DataFrame, last: pl.DataFrame, draw: Draw) -> Assigned:
    """Give every group of `groups` (member, group_no) an id; `last` is (member, id) at the last run.

    Each old id goes to the group with which it shares most members, each group gets one at most; the larger overlap
    chooses first, ties by id, then by group number. Groups left over take new ids from `draw`, in the order of
    group_no.
    """
    if last.is_empty():
        return _created(groups, draw)
    held = groups.select("member", pl.col("group_no").cast(pl.Int64)).join(
        last.rename({"id": "was"}), on="member", how="left", maintain_order="left"
    )
    overlap = held.filter(pl.col("was").is_not_null()).group_by("group_no", id="was").agg(shared=pl.len())
    # pairs that share with nothing else: nearly all
    plain = overlap.filter((pl.len().over("group_no") == 1) & (pl.len().over("id") == 1)).select("group_no", "id")
    contested = overlap.join(plain, on="group_no", how="anti").sort(
        ["shared", "id", "group_no"], descending=[True, False, False]
    )
    settled: dict[int, str] = {}
    ids_taken: set[str] = set()
    for group, identifier in contested.select("group_no", "id").iter_rows():
        if group not in settled and identifier not in ids_taken:
            settled[group] = identifier
            ids_taken.add(identifier)
    won = pl.DataFrame(list(settled.items()), schema={"group_no": pl.Int64, "id": pl.String}, orient="row")
    kept = pl.concat([plain, won])
    wanted = held.select(pl.col("group_no").unique()).join(kept, on="group_no", how="anti").sort("group_no")
    drawn = wanted.with_columns(id=pl.Series(draw(wanted.height), dtype=pl.String))
    given = pl.concat([kept, drawn]).rename({"id": "now"})
    held = held.join(given, on="group_no", how="left", maintain_order="left")
    return Assigned(held.select("member", id="now"), _events(held, last))


def _created(groups: pl.DataFrame, draw: Draw) -> Assigned:
    """As `assign`, where nobody has an id yet: half the time, and a run of everything is mostly this."""
    place = (groups["group_no"].rank("dense") - 1).cast(pl.Int64)
    drawn = pl.Series(draw(place.n_unique()), dtype=pl.String)
    held = groups.select("member", id=drawn.gather(place))
    ordered = held.with_columns(place=place)
    if not held["member"].is_sorted():
        ordered = ordered.sort("member")
    none, why = pl.lit(None, dtype=pl.String), pl.lit("new records only")
    events = ordered.group_by("place", maintain_order=True).agg(pl.col("id").first(), members="member")
    return Assigned(held, events.select(event=pl.lit("created"), id="id", other_id=none, members="members", reason=why))


def _events(held: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
    """What became of every id since the last run. Grain: event, id, other_id. `held` is member, group_no, and the ids
    of the member, was and now."""
    was, now = pl.col("was"), pl.col("now")
    stayed = held.filter(was.is_not_null())
    gone = last.join(stayed, on="member", how="anti").select("member", was="id")
    moved = (  # members by where they were and where they are
        pl.concat([held.filter(was.ne_missing(now)), gone], how="diagonal")
        .sort("member")
        .group_by(was.rank("dense").alias("id_no"), "group_no", maintain_order=True)  # numbers are quicker than names
        .agg(was.first(), now.first(), members="member")
    )
    of_old = held["now"].is_in(moved["was"].drop_nulls().unique().implode())
    moved = moved.with_columns(
        lives=was.is_in(held["now"].filter(of_old).unique().implode()).fill_null(False),
        lived=now.is_in(last["id"].unique().implode()).fill_null(False),
    )
    both = moved.filter(was.is_not_null() & now.is_not_null())
    met = now.is_in(both["now"].unique().implode())
    left_for = was.is_in(both["was"].unique().implode())
    lives, lived = pl.col("lives"), pl.col("lived")
    none = pl.lit(None, dtype=pl.String)

    def event(name: str, where: pl.Expr, one: pl.Expr, other: pl.Expr, reason: str | pl.Expr) -> pl.DataFrame:
        said = pl.lit(reason) if isinstance(reason, str) else reason
        found = moved.filter(where)
        return found.select(event=pl.lit(name), id=one, other_id=other, members="members", reason=said)

    joined = pl.when(was.is_null()).then(pl.lit("new records")).otherwise(pl.lit("moved from another id"))
    left = pl.when(now.is_null()).then(pl.lit("no longer in any extract")).otherwise(pl.lit("moved to another id"))
    events = [  # in the order of their names, and of each event's first members
        event("created", was.is_null() & ~lived & ~met, now, none, "new records only"),
        event("joined", (was.is_null() & (lived | met)) | (lives & lived), now, was, joined),
        event("left", lives, was, now, left),
        event("merged", was.is_not_null() & ~lives & lived, now, was, "the id with more shared records stays"),
        event("retired", was.is_not_null() & ~lives & now.is_null() & ~left_for, was, none, "no record is left"),
        event(
            "split",
            was.is_not_null() & now.is_not_null() & ~lived,
            now,
            was,
            "these records no longer belong together with the rest",
        ),
    ]
    return pl.concat(events)
