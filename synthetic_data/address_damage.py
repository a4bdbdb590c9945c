"""Address damage learnt from real council lists: the package address-errors (MIT, UCL) on a sample of buildings.

Whole buildings are sampled, so that its one-convention-per-building rule holds; the sample keeps the run short
(about 10,000 addresses a second).
"""

import csv
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from address_errors import Controls, Corruptor, Profile, load_components

from synthetic_data.rates import Rates

LEARNT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {"uprn": pl.Int64, "learnt": pl.List(pl.String)}


def _sample(components: pl.DataFrame, rates: Rates, system: str, settings: dict[str, Any]) -> pl.DataFrame:
    """Buildings drawn for damage; those with flats are likelier, as in life."""
    roots = components.group_by("root", maintain_order=True).agg(flats=pl.col("unit").is_not_null().any()).sort("root")
    roots = roots.with_columns(draw=pl.Series(rates.draws(f"{system}:address-errors sample", roots["root"]).random()))
    share = pl.when("flats").then(float(settings["flats"])).otherwise(float(settings["houses"]))
    chosen = roots.filter(pl.col("draw") < share).select("root")
    return components.join(chosen, on="root", how="semi", maintain_order="left")


def learnt_damage(components: pl.DataFrame, rates: Rates, system: str) -> pl.DataFrame:
    """uprn and its damaged address as up to four lines, for the properties that the profile touches."""
    settings = rates.setting("address", "learnt_damage")
    style = settings["styles"].get(system)
    sample = _sample(components, rates, system, settings) if style else components.head(0)
    if sample.is_empty():
        return pl.DataFrame(schema=LEARNT_SCHEMA)
    table = sample.select(
        uprn=pl.col("uprn").cast(pl.String),
        subname="unit",
        name="building",
        number="number",
        streetname="street",
        locality="locality",
        townname="town",
        postcode="postcode",
        parentuprn=pl.col("parent_uprn").cast(pl.String),
        usrn=pl.col("usrn").cast(pl.String),
    ).fill_null("")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "components.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(table.columns)
            writer.writerows(table.rows())
        canonical = load_components(str(path))
    # Its own label drift and postcodes are left out: the truth of a UPRN and the postcode slips are ours (errors.yaml).
    controls = Controls(
        prevalence=rates.address_prevalence(), label_drift=0.0, postcode="never", case="upper", commas=True
    )
    corruptor = Corruptor(
        Profile.load(), style=style, seed=zlib.crc32(f"{rates.seed}:{system}".encode()), controls=controls
    )
    corruptor.index(canonical)
    touched = [row for row in corruptor.generate([row["uprn"] for row in canonical]) if row["touch_route"]]
    lines = [_four_lines(row["recorded_address"]) for row in touched]
    uprns = [int(row["source_uprn"]) for row in touched]
    return pl.DataFrame({"uprn": uprns, "learnt": lines}, schema=LEARNT_SCHEMA).unique(
        "uprn", keep="first", maintain_order=True
    )


def _four_lines(address: str) -> list[str]:
    parts = [part.strip() for part in address.split(",") if part.strip()]
    return [" ".join(parts[: len(parts) - 3]), *parts[len(parts) - 3 :]] if len(parts) > 4 else parts
