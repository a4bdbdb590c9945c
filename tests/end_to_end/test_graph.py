"""The asset graph as a whole: told in one text file, so that a change of it shows in review."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from pipelines.definitions import Place, build_definitions

TOLD = Path(__file__).parent / "graph.txt"


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return build_definitions(Place.of(tmp_path_factory.mktemp("graph") / "data")).resolve_asset_graph()


def told(graph):
    lines = []
    for key in sorted(graph.get_all_asset_keys(), key=str):
        node = graph.get(key)
        parents = ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys)) or "-"
        lines.append(f"{node.group_name}: {key.to_user_string()} <- {parents}")
    return "\n".join(sorted(lines)) + "\n"


def test_the_graph_is_as_told(graph):
    assert told(graph) == TOLD.read_text(), f"if the change is meant, write the new graph to {TOLD.name}"


def test_every_asset_is_owned_described_and_grouped(graph):
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.owners, key
        assert node.description and len(node.description) > 20, key
        assert node.group_name != "default", key


def test_every_asset_shows_its_purpose_and_on_what_basis_each_source_is_read(graph):
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.tags["purpose"] and node.metadata["purpose"], key
        assert "| source | basis | gateway | until |" in node.metadata["basis"].value, key
    risk = graph.get(dg.AssetKey(["risk", "score"])).metadata["basis"].value
    assert "| adult_social_care | UK GDPR art. 6(1)(e) and 9(2)(h)" in risk and "electoral_register" not in risk


def test_every_source_has_a_check_for_each_principle(graph):
    by_source = {}
    for check in graph.asset_check_keys:
        by_source.setdefault(check.asset_key.path[0 if len(check.asset_key.path) == 1 else -2], set()).add(check.name)
    assert graph.asset_check_keys
    principles = {"accurate", "valid", "reliable", "timely", "relevant", "complete"}
    checked = [names for names in by_source.values() if any(p in n for n in names for p in principles)]
    assert checked
    for names in checked:
        assert all(any(principle in name for name in names) for principle in principles), names


def test_loading_definitions_does_not_load_great_expectations(tmp_path):
    code = (
        "import sys; from pipelines.definitions import Place, build_definitions;"
        f"build_definitions(Place.of({str(tmp_path / 'data')!r}));"
        "assert 'great_expectations' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
