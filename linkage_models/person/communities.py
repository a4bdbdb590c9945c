"""Given names and surnames go together by community: how much likelier a surname is among bearers of a forename.

To share SINGH with a MANPREET says far less than to share it with a JOHN. The table of distinct full names is taken
apart by correspondence analysis (Greenacre 1984); its leading axes are the communities of the place, found from the
names alone. By the reconstitution formula P(surname | forename) = P(surname) (1 + sum over the axes of singular value x
place of forename x place of surname). Names near the origin, as most are, have no place: nothing is learnt of them.
"""

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import svds

from linkage_models.thresholds import (
    COMMUNITY_AXES,
    COMMUNITY_CLEAR,
    COMMUNITY_LEAST,
    COMMUNITY_LIFT,
    COMMUNITY_SHRINKAGE,
    NAMESAKES_APART,
    NAMESAKES_FEWEST,
    NAMESAKES_TOO_MANY,
    RARE_TERM_COUNT,
)

#: The column whose frequency is that of its surname beside its forename.
COLUMN = "full_name"
FORENAME, SURNAME = "forename_root", "surname_key"
#: The entry of a model's terms that holds the frequencies of surnames which the axes were learnt beside, where those of
#: the place at hand stand under SURNAME.
LEARNT_BESIDE = f"{SURNAME}@0"
Floats = NDArray[np.float64]


def is_axis(term: str) -> bool:
    """Whether an entry of a model's terms is an axis, not the frequencies of a column."""
    return "@" in term


