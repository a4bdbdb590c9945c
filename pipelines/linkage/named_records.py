"""Which record a reader means by what they typed, and why there is none of that name."""

from pipelines.faults import BoroughlinkError, plural
from pipelines.sources.fault_words import words
from pipelines.warehouse import Warehouse

#: So many names are listed where several may be meant.
LISTED = 5


class UnknownRecord(BoroughlinkError):
    """A record or person is not in this run, or not in the view."""


def named_record(wh: Warehouse, given: str, view: str, catalog: str = "published") -> str:
    """The record of this name in a view; without the number behind #, that of its key if it has one only.

    What names nothing is given back as it is: it may be a person. Raises UnknownRecord where a key has several records.
    """
    if ":" not in given or "#" in given:
        return given
    records = _of_key(wh, given, view, catalog)
    if len(records) > 1:
        raise UnknownRecord(
            f"{plural(len(records), 'record')} have the key {given}, one after the other: say which,"
            f" {_listed(records)}."
        )
    return records[0] if records else given


def why_absent(wh: Warehouse, record: str, view: str, catalog: str = "published", called: str = "The record") -> str:
    """Why a record that was asked for is not in a view, in words that don't repeat what was typed: it may be a name.

    Of a source that the view does not read no more is said, so that nobody learns whose records it holds.
    """
    said, people = f"{called} is not in the view {view}", f"{catalog}.people.record"
    source = record.partition(":")[0]
    known = [name for (name,) in wh.rows(f"SELECT DISTINCT source FROM {people} ORDER BY ALL")]
    if source not in known:
        return f"{said}: no source of this run that holds people is called so; these do: {', '.join(known)}."
    reads = f"SELECT count(*) FROM {catalog}.linkage.membership WHERE view = ? AND starts_with(record_id, ? || ':')"
    if not wh.scalar(reads, [view, source]):
        return f"{said}: the view does not read {_title(source)}."
    if wh.scalar(f"SELECT count(*) FROM {people} WHERE record_id = ? AND NOT is_person", [record]):
        return f"{said}: it names no person, so it is linked to nobody."
    if beside := _of_key(wh, record.rpartition("#")[0] or record, view, catalog):
        return f"{said}: of this key there {'are' if len(beside) > 1 else 'is'} {_listed(beside)}."
    aside = _set_aside(wh, source, catalog)
    rest = (
        " It may be among the rows that were set aside "
        f"({', '.join(f'{count:,}: {words(reason)[0]}' for reason, count in aside.items())}): "
        f"`boroughlink sources quarantine list {source}` says where they stand."
        if aside
        else " `boroughlink export clusters` lists the records that there are."
    )
    return f"{said}: no row that {_title(source)} was read from has this key.{rest}"


def _of_key(wh: Warehouse, key: str, view: str, catalog: str) -> list[str]:
    """The records of a key in a view, in the order of their numbers."""
    found = wh.rows(
        f"""-- one row per record whose name is the key with a number behind it
        SELECT record_id FROM {catalog}.linkage.membership
        WHERE view = ? AND starts_with(record_id, ? || '#') AND regexp_full_match(record_id[length(?) + 2 :], '[0-9]+')
        ORDER BY length(record_id), record_id""",
        [view, key, key],
    )
    return [record for (record,) in found]


def _set_aside(wh: Warehouse, source: str, catalog: str) -> dict[str, int]:
    """Rows of a source that wait to be mended in extracts in force, by reason, most first."""
    fault, intake = (f"{catalog}.meta.{name}" for name in ("fault", "intake"))
    if not (wh.exists(fault) and wh.exists(intake)):
        return {}
    return dict(
        wh.rows(
            f"SELECT reason, count(*) FROM {fault} SEMI JOIN (FROM {intake} WHERE state = 'accepted') USING (delivery) "
            "WHERE kind = 'row' AND source = ? GROUP BY ALL ORDER BY 2 DESC, 1",
            [source],
        )
    )


def _listed(records: list[str]) -> str:
    rest = len(records) - LISTED
    more = f" and {plural(rest, 'other')}" if rest > 0 else ""
    return f"{', '.join(records[:LISTED])}{more}"


def _title(source: str) -> str:
    return source.replace("_", " ")
