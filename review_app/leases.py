"""Leases: an open item is kept for whoever opened it, for a while."""

from datetime import timedelta

import sqlalchemy as sa

from pipelines.operations import Operations, timestamp
from pipelines.settings import now
from review_app.policy import policy
from review_app.tables import lease_table, one_at_a_time


class Leases:
    """Leases in the operational store."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations

    def take(self, item_id: str, who: str) -> str | None:
        """Keep an item for somebody; return who has it where that is another."""
        minutes = policy()["lease_minutes"]
        until = (now() + timedelta(minutes=minutes)).isoformat(timespec="milliseconds")
        halfway = (now() + timedelta(minutes=minutes / 2)).isoformat(timespec="milliseconds")
        mine = sa.select(lease_table.c.until).where(lease_table.c.item_id == item_id, lease_table.c.holder == who)
        with self.operations.begin() as db:
            if (kept := db.scalar(mine)) and kept > halfway:
                return None
        with self.operations.begin() as db:
            one_at_a_time(self.operations, db)
            row = db.execute(sa.select(lease_table).where(lease_table.c.item_id == item_id)).mappings().first()
            if row and row["holder"] != who and row["until"] > timestamp():
                return str(row["holder"])
            db.execute(sa.delete(lease_table).where(lease_table.c.item_id == item_id))
            db.execute(sa.insert(lease_table).values(item_id=item_id, holder=who, until=until))
        return None

    def of_others(self, who: str) -> set[str]:
        query = sa.select(lease_table.c.item_id).where(lease_table.c.holder != who, lease_table.c.until > timestamp())
        with self.operations.begin() as db:
            return set(db.scalars(query))

    def let_go(self, who: str, item_id: str | None = None) -> None:
        """Give back what somebody keeps."""
        which = lease_table.c.holder == who
        if item_id:
            which = sa.and_(which, lease_table.c.item_id == item_id)
        with self.operations.begin() as db:
            db.execute(sa.delete(lease_table).where(which))
