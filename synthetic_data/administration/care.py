"""Adult social care: clients and their events in the words of the Client Level Data."""

import numpy as np
import polars as pl

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.frames import NOTHING, texts
from synthetic_data.randomness import distinct, stream, weighted
from synthetic_data.timeline import OPEN

CLIENTS_BY_AGE = (
    [18, 40, 60, 70, 80, 85, 90, 100],
    [0.008, 0.009, 0.013, 0.021, 0.055, 0.11, 0.19, 0.28],
)  # NHSE 2023-24, adults with long-term support by age
STALE = 0.07  # clients known at a former address
REASONS = {
    "Physical Support: Personal care support": 42,
    "Physical Support: Access & mobility only": 12,
    "Support with Memory & Cognition": 13,
    "Learning Disability Support": 12,
    "Mental Health Support": 13,
    "Sensory Support: Support for visual impairment": 2,
    "Sensory Support: Support for hearing impairment": 2,
    "Social Support: Support for Social Isolation/Other": 3,
    "Social Support: Substance misuse support": 1,
}
ACCOMMODATION = {
    "owned": "Owner occupier or shared ownership scheme",
    "mortgage": "Owner occupier or shared ownership scheme",
    "council": "Tenant",
    "housing_association": "Tenant",
    "private_rent": "Tenant - private landlord",
    "rent_free": "Settled mainstream housing with family / friends",
    "care": "Registered care home",
}
COMPONENTS = {
    "Home Support": 42,
    "Direct Payment": 14,
    "Day Support": 12,
    "Community Supported Living": 10,
    "Meals": 5,
    "Equipment & Adaptations": 17,
}
OUTCOMES = {
    "Request": [
        "Progress to Assessment / Unplanned Review",
        "NFA - Information & Advice / Signposting only",
        "Progress to Reablement/ST-Max",
    ],
    "Assessment": [
        "Progress to Support Planning / Services",
        "No further action - no services identified",
        "Progress to Support Planning / Services",
    ],
    "Review": ["No change in package", "Change in package", "No change in package"],
    "Service": ["Service ended as planned", "NFA - Support ended: Other reason", "Provision of service"],
}


def care(scene: Scene) -> FRAMES:
    """care_clients and care_events, days as numbers."""
    rng = stream(scene.seed, "care")
    stays = (
        scene.residents()
        .sort("person_id", "from", maintain_order=True)
        .with_columns(earlier=pl.col("uprn").shift(1).over("person_id"))
    )
    dead_lately = (pl.col("death") < OPEN) & (pl.col("death") > scene.as_of - 400) & (pl.col("to") == pl.col("death"))
    people = stays.filter((pl.col("current") | dead_lately) & (pl.col("age") >= 18)).unique(
        "person_id", keep="last", maintain_order=True
    )
    n = len(people)
    share = np.interp(people["age"].to_numpy(), *CLIENTS_BY_AGE) * np.where(
        people["tenure"].is_in(["council", "housing_association"]).to_numpy(), 1.5, 0.9
    )
    share = np.where(people["role"].to_numpy() == "resident", 0.62, share)
    share = np.where(people["smi"].to_numpy(), np.maximum(share, 0.3), share)
    carers = (
        (people["age"].to_numpy() > 45)
        & np.isin(people["role"].to_numpy(), ["partner", "adult_child"])
        & (rng.random(n) < 0.008)
    )
    chosen = (rng.random(n) < share) | carers
    clients = people.with_columns(
        is_carer=pl.Series(carers),
        roll=pl.Series(rng.random(n)),
        reason=texts(np.array(list(REASONS), dtype=object)[weighted(rng, list(REASONS.values()), n)]),
    ).filter(pl.Series(chosen))
    count = len(clients)
    clients = clients.with_columns(
        care_id="L" + pl.Series(np.sort(distinct(rng, count, 100_000, 999_999))).cast(pl.String),
        known_at=pl.when((pl.col("roll") < STALE) & pl.col("earlier").is_not_null())
        .then("earlier")
        .otherwise(pl.col("uprn")),
    )
    book = clients.select(
        "care_id",
        "person_id",
        primary_support_reason=pl.when("is_carer").then(pl.lit("Social Support: Support to Carer")).otherwise("reason"),
        accommodation_status=pl.col("tenure").replace_strict(ACCOMMODATION, default="Unknown", return_dtype=pl.String),
        has_unpaid_carer=pl.when(pl.col("roll") > 0.7)
        .then(pl.lit("Yes"))
        .when(pl.col("roll") > 0.1)
        .then(pl.lit("No"))
        .otherwise(pl.lit("Unknown")),
        client_type=pl.when("is_carer").then(pl.lit("Carer")).otherwise(pl.lit("Service User")),
        uprn="known_at",
    )
    return {"care_clients": book, "care_events": events(scene, clients, rng)}


