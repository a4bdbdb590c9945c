"""What ACRO and pyCANON say of the same tables and data sets, in their own environment: see benchmarks/judges.py."""

import contextlib
import io
import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

import pandas as pd  # noqa: E402
from acro import ACRO  # noqa: E402
from pycanon import anonymity  # noqa: E402


def suppressed_by_acro(judge, counts):
    """The cells of a two-way table that ACRO does not show; `counts` is a list of [row, column, count]."""
    rows = [(r, c) for r, c, count in counts for _ in range(count)]
    people = pd.DataFrame(rows, columns=["r", "c"])
    table = judge.crosstab(people["r"], people["c"])  # a line of which nothing is left is not in it
    shown = {(r, c) for r, line in table.iterrows() for c, value in line.items() if not pd.isna(value)}
    return {(r, c) for r, c, count in counts if count and (r, c) not in shown}


def main(path):
    cases = json.loads(Path(path).read_text())
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch), contextlib.redirect_stdout(io.StringIO()):
        judge = ACRO(suppress=True)
        cells = [(suppressed_by_acro(judge, case["counts"]), case) for case in cases["tables"]]
        sets = [
            (
                anonymity.k_anonymity(frame := pd.DataFrame(case["rows"], columns=case["columns"]), case["quasi"]),
                anonymity.l_diversity(frame, case["quasi"], [case["sensitive"]]),
                case,
            )
            for case in cases["sets"]
        ]
    differ = sum(found != {tuple(cell) for cell in case["small"]} for found, case in cells)
    unsafe = sum(bool(found - {tuple(cell) for cell in case["hidden"]}) for found, case in cells)
    print(f"ACRO: {len(cells)} tables, {sum(len(f) for f, _ in cells)} cells suppressed; primary decisions differ in "
          f"{differ}; suppressed by ACRO and shown by us in {unsafe}")  # fmt: skip
    wrong = sum((k, least) != (case["k"], case["l"]) for k, least, case in sets)
    print(f"pyCANON: {len(sets)} data sets; k or l differ in {wrong}")
    return 1 if differ or unsafe or wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
