"""All that a published run says of an item: read once, kept while it is at hand, read ahead for whoever comes to it."""

from dataclasses import dataclass
from typing import Any

from review_app import evidence
from review_app.clusters import SHOWN, Cluster, Stay, changes, household, load_cluster, stays
from review_app.published import Snapshot


@dataclass(frozen=True)
class Dossier:
    """`roof` is who shares a household, `changes` what runs did, `steps` why the decisive pair weighs what it does."""

    cluster: Cluster
    stays: list[Stay]
    roof: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    steps: list[evidence.Step]


def dossier(snapshot: Snapshot, item_id: str) -> Dossier:
    """The dossier of an item. Raises NoSuchItem."""
    return snapshot.recent(item_id, lambda run, name: read_dossier(run, load_cluster(run, name)))


def read_dossier(snapshot: Snapshot, cluster: Cluster) -> Dossier:
    persons, pair, model = cluster.item.persons, cluster.decisive, snapshot.model
    return Dossier(
        cluster,
        stays(snapshot, cluster.records[:SHOWN]),
        [] if cluster.sample else household(snapshot, persons),
        changes(snapshot, persons),
        evidence.steps(pair, model) if pair and model else [],
    )
