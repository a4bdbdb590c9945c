"""identity.quality.readiness_*: how ready each source is to be linked. Counts only, but for readiness_row.

Stands on the view that reads every source; no truth, and nothing outside it, is read.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from linkage_models.evaluation.groups import AGE_BANDS
from linkage_models.models import Model
from linkage_models.person.coverage import coverage_of, families_sql
from linkage_models.person.designs import DESIGNS
from linkage_models.readiness.chances import drop_chances, write_chances
from linkage_models.readiness.fields import FIELDS
from linkage_models.readiness.mending import NINE_IN_TEN, Mending, forecast, scaled
from linkage_models.readiness.mirror import home_mirror
from linkage_models.readiness.reach import reach_sql
from pipelines.linkage.certainty import stop_of, thresholds_of
from pipelines.linkage.edges import MODEL
from pipelines.people.records import ADDRESS_UPRN, RECORD
from pipelines.places.gazetteer import PROPERTY
from pipelines.readiness.thresholds import FEWEST_IN_GROUP, RECALL_OFF, UNSEEN, UNSEEN_MOST, VIEW, WORTH_A_MIRROR
from pipelines.sources.contracts import Contract
from pipelines.sources.joined_keys import joined
from pipelines.view_edges import compared_in, open_view_edges
from pipelines.warehouse import Warehouse, sql_file

HERE = Path(__file__).parent
SOURCE, PAIR, GROUP, MEND, ROW, BLOCKING = (
    f"identity.quality.readiness_{name}" for name in ("source", "pair", "group", "mend", "row", "blocking")
)
#: What readers may see: counts. ROW names records and stays in the identity zone.
PUBLISHED = ("readiness_source", "readiness_pair", "readiness_group", "readiness_mend", "readiness_blocking")
_ETHNIC = ("ethnic_group", "ethnicity", "ethnic")
_NO_ADDRESSES = "SELECT NULL::VARCHAR AS source, NULL::BIGINT AS addresses, NULL::BIGINT AS placed WHERE false"


def build_readiness(wh: Warehouse, stop: float, contracts: Iterable[Contract] = ()) -> dict[str, float | int]:
    """Write the tables; `stop` is the weight at which groups of records stop merging. Returns figures of the whole."""
    ((body, terms),) = wh.rows(f"SELECT body, terms FROM {MODEL}")
    model, link, stop = Model.of(body, terms), thresholds_of(wh, VIEW).link, stop_of(wh, VIEW, stop)
    write_records(wh, model)
    _write_ethnic_groups(wh, contracts)
    open_view_edges(wh, VIEW)
    write_chances(wh.con, "readiness_record", "view_edge")
    try:
        families = families_sql(DESIGNS[model.design])
        numbers = {
            "unseen": repr(UNSEEN),
            "unseen_most": repr(UNSEEN_MOST),
            "off": repr(RECALL_OFF),
            "nine_in_ten": repr(NINE_IN_TEN),
        }
        wh.table(PAIR, sql_file(HERE / "pair.sql", families=families, **numbers))
        told = wh.scalar("SELECT sum(pairs * apart) FROM chance") or 0.0
        beyond = (wh.scalar(f"SELECT sum(missed) FROM {PAIR}") or 0.0) / told if told else 1.0
        wh.table(SOURCE, _source_sql(wh, link))
        cases = " ".join(f"WHEN years >= {least} THEN '{words}'" for least, words in reversed(AGE_BANDS))
        group = sql_file(
            HERE / "group.sql", age_bands=cases, link=repr(link), fewest=str(FEWEST_IN_GROUP), beyond=repr(beyond)
        )
        wh.table(GROUP, group)
        lone = DESIGNS[model.design].lone
        found = forecast(wh.con, model, "readiness_record", stop, "readiness_won", lone)
        _write_mendings(wh, _mirrored(wh, model, stop, found))
        compared = _write_blocking(wh, model)
    finally:
        drop_chances(wh.con)
    for table in ("readiness_record", "readiness_ethnic_group", "readiness_won"):
        wh.execute(f"DROP TABLE {table}")
    wh.execute("DROP VIEW view_edge")
    ((records, unlinkable),) = wh.rows(f"SELECT sum(records)::BIGINT, sum(unlinkable)::BIGINT FROM {SOURCE}")
    ((linked, missed),) = wh.rows(f"SELECT coalesce(sum(linked), 0), coalesce(sum(missed), 0) FROM {PAIR}")
    return {
        "records": records or 0,
        "records that can't be linked": unlinkable or 0,
        "expected recall": round(float(linked / (linked + missed)), 4) if linked + missed else 1.0,
        "share of true pairs compared, estimated": round(compared, 4),
    }


def write_records(wh: Warehouse, model: Model) -> None:
    """The temporary table readiness_record: records of people in the view."""
    lacks = ", ".join(f"({field.lacking}) AS lacks_{field.name}" for field in FIELDS)
    placed = wh.exists(PROPERTY)
    wh.execute(
        sql_file(
            HERE / "record.sql",
            view=VIEW,
            lacks=lacks,
            reach=reach_sql(model, frozenset(wh.columns(RECORD))),
            day=f"{wh.as_of:%Y-%m-%d}",
            ward="p.ward" if placed else "NULL::VARCHAR",
            places=f"LEFT JOIN (SELECT uprn, ward FROM {PROPERTY}) p ON p.uprn = r.uprn" if placed else "",
        )
    )


def _write_ethnic_groups(wh: Warehouse, contracts: Iterable[Contract]) -> None:
    """The temporary table readiness_ethnic_group (cluster, ethnic_group), from the tables of persons that hold it."""
    parts = []
    for contract in contracts:
        for table in contract.tables:
            name, held = contract.staged(table.name), set(table.staged_columns).intersection(_ETHNIC)
            if held and table.slot and wh.exists(name):
                key = joined(table.slot.key)
                parts.append(
                    f"SELECT r.cluster, lower(s.{min(held)}) AS ethnic_group FROM {name} s JOIN readiness_record r"
                    f" ON r.source = '{contract.name}' AND r.source_key = {key}"
                    f" WHERE s.valid_to IS NULL AND s.{min(held)} IS NOT NULL"
                )
    every = " UNION ALL ".join(parts) or "SELECT NULL::UBIGINT AS cluster, NULL::VARCHAR AS ethnic_group WHERE false"
    wh.execute(
        "-- one row per person whose ethnic group a source states\nCREATE OR REPLACE TEMP TABLE readiness_ethnic_group"
        f" AS SELECT cluster, mode(ethnic_group) AS ethnic_group FROM ({every}) GROUP BY cluster"
    )


def _source_sql(wh: Warehouse, link: float) -> str:
    addresses = _NO_ADDRESSES
    if wh.exists(ADDRESS_UPRN) and wh.exists("identity.facts.address"):
        addresses = (
            f"SELECT a.source, count(*) AS addresses, count(u.uprn) AS placed FROM identity.facts.address a"
            f" LEFT JOIN {ADDRESS_UPRN} u USING (address_id) WHERE a.valid_to IS NULL GROUP BY a.source"
        )
    filled = ", ".join(f"avg(1 - lacks_{field.name}::INTEGER) AS {field.name}" for field in FIELDS)
    return sql_file(HERE / "source.sql", link=repr(link), filled=filled, addresses=addresses)


def _mirrored(wh: Warehouse, model: Model, stop: float, found: Sequence[Mending]) -> list[Mending]:
    """Forecasts for homes, scaled by how far they would be off for records whose home is known."""
    asked = [each for each in found if each.field == "home" and each.links >= WORTH_A_MIRROR]
    if not asked:
        return list(found)
    factors = home_mirror(wh.con, model, DESIGNS[model.design], "readiness_record", "clustered_edge", stop)
    return [
        scaled(wh.con, each, factors[each.source], "readiness_won")
        if each in asked and each.source in factors
        else each
        for each in found
    ]


def _write_mendings(wh: Warehouse, found: Sequence[Mending]) -> None:
    """MEND, ranked over all sources and within each; ROW, the rows behind it."""
    names = ("source", "field", "held", "lacking", "rows", "links", "low", "high")
    frame = pl.DataFrame(
        [(*(getattr(each, name) for name in names[:6]), *each.between) for each in found],
        schema={
            **dict.fromkeys(names[:2], pl.String),
            **dict.fromkeys(names[2:5], pl.Int64),
            **dict.fromkeys(names[5:], pl.Float64),
        },
        orient="row",
    )
    with wh.given(frame):
        wh.table(
            MEND,
            """-- one row per source and field that some of its rows lack
            SELECT row_number() OVER (ORDER BY links DESC, source, field) AS rank,
                row_number() OVER (PARTITION BY source ORDER BY links DESC, field) AS rank_in_source, *
            FROM given ORDER BY rank""",
        )
    wh.table(
        ROW,
        "-- one row per record and field whose repair is foretold to win links\n"
        "SELECT source, field, record_id, links FROM readiness_won ORDER BY source, field, links DESC, record_id",
    )


def _write_blocking(wh: Warehouse, model: Model) -> float:
    """BLOCKING, of the whole ('') and of each source; returns the share of the whole."""
    design = DESIGNS[model.design]
    patterns: dict[str, list[tuple[int, int, float]]] = {}
    for source, rules, pairs, matches in wh.rows(
        f"""-- one row per source and set of rules that found pairs with a record of it; '' for all
        WITH told AS (
            SELECT source_l, source_r, rules, count(*) AS pairs, sum(match_probability) AS matches
            FROM {compared_in(wh, VIEW)} GROUP BY ALL
        ), touched AS (
            SELECT source_l AS source, rules, pairs, matches FROM told
            UNION ALL SELECT source_r, rules, pairs, matches FROM told WHERE source_l <> source_r
            UNION ALL SELECT '', rules, pairs, matches FROM told
        )
        SELECT source, rules, sum(pairs)::BIGINT, sum(matches) FROM touched
        GROUP BY source, rules ORDER BY source, rules"""
    ):
        patterns.setdefault(source, []).append((rules, pairs, matches))
    rows = [(source, coverage_of(found, design).recall) for source, found in patterns.items()]
    compared = dict(rows).get("", 1.0)
    with wh.given(pl.DataFrame(rows, schema={"source": pl.String, "compared": pl.Float64}, orient="row")):
        wh.table(BLOCKING, "-- one row per source, '' for all: share of true pairs compared, estimated\nFROM given")
    return compared
