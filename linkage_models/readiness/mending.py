"""What to mend first: the field and the rows of a source whose repair would win the most links.

For each pair of clusters that may be one person (chances.py): were the field filled in the rows of the source that lack
it, which of their pairs of records could then be compared on it, and would the clusters merge, as the clustering merges
(mean weight over all pairs above the stop level)? If so the repair wins all their pairs, with the probability that they
are one person, and that the records then agree: what is filled in from the world agrees with itself, and with another
source as often as the model's m says. Pairs that no rule compared stay uncompared: rules miss those that differ.
"""

import math
from dataclasses import dataclass, replace

import duckdb

from linkage_models.clustering import missing_weight
from linkage_models.models import Model
from linkage_models.readiness.chances import capped, least_mean
from linkage_models.readiness.fields import FIELDS, Worth, worth

# A role of a source holds a field if at least so many, and this share, of its records show it: of others it is not for
# the owner to fill in (an elector's date of birth is on the register for attainers alone). Judgement.
HELD_FEWEST, HELD_SHARE = 10, 0.02
# A forecast is off by so much of itself (one standard error), chance apart: benchmarks/readiness.py, on two boroughs.
OFF = 0.15
# Of a normal distribution, so many standard errors either way hold nine in ten.
NINE_IN_TEN = 1.645
# A row is worth naming from so many links on average.
LEAST_LINKS = 0.005


@dataclass(frozen=True)
class Mending:
    """One field of one source. `held` and `lacking` are rows of the roles that hold the field, `rows` those of the
    lacking whose repair is foretold to win links, `links` how many pairs of records that would join. `spread` is the
    standard error of that by chance alone."""

    source: str
    field: str
    held: int
    lacking: int
    rows: int
    links: float
    spread: float

    @property
    def between(self) -> tuple[float, float]:
        """Links that are won in nine cases of ten: chance, and how far forecasts were off."""
        margin = NINE_IN_TEN * math.hypot(self.spread, OFF * self.links)
        return max(self.links - margin, 0.0), self.links + margin


def scaled(con: duckdb.DuckDBPyConnection, each: Mending, factor: float, target: str) -> Mending:
    """The forecast times a factor, and its rows in `target` with it."""
    con.execute(
        f"UPDATE {target} SET links = links * ? WHERE source = ? AND field = ?", [factor, each.source, each.field]
    )
    return replace(each, links=each.links * factor, spread=each.spread * factor)


