"""Our decisions on tables and data sets, for outside judges to hold against their own: `make judges`.

Writes random two-way tables with the cells that the rule `sacro` hides, and releases of a small borough with the k and
l that the attack measured. ACRO and pyCANON, which need older libraries, read the file in an environment of their own.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.releases.attacks import attack
from pipelines.releases.dataset import build_rows
from pipelines.releases.protected_table import presets, protect
from pipelines.releases.sets import load_set, profiles
from pipelines.warehouse import scratch_warehouse
from tests.releases.borough import lay, purposes

TABLES, SEED = 300, 21


def tables() -> list[dict[str, Any]]:
    """Tables without an empty row or column: ACRO leaves those out."""
    rng, found = np.random.default_rng(SEED), []
    while len(found) < TABLES:
        grid = rng.poisson(rng.gamma(0.8, float(rng.choice([8, 30])), size=rng.integers(2, 7, size=2)))
        if (grid.sum(axis=0) > 0).all() and (grid.sum(axis=1) > 0).all():
            counts = {(f"r{r}", f"c{c}"): int(grid[r, c]) for r in range(grid.shape[0]) for c in range(grid.shape[1])}
            ours = protect(("r", "c"), counts, presets()["sacro"])
            found.append(
                {
                    "counts": [[*cell, count] for cell, count in counts.items()],
                    "small": [cell for cell, count in counts.items() if 0 < count < presets()["sacro"].hidden_below],
                    "hidden": [cell for cell, count in ours.cells.items() if count is None],
                }
            )
    return found


def sets() -> list[dict[str, Any]]:
    """Releases of small boroughs, and the same spoilt so that the judges have small groups to find."""
    found = []
    for people in (500, 1500, 3000):
        for name, sensitive in (("partner_needs", "support"), ("research_cohort", "support")):
            asked, purpose = load_set(name), purposes().purposes[load_set(name).purpose]
            with scratch_warehouse() as wh:
                lay(wh, people)
                built = build_rows(wh, asked, purpose, profiles()["partner"], b"1" * 32, b"2" * 32)
                for rows in (built.rows, built.rows.head(61), built.rows.head(7)):
                    measured = attack(wh, asked, rows, built.protection.levels)
                    found.append(
                        {
                            "columns": list(rows.columns),
                            "rows": rows.rows(),
                            "quasi": list(asked.quasi),
                            "sensitive": sensitive,
                            "k": measured.k,
                            "l": measured.l[sensitive],
                        }
                    )
    return found


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps({"tables": tables(), "sets": sets()}), encoding="utf-8")
