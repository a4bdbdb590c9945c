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
STARTS = {  # what a hazard begins: service type and component
    "home_care": ("Long Term Support: Community", "Home Support"),
    "care_home": ("Long Term Support: Residential Care", "Residential Care"),
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


def care(scene: Scene, known: pl.DataFrame | None = None) -> FRAMES:
    """care_clients and care_events, days as numbers; `known` are the clients before the first delivery, if drawn."""
    rng = stream(scene.seed, "care")
    if known is None:
        clients = known_clients(scene, rng)
    else:
        rng = stream(scene.seed, "care events")
        clients = with_newcomers(scene, known)
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
    settled = clients if known is None else clients.filter(pl.col("care_id").is_in(known["care_id"].implode()))
    rows = events(scene, settled, rng)
    return {"care_clients": book, "care_events": pl.concat([rows, started(scene, clients, rows)])}


def known_clients(scene: Scene, rng: np.random.Generator) -> pl.DataFrame:
    """One row a client, with the stay and person that it was drawn from."""
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
    return clients.with_columns(
        care_id="L" + pl.Series(np.sort(distinct(rng, count, 100_000, 999_999))).cast(pl.String),
        known_at=pl.when((pl.col("roll") < STALE) & pl.col("earlier").is_not_null())
        .then("earlier")
        .otherwise(pl.col("uprn")),
    )


def with_newcomers(scene: Scene, known: pl.DataFrame) -> pl.DataFrame:
    """The clients of before where they live now, and those whose care a hazard began."""
    moved = scene.happenings.filter(pl.col("hazard").is_in(["care_home", "tenancy_breakdown"]))["person_id"]
    last = (
        scene.residents()
        .sort("person_id", "from", maintain_order=True)
        .unique("person_id", keep="last", maintain_order=True)
    )
    now = last.select("person_id", now_at="uprn", now_tenure="tenure")
    known = known.join(now, on="person_id", how="left", maintain_order="left").with_columns(
        known_at=pl.when(pl.col("person_id").is_in(moved.implode())).then("now_at").otherwise("known_at"),
        tenure=pl.coalesce("now_tenure", "tenure"),
    ).drop("now_at", "now_tenure")  # fmt: skip
    begun = scene.happenings.filter(pl.col("hazard").is_in(list(STARTS)))["person_id"].unique()
    new = last.filter(
        pl.col("person_id").is_in(begun.implode()) & ~pl.col("person_id").is_in(known["person_id"].implode())
    ).sort("person_id")
    rng = stream(scene.seed, "care newcomers")
    numbers = "L" + pl.Series(distinct(rng, len(new) + len(known), 100_000, 999_999)).cast(pl.String)
    free = numbers.filter(~numbers.is_in(known["care_id"].implode())).head(len(new))
    reasons = np.array(list(REASONS), dtype=object)[weighted(rng, list(REASONS.values()), len(new))]
    new = new.with_columns(
        care_id=free, known_at="uprn", is_carer=pl.lit(False), roll=pl.Series(rng.random(len(new))),
        reason=texts(reasons),
    )  # fmt: skip
    return pl.concat([known, new.select(c for c in known.columns if c in new.columns)], how="diagonal")


def started(scene: Scene, clients: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """A request, an assessment and a service for each start of care that a hazard brought, in the shape of `rows`."""
    begun = scene.happenings.filter(pl.col("hazard").is_in(list(STARTS))).join(
        clients.select("person_id", "care_id", "death"), on="person_id", how="inner", maintain_order="left"
    )
    rng = stream(scene.seed, "care started")
    last = pl.min_horizontal("death", pl.lit(scene.as_of))
    steps = []
    for event, lead in (("Request", 14), ("Assessment", 7), ("Service", 0)):
        service, value = event == "Service", pl.lit(None, dtype=pl.String)
        home = pl.col("hazard") == "care_home"
        steps.append(
            begun.select(
                "care_id",
                event_type=pl.lit(event),
                start_date=pl.col("day") - lead,
                end_date=pl.when(pl.col("death") <= scene.as_of).then(last).otherwise(OPEN)
                if service
                else pl.col("day") - lead + 3,
                service_type=pl.col("hazard").replace_strict({h: s[0] for h, s in STARTS.items()})
                if service
                else value,
                service_component=pl.col("hazard").replace_strict({h: s[1] for h, s in STARTS.items()})
                if service
                else value,
                delivery_mechanism=pl.when(~home).then(pl.lit("CASSR Managed Personal Budget")) if service else value,
                outcome=value if service else pl.lit(OUTCOMES[event][0]),
                description=pl.col("hazard").replace_strict({h: s[1] for h, s in STARTS.items()})
                if service
                else pl.lit(f"{event} of needs"),
                unit_cost=pl.when(home).then(920.0).otherwise(24.0) if service else pl.lit(None, dtype=pl.Float64),
                planned_units=pl.when(home).then(1.0).otherwise(10.0) if service else pl.lit(None, dtype=pl.Float64),
            )
        )
    found = pl.concat(steps, how="vertical_relaxed").sort("care_id", "start_date", "event_type", maintain_order=True)
    numbers = "V" + pl.Series(distinct(rng, 2 * (len(found) + len(rows)), 1_000_000, 9_999_999)).cast(pl.String)
    refs = numbers.filter(~numbers.is_in(rows["event_ref"].implode())).head(len(found))
    return found.with_columns(event_ref=refs).select(pl.col(c).cast(rows.schema[c]) for c in rows.columns)


def events(scene: Scene, clients: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row an event of a client: a request, an assessment, services and reviews, in that order."""
    sizes = 2 + rng.poisson(3.1, len(clients))
    at = np.repeat(np.arange(len(clients)), sizes)
    place = np.arange(len(at)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    first = scene.opening - 20 - (rng.random(len(clients)) ** 1.4 * 1500).astype(np.int64)
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
