"""FEBRL 4 and FEBRL 3 at the defaults, without the identifier, beside stock Splink and plainer rules on the same rows.

`python -m benchmarks.febrl [--wheel FILE]` runs the example with yardsticks. The goals, pair F1: FEBRL 4 at least 0.998
(best peer 0.995), FEBRL 3 as deduplication at least 0.99.
"""

import sys
import tempfile

from examples.febrl.run import TABLES, main

if __name__ == "__main__":
    for which in sorted(TABLES, reverse=True):
        with tempfile.TemporaryDirectory() as scratch:
            main([which, "--yardsticks", "--out", scratch, *sys.argv[1:]])