def forecast(
    con: duckdb.DuckDBPyConnection, model: Model, records: str, stop: float, target: str, lone: float = 0.0
) -> list[Mending]:
    """Every source and field with a row that lacks it, the most links first; needs what write_chances wrote. `stop` and
    `lone` as in clustering.cluster.

    `records` is (record_id, source, role, lacks_<field> for each of FIELDS). Writes the temporary table `target`:
    record_id, source, field, links; a row whose repair is foretold to win links.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {target} (record_id VARCHAR, source VARCHAR, field VARCHAR, links DOUBLE)"
    )
    found = []
    roles = _roles(con, records)
    for each in filter(None, (worth(model, field) for field in FIELDS)):
        name = each.field.name
        holding = [role for role in roles if role.held(name)]
        con.execute("CREATE OR REPLACE TEMP TABLE mendable_role (source VARCHAR, role VARCHAR)")
        if holding:
            con.executemany("INSERT INTO mendable_role VALUES (?, ?)", [(role.source, role.role) for role in holding])
        spread = _write_won(con, each, stop, lone, target)
        won = {
            source: (rows, links, spread.get(source, 0.0))
            for source, rows, links in con.execute(
                f"SELECT source, count(*), sum(links) FROM {target} WHERE field = ? GROUP BY source", [name]
            ).fetchall()
        }
        for source in dict.fromkeys(role.source for role in holding):
            mine = [role for role in holding if role.source == source]
            lacking = sum(role.lacking[name] for role in mine)
            if lacking:
                kept = sum(role.records for role in mine) - lacking
                found.append(Mending(source, name, kept, lacking, *won.get(source, (0, 0.0, 0.0))))
        con.execute("DROP TABLE mendable_role")
    return sorted(found, key=lambda each: (-each.links, each.source, each.field))


@dataclass(frozen=True)
class _Role:
    """A role of a source: its records, and how many of them lack each field."""

    source: str
    role: str
    records: int
    lacking: dict[str, int]

    def held(self, field: str) -> bool:
        return self.records - self.lacking[field] >= max(HELD_FEWEST, HELD_SHARE * self.records)


def _roles(con: duckdb.DuckDBPyConnection, records: str) -> list[_Role]:
    counts = ", ".join(f"count(*) FILTER (lacks_{field.name})" for field in FIELDS)
    rows = con.execute(
        f"""-- one row per source and role
        SELECT source, role, count(*), {counts} FROM {records} GROUP BY source, role ORDER BY source, role"""
    ).fetchall()
    names = [field.name for field in FIELDS]
    return [_Role(row[0], row[1], row[2], dict(zip(names, row[3:], strict=True))) for row in rows]


def _write_won(con: duckdb.DuckDBPyConnection, each: Worth, stop: float, lone: float, target: str) -> dict[str, float]:
    """Append to `target` the rows of every source that lack the field and would win links by it; the standard error of
    each source's links, by chance: a merge comes as a whole or not at all."""
    name = each.field.name
    con.execute(
        f"""-- one row per source and pair of records that could be compared on the field once the source has mended it
        CREATE OR REPLACE TEMP TABLE newly AS
        WITH end_record AS (
            SELECT record_id, lacks_{name} AS lacks, CASE WHEN lacks_{name} THEN m.source END AS mends
            FROM chance_record LEFT JOIN mendable_role m USING (source, role)
        )
        SELECT coalesce(l.mends, r.mends) AS source, x, y, record_l, record_r, l.lacks AS lacks_l, r.lacks AS lacks_r,
            match_weight - {each.now} AS bare, {each.beside} AS beside,
            l.lacks AND r.lacks AS of_both, {capped("match_weight")} AS before
        FROM (FROM chance_pair WHERE match_weight IS NOT NULL AND NOT ({each.stays})) p
        JOIN end_record l ON l.record_id = p.record_l JOIN end_record r ON r.record_id = p.record_r
        WHERE (l.lacks OR r.lacks) AND (NOT l.lacks OR l.mends IS NOT NULL) AND (NOT r.lacks OR r.mends IS NOT NULL)
            AND coalesce(l.mends = r.mends, true)"""
    )
    agreed = f"bare + {each.top!r} + beside"
    after = [agreed if bits == each.top else f"bare + {bits!r}" for _, bits in each.outcomes]
    mended = [capped(f"CASE WHEN of_both THEN {agreed} ELSE {weight} END") for weight in after]
    sums = ", ".join(
        f"sum({weight} - before) AS gain_{place}, max({weight}) AS best_{place}" for place, weight in enumerate(mended)
    )
    joined = " + ".join(
        f"{share!r} * (total + gain_{place} > pairs *"
        f" {least_mean(stop, lone, 'joins_group', f'greatest(best, best_{place})')})::INTEGER"
        for place, (share, _) in enumerate(each.outcomes)
    )
    # forecasts for homes are held against records whose home is known, by what the strongest pair says
    chance = "probability" if name == "home" else "apart"
    con.execute(
        f"""-- one row per source and pair of clusters that would merge
        CREATE OR REPLACE TEMP TABLE won AS
        WITH summed AS (
            SELECT n.source, x, y, any_value(c.{chance}) AS chance,
                any_value(c.weight) AS total, any_value(c.pairs) AS pairs, any_value(c.best) AS best,
                any_value(c.joins_group) AS joins_group, {sums},
                list_distinct(flatten(list(list_filter([CASE WHEN lacks_l THEN record_l END,
                    CASE WHEN lacks_r THEN record_r END], lambda m: m IS NOT NULL)))) AS mended
            FROM newly n JOIN chance c USING (x, y) GROUP BY n.source, x, y
        )
        SELECT source, x, y, mended, chance * ({joined}) AS share FROM summed WHERE share > 0"""
    )
    _write_seats(con, capped(f"bare + {each.top!r} + beside"), stop, lone)
    con.execute(
        f"""INSERT INTO {target}
        SELECT record_id, source, '{name}', sum(links) AS links FROM (
            SELECT source, unnest(mended) AS record_id, links / len(mended) AS links FROM won JOIN won_links
            USING (source, x, y))
        GROUP BY ALL HAVING sum(links) >= {LEAST_LINKS} ORDER BY links DESC, record_id"""
    )
    spread: dict[str, float] = dict(
        con.execute(
            "SELECT source, sqrt(sum(links * links * (1 / least(share, 1) - 1))) FROM won_links GROUP BY source"
        ).fetchall()
    )
    for table in ("newly", "won", "won_links"):
        con.execute(f"DROP TABLE {table}")
    return spread


def _write_seats(con: duckdb.DuckDBPyConnection, after: str, stop: float, lone: float) -> None:
    """Write the temporary table won_links (source, x, y, share, links): what each merge wins, less what it costs.

    A record that the merged cluster as a whole speaks against is left out of it, and loses the company that it had.
    """
    con.execute(
        f"""-- one row per merge
        CREATE OR REPLACE TEMP TABLE won_links AS
        WITH cross_pair AS (
            SELECT w.source, w.x, w.y, p.record_l, p.record_r,
                coalesce({after}, {capped("p.match_weight")}, {missing_weight()!r}) AS weight
            FROM won w JOIN chance_pair p USING (x, y)
            LEFT JOIN newly n ON n.source = w.source AND n.record_l = p.record_l AND n.record_r = p.record_r
        ), seat AS (
            SELECT source, x, y, x AS cluster, record_l AS record_id, weight FROM cross_pair
            UNION ALL SELECT source, x, y, y, record_r, weight FROM cross_pair
            UNION ALL SELECT source, x, y, cluster, unnest([record_l, record_r]), weight FROM (
                FROM won w JOIN chance_inside i ON i.cluster = w.x
                UNION ALL FROM won w JOIN chance_inside i ON i.cluster = w.y)
        ), seated AS (
            SELECT source, x, y, cluster, record_id,
                sum(weight) > {least_mean(stop, lone, "count(*) > 1", "max(weight)")} * count(*) AS stays
            FROM seat GROUP BY ALL
        ), side AS (
            SELECT source, x, y, cluster, count(*) AS n, count(*) FILTER (stays) AS kept FROM seated GROUP BY ALL
        )
        SELECT source, x, y, any_value(w.share) AS share, any_value(w.share) * (min(l.kept * r.kept)
            - min(l.n * (l.n - 1) - l.kept * (l.kept - 1) + r.n * (r.n - 1) - r.kept * (r.kept - 1)) / 2) AS links
        FROM won w JOIN side l USING (source, x, y) JOIN side r USING (source, x, y)
        WHERE l.cluster = x AND r.cluster = y GROUP BY source, x, y"""
    )
