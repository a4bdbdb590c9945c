"""The docs are true to the code: commands, settings, contract fields, fact tables, links."""

import importlib.util
import itertools
import re
import tomllib
from pathlib import Path
from types import ModuleType

import click
import pytest

from boroughlink.cli import cli
from pipelines.settings import SHIPPED_SOURCES, Settings
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.contracts import Column, Contract, Lookup, PurposeBasis, Table
from pipelines.sources.facts import FACTS
from pipelines.sources.person_map import PersonMap
from pipelines.sources.place_key import PlaceKey

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("sources/*.md"))]


def commands(group: click.Group = cli, before: str = "") -> set[str]:
    """Every command and every group of them, with its group in front."""
    found = set()
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= commands(command, f"{before}{name} ")
        found.add(before + name)
    return found


def generated() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generated", DOCS / "generated.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_mentioned_exist(page: Path) -> None:
    known = commands()
    for words in re.findall(r"(?:`|^)boroughlink ([a-z][a-z -]*)", page.read_text(encoding="utf-8"), re.M):
        said = [*itertools.takewhile(lambda word: not word.startswith("-"), words.split())]
        prefixes = {" ".join(said[:length]) for length in range(1, len(said) + 1)}
        below = {command for command in known if command.startswith(f"{said[0]} ")}
        named = prefixes & (below or known)
        assert named or " ".join(said) in known, f"{page.name}: boroughlink {words}"


def test_every_command_is_in_the_readme_and_on_its_page() -> None:
    table = re.findall(r"^\| `boroughlink ([a-z-]+)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    assert sorted(table) == sorted(cli.commands)
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert page == generated().command_pages(), "run python docs/generated.py"


def test_options_that_are_mentioned_exist() -> None:
    known = {option for command in _all(cli) for parameter in command.params for option in parameter.opts}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text):
            assert option in known | {"--help"}, f"{page.name}: {option}"


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for page in PAGES:
        for target in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(encoding="utf-8"), re.M):
            assert target in targets, f"{page.name}: make {target}"


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", (DOCS / "settings.md").read_text(encoding="utf-8"), re.M))
    assert {name for name in rows if not name.isupper()} == set(Settings.model_fields)
    for name, field in Settings.model_fields.items():
        if field.default_factory is None:
            assert rows[name].strip() == ("none" if field.default in (None, {}) else str(field.default)), name


def test_every_environment_variable_is_documented() -> None:
    used = set()
    for room in ("pipelines", "linkage_models", "quality_checks", "synthetic_data", "review_app"):
        for path in (ROOT / room).rglob("*.py"):
            used |= set(re.findall(r"\bBOROUGHLINK_[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8")))
    told = set(re.findall(r"\bBOROUGHLINK_[A-Z_]*[A-Z]\b", (DOCS / "settings.md").read_text(encoding="utf-8")))
    assert told == used


@pytest.mark.parametrize(
    "model", [Contract, Table, Column, PurposeBasis, Lookup, PersonMap, PlaceKey], ids=lambda model: model.__name__
)
def test_every_field_of_a_contract_is_documented(model: type) -> None:
    text = (DOCS / "sources.md").read_text(encoding="utf-8")
    for name, field in model.model_fields.items():  # type: ignore[attr-defined]
        if name not in {"folder", "tables", "columns"}:
            assert f"`{field.alias or name}`" in text, name


def test_the_generated_parts_are_those_of_the_code() -> None:
    made = generated()
    text = (DOCS / "data.md").read_text(encoding="utf-8")
    assert made.fact_tables() in text, "run: python docs/generated.py"
    assert (DOCS / "flow.svg").read_text(encoding="utf-8") == made.flow_svg(), "run: python docs/generated.py"
    contracts = load_contracts(SHIPPED_SOURCES)
    for page in DOCS.glob("sources/*.md"):
        columns = made.source_columns(contracts[page.stem])
        assert columns in page.read_text(encoding="utf-8"), f"{page.name}: run python docs/generated.py"


def test_every_fact_column_is_in_the_data_page() -> None:
    text = (DOCS / "data.md").read_text(encoding="utf-8")
    for table in FACTS.values():
        section = text.split(f"### `{table.name}`")[1].split("###")[0]
        assert table.grain in section
        for column in table.columns:
            assert f"| `{column.name}` | {column.type} | {column.meaning} |" in section


def test_shipped_sources_are_listed() -> None:
    shipped = {path.parent.name for path in SHIPPED_SOURCES.glob("*/contract.yaml")}
    text = (DOCS / "sources.md").read_text(encoding="utf-8").split("## A delivery")[0]
    assert set(re.findall(r"^\| \[?`(\w+)`(?:\]\([^)]*\))? \|", text, re.M)) == shipped


def test_the_rooms_are_drawn_as_the_import_rules_state_them() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    drawn = (DOCS / "architecture.md").read_text(encoding="utf-8").split("```")[1].strip().splitlines()
    assert [re.findall(r"\w+", line) for line in drawn] == [
        re.findall(r"(?:pipelines\.)?(\w+)", layer) for layer in layers
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_of_the_code_that_are_named_exist(page: Path) -> None:
    for path in re.findall(r"`((?:pipelines|linkage_models|quality_checks|synthetic_data)/[\w/.]*)`", page.read_text()):
        assert (ROOT / path).exists(), path


def _all(group: click.Group) -> list[click.Command]:
    found: list[click.Command] = [group]
    for command in group.commands.values():
        found += _all(command) if isinstance(command, click.Group) else [command]
    return found


def test_each_proof_stands_once_with_its_commit() -> None:
    rows = re.findall(r"^\| \d+ \w+ \d{4} \| (\S+) \| (.*) \|$", (DOCS / "proofs.md").read_text(encoding="utf-8"), re.M)
    assert len(rows) > 100 and len(set(rows)) == len(rows)
    assert all(re.fullmatch(r"[0-9a-f]{7}", commit) for commit, _ in rows)
