"""Which model a run scores with, and why.

The choice must not depend on sources outside a view, or taking them away would change what is inside. It looks only at
the records that every view may read.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from linkage_models.assumed import assumed_model
from linkage_models.models import NAMES_OF, Model, ModelFault, pinned
from linkage_models.person.designs import COUNCIL, DESIGNS, GENERAL, Design
from linkage_models.term_frequencies import names_of_place, terms_here
from linkage_models.thresholds import FEWEST_OF_ANY_ORIGIN, FEWEST_TO_TRAIN, PLACED_SHARE, RETRAIN_GROWTH
from linkage_models.training import TrainingFailed, train
from pipelines.places.gazetteer import PROPERTY
from pipelines.warehouse import Warehouse, sql_list

MODEL = "identity.linkage.model"
# People per household, census 2021, Southend-on-Sea: 180,688 people in 78,344 households.
PEOPLE_PER_DWELLING = 2.31
FEWEST_DWELLINGS = 100
TRAINED_HERE = "trained on the records at hand"
COMMON = "person_common"


class Choice(NamedTuple):
    """The model that scores, set to the people who live here; why, in words; whether it was trained just now."""

    model: Model
    why: str
    fresh: bool = False


def choose_model(
    wh: Warehouse,
    table: str,
    views: Mapping[str, Sequence[str]] | None = None,
    wanted: Model | None = None,
    name: str | None = None,
) -> Choice:
    """The model for the records of `table` (as person.records writes it), and why in words.

    The wanted model, by default the shipped one, where it fits: its columns are at hand, and most records are placed at
    a UPRN if those it was trained on were. Else one trained here, kept from run to run until columns change or records
    grow beyond RETRAIN_GROWTH. Adds to `table` what the model's rules read. `views` names the sources of each
    view; `name` is what a model trained now is to be called.
    """
    common = _common_to_all(wh, table, views)
    if not (choice := _shipped_fits(wh, common, wanted)):
        _write_common(wh, common)
        try:
            choice = _choose(wh, wanted, name)
        finally:
            wh.execute(f"DROP TABLE {COMMON}")
    choice.model.extend(wh.con, table, common)
    return choice


def common_records(wh: Warehouse, table: str, views: Mapping[str, Sequence[str]] | None) -> None:
    """Write the temporary table COMMON: the rows of `table` that every view which reads anything may read."""
    _write_common(wh, _common_to_all(wh, table, views))


def _write_common(wh: Warehouse, common: str) -> None:
    """Number the records anew: what training samples by their numbers must not hang on the records of other sources."""
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE {COMMON} AS"
        f" SELECT * REPLACE (row_number() OVER (ORDER BY unique_id) - 1 AS unique_id) FROM {common}"
    )


def _common_to_all(wh: Warehouse, table: str, views: Mapping[str, Sequence[str]] | None) -> str:
    """Query of what COMMON is to hold."""
    held = {source for (source,) in wh.rows(f"SELECT DISTINCT source_dataset FROM {table}")}
    reads = [held.intersection(sources) for sources in (views or {"all": sorted(held)}).values()]
    common = sorted(set.intersection(*filter(None, reads))) if any(reads) else []
    return f"(FROM {table} WHERE source_dataset IN ({sql_list(common)}))"


def design_here(wh: Warehouse) -> Design:
    """The design that suits the records of COMMON: the council's where most are placed at a UPRN."""
    return COUNCIL if _placed(wh) else GENERAL


def misfit(wh: Warehouse, model: Model, common: str = COMMON) -> str | None:
    """Why a model is not for the records of `common`, in words; None if it is."""
    design = DESIGNS[model.design]
    if lacks := model.misfit({each.name for each in design.comparisons_of(design.prepare(wh.con, common))}):
        return lacks
    return None if model.design != COUNCIL.name or _placed(wh, common) else "few of these records are placed at a UPRN"


def _placed(wh: Warehouse, common: str = COMMON) -> bool:
    ((placed, addressed),) = wh.rows(
        f"SELECT count(*) FILTER (NOT starts_with(home_key, '~')), count(home_key) FROM {common}"
    )
    return bool(placed and placed >= PLACED_SHARE * addressed)


def _shipped_fits(wh: Warehouse, common: str, wanted: Model | None) -> Choice | None:
    """The shipped model, without a copy of the records; None if another is wanted or it does not fit."""
    shipped = pinned()
    if (wanted and wanted.version != shipped.version) or misfit(wh, shipped, common):
        return None
    records = int(wh.scalar(f"SELECT count(*) FROM {common}"))
    why = f"{shipped.version}, shipped: trained on synthetic records placed at UPRNs, as these are"
    return Choice(_of_place(wh, set_to_people(wh, shipped, records), common, records), why)


