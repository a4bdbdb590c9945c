"""The attributes store: facts about people by random id, banded and by month, without anything that says who they are.

Rebuilt whole every run. Tables are keyed on person_id, household_id or property_id and hold no name, birth date,
address, UPRN, number or free text; `FORBIDDEN` is checked after each build.
"""

from collections.abc import Sequence
from pathlib import Path

import yaml

from linkage_models.standardise import install
from pipelines.faults import BoroughlinkError
from pipelines.governance.protection import withheld
from pipelines.sources.window import open_window
from pipelines.warehouse import Warehouse, sql_file

HERE = Path(__file__).parent
READ = ("liability", "discount", "claim", "tenancy", "care_episode", "payment", "activity", "identifier")
TABLES = (
    *("person", "household_member", "household", "service_flag", "claim", "tenancy", "care_episode"),
    *("payment", "activity"),
)
FORBIDDEN = frozenset(
    {
        *("record_id", "source_key", "title", "forename", "middle", "surname", "name", "name_text", "former_surname"),
        *("birth_date", "birth_place", "occupation", "death_date", "nino", "nhs_number", "phone", "email", "x", "y"),
        *("address", "address_id", "address_text", "postcode", "uprn", "usrn", "xref_key"),
        *("account_ref", "claim_ref", "tenancy_ref", "elector_ref", "registration_ref", "event_ref"),
        *("payment_ref", "payee_ref", "activity_ref", "subject_number", "number", "upn"),
    }
)


class IdentityInAttributes(BoroughlinkError):
    """A table of the attributes store holds a column that could say who a person is."""


def build_attributes(wh: Warehouse, sources: Sequence[str], lookups: Sequence[str] = ()) -> dict[str, int]:
    """Build `attributes.attributes.*` from the sources that the risk purpose may read; return rows by table.

    Activity that names nobody finds its person only in the sources of `lookups`; the rest is left out.
    """
    install(wh.con)
    listed = open_window(wh, READ, sources)
    named = {"as_of": wh.as_of.isoformat(), "sources": listed, "withheld": withheld()}
    wh.execute(sql_file(HERE / "attribute_tables" / "window.sql", **named))
    led = ", ".join(f"'{source}'" for source in lookups) or "''"
    wh.execute(sql_file(HERE / "attribute_tables" / "activity_person.sql", lookups=led))
    policy = yaml.safe_load((HERE / "thresholds.yaml").read_text(encoding="utf-8"))
    rows = {
        table: wh.table(
            f"attributes.attributes.{table}", sql_file(HERE / "attribute_tables" / f"{table}.sql", **policy)
        )
        for table in TABLES
    }
    require_no_identity(wh)
    return rows


def activity_joined(wh: Warehouse) -> dict[str, int]:
    """How many rows of activity found their person, and how many did not, by source; needs the tables of a build."""
    counts = wh.rows(
        "SELECT source, count(*) FILTER (p.person_id IS NOT NULL), count(*) FILTER (p.person_id IS NULL) "
        "FROM activity LEFT JOIN activity_person AS p USING (source, activity_ref) GROUP BY source ORDER BY source"
    )
    told = ((source, joined, alone) for source, joined, alone in counts)
    return {
        f"activity of {source} {word}": count
        for source, joined, alone in told
        for word, count in (("joined to a person", joined), ("that joins nobody", alone))
    }


def require_no_identity(wh: Warehouse) -> None:
    """Raise IdentityInAttributes if any table of the store has a column of `FORBIDDEN`."""
    for table, column in wh.rows(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'attributes' "
        "AND schema_name IN ('attributes', 'risk') ORDER BY ALL"
    ):
        if column in FORBIDDEN:
            raise IdentityInAttributes(f"attributes.{table} holds `{column}`: take it out of its .sql file.")
