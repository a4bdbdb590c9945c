"""How well ids last: how many persons of a run still have their id, and what an id outlives, against the truth."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.linkage.rewinding import members_after
from pipelines.warehouse import Warehouse

LEDGER, MEMBERSHIP, INTAKE = "published.linkage.ledger", "published.linkage.membership", "published.meta.intake"


def ids_by_run(wh: Warehouse, view: str) -> list[dict[str, Any]]:
    """Per run that changed persons: how many there were after it, and the share whose id is still current."""
    rows = []
    current = set(_now(wh, view)["id"])
    for (run_id,) in wh.rows(f"SELECT DISTINCT run_id FROM {LEDGER} WHERE view = ? ORDER BY 1", [view]):
        ids = set(_after(wh, view, run_id)["id"])
        rows.append({"run": run_id, "persons": len(ids), "id still current": round(len(ids & current) / len(ids), 4)})
    return rows


def ids_over_months(wh: Warehouse, view: str, truth: Path) -> list[dict[str, Any]]:
    """True persons of the first run and of the last: the share whose id stayed, by what befell them between.

    A person's id is the one that holds most of their records. Needs the truth of the first run's month; without it, or
    with one run only, there is nothing to say.
    """
    first_run = wh.scalar(f"SELECT min(run_id) FROM {LEDGER} WHERE view = ?", [view])
    day: date | None = wh.scalar(
        f"SELECT max(extract_date) FROM {INTAKE} WHERE run_id = ? AND state IN ('accepted', 'superseded')", [first_run]
    )
    last: date | None = wh.scalar(f"SELECT max(extract_date) FROM {INTAKE} WHERE state = 'accepted'")
    then = truth / "months" / str(day)
    if day is None or last is None or day == last or not then.exists():
        return []
    now = _now(wh, view)
    kept = (
        _id_of(_after(wh, view, first_run), then)
        .join(_id_of(now, truth), on="person_id", suffix="_now")
        .with_columns(kept=pl.col("id") == pl.col("id_now"))
    )
    befell = _befell(truth, then, day)
    kinds = [(kind, kept.filter(pl.col("person_id").is_in(people.implode()))) for kind, people in befell.items()]
    touched = pl.concat(list(befell.values())).unique().implode()
    kinds += [("none of these", kept.filter(~pl.col("person_id").is_in(touched))), ("all", kept)]
    return [
        {
            "between": f"{day} and {last}",
            "what befell them": kind,
            "persons": people.height,
            "id kept": int(people["kept"].sum()),
            "share": round(int(people["kept"].sum()) / people.height, 4),
        }
        for kind, people in kinds
        if people.height
    ]


def _now(wh: Warehouse, view: str) -> pl.DataFrame:
    """(member, id) of the view today."""
    return wh.frame(f"SELECT record_id AS member, person_id AS id FROM {MEMBERSHIP} WHERE view = '{view}'")


def _after(wh: Warehouse, view: str, run_id: str) -> pl.DataFrame:
    """(member, id) of the view as they stood after a run."""
    then = members_after(LEDGER, "person").replace("?", f"'{run_id}'")
    return wh.frame(f"SELECT member, id FROM ({then}) WHERE view = '{view}'")


def _id_of(members: pl.DataFrame, truth: Path) -> pl.DataFrame:
    """(person_id, id): for each true person the id that holds most of their records, the least of equals."""
    keyed = members.with_columns(
        source=pl.col("member").str.extract("^([^:]*):"), source_key=pl.col("member").str.extract("^[^:]*:(.*)#[^#]*$")
    )
    return (
        keyed.join(pl.read_parquet(truth / "records.parquet"), on=["source", "source_key"])
        .group_by("person_id", "id")
        .len()
        .sort("person_id", "len", "id", descending=[False, True, False])
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", "id")
    )


def _befell(truth: Path, then: Path, day: date) -> dict[str, pl.Series]:
    """Who, since the day: one series of true persons a kind of event; a person may be in several."""
    people, before = pl.read_parquet(truth / "persons.parquet"), pl.read_parquet(then / "persons.parquet")
    stays = pl.read_parquet(truth / "residence.parquet").sort("person_id", "from_date")
    came = stays.with_columns(
        before=pl.col("uprn").shift(1).over("person_id"), was=pl.col("role").shift(1).over("person_id")
    ).filter((pl.col("from_date") > day) & pl.col("uprn").is_not_null())
    within = came.filter(pl.col("before").is_not_null())
    renamed = people.join(before, on="person_id", suffix="_then").filter(pl.col("surname") != pl.col("surname_then"))
    befell = {
        "changed surname": renamed["person_id"],
        "died": people.filter(pl.col("death_date") > day)["person_id"],
        "moved within the borough": within["person_id"],
        "left the borough": stays.filter((pl.col("from_date") > day) & pl.col("uprn").is_null())["person_id"],
    }
    if (truth / "hazards.parquet").exists():
        hazards = pl.read_parquet(truth / "hazards.parquet").filter(pl.col("happened") & (pl.col("month") > day))
        befell |= {
            f"hazard: {name.replace('_', ' ')}": hazards.filter(pl.col("hazard") == name)["person_id"]
            for name in hazards["hazard"].unique().sort()
        }
    records = pl.read_parquet(then / "records.parquet")
    if (truth / "corrections.parquet").exists():
        corrected = pl.read_parquet(truth / "corrections.parquet").join(records, on=["source", "source_key"])
        befell["a record put right"] = corrected["person_id"]
    if (truth / "incidents.json").exists():
        for incident in json.loads((truth / "incidents.json").read_text()):
            if incident["what"].startswith("migration"):
                moved = records.filter(pl.col("source") == incident["where"])["person_id"]
                befell[f"a source got new keys ({incident['where']})"] = moved
    return {kind: found.drop_nulls().unique() for kind, found in befell.items()}
