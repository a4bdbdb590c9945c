"""The sources room in the graph: a step a source (intake, gate, staging, checks), then a step a fact."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines import inbox
from pipelines.assets import OLD, Step, run_step, step_asset, table_metadata
from pipelines.sources.archive import Archive
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.contracts import Contract
from pipelines.sources.facts import FACTS
from pipelines.sources.facts_build import build_fact
from pipelines.sources.footing import footing_of, note_footing
from pipelines.sources.intake import Gate, Intake, accept_all, consumed_files, take_in
from pipelines.warehouse import Warehouse

PURPOSE = "data_quality"


@dataclass(frozen=True)
class Checks:
    """What the quality room brings to a source's step, one entry of `found` for each delivery that its gate judged."""

    specs: Callable[[dg.AssetKey, Contract], Sequence[dg.AssetCheckSpec]]
    gate: Callable[[Warehouse, str, list[Any]], Gate]
    results: Callable[[dg.AssetKey, Contract, Sequence[Any]], Iterable[dg.AssetCheckResult]]
    reads: Callable[[Contract], Set[str]]  # other sources, whose rows the gate holds a source's against


def assets(catalogue: Catalogue[Contract], checks: Checks | None = None) -> list[dg.AssetsDefinition]:
    """A step for each source at hand, and one for each fact that some source provides."""
    contracts = catalogue.contracts
    first = precedence({name: checks.reads(contract) if checks else set() for name, contract in contracts.items()})
    sources = [_source_asset(contract, checks, first[name]) for name, contract in contracts.items()]
    facts = [_fact_asset(fact, catalogue) for fact in FACTS if catalogue.has(fact)]
    return sources + facts


def precedence(reads: Mapping[str, Set[str]]) -> dict[str, int]:
    """By source how early it is taken in: before all that are held against it, so that a first run can judge them.

    An order and no dependency: a source whose gazetteer was refused is held against the last good one, or not judged.
    """
    first = dict.fromkeys(reads, 0)
    for _ in reads:  # no chain is longer; two that read each other end here, in either order
        for source, others in reads.items():
            for other in others & first.keys():
                first[other] = max(first[other], first[source] + 1)
    return first


def extract_specs(catalogue: Catalogue[Contract]) -> list[dg.AssetSpec]:
    """What each source sends, as assets that lie outside: fresh as long as extracts come as promised.

    One is noted as made whenever an extract of it was taken in. Dagster warns once the promised days are over, and
    fails it when they are over twice, so that a whole extract is missing.
    """
    return [
        dg.AssetSpec(
            key=dg.AssetKey(["extract", contract.name]),
            group_name="sources",
            description=f"The extracts that {contract.owner} sends from {contract.system}, promised every "
            f"{contract.refresh_days} days.",
            owners=[contract.steward],
            tags={"purpose": PURPOSE, "level": contract.level},
            metadata={"owner": contract.owner, "refresh days": contract.refresh_days},
            freshness_policy=dg.FreshnessPolicy.time_window(
                fail_window=timedelta(days=2 * contract.refresh_days), warn_window=timedelta(days=contract.refresh_days)
            ),
        )
        for contract in catalogue.contracts.values()
    ]


def source_step(step: Step, contract: Contract, gate: Gate = accept_all) -> list[Intake]:
    """Take in what landed for one source; note for the run's end which files are done with."""
    step.purposes.require(PURPOSE, [contract.name])
    archive = Archive(step.run.folder.archive, step.run.keyring.key("archive"))
    intakes = take_in(step.wh, contract, step.landing, archive, gate, step.run.keyring.key("suppression"))
    step.run.notes.setdefault("intake", {})[contract.name] = [_noted(intake) for intake in intakes]
    for intake in intakes:
        if intake.state not in ("waiting", "unjudged"):  # these are looked at again in the next run
            step.run.taken |= inbox.signatures(intake.folder)
    footing = footing_of(step.wh, contract)
    note_footing(step.wh, footing)
    if footing.why:
        step.run.old_sources[contract.name] = footing.words
    step.run.consume(consumed_files(intakes, archive), {sha256 for intake in intakes for sha256 in intake.hashes})
    return intakes


def _source_asset(contract: Contract, checks: Checks | None, first: int) -> dg.AssetsDefinition:
    key, extract = dg.AssetKey(["staged", contract.name]), dg.AssetKey(["extract", contract.name])
    tables = [contract.staged(table.name) for table in contract.tables]

    @dg.asset(
        key=key,
        deps=[extract],
        group_name="sources",
        description=f"{contract.title} ({contract.system}). {contract.description.strip()}",
        owners=[contract.steward],
        kinds={"duckdb", *(table.format for table in contract.tables)},
        tags={"purpose": PURPOSE, "level": contract.level},
        metadata={
            "owner": contract.owner,
            "retention days": contract.retention_days,
            "refresh days": contract.refresh_days,
        },
        check_specs=list(checks.specs(key, contract)) if checks else None,
        required_resource_keys={"borough"},
        op_tags={"dagster/priority": str(first)},
    )
    def source(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        landing: Path = context.resources.borough.landing
        with run_step(context, "/".join(key.path), ("identity",), PURPOSE, read=(landing,)) as step:
            found: list[Any] = []
            intakes = source_step(step, contract, checks.gate(step.wh, contract.name, found) if checks else accept_all)
            for intake in intakes:
                if intake.state == "accepted":
                    told: dict[str, Any] = {"extract date": str(intake.extract_date), "rows": intake.total_rows}
                    context.log_event(dg.AssetMaterialization(extract, metadata=told))
            results = list(checks.results(key, contract, found)) if checks else []
            figures = table_metadata(step.wh, tables) | _figures(intakes)
            if step.stands_on:
                figures[OLD] = " ".join(step.stands_on)
            return dg.MaterializeResult(metadata=figures, check_results=results)

    return source


def _fact_asset(fact: str, catalogue: Catalogue[Contract]) -> dg.AssetsDefinition:
    providers = [contract for contract in catalogue.contracts.values() if fact in contract.facts]
    table = FACTS[fact]

    @step_asset(
        key=f"facts/{fact}",
        deps=[f"staged/{contract.name}" for contract in providers],
        group="facts",
        tables=[f"identity.facts.{fact}"],
        description=f"{table.grain.capitalize()}. From: {', '.join(contract.title for contract in providers)}.",
    )
    def build(step: Step) -> None:
        step.purposes.require(PURPOSE, [contract.name for contract in providers])
        build_fact(step.wh, fact, catalogue.contracts)

    return build


def _noted(intake: Intake) -> dict[str, Any]:
    """What the run's summary keeps of a delivery: counts and words."""
    return {
        "state": intake.state,
        "extract_date": str(intake.extract_date) if intake.extract_date else None,
        "rows": intake.total_rows,
        "set_aside": intake.set_aside,
        "value_faults": intake.value_faults,
        "reason": intake.reason,
        "notes": list(intake.notes),
    }


def _figures(intakes: Sequence[Intake]) -> dict[str, Any]:
    """Metadata of a source's step."""
    states = [intake.state for intake in intakes]
    figures: dict[str, Any] = {f"deliveries {state}": states.count(state) for state in sorted(set(states))}
    figures["rows set aside"] = sum(intake.set_aside for intake in intakes)
    figures["values set aside"] = sum(intake.value_faults for intake in intakes)
    left = ("refused", "unjudged", "waiting")
    if said := [intake.reason for intake in intakes if intake.state in left and intake.reason]:
        figures["not taken in"] = " ".join(said)
    return figures
