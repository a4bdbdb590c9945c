"""Each kind of rule holds where it should and fails where it should, with the right counts."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from quality_checks.principles import Principle, Severity
from quality_checks.rules import Rule, RuleError
from quality_checks.runner import CheckBroken, run_rules

CASES = yaml.safe_load((Path(__file__).parent / "kinds.yaml").read_text(encoding="utf-8"))
TABLES = {"tenancy": "identity.staged.housing__tenancy"}
CANARY = "Zebediah Quillfeather"


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    con = duckdb.connect(":memory:")
    con.execute("ATTACH ':memory:' AS identity")
    con.execute("CREATE SCHEMA identity.staged")
    con.execute(f"CREATE TABLE {TABLES['tenancy']} AS {CASES['table']}")
    yield con
    con.close()


def rule(name: str, kind: str, column: str | None = None, tolerance: float = 0.0, **parameters: Any) -> Rule:
    tags = ("housing", "tenancy", Principle.VALID, Severity.CRITICAL, "It is right.")
    return Rule(name, *tags, kind, column, parameters, tolerance)


def test_each_kind_passes_and_fails_with_the_right_counts(con: duckdb.DuckDBPyConnection) -> None:
    rules = [
        rule(str(number), case["kind"], case.get("column"), case.get("tolerance", 0.0), **case.get("parameters", {}))
        for number, case in enumerate(CASES["cases"])
    ]
    found = run_rules(con, rules, TABLES, CASES["given"])
    counted = [[result.rows, result.failures, result.passed] for result in found]
    assert counted == [case["expected"] for case in CASES["cases"]]


def test_every_kind_has_a_case_in_which_it_fails() -> None:
    from quality_checks.rules import NEEDED

    assert {case["kind"] for case in CASES["cases"] if not case["expected"][2]} == set(NEEDED)


def test_a_vanished_column_fails_and_says_so(con: duckdb.DuckDBPyConnection) -> None:
    (found,) = run_rules(con, [rule("a", "filled", "gone")], TABLES)
    assert (found.passed, found.failures, found.reason) == (False, found.rows, "column gone is not there")


def test_without_history_nothing_is_judged(con: duckdb.DuckDBPyConnection) -> None:
    (found,) = run_rules(con, [rule("a", "row_count", min={"$PARAMETER": "low"})], TABLES, {"low": None})
    assert (found.judged, found.passed, found.share) == (False, True, 0.0)


@pytest.mark.parametrize(
    "broken",
    [
        rule("broken", "holds", "rent", condition="no_such_column > 0"),
        rule("broken", "holds", "tenant", condition="CAST(tenant AS INTEGER) > 0"),
        rule("broken", "pattern", "tenant", regex="("),
        rule("broken", "measured", sql="SELEC 1"),
        rule("broken", "measured", sql="SELECT count(*), count(*) FROM no_such_table"),
        rule("broken", "measured", sql="SELECT 1, 0 WHERE false"),
        rule("broken", "row_count", min={"$PARAMETER": "nobody"}),
    ],
)
def test_a_broken_check_is_an_error_of_its_own(con: duckdb.DuckDBPyConnection, broken: Rule) -> None:
    fine = rule("fine", "filled", "tenant")
    with pytest.raises(CheckBroken, match="Check broken is broken") as fault:
        run_rules(con, [fine, broken], TABLES)
    assert CANARY not in str(fault.value)
    assert fault.value.__cause__ is None
    # The next check on the same connection is not poisoned.
    assert run_rules(con, [fine], TABLES)[0].passed


def test_an_unknown_table_is_a_broken_check(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(CheckBroken, match="tenancy"):
        run_rules(con, [rule("a", "filled", "tenant")], {})
    with pytest.raises(CheckBroken, match="can't be read"):
        run_rules(con, [rule("a", "filled", "tenant")], {"tenancy": "identity.staged.gone"})


@pytest.mark.parametrize(
    ("kind", "column", "parameters", "says"),
    [
        ("sniffed", "tenant", {}, "no kind of rule"),
        ("pattern", "tenant", {}, "lacks regex"),
        ("filled", None, {}, "names no column"),
    ],
)
def test_a_rule_that_cannot_stand_is_refused(
    kind: str, column: str | None, parameters: dict[str, Any], says: str
) -> None:
    with pytest.raises(RuleError, match=says):
        rule("a", kind, column, **parameters)


def test_the_connection_is_left_as_it_was(con: duckdb.DuckDBPyConnection) -> None:
    tables = "SELECT database_name, table_name, temporary FROM duckdb_tables() ORDER BY ALL"
    before = con.execute(tables).fetchall()
    run_rules(con, [rule("a", "filled", "tenant")], TABLES)
    assert con.execute(tables).fetchall() == before


def test_no_value_reaches_results_errors_or_logs(
    con: duckdb.DuckDBPyConnection, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    rules = [
        rule("codes", "codes", "tenant", values=["nobody"]),
        rule("pattern", "pattern", "tenant", regex="[0-9]+"),
        rule("unique", "unique", columns=["tenure"]),
    ]
    with caplog.at_level(logging.DEBUG):
        found = run_rules(con, rules, TABLES)
        with pytest.raises(CheckBroken) as fault:
            run_rules(con, [rule("cast", "holds", "tenant", condition="CAST(tenant AS DATE) IS NOT NULL")], TABLES)
    assert all(not result.passed for result in found)
    out, err = capfd.readouterr()
    for text in (repr(found), str(fault.value), caplog.text, out, err):
        assert CANARY not in text and CANARY.split()[0] not in text


def test_great_expectations_stays_unloaded_until_a_gate_runs() -> None:
    code = "import sys, quality_checks.runner, quality_checks.rules; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
