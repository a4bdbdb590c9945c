# Fresh machine: Python 3.11 with pip, make and git. Everything else is set up here, inside .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
DEMO ?= boroughlink-demo
PEOPLE ?= 180688
SEED ?= 2026

.PHONY: demo example test dev check prove bench canary judges lock clean help

help:            ## what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/'

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info[:2] != (3, 11))" || { echo "Python 3.11 is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@$(BIN)/python -m compileall -q -j 2 .venv/lib
	@touch $@

demo: .venv/ready     ## make a borough that never existed, run everything, say what came out
	$(BIN)/boroughlink demo --out $(DEMO) --people $(PEOPLE) --seed $(SEED)

example: .venv/ready  ## FEBRL 4, two tables of strangers, linked and held against the truth (fetches 1 MB)
	$(BIN)/python -m examples.febrl.run febrl4

test: .venv/ready     ## the test suite
	$(BIN)/python -m pytest tests -m "not prove" -n 2 --dist loadfile --no-loadscope-reorder

dev: .venv/ready      ## Dagster's pages on loopback over the demo's data
	$(BIN)/boroughlink dev --data $(DEMO)/data

check: .venv/ready    ## style, types, who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

prove: .venv/ready    ## the long proofs: kills, tamperings, the canary scan of a whole run
	$(BIN)/python -m pytest tests -m prove

bench: .venv/ready    ## time and memory beside a bare Splink script
	$(BIN)/python -m benchmarks.borough --out $(DEMO)
	$(BIN)/python -m benchmarks.linkage_470k
	$(BIN)/python -m benchmarks.nightly --data $(DEMO)/data
	$(BIN)/python -m benchmarks.addresses
	$(BIN)/python -m benchmarks.releases
	$(BIN)/python -m benchmarks.review_pages
	$(BIN)/python -m benchmarks.clerks --demo $(DEMO)
	$(BIN)/python -m benchmarks.readiness --out $(DEMO)-mended
	$(BIN)/python -m benchmarks.intake
	$(BIN)/python -m benchmarks.intake_memory
	$(BIN)/python -m benchmarks.crowds
	$(BIN)/python -m benchmarks.encryption

judges: .venv/ready   ## hold the disclosure control against ACRO and pyCANON, in an environment of their own
	$(PYTHON) -m venv .venv-judges
	.venv-judges/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-judges.lock
	$(BIN)/python -m benchmarks.judges .venv-judges/cases.json
	.venv-judges/bin/python benchmarks/judges_opinion.py .venv-judges/cases.json

canary: .venv/ready   ## the rooms that need no encrypted file, on the newest DuckDB 2
	$(PYTHON) -m venv .venv-canary
	.venv-canary/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	.venv-canary/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade "duckdb>=2,<3"
	.venv-canary/bin/python -m pytest $(addprefix tests/,linkage_models quality_checks places people linkage fraud risk releases review reporting)

clean:
	rm -rf .venv .venv-canary .venv-judges $(DEMO)

lock:            ## pin every dependency again, with hashes
	uv pip compile -q requirements-judges.in --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command "make lock" -o requirements-judges.lock
	uv pip compile -q pyproject.toml --extra dev --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command "make lock" -o requirements.lock
