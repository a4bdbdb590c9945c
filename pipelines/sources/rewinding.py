"""Takes the dated history of every source back to the extracts of a past day."""

from collections.abc import Iterable
from datetime import date

from pipelines.sources.contracts import Contract
from pipelines.sources.history import redate_table
from pipelines.sources.intake import FAULT, INTAKE
from pipelines.warehouse import Warehouse

_RESULT = "identity.quality.result"


def rewind_sources(wh: Warehouse, contracts: Iterable[Contract], day: date) -> int:
    """Forget every extract dated after `day`; returns the deliveries that stay in force.

    What arrived late or corrected counts as it is known now. A source without an extract by then is as if it had never
    come.
    """
    for name in (INTAKE, FAULT, _RESULT):
        if wh.exists(name):
            wh.execute(f"DELETE FROM {name} WHERE extract_date > ?", [day])
    for contract in contracts:
        for table in contract.tables:
            redate_table(wh, contract, table)
    return int(wh.scalar(f"SELECT count(DISTINCT delivery) FROM {INTAKE} WHERE state = 'accepted'"))
