"""Why true pairs were missed, and which of them anyone could have found.

A true pair is *distinguished* when some set of values that both records show (SETS, as standardised) is shown by no
other person's record. Nobody can link the others but by luck: two people would look the same. Values that are merely
alike do not count as shown by both.
"""

from dataclasses import dataclass

import duckdb

from linkage_models.thresholds import DEATH_GRACE_DAYS

SETS: tuple[tuple[str, ...], ...] = (
    ("nino",),
    ("nhs_number",),
    ("person_number",),
    ("phone", "initial"),
    ("email", "initial"),
    ("birth_date", "forename_root"),
    ("birth_date", "surname_key"),
    ("birth_date", "surname_phonetic", "initial"),
    ("birth_date", "home_key"),
    ("birth_date", "postcode"),
    ("home_key", "forename_root"),
    ("home_key", "initial"),
    ("postcode", "forename_root", "surname_phonetic"),
    ("postcode", "initial", "surname_phonetic"),
    ("forename_root", "middle", "surname_key"),
    ("forename_root", "surname_phonetic", "birth_year"),
    ("forename_root", "surname_key"),
)
DEFINITION = (
    "A true pair is distinguished when some set of values that both records show is shown by no other person's record; "
    "the sets: " + "; ".join(" + ".join(each) for each in SETS) + "."
)
UNDISTINGUISHED, CONSTRAINT, NEVER, BELOW, OUTVOTED = CAUSES = (
    "no distinguishing evidence: recorded values don't tell the two from others",
    "cut by a constraint: a source's one record a person, or a death",
    "never compared: no blocking rule brings the two together",
    "below the link threshold",
    "above the link threshold, but the other records of the two speak against it",
)


@dataclass(frozen=True)
class Misses:
    """`causes` is (cause, missed pairs), a pair under the first cause that holds; `recall` is of the distinguished."""

    distinguished: int
    found: int
    causes: tuple[tuple[str, int], ...]

    @property
    def recall(self) -> float:
        return self.found / self.distinguished if self.distinguished else 0.0


def misses(con: duckdb.DuckDBPyConnection, judged: str, records: str, edges: str, link: float) -> Misses:
    """Count the missed true pairs of `judged` (rates.judge) by cause; `edges` has record_l < record_r, match_weight."""
    at_hand = {row[0] for row in con.execute(f"SELECT column_name FROM (DESCRIBE {records})").fetchall()}
    usable = [each for each in SETS if at_hand.issuperset(each)]
    read = {"record_id", "death_date", "last_begun", "one_person_key"}.union(*usable)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE shown AS SELECT {', '.join(f'r.{column}' for column in sorted(read))}, j.person,"
        f" j.cluster AS in_cluster FROM {records} r JOIN {judged} j USING (record_id)"
    )
    for place, columns in enumerate(usable):
        listed = ", ".join(columns)
        con.execute(
            f"""-- one row per record that shows a set of values which only its person shows, more than once
            CREATE OR REPLACE TEMP TABLE telling_{place} AS
            WITH telling AS (
                SELECT {listed}, row_number() OVER () AS value FROM shown
                WHERE {" AND ".join(f"{column} IS NOT NULL" for column in columns)}
                GROUP BY {listed} HAVING min(person) = max(person) AND count(*) > 1)
            SELECT record_id, value FROM shown JOIN telling USING ({listed})"""
        )
    pairs = " UNION ".join(
        f"SELECT a.record_id AS record_l, b.record_id AS record_r FROM telling_{place} a JOIN telling_{place} b"
        " USING (value) WHERE a.record_id < b.record_id"
        for place in range(len(usable))
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE distinguished AS {pairs}")
    ((every, found),) = con.execute(
        """SELECT count(*), count(*) FILTER (l.in_cluster = r.in_cluster) FROM distinguished d
        JOIN shown l ON l.record_id = d.record_l JOIN shown r ON r.record_id = d.record_r"""
    ).fetchall()
    counted = dict(
        con.execute(
            f"""-- one row per cause
            WITH missed AS (
                SELECT l.record_id AS record_l, r.record_id AS record_r, l.in_cluster AS a, r.in_cluster AS b
                FROM shown l JOIN shown r ON r.person = l.person AND l.record_id < r.record_id
                WHERE l.in_cluster <> r.in_cluster
            ), apart AS (SELECT DISTINCT a, b FROM missed),
            side AS (SELECT in_cluster, min(death_date) AS died, max(last_begun) AS begun FROM shown GROUP BY ALL),
            held AS (
                SELECT DISTINCT p.a, p.b FROM apart p JOIN shown l ON l.in_cluster = p.a
                JOIN shown r ON r.in_cluster = p.b AND r.one_person_key = l.one_person_key
                UNION
                SELECT p.a, p.b FROM apart p JOIN side l ON l.in_cluster = p.a JOIN side r ON r.in_cluster = p.b
                WHERE greatest(l.begun, r.begun) > least(l.died, r.died) + {DEATH_GRACE_DAYS}
            )
            SELECT CASE WHEN d.record_l IS NULL THEN 0 WHEN h.a IS NOT NULL THEN 1 WHEN e.record_l IS NULL THEN 2
                WHEN e.match_weight < ? THEN 3 ELSE 4 END, count(*)
            FROM missed m LEFT JOIN distinguished d USING (record_l, record_r) LEFT JOIN held h USING (a, b)
            LEFT JOIN {edges} e ON e.record_l = m.record_l AND e.record_r = m.record_r
            GROUP BY ALL""",
            [link],
        ).fetchall()
    )
    for table in ("shown", "distinguished", *(f"telling_{place}" for place in range(len(usable)))):
        con.execute(f"DROP TABLE {table}")
    return Misses(every, found, tuple((words, counted.get(place, 0)) for place, words in enumerate(CAUSES)))
