"""The queue as tables: what to look at, why, in which order, and the records that each item shows."""

from collections.abc import Collection
from pathlib import Path

import polars as pl
import yaml

from pipelines.governance.protection import for_few
from pipelines.keys.keyring import Keyring
from pipelines.keys.pseudonyms import lasting_name
from pipelines.linkage.certainty import thresholds_of
from pipelines.linkage.names_alone import WARY
from pipelines.review.bridges import weakest_bridges
from pipelines.review.shown import build_sample, build_shown
from pipelines.review.stakes import build_stakes
from pipelines.view_edges import open_view_edges
from pipelines.warehouse import Warehouse, sql_file

HERE = Path(__file__).parent
VIEW = "data_quality"
#: Every pair that joins, may join or lies near: all parts of the queue but the shown pairs read these.
TELLING = """
-- scored pair inside one person, or of two with some weight (record_l, record_r)
CREATE OR REPLACE TEMP TABLE telling AS
SELECT edge.record_l, edge.record_r, l.person_id, r.person_id AS other_person_id,
       edge.match_weight, edge.match_probability
FROM {edges} AS edge
JOIN review_member AS l ON l.record_id = edge.record_l
JOIN review_member AS r ON r.record_id = edge.record_r
WHERE l.person_id = r.person_id OR edge.match_weight >= least({review_weight}, {beside_weight})
"""
INSIDE = """
-- scored pair inside one person (record_l, record_r)
SELECT person_id, record_l, record_r, match_weight, match_probability FROM telling WHERE person_id = other_person_id
"""


#: Of a pair of lists that do not show who comes twice counts what it weighs beside all else that its records may be.
BESIDE_RIVALS = """
(SELECT e.record_l, e.record_r, coalesce(w.bits, e.match_weight) AS match_weight,
    CASE WHEN w.bits IS NULL THEN e.match_probability ELSE 1 / (1 + 2 ** -w.bits) END AS match_probability
FROM view_edge AS e LEFT JOIN {wary} AS w ON w.view = '{view}' AND w.record_l = e.record_l AND w.record_r = e.record_r)
"""


def build_queue(
    wh: Warehouse, keys: Keyring, closed: Collection[str] = (), told: Collection[str] = ()
) -> dict[str, int]:
    """Build the tables of `identity.review`; return the items by reason. `closed` are flagged pairs whose case is
    closed, `told` releases that tell tiers.

    An item is a person whose records are in doubt, or two persons who may be one. `priority` is what a decision is
    expected to put right: `doubt` (the chance that the run is wrong: that two persons are one, or that one is two)
    times `effect` (pairs of records that would change). In the order, live flagged pairs and tiers of releases that an
    answer would change count as further pairs. `version` is a hash of the records that the item shows.
    """
    policy = yaml.safe_load((HERE / "thresholds.yaml").read_text(encoding="utf-8"))
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE review_member AS SELECT m.person_id, r.record_id, r.source, r.role, "
        "r.birth_date, r.nino, r.nhs_number, r.sex, r.sensitivity, r.fingerprint FROM identity.linkage.membership AS m "
        "JOIN identity.people.record AS r USING (record_id) WHERE m.view = ?",
        [VIEW],
    )
    open_view_edges(wh, VIEW)
    at = thresholds_of(wh, VIEW)
    sampled, worth_of_flag, worth_of_tier = (policy.pop(name) for name in ("sample", "flagged_pair", "released_tier"))
    names = {**policy, "link_weight": at.link, "review_weight": at.review, "view": VIEW}
    edges = BESIDE_RIVALS.format(wary=WARY, view=VIEW) if wh.exists(WARY) else "view_edge"
    wh.execute(TELLING.format(edges=edges, **names))
    _register(wh, "bridge", weakest_bridges(wh.frame(INSIDE)))
    selects = [sql_file(HERE / f"{part}.sql", **names) for part in ("between", "within", "decided")]
    wh.execute("CREATE OR REPLACE TEMP TABLE item AS " + " UNION ALL BY NAME ".join(f"({one}\n)" for one in selects))
    _name_items(wh, keys)
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE side AS SELECT place, 'a' AS side, person_id FROM item UNION ALL "
        "SELECT place, 'b', other_person_id FROM item WHERE other_person_id IS NOT NULL"
    )
    build_stakes(wh, closed, told)
    rests = f"{worth_of_flag} * stake.looks + {worth_of_tier} * sign(len(stake.releases))"
    wh.table(
        "identity.review.queue",
        "-- an item to review (item_id)\n"
        f"SELECT name.item_id, row_number() OVER (ORDER BY item.doubt * (item.effect + coalesce({rests}, 0)) DESC, "
        f"item.members DESC, name.item_id) AS position, '{VIEW}' AS view, item.* EXCLUDE (place), "
        "item.doubt * item.effect AS priority, "
        "item.place IN (SELECT place FROM side JOIN review_member USING (person_id) "
        f"WHERE sensitivity IN ({for_few()})) "
        "AS is_restricted, seen.version, coalesce(stake.flags, []) AS flags, coalesce(stake.at_stake, 0) AS at_stake, "
        "coalesce(stake.releases, []) AS releases "
        "FROM item JOIN item_name AS name USING (place) LEFT JOIN stake USING (place) JOIN (SELECT place, "
        "md5(string_agg(concat_ws('|', record_id, fingerprint, side), ';' ORDER BY record_id, side)) AS version "
        "FROM side JOIN review_member USING (person_id) GROUP BY place) AS seen USING (place) ORDER BY position",
    )
    wh.table(
        "identity.review.member",
        "-- a record that an item shows (item_id, record_id)\n"
        "SELECT name.item_id, m.record_id, m.person_id, side.side, m.source, m.role, "
        "m.record_id IN (coalesce(item.record_l, ''), coalesce(item.record_r, '')) AS is_of_the_pair "
        "FROM item JOIN item_name AS name USING (place) JOIN side USING (place) "
        "JOIN review_member AS m ON m.person_id = side.person_id ORDER BY name.item_id, side.side, m.record_id",
    )
    build_shown(wh, VIEW, names)
    build_sample(wh, keys, VIEW, sampled)
    return dict(wh.rows("SELECT reason, count(*) FROM identity.review.queue GROUP BY ALL ORDER BY ALL"))


def _register(wh: Warehouse, name: str, frame: pl.DataFrame) -> None:
    wh.con.register("frame", frame.to_arrow())
    wh.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM frame")
    wh.con.unregister("frame")


def _name_items(wh: Warehouse, keys: Keyring) -> None:
    """A temporary table `item_name`: an item keeps its name while its reason and its records' pair stay the same."""
    wh.execute("ALTER TABLE item ADD COLUMN place BIGINT")
    wh.execute("UPDATE item SET place = rowid")
    rows = wh.rows("SELECT place, reason, coalesce(record_l, person_id), coalesce(record_r, '') FROM item")
    named = [(place, lasting_name(keys, "q_", "review", *pair)) for place, *pair in rows]
    _register(wh, "item_name", pl.DataFrame(named, schema={"place": pl.Int64, "item_id": pl.String}, orient="row"))
