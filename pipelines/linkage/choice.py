"""Which model a run scores with, and why.

The choice must not depend on sources outside a view, or taking them away would change what is inside. It looks only at
the records that every view may read.
"""

import math
from collections.abc import Mapping, Sequence

from linkage_models.models import Model, pinned
from linkage_models.person.designs import COUNCIL, DESIGNS, GENERAL
from linkage_models.thresholds import FEWEST_TO_TRAIN, PLACED_SHARE, RETRAIN_GROWTH
from linkage_models.training import TrainingFailed, train
from pipelines.places.gazetteer import PROPERTY
from pipelines.warehouse import Warehouse

MODEL = "identity.linkage.model"
# People per household, census 2021, Southend-on-Sea: 180,688 people in 78,344 households.
PEOPLE_PER_DWELLING = 2.31
FEWEST_DWELLINGS = 100
TRAINED_HERE = "trained on the records at hand"
_COMMON = "person_common"


def choose_model(wh: Warehouse, table: str, views: Mapping[str, Sequence[str]] | None = None) -> tuple[Model, str]:
    """The model for the records of `table` (as person.records writes it), and why in words.

    The shipped model where it fits: most records are placed at a UPRN, as those it was trained on, and its columns are
    at hand. Else one trained here, kept from run to run until columns change or records grow beyond RETRAIN_GROWTH.
    Adds the columns of the model's design to `table`. `views` names the sources of each view.
    """
    _common_records(wh, table, views)
    try:
        model, why = _choose(wh)
    finally:
        wh.execute(f"DROP TABLE {_COMMON}")
    DESIGNS[model.design].prepare(wh.con, table)
    return model, why


def _common_records(wh: Warehouse, table: str, views: Mapping[str, Sequence[str]] | None) -> None:
    """Write _COMMON: the rows of `table` that every view which reads anything may read."""
    held = {source for (source,) in wh.rows(f"SELECT DISTINCT source_dataset FROM {table}")}
    reads = [held.intersection(sources) for sources in (views or {"all": sorted(held)}).values()]
    common = sorted(set.intersection(*filter(None, reads))) if any(reads) else []
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE {_COMMON} AS FROM {table} WHERE source_dataset IN (SELECT unnest(?::VARCHAR[]))",
        [common],
    )


def _choose(wh: Warehouse) -> tuple[Model, str]:
    records, placed, addressed = wh.rows(
        f"SELECT count(*), count(*) FILTER (NOT starts_with(home_key, '~')), count(home_key) FROM {_COMMON}"
    )[0]
    shipped = _for_this_place(wh, pinned(), records)
    columns = COUNCIL.prepare(wh.con, _COMMON)
    fits = shipped.fits({comparison.name for comparison in COUNCIL.comparisons_of(columns)})
    if fits and placed and placed >= PLACED_SHARE * addressed:
        return shipped, f"{shipped.version}, shipped: trained on synthetic records placed at UPRNs, as these are"
    if records < FEWEST_TO_TRAIN:
        return (
            shipped,
            f"{shipped.version}, shipped: {records:,} records that all views may read are too few to train on",
        )
    if kept := _kept(wh, records):
        return kept, f"{kept.version}, trained here in an earlier run"
    try:
        made = train(wh.con, _COMMON, wh.as_of, records, note=TRAINED_HERE, design=GENERAL)
    except TrainingFailed as fault:
        return shipped, f"{shipped.version}, shipped, though made for other records: training here failed ({fault})"
    lacks = "few of these records are placed at a UPRN" if fits else "these records lack columns that it leans on"
    return made, f"{made.version}, trained here, not calibrated: the shipped model does not fit, {lacks}"


def _kept(wh: Warehouse, records: int) -> Model | None:
    """The model that an earlier run trained, while the records still look like those it was trained on."""
    if not wh.exists(MODEL):
        return None
    ((body, terms),) = wh.rows(f"SELECT body, terms FROM {MODEL}")
    model = Model.of(body, terms)
    if model.card.get("note") != TRAINED_HERE:
        return None
    grown = records / max(model.card["records"], 1)
    same = model.card["columns"] == sorted(DESIGNS[model.design].prepare(wh.con, _COMMON))
    return model if same and 1 / RETRAIN_GROWTH <= grown <= RETRAIN_GROWTH else None


def _for_this_place(wh: Warehouse, model: Model, records: int) -> Model:
    """The model for as many people as live here: by the gazetteer's dwellings, which every view may read, else about as
    many as there are records, in powers of two, so that a few more records change no weight."""
    dwellings = 0
    if wh.exists(PROPERTY):
        dwellings = int(wh.scalar(f"SELECT count(*) FROM {PROPERTY} WHERE is_dwelling AND is_current"))
    if dwellings >= FEWEST_DWELLINGS:
        return model.for_population(int(float(f"{dwellings * PEOPLE_PER_DWELLING:.2g}")))
    return model.for_population(2 ** round(math.log2(max(records, FEWEST_TO_TRAIN))))
