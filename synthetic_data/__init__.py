"""A Southend-like borough that never existed: people, homes, events, extracts, truth.

Nobody in it is real, and nothing here knows how records are linked. The pipeline reads its extracts; its truth is for
the judge alone.
"""

import hashlib
from pathlib import Path


def generator() -> str:
    """The version of this generator: a hash of its code and tables, for what is made or trained with it to name."""
    here = Path(__file__).parent
    found = hashlib.sha256()
    for path in sorted(path for kind in ("*.py", "*.yaml", "*.csv") for path in here.rglob(kind)):
        found.update(path.relative_to(here).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"synthetic_data {found.hexdigest()[:12]}"
