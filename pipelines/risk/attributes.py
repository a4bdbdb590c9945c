"""The attributes store: facts about people by random id, banded and by month, without anything that says who they are.

Rebuilt whole every run. Tables are keyed on person_id, household_id or property_id and hold no name, birth date,
address, UPRN, number or free text; `FORBIDDEN` is checked after each build.
"""

from collections.abc import Sequence
from pathlib import Path

import yaml

from pipelines.settings import BoroughlinkError
from pipelines.sources.window import open_window
from pipelines.warehouse import Warehouse, sql_file

HERE = Path(__file__).parent
PURPOSE = "risk"
READ = ("liability", "discount", "claim", "tenancy", "care_episode")
TABLES = ("person", "household_member", "household", "service_flag", "claim", "tenancy", "care_episode")
FORBIDDEN = frozenset(
    {
        *("record_id", "source_key", "title", "forename", "middle", "surname", "name", "name_text", "former_surname"),
        *("birth_date", "birth_place", "occupation", "death_date", "nino", "nhs_number", "phone", "email", "x", "y"),
        *("address", "address_id", "address_text", "postcode", "uprn", "usrn", "xref_key"),
        *("account_ref", "claim_ref", "tenancy_ref", "elector_ref", "registration_ref", "event_ref"),
    }
)


class IdentityInAttributes(BoroughlinkError):
    """A table of the attributes store holds a column that could say who a person is."""


def build_attributes(wh: Warehouse, sources: Sequence[str]) -> dict[str, int]:
    """Build `attributes.attributes.*` from the sources that the risk purpose may read; return rows by table."""
    listed = open_window(wh, READ, sources)
    wh.execute(sql_file(HERE / "attribute_tables" / "window.sql", as_of=wh.as_of.isoformat(), sources=listed))
    policy = yaml.safe_load((HERE / "thresholds.yaml").read_text(encoding="utf-8"))
    rows = {
        table: wh.table(
            f"attributes.attributes.{table}", sql_file(HERE / "attribute_tables" / f"{table}.sql", **policy)
        )
        for table in TABLES
    }
    require_no_identity(wh)
    return rows


def require_no_identity(wh: Warehouse) -> None:
    """Raise IdentityInAttributes if any table of the store has a column of `FORBIDDEN`."""
    for table, column in wh.rows(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'attributes' "
        "AND schema_name IN ('attributes', 'risk') ORDER BY ALL"
    ):
        if column in FORBIDDEN:
            raise IdentityInAttributes(f"attributes.{table} holds `{column}`: take it out of its .sql file.")
