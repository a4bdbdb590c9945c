"""With any one source missing the graph stands, the rest is served, and what that source alone gave is named."""

from pathlib import Path

import pytest
import yaml

from pipelines.definitions import Place, build_definitions
from pipelines.reporting.figures import SERVED, _left_out, _without_extract
from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.facts import FACTS
from pipelines.warehouse import scratch_warehouse

CONTRACTS = load_contracts(SHIPPED_SOURCES)
#: What is left of the end of the graph whichever source is missing.
ALWAYS = {"people/record", "linkage/edge", "linkage/person", "linkage/household", "fraud/flagged_pair", "review/queue"}


@pytest.mark.parametrize("missing", sorted(CONTRACTS))
def test_the_graph_stands_without(missing: str, tmp_path: Path) -> None:
    for name in CONTRACTS.keys() - {missing}:
        (tmp_path / "sources" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "sources" / name).symlink_to(SHIPPED_SOURCES / name)
    place = Place.of(tmp_path / "data", None, str(tmp_path / "sources"))
    graph = build_definitions(place).resolve_asset_graph()
    keys = {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}
    assert f"staged/{missing}" not in keys
    assert keys.keys() >= ALWAYS | {f"staged/{name}" for name in CONTRACTS if name != missing}
    for node in keys.values():
        assert all(parent.to_user_string() in keys for parent in node.parent_keys)
        assert node.is_materializable or node.is_external


@pytest.mark.parametrize("missing", sorted(CONTRACTS))
def test_the_gap_is_named(missing: str) -> None:
    rest = {fact for name, contract in CONTRACTS.items() if name != missing for fact in contract.facts}
    served = yaml.safe_load(SERVED.read_text(encoding="utf-8"))
    with scratch_warehouse() as wh:
        for fact in rest:
            wh.execute(f"CREATE TABLE identity.facts.{fact} AS SELECT NULL::DATE AS valid_to")
        if missing != "llpg":
            wh.execute("CREATE TABLE identity.places.property AS SELECT 1 AS uprn")
        wh.execute("CREATE TABLE identity.meta.intake AS SELECT unnest(?) AS source, 'accepted' AS state",
                   [[name for name in CONTRACTS if name != missing]])  # fmt: skip
        titles = {name: contract.title for name, contract in CONTRACTS.items()}
        assert [row.why for row in _without_extract(wh, titles)] == [titles[missing]]
        told = {row.what: row.why for row in _left_out(wh)}
    lost = {"gazetteer"} if missing == "llpg" else set(FACTS) - rest
    assert told.keys() == {what for what, needs in served.items() if lost & set(needs)}
    assert all(any(fact.replace("_", " ") in why for fact in lost) for why in told.values())
