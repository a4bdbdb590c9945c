"""Read the SQL files of this package."""

import re
from pathlib import Path


def read_sql(path: Path, **names: str) -> str:
    """The file's text with each ${name} replaced; KeyError if one is not given."""
    return re.sub(r"\$\{(\w+)\}", lambda found: names[found[1]], path.read_text(encoding="utf-8"))
