"""On which extract each source stands, and why not on a newer one: what everything downstream of it is marked with."""

from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.sources.contracts import Contract
from pipelines.sources.intake import INTAKE
from pipelines.warehouse import Warehouse

FOOTING = "meta.footing"
_COLUMNS = "source VARCHAR, title VARCHAR, extract_date DATE, newer DATE, why VARCHAR"
_WHY = {
    "refused": "the extract of {newer} was refused",
    "unjudged": "the extract of {newer} could not be judged, because a check is broken",
}


@dataclass(frozen=True)
class Footing:
    """`extract_date` is the newest extract in force; `why`, if it is old, in words; `newer` the one not taken in."""

    source: str
    title: str
    extract_date: date | None
    newer: date | None = None
    why: str | None = None

    @property
    def words(self) -> str:
        """One sentence for readers."""
        where = f"stands on its extract of {self.extract_date}" if self.extract_date else "has no extract in force"
        return f"{self.title} {where}" + (f": {self.why}." if self.why else ".")


def footing_of(wh: Warehouse, contract: Contract) -> Footing:
    """How a source stands on the day of the warehouse; late is what is older than the source promised."""
    rows = wh.rows(
        f"SELECT state, max(extract_date) FROM {INTAKE} WHERE source = ? AND extract_date <= ? GROUP BY state",
        [contract.name, wh.as_of],
    )
    newest: dict[str, date] = dict(rows)
    held = newest.get("accepted")
    here = (contract.name, contract.title, held)
    for state, why in _WHY.items():
        turned_away = newest.get(state)
        if turned_away and (held is None or turned_away > held):
            return Footing(*here, turned_away, why.format(newer=turned_away))
    if held and held < wh.as_of - timedelta(days=contract.refresh_days):
        return Footing(*here, None, f"none has come in the {contract.refresh_days} days in which one was promised")
    return Footing(*here)


def note_footing(wh: Warehouse, footing: Footing) -> None:
    """Keep how a source stands, for the snapshot and whatever is built beside it."""
    wh.execute(f"CREATE TABLE IF NOT EXISTS identity.{FOOTING} ({_COLUMNS})")
    wh.execute(f"DELETE FROM identity.{FOOTING} WHERE source = ?", [footing.source])
    values = [footing.source, footing.title, footing.extract_date, footing.newer, footing.why]
    wh.execute(f"INSERT INTO identity.{FOOTING} VALUES (?, ?, ?, ?, ?)", values)


def old_extracts(wh: Warehouse, catalog: str = "identity") -> tuple[str, ...]:
    """The sources that stand on an old extract, or on none though one came: a sentence each."""
    if not wh.exists(f"{catalog}.{FOOTING}"):
        return ()
    rows = wh.rows(
        f"SELECT source, title, extract_date, newer, why FROM {catalog}.{FOOTING} WHERE why IS NOT NULL ORDER BY source"
    )
    return tuple(Footing(*row).words for row in rows)
