"""Link incrementally: which records changed since they were scored, and whether the old scores still stand.

A pair's score follows from its two records, the model and the rules alone. So the edges of the last run stand where
neither record changed, and only pairs that hold a new or changed record are scored: the result is the same as afresh.
"""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import duckdb

from linkage_models.models import Model

# The code that a score follows from, beside the model.
_SCORING_CODE = ("scoring.py", "linker.py", "term_frequencies.py", "thresholds.py", "person/*.py", "person/*.sql")
_PACKAGE = Path(__file__).parent


def scoring_basis(model: Model) -> dict[str, str]:
    """What all scores follow from beside the records: a name in words -> a hash."""
    settings = json.dumps([model.version, model.settings, model.prior], sort_keys=True)  # edges name the version
    code = "\0".join(path.read_text() for pattern in _SCORING_CODE for path in sorted(_PACKAGE.glob(pattern)))
    parts = {
        "the model": settings,
        "term frequencies": model.terms_body(),
        "the calibration": json.dumps(model.calibration.as_dict() if model.calibration else None),
        "the scoring rules or their code": code,
        "the matching engine": version("splink") + " " + duckdb.__version__,
    }
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in parts.items()}


def difference(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """The parts of two bases that differ, in words."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def mark_records(con: duckdb.DuckDBPyConnection, table: str, target: str, told: tuple[str, tuple[str, ...]]) -> None:
    """Write the temporary table `target` (record_id, mark): a 64-bit hash of all that a record says, and of what the
    others make of it: `told` names a table and the columns there that hang on how common values are. It is DuckDB's
    own, the same as long as the engine is, which is part of the basis."""
    beside, columns = told
    read = "".join(f", b.{column}" for column in columns)
    join = f"LEFT JOIN {beside} b USING (record_id)" if columns else ""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {target} AS SELECT record_id, hash(r{read}) AS mark FROM {table} r {join}"
    )
