"""What catalogues and those who cite read of the project is whole by their standards and says what pyproject says."""

import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return found


def test_the_catalogue_entry_is_whole() -> None:
    """The mandatory keys of the publiccode.yml standard (core), their allowed values and lengths."""
    told = read("publiccode.yml")
    assert set(told) >= {
        "publiccodeYmlVersion", "name", "url", "platforms", "categories", "developmentStatus", "softwareType",
        "description", "legal", "maintenance", "localisation",
    }  # fmt: skip
    said = told["description"]["en"]
    assert len(said["shortDescription"]) <= 150 and 150 <= len(said["longDescription"]) <= 10_000
    assert said["features"] and all((ROOT / path).is_file() for path in said["screenshots"])
    assert told["developmentStatus"] in ("concept", "development", "beta", "stable", "obsolete")
    assert told["softwareType"] == "standalone/backend" and told["url"].startswith("https://")
    # a person must be named by whoever maintains it
    assert told["maintenance"]["type"] == "none" or all(each["name"] for each in told["maintenance"]["contacts"])
    assert told["localisation"] == {"localisationReady": False, "availableLanguages": ["en-GB"]}


def test_both_say_what_pyproject_says() -> None:
    told, cited = read("publiccode.yml"), read("CITATION.cff")
    assert told["softwareVersion"] == cited["version"] == PROJECT["version"]
    assert told["legal"]["license"] == cited["license"] == PROJECT["license"]
    assert told["description"]["en"]["shortDescription"] == cited["abstract"] == PROJECT["description"]
    assert [each["name"] for each in cited["authors"]] == [each["name"] for each in PROJECT["authors"]]
    assert told["legal"]["mainCopyrightOwner"] in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert cited["keywords"] == PROJECT["keywords"]
    assert "Beta" in str(PROJECT["classifiers"]) and told["developmentStatus"] == "beta"
    # what the Citation File Format 1.2.0 requires
    assert cited["cff-version"] == "1.2.0" and cited["message"] and cited["title"] == told["name"]
