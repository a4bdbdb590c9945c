"""Holding a published run against the truth of an invented borough; nothing else may read that truth."""

from pathlib import Path
from typing import Any

from pipelines.faults import BoroughlinkError
from pipelines.settings import DataFolder
from pipelines.snapshots import open_snapshot

FLAGGED = "SELECT rule, subject_ref, other_ref, strength FROM published.fraud.flagged_pair"


def judge(folder: DataFolder, truth: Path) -> dict[str, Any]:
    """Links, addresses and flagged pairs of the published run against an invented borough's truth."""
    import polars as pl

    from linkage_models.address.evaluation import evaluate_addresses
    from linkage_models.evaluation import evaluate
    from pipelines.fraud.evaluation import evaluate_flags, summarise

    if not (truth / "persons.parquet").exists():
        raise BoroughlinkError(f"{truth} is not the truth/ folder of an invented borough.")
    with open_snapshot(folder, read=(truth,)) as (wh, _):
        return {
            "links": evaluate(wh.con, truth),
            "addresses": evaluate_addresses(
                wh.con,
                str(truth / "addresses.parquet"),
                addresses="published.facts.address",
                matched="published.places.address_uprn",
            ),
            "flags": summarise(
                evaluate_flags(
                    wh.frame(FLAGGED),
                    pl.read_parquet(truth / "planted.parquet"),
                )
            ),
        }
