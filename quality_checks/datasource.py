"""Great Expectations on an open DuckDB connection. Importing this module imports Great Expectations (seconds).

Great Expectations 1.24 knows no DuckDB: it closes the connection before it reads the result (its issues 10738, 11579),
and it knows no regular expressions there. The engine below keeps one connection and rolls back what failed. The
expectations ask for counts alone, so no value of a row ever reaches Python.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar, Literal

import duckdb

os.environ["GX_ANALYTICS_ENABLED"] = "false"
import great_expectations as gx
import great_expectations.expectations as gxe
import sqlalchemy as sa
from duckdb_sqlalchemy import ConnectionWrapper
from great_expectations.compatibility import pydantic
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
)
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics import ColumnMapMetricProvider
from great_expectations.expectations.metrics.map_metric_provider import column_condition_partial
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.query_metric_provider import QueryMetricProvider
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

for _name in ["great_expectations", *logging.root.manager.loggerDict]:
    if _name.startswith("great_expectations"):
        logging.getLogger(_name).setLevel(logging.CRITICAL + 1)  # its error texts quote values


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """One connection for all metrics, rolled back when a statement fails."""

    _connection: sa.Connection | None

    @contextmanager
    def get_connection(self) -> Iterator[sa.Connection]:
        if self._connection is None:
            self._connection = self.engine.connect()
        try:
            yield self._connection
        except Exception:
            self._connection.rollback()
            raise

    def execute_query(self, query: sa.Select[Any] | sa.TextClause) -> Any:
        """With the rules' own values written out: DuckDB takes a hundred times longer over a bound list of codes."""
        written = query.compile(self.engine, compile_kwargs={"literal_binds": True})
        with self.get_connection() as connection:
            return connection.exec_driver_sql(str(written))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.engine.dispose()


class DuckDBDatasource(SQLDatasource):
    """A datasource over a connection that is already open: the encrypted files are attached in this process alone."""

    type: Literal["duckdb"] = "duckdb"
    _con: Any = pydantic.PrivateAttr(None)
    _execution_engine: Any = pydantic.PrivateAttr(None)

    @property
    def execution_engine_type(self) -> Any:
        return DuckDBExecutionEngine

    def stand_on(self, con: duckdb.DuckDBPyConnection) -> "DuckDBDatasource":
        self._con = con
        return self

    def test_connection(self, test_assets: bool = True) -> None:
        """Nothing to test: the connection is open."""

    def _create_engine(self) -> sa.Engine:
        return sa.create_engine(
            "duckdb://",
            creator=lambda: ConnectionWrapper(self._con.cursor()),
            poolclass=sa.pool.StaticPool,
            isolation_level="AUTOCOMMIT",
        )

    def get_execution_engine(self) -> DuckDBExecutionEngine:
        if self._execution_engine is None:
            self._execution_engine = DuckDBExecutionEngine(engine=self.get_engine(), create_temp_table=False)
        return self._execution_engine


class _ColumnTypes(TableMetricProvider):
    """Names of a batch's columns, asked of the database without reading a row (its own way selects everything)."""

    metric_name = "table.column_types"
    value_keys = ("include_nested",)

    @metric_value(engine=DuckDBExecutionEngine)
    def _duckdb(
        cls,  # noqa: N805
        execution_engine: DuckDBExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        **_: Any,
    ) -> list[dict[str, str]]:
        whole = execution_engine.get_domain_records(domain_kwargs=metric_domain_kwargs)
        with execution_engine.get_connection() as connection:
            found = connection.execute(sa.select(sa.text("*")).select_from(whole).limit(0))
            return [{"name": name} for name in tuple(found.keys())]


class _MatchRegex(ColumnMapMetricProvider):
    condition_metric_name = "column_values.match_regex"
    condition_value_keys = ("regex",)

    @column_condition_partial(engine=DuckDBExecutionEngine)
    def _duckdb(cls, column: Any, regex: str, **_: Any) -> Any:  # noqa: N805 - the registry makes it a classmethod
        return sa.func.regexp_full_match(sa.cast(column, sa.String), regex)


class _Satisfy(ColumnMapMetricProvider):
    condition_metric_name = "column_values.satisfy"
    condition_value_keys = ("condition",)

    @column_condition_partial(engine=DuckDBExecutionEngine)
    def _duckdb(cls, column: Any, condition: str, **_: Any) -> Any:  # noqa: N805
        return sa.literal_column(f"coalesce(({condition}), false)", sa.Boolean)


