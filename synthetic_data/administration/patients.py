"""What the health service did for residents, as the supplier of the linked data set hands it over: by pseudonym."""

from hashlib import blake2b

import numpy as np
import polars as pl

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.frames import texts
from synthetic_data.randomness import stream, weighted

YEARLY = {  # spells a person and year by setting: at 20, 50, 70 and 90 (NHS England HES 2023-24, rounded)
    "A&E": [0.38, 0.28, 0.38, 0.80],
    "Emergency admission": [0.05, 0.07, 0.16, 0.48],
    "Planned admission": [0.06, 0.14, 0.28, 0.24],
    "Community contact": [0.05, 0.10, 0.45, 2.10],
}
AT_AGES = [20, 50, 70, 90]
COST = {
    "A&E": (180, 60),
    "Emergency admission": (2600, 1500),
    "Planned admission": (1900, 1100),
    "Community contact": (62, 15),
}
STAY = {"Emergency admission": 7.5, "Planned admission": 2.0}  # mean days
FALLS = (65, 0.16)  # of emergencies from an age on: a fall; OHID falls, applied to A&E and emergency admissions
REASONS = {"Other": 54, "Respiratory": 15, "Heart": 11, "Mental health": 7, "Musculoskeletal": 13}
CARE_FACTOR = 2.2  # people with social care are seen so much more often; guess


def patients(scene: Scene, frames: FRAMES) -> FRAMES:
    """patient_spells of the year before each delivery, and patient_numbers: which pseudonym belongs to whom; days as
    numbers."""
    clients = frames["care_clients"]["person_id"]
    people = _patients(scene, scene.as_of)
    parts = [*_year(scene, people, clients, stream(scene.seed, "patients"), scene.as_of, 365), *_falls(scene)]
    spells = _numbered(pl.concat(parts), 10_000_000)
    numbers = _pseudonyms(scene, people)
    # the supplier looks up those for whom the council asked: its own clients
    numbers = numbers.with_columns(asked=pl.col("person_id").is_in(clients.implode()))
    if scene.opening < scene.as_of:  # earlier deliveries hold spells that have left the newest
        before = _patients(scene, scene.opening)
        last, days = scene.as_of - 364, scene.as_of - scene.opening
        older = _numbered(
            pl.concat(_year(scene, before, clients, stream(scene.seed, "patients before"), last, days)), 40_000_000
        )
        gone = before.join(people, on="person_id", how="anti", maintain_order="left")
        spells = pl.concat([spells, older])
        numbers = pl.concat([numbers, _pseudonyms(scene, gone).with_columns(asked=pl.lit(False))])
    return {"patient_spells": spells, "patient_numbers": numbers}


def _patients(scene: Scene, day: int) -> pl.DataFrame:
    """One row a person who lives in the borough now, or has died since a year before the day."""
    return (
        scene.residents()
        .filter((pl.col("current") | (pl.col("death") > day - 365)) & (pl.col("birth") < scene.as_of - 30))
        .unique("person_id", keep="last", maintain_order=True)
        .sort("person_id")
    )


def _year(
    scene: Scene, people: pl.DataFrame, clients: pl.Series, rng: np.random.Generator, end: int, days: int
) -> list[pl.DataFrame]:
    """Spells by setting that begin within so many days before `end`."""
    age = people["age"].to_numpy()
    factor = np.where(people["person_id"].is_in(clients.implode()).to_numpy(), CARE_FACTOR, 1.0)
    last = np.minimum(people["death"].to_numpy(), end)
    parts = []
    for setting, rates in YEARLY.items():
        count = rng.poisson(np.interp(age, AT_AGES, rates) * factor * (days / 365))
        at = np.repeat(np.arange(len(people)), count)
        start = np.minimum(end - rng.integers(1, days, len(at)), last[at])
        stay = rng.exponential(STAY.get(setting, 0.0), len(at)).astype(np.int64)
        mean, spread = COST[setting]
        fall = (age[at] >= FALLS[0]) & (rng.random(len(at)) < FALLS[1]) & (setting in ("A&E", "Emergency admission"))
        reason = np.array(list(REASONS), dtype=object)[weighted(rng, list(REASONS.values()), len(at))]
        parts.append(
            pl.DataFrame(
                {
                    "person_id": people["person_id"].gather(at),
                    "setting": [setting] * len(at),
                    "reason": texts(np.where(fall, "Fall", reason)),
                    "start_date": start,
                    "end_date": np.minimum(start + stay, last[at]),
                    "cost": np.round(rng.normal(mean, spread, len(at)).clip(mean / 5), 2),
                },
                schema_overrides={"setting": pl.String},
            )
        )
    return [_without_falls(part, scene) for part in parts]


def _numbered(spells: pl.DataFrame, first: int) -> pl.DataFrame:
    spells = spells.sort("person_id", "start_date", "setting", maintain_order=True)
    return spells.with_columns(spell_ref="K" + (pl.int_range(pl.len()) + first).cast(pl.String))


def _without_falls(spells: pl.DataFrame, scene: Scene) -> pl.DataFrame:
    """From the first delivery on, falls come by hazard alone; what these spells were for was something else."""
    late = (pl.col("reason") == "Fall") & (pl.col("start_date") > scene.opening)
    return spells.with_columns(reason=pl.when(late).then(pl.lit("Other")).otherwise("reason"))


def _falls(scene: Scene) -> list[pl.DataFrame]:
    """The spells of those who fell: an attendance, and an admission on the same day for every second."""
    fell = scene.happenings.filter(pl.col("hazard") == "fall").sort("person_id", "day", maintain_order=True)
    found = []
    for setting, rows in (("A&E", fell), ("Emergency admission", fell.filter(pl.col("person_id") % 2 == 0))):
        mean, _ = COST[setting]
        found.append(
            rows.select(
                "person_id",
                setting=pl.lit(setting),
                reason=pl.lit("Fall"),
                start_date=pl.col("day"),
                end_date=pl.min_horizontal(pl.col("day") + int(STAY.get(setting, 0)), pl.lit(scene.as_of)),
                cost=pl.lit(float(mean)),
            )
        )
    return found


def _pseudonyms(scene: Scene, people: pl.DataFrame) -> pl.DataFrame:
    """One row a patient: the supplier's pseudonym, made from the NHS number with a key that only the supplier has."""
    key = blake2b(f"supplier:{scene.seed}".encode(), digest_size=32).digest()
    known = people.select("person_id", "birth", "death").join(
        scene.persons.select("person_id", "nhs_number"), on="person_id", how="left", maintain_order="left"
    )
    made = [blake2b(number.encode(), digest_size=10, key=key).hexdigest().upper() for number in known["nhs_number"]]
    return known.select(
        "person_id",
        pseudonym=pl.Series(made, dtype=pl.String),
        birth_year=pl.col("birth").cast(pl.Int32).cast(pl.Date).dt.year().cast(pl.Int64),
    )