def names_go_together(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether plainly different people (born years apart, nowhere at one home or postcode) share a full name clearly
    oftener than a forename and a surname meet by chance. Where they do not, what names seem to have in common is the
    copies of one person, written in several ways."""
    found = con.execute(
        f"""-- one row: pairs of plainly different people who share a full name, and as many as chance would make
        WITH named AS (SELECT {FORENAME} AS f, {SURNAME} AS s, birth_year AS y, postcode, home_key FROM {table}
            WHERE birth_year IS NOT NULL AND length({FORENAME}) > 1 AND length({SURNAME}) > 1),
        sharing AS (
            SELECT (SELECT sum(n * n) FROM (SELECT count(*)::DOUBLE AS n FROM named GROUP BY f)) AS forenames,
                (SELECT sum(n * n) FROM (SELECT count(*)::DOUBLE AS n FROM named GROUP BY s)) AS surnames),
        born AS (SELECT y, count(*)::DOUBLE AS n FROM named GROUP BY y),
        apart AS (SELECT sum(l.n * r.n) / 2 AS pairs FROM born l JOIN born r ON abs(l.y - r.y) > {NAMESAKES_APART})
        SELECT (SELECT count(*) FROM named l JOIN named r ON l.f = r.f AND l.s = r.s AND l.y < r.y - {NAMESAKES_APART}
                WHERE NOT coalesce(l.postcode = r.postcode, false) AND NOT coalesce(l.home_key = r.home_key, false)),
            pairs * forenames * surnames / (SELECT count(*) FROM named) ** 4
        FROM sharing, apart"""
    ).fetchall()
    ((seen, expected),) = found
    return seen >= NAMESAKES_FEWEST and seen > NAMESAKES_TOO_MANY * (expected or 0.0)


def learn_communities(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, dict[str, float]]:
    """Entries for a model's terms: `forename_root@1` and `surname_key@1` hold the places of names on the first axis,
    times the root of its singular value, which stands under ''; and so on. Empty where too few names are common enough.

    Every full name counts once, however many records show it: a person's records are no community.
    """
    names = con.execute(
        f"""-- one row per full name whose parts are each part of enough others
        WITH whole AS (SELECT DISTINCT {FORENAME} AS f, {SURNAME} AS s FROM {table}
            WHERE length({FORENAME}) > 1 AND length({SURNAME}) > 1)
        SELECT CASE WHEN count(*) OVER (PARTITION BY f) >= {RARE_TERM_COUNT} THEN f ELSE '' END AS f,
            CASE WHEN count(*) OVER (PARTITION BY s) >= {RARE_TERM_COUNT} THEN s ELSE '' END AS s
        FROM whole ORDER BY ALL"""
    ).fetchnumpy()
    forenames, f = np.unique(names["f"].astype(str), return_inverse=True)
    surnames, s = np.unique(names["s"].astype(str), return_inverse=True)
    axes = min(COMMUNITY_AXES + 1, len(forenames) - 1, len(surnames) - 1)
    if axes < 3:
        return {}
    seen = coo_array((np.ones(len(f)), (f, s)), shape=(len(forenames), len(surnames))).tocsr()
    # a few made-up bearers of every name keep what is rare near the origin
    rows, columns = (np.asarray(seen.sum(axis=axis)) + COMMUNITY_SHRINKAGE for axis in (1, 0))
    scaled = diags_array(rows**-0.5) @ seen @ diags_array(columns**-0.5)
    left, size, right = svds(scaled.tocsc(), k=axes, v0=np.ones(min(scaled.shape)))
    order = np.argsort(-size)
    # the first axis is the names' frequencies; the least are chance
    kept = order[1:][size[order[1:]] > max(COMMUNITY_CLEAR * size.min(), COMMUNITY_LEAST)]
    every, root = np.sqrt(len(f)), np.sqrt(size[kept])
    terms = {}
    for column, values, places in (
        (FORENAME, forenames, left[:, kept] * every / np.sqrt(rows)[:, None]),
        (SURNAME, surnames, right[kept].T * every / np.sqrt(columns)[:, None]),
    ):
        told = np.flatnonzero(((places * size[kept]) ** 2).sum(axis=1) >= COMMUNITY_LIFT)
        for axis in range(len(kept)):
            terms[f"{column}@{axis + 1}"] = {
                str(values[name]): round(float(places[name, axis] * root[axis]), 3) for name in told if values[name]
            } | {"": round(float(size[kept[axis]]), 3)}
    return _turned(terms, len(kept))


def write_frequencies(
    con: duckdb.DuckDBPyConnection, table: str, terms: dict[str, dict[str, float]], target: str
) -> None:
    """Write the temporary table `target` (full_name, tf_full_name): P(surname | forename) of each full name of `table`.

    A rare name beside one that has a place is taken to be of its community: rare names are the most telling. In another
    place than that which the axes are of, a surname is as common in its community as it was there, and nowhere rarer
    than among everyone.
    """
    axes = sum(term.startswith(f"{FORENAME}@") for term in terms)
    names = con.execute(f"SELECT DISTINCT {COLUMN}, {FORENAME}, {SURNAME} FROM {table} WHERE {COLUMN} IS NOT NULL").pl()
    alone = terms[SURNAME]
    share, learnt = (
        names[SURNAME].replace_strict(shares, default=shares[""], return_dtype=pl.Float64).to_numpy()
        for shares in (alone, terms.get(LEARNT_BESIDE, alone))
    )
    excess = np.zeros(len(names))
    # of a name that is common, and has no place, it is known that it belongs nowhere
    known = {
        column: names[column].is_in(sorted(set(common) | set(terms.get(f"{column}@1", {})))).fill_null(False).to_numpy()
        for column, common in ((FORENAME, terms.get("forename", {})), (SURNAME, alone))
    }
    whole = (names[FORENAME].str.len_chars() > 1).fill_null(False).to_numpy()
    for axis in range(1, axes + 1):
        size = terms[f"{FORENAME}@{axis}"][""]
        f, s = (
            names[column].replace_strict(terms[f"{column}@{axis}"], default=0.0, return_dtype=pl.Float64).to_numpy()
            for column in (FORENAME, SURNAME)
        )
        excess += np.where(known[FORENAME], f, size * s) * np.where(known[SURNAME], s, size * f)
    frequency = np.maximum(share, np.where(whole, learnt * (1.0 + excess), 0.0))
    con.register("name_frequency", names.select(COLUMN, pl.Series(f"tf_{COLUMN}", np.minimum(frequency, 1.0))))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {target} AS FROM name_frequency")
    con.unregister("name_frequency")


def _turned(terms: dict[str, dict[str, float]], axes: int) -> dict[str, dict[str, float]]:
    """The same axes with their ends in a fixed order, which a decomposition leaves open."""
    for axis in range(1, axes + 1):
        if sum(value**3 for value in terms[f"{SURNAME}@{axis}"].values()) < 0:
            for column in (FORENAME, SURNAME):
                terms[f"{column}@{axis}"] = {
                    name: -value if name else value for name, value in terms[f"{column}@{axis}"].items()
                }
    return terms
