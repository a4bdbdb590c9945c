"""A number once given in a slot stays given: whoever goes, others keep theirs, and nobody inherits one."""

from pipelines.sources.contracts import Contract, Table
from pipelines.sources.history import withdrawn
from pipelines.sources.intake import INTAKE
from pipelines.sources.slots import NOBODY, number_occupants, said_of
from pipelines.warehouse import Warehouse


def number_every_version(wh: Warehouse, contract: Contract, table: Table) -> None:
    """temp.version: the occupant of each distinct row that is held, and the delivery by which the occupant came."""
    assert table.slot
    dated, gone = contract.staged(table.name), withdrawn(contract, table)
    said = ", ".join(said_of(table))
    ever = f"(SELECT DISTINCT ON (row_hash) {said}, row_hash FROM {dated}"
    ever += f" UNION ALL BY NAME FROM {gone})" if wh.exists(gone) else ")"
    numbered = number_occupants(wh, f"{dated}__seen", ever, ever, table.slot)
    wh.execute(
        f"""-- one row per distinct row of a slot
        CREATE OR REPLACE TEMP TABLE version AS
        SELECT {said}, n.row_hash, n.occupant, n._slot, min(s.delivery) OVER (PARTITION BY n._slot, n.occupant) AS came
        FROM ({numbered}) n JOIN (SELECT row_hash, min(delivery) AS delivery FROM {dated}__seen GROUP BY ALL) s
        USING (row_hash)"""
    )
    wh.execute("DROP TABLE IF EXISTS temp.occupant")


def keep_numbers(wh: Warehouse, contract: Contract, table: Table) -> None:
    """An occupant's number outlives the occupant, or the next one would inherit the record: the slot's key stays with a
    sign in the place of the name. Whoever remains keeps the arrival that the number came from."""
    assert table.slot
    dated, seen, gone = contract.staged(table.name), f"{contract.staged(table.name)}__seen", withdrawn(contract, table)
    here = f"SELECT row_hash FROM {dated}" if wh.exists(dated) else "SELECT NULL::UBIGINT WHERE false"
    held = f"SELECT row_hash FROM {seen} SEMI JOIN (FROM {INTAKE} WHERE state <> 'expired') i USING (delivery)"
    corrected = f"SELECT * FROM {gone} WHERE row_hash IN ({held})" if wh.exists(gone) else ""
    if corrected:
        here += f" UNION ALL SELECT row_hash FROM ({corrected})"
    wh.execute(
        f"""-- one row per occupant: the row that now stands for it
        CREATE OR REPLACE TEMP TABLE standing AS
        SELECT _slot, occupant, any_value(came) AS came, count(*) FILTER (row_hash IN ({here})) > 0 AS remains,
               coalesce(min(row_hash) FILTER (row_hash IN ({here})), min(row_hash)) AS row_hash
        FROM temp.version GROUP BY _slot, occupant"""
    )
    wh.execute(f"INSERT INTO {seen} SELECT came, row_hash FROM temp.standing ANTI JOIN {seen} x "
               "ON x.delivery = came AND x.row_hash = standing.row_hash")  # fmt: skip
    blank = dict.fromkeys(said_of(table), "NULL") | {name: name for name in table.slot.key}
    blank[table.slot.name[0]] = NOBODY.replace("occupant", "standing.occupant")
    columns = ", ".join(f"{blank[name]} AS {name}" for name in said_of(table))
    wh.execute(
        f"""-- one row per occupant of whom no value remains
        CREATE OR REPLACE TABLE {gone} AS
        SELECT {columns}, standing.row_hash
        FROM temp.standing JOIN temp.version USING (row_hash) WHERE NOT remains
        {"UNION ALL BY NAME " + corrected if corrected else ""}"""
    )
    wh.execute("DROP TABLE temp.standing")
    wh.execute("DROP TABLE temp.version")
