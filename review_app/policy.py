"""Numbers that are policy, from policy.yaml."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def policy() -> dict[str, Any]:
    """policy.yaml."""
    return dict(yaml.safe_load(Path(__file__).with_name("policy.yaml").read_text(encoding="utf-8")))
