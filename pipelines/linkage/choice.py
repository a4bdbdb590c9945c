"""Which model a run scores with."""

from linkage_models.models import Model, pinned
from linkage_models.person.comparisons import person_comparisons
from linkage_models.person.records import columns_at_hand
from linkage_models.training import TrainingFailed, train
from pipelines.places.gazetteer import PROPERTY
from pipelines.warehouse import Warehouse

# People per household, census 2021, Southend-on-Sea: 180,688 people in 78,344 households.
PEOPLE_PER_DWELLING = 2.31
FEWEST_DWELLINGS = 100


def choose_model(wh: Warehouse, table: str) -> tuple[Model, str]:
    """The pinned model where it fits the columns at hand, else one trained on them; and which, in words."""
    model = pinned()
    dwellings = _dwellings(wh)
    if dwellings >= FEWEST_DWELLINGS:
        model = model.for_population(int(float(f"{dwellings * PEOPLE_PER_DWELLING:.2g}")))
    at_hand = {comparison.name for comparison in person_comparisons(columns_at_hand(wh.con, table))}
    if model.fits(at_hand):
        return model, "pinned: trained on synthetic data, not calibrated here"
    try:
        trained = train(wh.con, table, wh.as_of, model.population, note="trained on the records at hand")
        return trained, "trained here: the pinned model was made for other columns"
    except TrainingFailed as fault:
        return model, f"pinned, though made for other columns: training here failed ({fault})"


def _dwellings(wh: Warehouse) -> int:
    """Dwellings of the gazetteer, which every view may read: how many people a pair is picked from must not depend
    on the
    sources at hand, or a source outside a purpose would change its weights."""
    if not wh.exists(PROPERTY):
        return 0
    return int(wh.scalar(f"SELECT count(*) FROM {PROPERTY} WHERE is_dwelling AND is_current"))