class _Measured(QueryMetricProvider):
    metric_name = "measured.rows_and_failures"
    value_keys = ("unexpected_rows_query",)

    @metric_value(engine=DuckDBExecutionEngine)
    def _duckdb(
        cls,  # noqa: N805
        execution_engine: DuckDBExecutionEngine,
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> tuple[int, int]:
        with execution_engine.get_connection() as connection:
            rows, failures = connection.exec_driver_sql(metric_value_kwargs["unexpected_rows_query"]).fetchall()[0]
        return int(rows), int(failures or 0)


# What each expectation says of itself while a batch is judged: Great Expectations asks a hundred times, and makes it
# anew each time, which was half of the time that judging took.
_said: dict[int, tuple[Any, Any]] = {}


class _SaidOnce:
    """An expectation whose configuration is made once; it must not change while it is judged."""

    @property
    def configuration(self) -> Any:
        known = _said.get(id(self))
        if known is None:
            known = _said[id(self)] = (self, super().configuration)  # type: ignore[misc]
        return known[1]


class _CountsOnly(_SaidOnce):
    """Drops every metric that would fetch failing values, so that counts are all that there is to see."""

    def get_validation_dependencies(self, *args: Any, **kwargs: Any) -> Any:
        asked = super().get_validation_dependencies(*args, **kwargs)  # type: ignore[misc]
        asked.metric_configurations = {
            name: metric
            for name, metric in asked.metric_configurations.items()
            if name.endswith(("unexpected_count", "row_count"))
        }
        return asked


class ExpectFilled(_CountsOnly, gxe.ExpectColumnValuesToNotBeNull):
    """The column has a value."""


class ExpectMatch(_CountsOnly, gxe.ExpectColumnValuesToMatchRegex):
    """The value matches a regular expression."""


class ExpectAmong(_CountsOnly, gxe.ExpectColumnValuesToBeInSet):
    """The value is one of a list."""


class ExpectNotAmong(_CountsOnly, gxe.ExpectColumnValuesToNotBeInSet):
    """The value is none of a list."""


class ExpectBetween(_CountsOnly, gxe.ExpectColumnValuesToBeBetween):
    """The value lies in a range."""


class ExpectUnique(_CountsOnly, gxe.ExpectColumnValuesToBeUnique):
    """No two rows share the value."""


class ExpectUniqueTogether(_CountsOnly, gxe.ExpectCompoundColumnsToBeUnique):
    """No two rows share the values of several columns."""


class ExpectNotBefore(_CountsOnly, gxe.ExpectColumnPairValuesAToBeGreaterThanB):
    """One column is not before another, where both are set."""


class ExpectTheseColumns(_SaidOnce, gxe.ExpectTableColumnsToMatchSet):
    """The table has these columns and no other."""


class ExpectRowCount(_SaidOnce, gxe.ExpectTableRowCountToBeBetween):
    """The number of rows lies in a range."""


class ExpectNewest(_SaidOnce, gxe.ExpectColumnMaxToBeBetween):
    """The greatest value of the column lies in a range."""


class ExpectHolds(_CountsOnly, ColumnMapExpectation):
    """A SQL condition on the row holds wherever the column is set."""

    condition: str
    map_metric: ClassVar[str] = "column_values.satisfy"
    success_keys: ClassVar[tuple[str, ...]] = ("condition", "mostly")


class ExpectMeasured(_SaidOnce, gxe.UnexpectedRowsExpectation):
    """A SQL query, which gives one row (rows, failures), finds no more failures than the share allowed."""

    unexpected_rows_query: str
    allowed: float = 0.0
    metric_dependencies: ClassVar[tuple[str, ...]] = ("measured.rows_and_failures",)
    success_keys: ClassVar[tuple[str, ...]] = ("unexpected_rows_query", "allowed")

    @pydantic.validator("unexpected_rows_query")
    def _validate_query(cls, query: str) -> str:  # noqa: N805 - a measure names its tables itself
        return query

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        rows, failures = metrics["measured.rows_and_failures"]
        return {
            "success": failures <= self.allowed * rows,
            "result": {"element_count": rows, "unexpected_count": failures},
        }


@cache
def _context() -> Any:
    """One context a process, in memory, without the pages that Great Expectations would build in a temporary folder."""
    config = DataContextConfig(store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False))
    context = gx.get_context(mode="ephemeral", project_config=config)
    context.variables.progress_bars = {"globally": False}
    # it would be written as YAML, into memory, three times a batch: two fifths of judging a small extract
    context._save_project_config = lambda: None
    return context


@contextmanager
def batch_of(con: duckdb.DuckDBPyConnection, table: str) -> Iterator[Any]:
    """A Great Expectations batch over one table or view of an open connection; its engine is closed at the end."""
    source = _context().data_sources.add_or_update_duckdb("borough", connection_string="duckdb://").stand_on(con)
    try:
        asset = source.add_query_asset("candidate", query=f"SELECT * FROM {table}")
        yield asset.add_batch_definition_whole_table("whole").get_batch()
    finally:
        if source._execution_engine is not None:
            source._execution_engine.close()


def validate(batch: Any, expectations: list[Any]) -> list[Any]:
    """The results of all expectations of one batch, judged together; in no particular order."""
    suite = gx.ExpectationSuite(name="suite", expectations=expectations)
    counts = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
    try:
        return list(batch.validate(suite, result_format=counts).results)
    finally:
        _said.clear()
