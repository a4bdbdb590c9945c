"""Residents counted against the known population by ward, sex and age; weights that make up for those nobody sees.

Method: iterative proportional fitting (raking; Deming and Stephan 1940) of the counts to two margins, ward and sex by
age band. A person whose age, sex or ward no source holds is spread over the cells that are possible for them, in the
proportions of the known population.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.warehouse import Warehouse

RECONCILIATION = "identity.residents.reconciliation"
POPULATION = "identity.staged.population__population"
#: Raking stops when no margin is off by more than this share, or after so many rounds.
CLOSE_ENOUGH, MOST_ROUNDS = 1e-6, 200
#: Those whose age is unknown, but who act as adults do, stand in the band of this age or above.
ADULT = 18
_COLUMNS = (
    "view VARCHAR, ward_code VARCHAR, ward VARCHAR, sex VARCHAR, age_from INTEGER, known INTEGER, seen DOUBLE,"
    " by_age_and_sex DOUBLE, reconciled DOUBLE"
)
Cells = NDArray[np.float64]


@dataclass(frozen=True)
class Reconciled:
    """weights: person_id, weight (how many residents one person stands for); figures: how far wards are off."""

    weights: pl.DataFrame
    figures: dict[str, float] = field(default_factory=dict)


def reconcile(wh: Warehouse, people: pl.DataFrame, view: str) -> Reconciled:
    """Add the rows of `view` to RECONCILIATION (one row a ward, sex and age band); needs POPULATION, else no weights.

    `people` has person_id, ward_code, sex (M, F), age in whole years, acts_as_adult. Columns of the table: known, the
    published count; seen, persons counted; by_age_and_sex, raked to age and sex alone, so that wards are a test of it;
    reconciled, raked to wards too.
    """
    wh.execute(f"CREATE TABLE IF NOT EXISTS {RECONCILIATION} ({_COLUMNS})")
    nobody = pl.DataFrame(schema={"person_id": pl.String, "weight": pl.Float64})
    if not wh.exists(POPULATION):
        return Reconciled(nobody)
    known = wh.frame(
        f"""-- one row per ward, sex and age band
        SELECT wd25cd AS ward_code, any_value(wd25nm) AS ward, sex, age_from::INTEGER AS age_from,
            sum(residents)::INTEGER AS known
        FROM {POPULATION} WHERE valid_to IS NULL GROUP BY ALL ORDER BY ward_code, sex, age_from"""
    )
    if known.is_empty() or people.is_empty():
        return Reconciled(nobody)
    wards, sexes, bands = (known[name].unique().sort().to_list() for name in ("ward_code", "sex", "age_from"))
    total = _cells(known, wards, sexes, bands)
    kinds = _kinds(people, wards, sexes, bands)
    shares = [_possible(total, kind) for kind in kinds.select("ward", "sexed", "band", "adult").rows()]
    seen = np.tensordot(kinds["persons"].to_numpy().astype(float), np.stack(shares), axes=1)
    aged = _rake(seen, total, ((0,),))
    fitted = _rake(seen, total, ((0,), (1, 2)))
    _write(wh, view, known, (wards, sexes, bands), (total, seen, aged, fitted))
    ratio = np.divide(fitted, seen, out=np.zeros_like(seen), where=seen > 0)
    weight = [float((share * ratio).sum()) for share in shares]
    keys = ["ward_code", "sex", "age_band", "acts_as_adult"]
    kinds = kinds.with_columns(weight=pl.Series(weight, dtype=pl.Float64))
    weights = _banded(people, bands).join(kinds, on=keys, how="left", nulls_equal=True, maintain_order="left")
    worst = {
        name: round(float(_off(cells, total).max()), 4)
        for name, cells in (("largest ward gap by age and sex", aged), ("largest ward gap reconciled", fitted))
    }
    figures = {"known population": float(total.sum()), "share seen": round(float(seen.sum() / total.sum()), 4)} | worst
    return Reconciled(weights.select("person_id", "weight"), figures)


def _cells(known: pl.DataFrame, wards: list[str], sexes: list[str], bands: list[int]) -> Cells:
    cells = np.zeros((len(wards), len(sexes), len(bands)))
    for ward, sex, band, count in known.select("ward_code", "sex", "age_from", "known").iter_rows():
        cells[wards.index(ward), sexes.index(sex), bands.index(band)] = count
    return cells


def _banded(people: pl.DataFrame, bands: list[int]) -> pl.DataFrame:
    """The people with age_band, the place of their band; null while the age is unknown."""
    places = np.searchsorted(np.array(bands), people["age"].fill_null(0).to_numpy(), side="right") - 1
    known = people["age"].is_not_null()
    return people.with_columns(age_band=pl.when(known).then(pl.Series(places, dtype=pl.Int64)))


def _kinds(people: pl.DataFrame, wards: list[str], sexes: list[str], bands: list[int]) -> pl.DataFrame:
    """People of one ward, sex, band and adulthood as one row, with the places of those in the cells (null: unknown)."""
    keys = ["ward_code", "sex", "age_band", "acts_as_adult"]
    kinds = _banded(people, bands).group_by(keys).agg(persons=pl.len()).sort(keys, nulls_last=True)
    return kinds.with_columns(
        ward=pl.col("ward_code").replace_strict({w: i for i, w in enumerate(wards)}, default=None),
        sexed=pl.col("sex").replace_strict({s: i for i, s in enumerate(sexes)}, default=None),
        band="age_band",
        adult=pl.when(pl.col("acts_as_adult").fill_null(False)).then(pl.lit(sum(band <= ADULT for band in bands) - 1)),
    )


def _possible(total: Cells, kind: tuple[Any, ...]) -> Cells:
    """How one person of a kind is spread over the cells: one in all."""
    ward, sex, band, adult = kind
    open_cells = np.ones_like(total)
    for axis, place in enumerate((ward, sex, band)):
        if place is not None:
            open_cells *= np.expand_dims(np.arange(total.shape[axis]) == place, tuple({0, 1, 2} - {axis}))
    if band is None and adult is not None:
        open_cells *= np.arange(total.shape[2]) >= max(adult, 0)
    spread = open_cells * total
    return spread / spread.sum() if spread.sum() else open_cells / max(open_cells.sum(), 1.0)


def _rake(seen: Cells, total: Cells, over: tuple[tuple[int, ...], ...]) -> Cells:
    """`seen` scaled until, summed over each of the axes named, it gives what `total` gives."""
    fitted = seen.copy()
    for _ in range(MOST_ROUNDS):
        off = 0.0
        for axes in over:
            now, wanted = fitted.sum(axis=axes, keepdims=True), total.sum(axis=axes, keepdims=True)
            factor = np.divide(wanted, now, out=np.ones_like(now), where=now > 0)
            off = max(off, float(np.abs(factor - 1)[now > 0].max(initial=0.0)))
            fitted = fitted * factor
        if off < CLOSE_ENOUGH:
            break
    return fitted


def _off(cells: Cells, total: Cells) -> Cells:
    """How far each ward is off its known total, as a share of it."""
    known = total.sum(axis=(1, 2))
    gap: Cells = np.abs(cells.sum(axis=(1, 2)) - known)
    return np.divide(gap, known, out=np.zeros_like(gap), where=known > 0)


def _write(
    wh: Warehouse,
    view: str,
    known: pl.DataFrame,
    labels: tuple[list[str], list[str], list[int]],
    cells: tuple[Cells, Cells, Cells, Cells],
) -> None:
    wards, sexes, bands = labels
    places = [(w, s, b) for w in range(len(wards)) for s in range(len(sexes)) for b in range(len(bands))]
    names = dict(known.select("ward_code", "ward").unique().iter_rows())
    total, seen, aged, fitted = (each.ravel() for each in cells)
    frame = pl.DataFrame(
        {
            "view": [view] * len(places),
            "ward_code": [wards[w] for w, _, _ in places],
            "ward": [names[wards[w]] for w, _, _ in places],
            "sex": [sexes[s] for _, s, _ in places],
            "age_from": [bands[b] for _, _, b in places],
            "known": total.astype(int),
            "seen": seen,
            "by_age_and_sex": aged,
            "reconciled": fitted,
        }
    )
    wh.con.register("reconciled_cells", frame)
    wh.execute(f"INSERT INTO {RECONCILIATION} SELECT * FROM reconciled_cells")
    wh.con.unregister("reconciled_cells")
