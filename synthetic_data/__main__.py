"""python -m synthetic_data --out DIR --people N --seed S --profile P"""

import argparse
import sys
from datetime import date
from pathlib import Path

from synthetic_data.borough import AS_OF, make_borough
from synthetic_data.rates import profiles


def tell(line: str) -> None:
    """One line of progress on the terminal."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Makes a borough and prints what each source holds."""
    parser = argparse.ArgumentParser(prog="python -m synthetic_data", description="Make a borough that never existed.")
    parser.add_argument("--out", type=Path, required=True, help="folder for landing/ and truth/")
    parser.add_argument("--people", type=int, default=180_688)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", choices=profiles(), default="central")
    parser.add_argument("--as-of", type=date.fromisoformat, default=AS_OF)
    options = parser.parse_args()
    summary = make_borough(options.out, options.people, options.seed, options.profile, options.as_of, progress=tell)
    tell(f"\n{'source':<20}{'rows':>10}{'records':>10}{'residents':>11}{'seconds':>9}")
    for source in summary.sources:
        tell(
            f"{source.source:<20}{source.rows:>10,}{source.records:>10,}{source.residents_covered:>11.1%}"
            f"{summary.seconds[source.source]:>9.1f}"
        )
    tell(f"planted cases and look-alikes: {summary.planted:,}; truth in {summary.truth}")


if __name__ == "__main__":
    main()
