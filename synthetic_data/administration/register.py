"""The electoral register as it believes, which lags behind life; and the registered deaths."""

import numpy as np
import polars as pl

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.frames import texts
from synthetic_data.randomness import distinct, stream
from synthetic_data.timeline import OPEN, YEAR

REGISTERED = {
    "owned": 0.97,
    "mortgage": 0.95,
    "council": 0.9,
    "housing_association": 0.9,
    "rent_free": 0.85,
    "private_rent": 0.79,
    "care": 0.75,
}  # Electoral Commission 2023: 86 % complete, private renters 65 %
ATTAINERS = 0.33  # of those of 16 and 17; Electoral Commission 2023
MOVE_LAG_DAYS = 120  # mean delay until a move reaches the register
GHOST_SHARE, GHOST_DAYS = 0.55, 240  # entries of those who left the borough, fading
DEAD_DAYS = 25
DOUBLE_SHARE = 0.06  # of recent movers: listed at both homes
ANONYMOUS = 0.0002
ROLLING = 11_323  # January 2001, when rolling registration began: no entry is older
EUROPEAN = pl.col("ethnic_group").is_in(["white_other"]) & (
    pl.col("surname").str.contains(r"[^A-Za-z' -]") | (pl.col("person_id") % 3 > 0)
)
FRANCHISE = pl.when(EUROPEAN).then(pl.lit("G"))


def build_electors(scene: Scene) -> FRAMES:
    """electors: one row an entry on the day: residents where the register believes them, ghosts of movers, the newly
    dead, attainers; former_electors: one row an entry that has been taken off."""
    rng = stream(scene.seed, "register")
    stays = _listed(scene, rng)
    here = stays.filter(pl.col("current") & (_since() + pl.col("lag") <= scene.as_of)).with_columns(
        at="lived_at", added=_since() + pl.col("lag")
    )
    gone = _gone(stays)
    fading = _fading(scene)
    entries = (
        pl.concat([here, *_at_the_old_home(scene, stays), gone.filter(pl.col("chance") < fading)])
        .filter(pl.col("added") < scene.as_of)
        .sort("person_id", "added", maintain_order=True)
    )
    count = len(entries)
    turn = pl.col("birth") + int(18 * YEAR)
    hidden = np.zeros(count, dtype=bool)
    hidden[rng.permutation(count)[: max(1, round(ANONYMOUS * count))]] = True
    electors = entries.select(
        elector_id="E" + pl.Series(np.sort(distinct(rng, count, 1_000_000, 9_999_999))).cast(pl.String),
        person_id="person_id",
        uprn="at",
        added_date=pl.max_horizontal("added", pl.lit(ROLLING)),
        franchise=FRANCHISE,
        attainer_date=pl.when(turn > scene.as_of - 60).then(turn),
        anonymous=pl.Series(hidden),
    )
    former = _former(here, gone.filter(pl.col("chance") >= fading))
    return {"electors": electors, "former_electors": taken_off(scene, former, electors["elector_id"])}


def _listed(scene: Scene, rng: np.random.Generator) -> pl.DataFrame:
    """The stays of the last three years of those who register, with the home before and how long they take."""
    stays = (
        scene.residents()
        .filter((pl.col("to") > scene.as_of - 3 * YEAR) & (pl.col("age") > 16.2))
        .sort("person_id", "from", maintain_order=True)
    )
    stays = stays.with_columns(
        previous=pl.col("lived_at").shift(1).over("person_id"), previous_from=pl.col("from").shift(1).over("person_id")
    )
    n = len(stays)
    per_person = stays.select("person_id").unique(maintain_order=True)
    per_person = per_person.with_columns(
        inclined=pl.Series(rng.random(len(per_person))), roll=pl.Series(rng.random(len(per_person)))
    )
    stays = stays.join(per_person, on="person_id", how="left", maintain_order="left").with_columns(
        lag=pl.Series(rng.exponential(MOVE_LAG_DAYS, n).astype(np.int64)), chance=pl.Series(rng.random(n))
    )
    foreign = ~pl.col("ethnic_group").is_in(["white_british", "mixed", "black_caribbean"])
    base = pl.col("tenure").replace_strict(REGISTERED, default=0.75, return_dtype=pl.Float64)
    share = (
        base
        - 0.12 * (pl.col("age") < 25)
        - 0.12 * foreign
        - 0.4 * pl.col("recent_arrival")
        - 0.3 * (pl.col("kind") == "hmo")
        - 0.1 * (pl.col("role") == "resident")
    )
    return stays.filter(
        pl.when(pl.col("age") < 18).then(pl.col("inclined") < ATTAINERS).otherwise(pl.col("inclined") < share)
    )


def _since() -> pl.Expr:
    """From when somebody could stand there: since they live there, or since seventeen."""
    return pl.max_horizontal("from", pl.col("birth") + int(17 * YEAR))


