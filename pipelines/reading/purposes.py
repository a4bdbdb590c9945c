"""The contracts and purposes of today, as they are asked of a data folder: `purposes`."""

from typing import Any

from pipelines.faults import BoroughlinkError
from pipelines.governance.purposes import Purposes, purposes_file
from pipelines.reading.answer import Answer
from pipelines.settings import DataFolder, load_settings, located


def purposes_of(folder: DataFolder, sources: str | None = None) -> Answer:
    """Purposes, and the sources that may serve each today."""
    purposes = purposes_at(folder, sources)
    rows = [
        (
            p.name,
            p.title,
            "" if p.view == "none" else p.view,
            "by name" if p.identifiable else "pseudonymised" if p.profile != "open" else "as counts",
            ", ".join(purposes.sources(p.name)),
            ", ".join(sorted(set(purposes.contracts) - set(purposes.sources(p.name)))) or "none",
        )
        for p in purposes.purposes.values()
    ]
    return Answer((), [("Purposes", ("purpose", "what for", "view", "people appear", "reads", "never reads"), rows)])


def purpose_of(folder: DataFolder, name: str, sources: str | None = None) -> Answer:
    """One purpose: on what basis each source serves it, what is missing for the others, how each column passes."""
    purposes = purposes_at(folder, sources)
    if name not in purposes.purposes:
        raise BoroughlinkError(f"`{name}` is no purpose; one of {', '.join(purposes.purposes)} is expected.")
    p = purposes.purposes[name]
    reads = purposes.sources(name)
    said = [
        f"{p.title}: {p.description}",
        f"National data opt-out: {p.opt_out}.",
        *([f"Kept {p.retention_days:,} days."] if p.retention_days else []),
        *(
            [f"Approved by: {', '.join(p.approvers)}; by the Caldicott Guardian where health data is read."]
            * bool(p.approvers)
        ),
    ]
    bases = [
        (source, b.basis, b.gateway, b.assessment, b.agreement, ", ".join(b.approved_by), str(b.expires))
        for source in reads
        if (b := purposes.contracts[source].purposes.get(name))
    ]
    lacking = [(source, purposes.refusal(name, source)) for source in sorted(set(purposes.contracts) - set(reads))]
    columns = [
        (source, column, purposes.contracts[source].classes[column], str(how))
        for source in reads
        for column, how in purposes.treatment_of(name, source).items()
    ]
    heads = ("source", "basis", "gateway", "assessment", "agreement", "approved by", "until")
    return Answer(
        said,
        [
            ("On what basis", heads, bases),
            ("What is missing", ("source", "why"), lacking),
            ("How each column passes", ("source", "column", "personal", "treatment"), columns),
        ],
    )


def contracts_at(folder: DataFolder, sources: str | None) -> Any:
    """The contracts of the set that is named, else of the one that the folder stands on."""
    from pipelines.sources.contract_files import load_contracts

    return load_contracts(located(folder, sources=sources)[1])


def purposes_at(folder: DataFolder, sources: str | None) -> Purposes:
    """The purposes of today, held against the contracts."""
    path = located(folder, sources=sources)[1]
    contracts = contracts_at(folder, sources).values()
    return Purposes.load(contracts, load_settings(folder).today(), purposes_file(path))