def events(scene: Scene, clients: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row an event of a client: a request, an assessment, services and reviews, in that order."""
    sizes = 2 + rng.poisson(3.1, len(clients))
    at = np.repeat(np.arange(len(clients)), sizes)
    place = np.arange(len(at)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    first = scene.as_of - 20 - (rng.random(len(clients)) ** 1.4 * 1500).astype(np.int64)
    last = np.minimum(clients["death"].to_numpy(), scene.as_of)
    start = np.minimum(first[at] + place * (10 + rng.integers(0, 40, len(clients))[at]), last[at] - 1)
    kind = np.where(
        place == 0,
        "Request",
        np.where(place == 1, "Assessment", np.where(rng.random(len(at)) < 0.72, "Service", "Review")),
    ).astype(object)
    service = kind == "Service"
    resident = (clients["role"].to_numpy() == "resident")[at]
    carer = clients["is_carer"].to_numpy()[at]
    component = np.array(list(COMPONENTS), dtype=object)[weighted(rng, list(COMPONENTS.values()), len(at))]
    family = np.where(
        carer,
        "Carer Support: Direct to Carer",
        np.where(
            resident,
            np.where(
                rng.random(len(at)) < 0.4, "Long Term Support: Nursing Care", "Long Term Support: Residential Care"
            ),
            np.where(rng.random(len(at)) < 0.12, "Short Term Support: ST-Max", "Long Term Support: Community"),
        ),
    ).astype(object)
    component = np.where(resident, "Residential Care", np.where(carer, "Carer Respite", component))
    payment = np.where(
        component == "Direct Payment",
        "Direct Payment",
        np.where(rng.random(len(at)) < 0.7, "CASSR Managed Personal Budget", "CASSR Commissioned Support"),
    )
    ends = np.where(
        service & (rng.random(len(at)) < 0.55) & (last[at] == scene.as_of),
        OPEN,
        np.minimum(start + rng.integers(1, 120, len(at)), last[at]),
    )
    outcome = np.array(
        [OUTCOMES[k][i] for k, i in zip(kind, weighted(rng, [5, 2, 3], len(at)), strict=True)], dtype=object
    )
    outcome = np.where(
        clients["death"].to_numpy()[at] == ends, "NFA - Deceased", np.where(ends == OPEN, NOTHING, outcome)
    )
    cost = np.where(
        service, np.round(np.where(resident, rng.normal(920, 160, len(at)), rng.normal(24, 4, len(at))), 2), np.nan
    )
    return pl.DataFrame(
        {
            "care_id": clients["care_id"].gather(at),
            "event_ref": "V" + pl.Series(distinct(rng, len(at), 1_000_000, 9_999_999)).cast(pl.String),
            "event_type": texts(kind),
            "start_date": start,
            "end_date": ends,
            "service_type": texts(np.where(service, family, NOTHING)),
            "service_component": texts(np.where(service, component, NOTHING)),
            "delivery_mechanism": texts(np.where(service & ~resident, payment, NOTHING)),
            "outcome": texts(outcome),
            "description": texts(np.where(service, component, kind + " of needs").astype(object)),
            "unit_cost": pl.Series(cost).fill_nan(None),
            "planned_units": pl.Series(
                np.where(service, np.where(resident, 1.0, np.round(rng.gamma(3, 3.5, len(at)))), np.nan)
            ).fill_nan(None),
        }
    )
