"""The whole borough: makes the world, lets every system write it down, and keeps the truth apart."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from time import perf_counter

import polars as pl

from synthetic_data.extracts import (
    adult_social_care,
    benefits,
    births,
    business_rates,
    caretrak,
    children_social_care,
    citizen_account,
    core_lettings,
    council_tax,
    council_tax_nfi,
    deaths,
    electoral_register,
    housing,
    housing_register,
    llpg,
    marriages,
    mortality,
    permits,
    population,
    right_to_buy,
    schools,
    youth_support,
)
from synthetic_data.extracts.delivery import Rendered, write_delivery
from synthetic_data.incidents import Incidents, plan
from synthetic_data.months import month_ends, world_on
from synthetic_data.rates import Month, Rates
from synthetic_data.truth import write_truth
from synthetic_data.world import World, build_world

AS_OF = date(2026, 10, 31)
Renderer = Callable[[World, Rates, date], Rendered]
RENDERERS: dict[str, Renderer] = {
    llpg.SYSTEM: llpg.render,
    council_tax.SYSTEM: council_tax.render,
    benefits.SYSTEM: benefits.render,
    housing.SYSTEM: housing.render,
    electoral_register.SYSTEM: electoral_register.render,
    adult_social_care.SYSTEM: adult_social_care.render,
    caretrak.SYSTEM: caretrak.render,
    schools.SYSTEM: schools.render,
    children_social_care.SYSTEM: children_social_care.render,
    youth_support.SYSTEM: youth_support.render,
    deaths.SYSTEM: deaths.render,
    permits.SYSTEM: permits.render,
    citizen_account.SYSTEM: citizen_account.render,
    housing_register.SYSTEM: housing_register.render,
    right_to_buy.SYSTEM: right_to_buy.render,
    core_lettings.SYSTEM: core_lettings.render,
    births.SYSTEM: births.render,
    marriages.SYSTEM: marriages.render,
    mortality.SYSTEM: mortality.render,
    business_rates.SYSTEM: business_rates.render,
    population.SYSTEM: population.render,
}
#: Other layouts that a source may come in (its contract names them).
LAYOUTS: dict[tuple[str, str], Renderer] = {
    (llpg.SYSTEM, "dtf"): llpg.render_dtf,
    (council_tax.SYSTEM, "nfi"): council_tax_nfi.render,
}
Progress = Callable[[str], None]


@dataclass(frozen=True)
class SourceSummary:
    """One source: file rows and bytes, person records, and the share of living residents it holds."""

    source: str
    rows: int
    bytes: int
    records: int
    residents_covered: float
    filled: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Summary:
    """What was made, where, and how long each part took (seconds)."""

    landing: Path
    truth: Path
    people: int
    households: int
    planted: int
    sources: list[SourceSummary]
    seconds: dict[str, float]


def _summarised(rendered: Rendered, residents: pl.Series) -> SourceSummary:
    known = rendered.records["person_id"].unique()
    covered = residents.is_in(known.implode()).sum() / max(len(residents), 1)
    return SourceSummary(
        source=rendered.source,
        rows=sum(file.rows for file in rendered.files),
        bytes=sum(len(file.content) for file in rendered.files),
        records=rendered.records.height,
        residents_covered=round(float(covered), 4),
        filled={file.name: file.filled for file in rendered.files if file.filled},
    )


def _residents(world: World) -> pl.Series:
    """person_id of everyone who lives in the borough on the day of the world."""
    current = world.residences.filter(pl.col("to_date").is_null() & pl.col("uprn").is_not_null())
    return current["person_id"].unique().sort()


def make_borough(
    out: Path,
    people: int,
    seed: int,
    profile: str = "central",
    as_of: date = AS_OF,
    progress: Progress | None = None,
    months: int = 1,
    layouts: Mapping[str, str] | None = None,
) -> Summary:
    """Writes out/landing (one delivery a source and month, the last at as_of) and out/truth (Parquet).

    The truth of the last month stands in out/truth, that of each month in out/truth/months/<date>. The same bytes for
    the same arguments. `layouts` names the sources that come in another of LAYOUTS than the usual one.
    """
    tell = progress or (lambda _: None)
    renderers = RENDERERS | {source: LAYOUTS[source, layout] for source, layout in (layouts or {}).items()}
    started = perf_counter()
    rates = Rates(profile, seed)
    days = month_ends(as_of, months)
    incidents = Incidents.of(days)
    world = build_world(people, seed, as_of, days)
    seconds = {"world": perf_counter() - started}
    tell(f"world: {len(_residents(world)):,} people, {world.properties.height:,} properties ({seconds['world']:.1f} s)")
    landing, truth = out / "landing", out / "truth"
    # The newest month comes first: it settles what belongs to a row's place in its file.
    sources: list[SourceSummary] = []
    for day in reversed(days):
        started = perf_counter()
        if months == 1:
            sources, taken = _month(world, rates, incidents, renderers, landing, truth, tell)
            seconds |= taken
            break
        before = days[days.index(day) - 1] if day != days[0] else None
        month = Month(day, days[0], before, float(plan()["corrected_yearly"]), incidents.upload_fault(day))
        made, _ = _month(
            world_on(world, day, rates),
            replace(rates, month=month),
            incidents,
            renderers,
            landing,
            truth / "months" / day.isoformat(),
            tell if day == as_of else lambda _: None,
        )
        sources = sources or made
        seconds[day.isoformat()] = perf_counter() - started
        tell(f"{day}: {len(made)} sources ({seconds[day.isoformat()]:.1f} s)")
    if months > 1:
        shutil.copytree(truth / "months" / as_of.isoformat(), truth, dirs_exist_ok=True)
        _write_changes(rates, incidents, truth)
    return Summary(
        landing=landing,
        truth=truth,
        people=len(_residents(world)),
        households=world.households.filter(pl.col("to_date").is_null() & (pl.col("kind") != "empty")).height,
        planted=world.planted.height,
        sources=sources,
        seconds={part: round(value, 2) for part, value in seconds.items()},
    )


def _month(
    world: World,
    rates: Rates,
    incidents: Incidents,
    renderers: Mapping[str, Renderer],
    landing: Path,
    truth: Path,
    tell: Progress,
) -> tuple[list[SourceSummary], dict[str, float]]:
    """Writes every source's delivery of the world's day, and the truth of that day; what was made, seconds by part."""
    residents, seconds = _residents(world), dict[str, float]()
    records, addresses, sources = [], [], []
    for source, render in renderers.items():
        started = perf_counter()
        rendered = incidents.after(render(world, rates, world.as_of), world.as_of)
        write_delivery(rendered, landing, world.as_of)
        records.append(rendered.records.select(pl.lit(source).alias("source"), "source_key", "person_id"))
        addresses.append(rendered.addresses.select(pl.lit(source).alias("source"), "address_key", "uprn"))
        summary = _summarised(rendered, residents)
        sources.append(summary)
        seconds[source] = perf_counter() - started
        tell(f"{source}: {summary.rows:,} rows, {summary.records:,} records ({seconds[source]:.1f} s)")
    started = perf_counter()
    write_truth(replace(world, planted=incidents.cases_after(world.planted, world.as_of)), truth)
    pl.concat(records).write_parquet(truth / "records.parquet", compression="zstd")
    pl.concat(addresses).write_parquet(truth / "addresses.parquet", compression="zstd")
    coverage = {
        summary.source: {
            "records": summary.records,
            "residents_covered": summary.residents_covered,
            "filled": summary.filled,
        }
        for summary in sources
    }
    (truth / "coverage.json").write_text(json.dumps(coverage, indent=2) + "\n", encoding="utf-8")
    seconds["truth"] = perf_counter() - started
    return sources, seconds


def _write_changes(rates: Rates, incidents: Incidents, truth: Path) -> None:
    """What the systems put right (a record and field, the first month in which it is right) and what befell them."""
    noted = rates.settled.get("corrections", [])
    columns = {"source": pl.String, "source_key": pl.String, "field": pl.String, "month": pl.Date}
    corrections = pl.concat(noted) if noted else pl.DataFrame(schema=columns)
    first = corrections.group_by("source", "source_key", "field").agg(pl.col("month").min()).sort(pl.all())
    first.write_parquet(truth / "corrections.parquet", compression="zstd")
    (truth / "incidents.json").write_text(json.dumps(incidents.told(), indent=2) + "\n", encoding="utf-8")