def _choose(wh: Warehouse, wanted: Model | None, name: str | None) -> Choice:
    records = int(wh.scalar(f"SELECT count(*) FROM {COMMON}"))
    shipped, said = set_to_people(wh, pinned(), records), "the shipped model"
    if wanted and wanted.version != shipped.version:
        said = f"the model {wanted.version} of the settings"
        if not (lacks := misfit(wh, wanted)):
            model = set_to_people(wh, wanted, records)
            if wanted.of_invented_people:  # the shipped model's numbers, or an older one's, fitted here
                model = _of_place(wh, model, COMMON, records)
            return Choice(model, f"{wanted.version}, as the settings say")
    else:
        lacks = misfit(wh, shipped)
    # what is the same for all records tells nobody apart, whatever it is worth elsewhere
    columns = COUNCIL.prepare(wh.con, COMMON)
    silent = {each.name for each in COUNCIL.comparisons} - {each.name for each in COUNCIL.comparisons_of(columns)}
    shipped = shipped.without(silent)
    if _placed(wh) and records < FEWEST_TO_TRAIN:
        shipped = shipped.with_terms(names_of_place(wh.con, COMMON, shipped.terms))
        few = f"{records:,} records that all views may read are too few to train on"
        return Choice(shipped, f"{shipped.version}, shipped: {few}" + (f"; {said} does not fit" if wanted else ""))
    if kept := _kept(wh, records):
        if why := kept.card.get("untrained"):
            return Choice(kept, _not_trained(kept, why))
        return Choice(kept, f"{kept.version}, trained here in an earlier run, since {said} does not fit: {lacks}")
    try:
        if records < FEWEST_OF_ANY_ORIGIN:
            raise TrainingFailed(f"{records:,} records that all views may read are too few")
        made = train_here(wh, design_here(wh) if wanted else GENERAL, TRAINED_HERE, name)
    except TrainingFailed as fault:
        here = terms_here(wh.con, COMMON, columns.intersection(COUNCIL.weighed))
        return _untrained(wh, shipped.with_terms(here), fault, name)
    return Choice(made, f"{made.version}, trained here, not calibrated: {said} does not fit, {lacks}", True)


def _untrained(wh: Warehouse, shipped: Model, why: TrainingFailed, name: str | None) -> Choice:
    """What scores where training failed: the shipped model for records placed at UPRNs, else an assumed one."""
    if _placed(wh):
        said = f"WARNING: {shipped.version}, shipped, though made for other records: training here failed ({why})"
        return Choice(shipped, said)
    sources = _sources_here(wh)
    try:
        made = assumed_model(wh.con, COMMON, wh.as_of, sum(sources.values()), why, note=TRAINED_HERE)
    except TrainingFailed as fault:
        return Choice(shipped, f"WARNING: {shipped.version}, shipped, though made for other records: {fault}")
    made = _of_here(wh, made, sources, name)
    return Choice(made, _not_trained(made, str(why)), True)


def _not_trained(model: Model, why: str) -> str:
    return (
        f"WARNING: {model.version}, not trained: training on these records failed ({why}). What records of one person"
        " agree on is assumed from invented records of other kinds; how common values are was counted here. Look at"
        " samples of its links before you rely on them"
    )


def train_here(wh: Warehouse, design: Design, note: str, name: str | None) -> Model:
    """A model trained on the records of COMMON, set to the people who live here. Raises TrainingFailed."""
    sources = _sources_here(wh)
    records = sum(sources.values())
    # a model of records of any origin says nothing of homes beyond them
    people = people_here(wh, records) if design is COUNCIL else records
    model = train(wh.con, COMMON, wh.as_of, people, note=note, design=design)
    return _of_here(wh, model, sources, name)


def _sources_here(wh: Warehouse) -> dict[str, int]:
    return dict(wh.rows(f"SELECT source_dataset, count(*) FROM {COMMON} GROUP BY ALL ORDER BY ALL"))


def _of_here(wh: Warehouse, model: Model, sources: dict[str, int], name: str | None) -> Model:
    origin = {"kind": "records", "run": wh.run_id, "day": wh.as_of.isoformat(), "sources": sources}
    return replace(model, version=name or model.version, card=model.card | {"trained_on": origin})


def _kept(wh: Warehouse, records: int) -> Model | None:
    """The model that an earlier run trained, while the records still look like those it was trained on."""
    model = _scored_before(wh)
    if not model or model.card.get("note") != TRAINED_HERE:
        return None
    same = model.card["columns"] == sorted(DESIGNS[model.design].prepare(wh.con, COMMON))
    return model if same and _about_as_many(records, model.card["records"]) else None


def _scored_before(wh: Warehouse) -> Model | None:
    """The model of the run before; None if there is none that this version of the code can read."""
    if not wh.exists(MODEL):
        return None
    ((body, terms),) = wh.rows(f"SELECT body, terms FROM {MODEL}")
    try:
        return Model.of(body, terms)
    except ModelFault:
        return None


def _about_as_many(records: int, before: int) -> bool:
    return 1 / RETRAIN_GROWTH <= records / max(before, 1) <= RETRAIN_GROWTH


def _of_place(wh: Warehouse, model: Model, common: str, records: int) -> Model:
    """The model with the names of the records of `common`; those of the run before while the records are about as many,
    since other names score all pairs afresh."""
    kept = _scored_before(wh)
    if kept and kept.mark == model.mark and _about_as_many(records, kept.card.get(NAMES_OF, 0)):
        return model.of_place(kept.terms, kept.card[NAMES_OF])
    return model.of_place(names_of_place(wh.con, common, model.terms), records)


def set_to_people(wh: Warehouse, model: Model, records: int) -> Model:
    """The model for as many people as live here; one of records of any origin as it is."""
    return model.for_population(people_here(wh, records)) if model.design == COUNCIL.name else model


def people_here(wh: Warehouse, records: int) -> int:
    """About how many people live here: by the gazetteer's dwellings, which every view may read, else about as many as
    there are records, in powers of two, so that a few more records change no weight."""
    dwellings = 0
    if wh.exists(PROPERTY):
        dwellings = int(wh.scalar(f"SELECT count(*) FROM {PROPERTY} WHERE is_dwelling AND is_current"))
    if dwellings >= FEWEST_DWELLINGS:
        return int(float(f"{dwellings * PEOPLE_PER_DWELLING:.2g}"))
    return int(2 ** round(math.log2(max(records, FEWEST_TO_TRAIN))))
