"""What is vendored is what it says it is, with its licence beside it."""

import hashlib
import json
import re
from pathlib import Path

import yaml

STATIC = Path(__file__).resolve().parents[2] / "review_app" / "static"
VENDOR = STATIC / "vendor"
OURS = Path(__file__).parent / "vendor"


def test_vendored_files_match_their_hashes() -> None:
    listed = json.loads((VENDOR / "vendored.json").read_text())
    assert {path.name for path in VENDOR.glob("*.min.*")} == set(listed)
    for name, told in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == told["sha256"], name
        assert (VENDOR / re.findall(r"\((.+)\)", told["licence"])[0]).exists()


def test_what_tests_vendor_matches_too() -> None:
    for name, told in yaml.safe_load((OURS / "vendored.yaml").read_text()).items():
        assert hashlib.sha256((OURS / name).read_bytes()).hexdigest() == told["sha256"], name
        assert (OURS / re.findall(r"\((.+)\)", told["licence"])[0]).exists()


def test_nothing_of_the_crown_and_no_address_elsewhere_is_served() -> None:
    for path in STATIC.rglob("*"):
        if path.suffix == ".css":
            text = path.read_text(encoding="utf-8")
            assert "GDS Transport" not in text and "@font-face" not in text and "crest" not in text, path.name
            assert not re.findall(r"url\((?!#)", text), path.name
        assert path.suffix not in {".woff", ".woff2", ".ttf"}
