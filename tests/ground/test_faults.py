"""A fault's text never quotes a value, whatever DuckDB says of it."""

import pytest

from pipelines.warehouse import WarehouseError, scratch_warehouse

VALUES = ("O'Canary", '12 Canary "House', "(canary", "07/01/1950 CANARY", "line\nCanary's end")
FAULTY = (
    "SELECT CAST(? AS DATE)",
    "SELECT CAST(? AS INTEGER)",
    "SELECT strptime(?, '%d/%m/%Y')",
    "SELECT ?::BIGINT[]",
    "SELECT ?::UUID",
    "SELECT regexp_matches('a', '(' || ?)",
    "SELECT error(?)",
    "SELECT * FROM read_csv(?)",
    "INSERT INTO held SELECT ? FROM range(2)",
)


@pytest.mark.parametrize("sql", FAULTY)
def test_no_fault_quotes_a_value(sql: str) -> None:
    with scratch_warehouse() as wh:
        wh.execute("CREATE TABLE held (value VARCHAR PRIMARY KEY)")
        for value in VALUES:
            with pytest.raises(WarehouseError) as told:
                wh.rows(sql, [value])
            assert "canary" not in str(told.value).lower()
            assert "line" not in str(told.value)