def _added_before() -> pl.Expr:
    """When somebody was added at the home before."""
    return pl.max_horizontal(pl.col("previous_from") + 60, pl.col("birth") + int(17 * YEAR))


def _at_the_old_home(scene: Scene, stays: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Movers whom the register still believes at the home before, and those that stand at both."""
    moved = pl.col("current") & pl.col("previous").is_not_null()
    noticed = pl.col("from") + pl.col("lag") <= scene.as_of
    twice = noticed & (pl.col("from") > scene.as_of - 500) & (pl.col("chance") < DOUBLE_SHARE)
    behind, double = (
        stays.filter(moved & which).with_columns(at="previous", added=_added_before()) for which in (~noticed, twice)
    )
    return behind, double


def _gone(stays: pl.DataFrame) -> pl.DataFrame:
    """The last stay of each who lives here no more, at the home where they stood on the register."""
    alive = stays.filter("current")["person_id"]
    gone = (
        stays.filter(~pl.col("person_id").is_in(alive.implode()) & (pl.col("to") < OPEN))
        .sort("person_id", "from", maintain_order=True)
        .group_by("person_id", maintain_order=True)
        .last()
        .select(stays.columns)
    )
    return gone.with_columns(at="lived_at", added=pl.min_horizontal(_since() + pl.col("lag"), pl.col("to") - 5))


def _fading(scene: Scene) -> pl.Expr:
    """The chance that an entry still stands, so many days after the person died or left."""
    age_of_end = pl.lit(scene.as_of) - pl.col("to")
    return (
        pl.when(pl.col("death") < OPEN)
        .then((-age_of_end / DEAD_DAYS).exp())
        .otherwise(GHOST_SHARE * (-age_of_end / GHOST_DAYS).exp())
    )


def _former(here: pl.DataFrame, found_out: pl.DataFrame) -> pl.DataFrame:
    """Entries that ended: of those who were found to be gone, and of movers at the home before.

    The former lived on the register until their turn: the day on which `_fading` meets their own chance.
    """
    stayed = (
        pl.when(pl.col("death") < OPEN)
        .then(-DEAD_DAYS * pl.col("chance").log())
        .otherwise(-GHOST_DAYS * (pl.col("chance") / GHOST_SHARE).log())
    )
    found_out = found_out.with_columns(off=pl.col("to") + stayed.clip(0).ceil().cast(pl.Int64))
    moved = here.filter(pl.col("previous").is_not_null() & (pl.col("chance") >= DOUBLE_SHARE)).with_columns(
        at="previous", off=pl.col("added"), added=_added_before()
    )
    return pl.concat([found_out, moved.select(found_out.columns)]).filter(pl.col("added") < pl.col("off"))


def taken_off(scene: Scene, former: pl.DataFrame, in_use: pl.Series) -> pl.DataFrame:
    """The entries that were taken off, under numbers that nobody else has."""
    drawn = distinct(stream(scene.seed, "former electors"), 2 * (len(former) + len(in_use)), 1_000_000, 9_999_999)
    numbers = "E" + pl.Series(drawn).cast(pl.String)
    return former.sort("person_id", "added", maintain_order=True).select(
        elector_id=numbers.filter(~numbers.is_in(in_use.implode())).head(len(former)),
        person_id="person_id",
        uprn="at",
        added_date=pl.max_horizontal("added", pl.lit(ROLLING)),
        removed_date="off",
        franchise=FRANCHISE,
        anonymous=pl.lit(False),
    )


def build_deaths(scene: Scene) -> pl.DataFrame:
    """One row a registered death of the last two years: mostly within a week, some after an inquest."""
    rng = stream(scene.seed, "death registrations")
    last = (
        scene.residents()
        .sort("person_id", "to", maintain_order=True)
        .group_by("person_id", maintain_order=True)
        .last()
        .select("person_id", "lived_at")
    )
    dead = (
        scene.known.filter(pl.col("death") < OPEN)
        .select("person_id", "death")
        .join(last, on="person_id", how="left", maintain_order="left")
    )
    count = len(dead)
    delay = np.where(rng.random(count) < 0.07, rng.integers(60, 260, count), 1 + rng.poisson(5, count))
    dead = (
        dead.with_columns(registered=pl.col("death") + pl.Series(delay))
        .filter(pl.col("registered") <= scene.as_of)
        .sort("registered", "person_id", maintain_order=True)
    )
    return dead.select(
        registration_id=texts(
            np.array([f"R{i:07d}" for i in np.sort(distinct(rng, len(dead), 1_000_000, 9_000_000))], dtype=object)
        ),
        person_id="person_id",
        death_date="death",
        registered_date="registered",
        uprn="lived_at",
    )
