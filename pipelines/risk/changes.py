"""Which random person ids of the risk view gave way to which: what a series of releases tells its recipient."""

from pipelines.warehouse import Warehouse

TABLE = "attributes.attributes.person_change"


def build_changes(wh: Warehouse) -> int:
    """Build `person_change` from the ledger of the risk view; returns its rows."""
    return wh.table(
        TABLE,
        """-- a person id that gave records to another, by merge or split, on a day (old_id, new_id, event, day)
        SELECT DISTINCT other_person_id AS old_id, person_id AS new_id, event,
               try_strptime(left(run_id, 8), '%Y%m%d')::DATE AS day
        FROM identity.linkage.ledger
        WHERE view = 'risk' AND event IN ('merged', 'split') AND other_person_id IS NOT NULL
        ORDER BY ALL""",
    )
