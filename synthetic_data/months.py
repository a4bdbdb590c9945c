"""A borough month by month: the world as each system knew it on an earlier day.

Every frame of the world is dated up to the last month. On an earlier day a system holds the rows whose beginning it had
heard of; an end that it had not heard of is still open. How long a system takes to hear belongs to the row, so a row
that has come stays.
"""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from synthetic_data.administration.care import ACCOMMODATION
from synthetic_data.incidents import plan
from synthetic_data.rates import Rates
from synthetic_data.schemas import SCHEMAS
from synthetic_data.world import World


@dataclass(frozen=True)
class Dated:
    """How a frame is dated: the columns of its beginning and end, what is unknown while it lasts, who hears of it.

    `system` and `key` are those of the wait; without a system a change is known on its day.
    """

    begin: str
    end: str | None = None
    open_too: tuple[str, ...] = ()
    system: str | None = None
    key: str | None = None


DATED = {
    "names": Dated("from_date", "to_date"),
    "households": Dated("from_date", "to_date"),
    "residences": Dated("from_date", "to_date"),
    "ct_accounts": Dated("start_date", "end_date", ("forwarding_uprn",), "council_tax", "account_ref"),
    "ct_liable": Dated("from_date", "to_date", (), "council_tax", "account_ref"),
    "ct_discounts": Dated("from_date", "to_date", (), "council_tax", "account_ref"),
    "claims": Dated("application_date", "cancel_date", (), "benefits", "claim_id"),
    "claim_houses": Dated("from_date", "to_date", (), "benefits", "claim_id"),
    "tenancies": Dated("start_date", "end_date", (), "housing", "tag_ref"),
    "electors": Dated("added_date"),
    "care_events": Dated("start_date", "end_date", ("outcome",), "adult_social_care", "event_ref"),
    "death_registrations": Dated("registered_date"),
    "children_in_need": Dated("referral_date", "closure_date"),
    # how far recovery has gone, and that a debt is settled, is for the extract to say
    "ct_arrears": Dated("raised_date"),
    "overpayments": Dated("raised_date"),
    "rent_arrears": Dated("raised_date"),
    # an expiry is known from the day of issue
    "permits": Dated("start_date", "cancelled_date"),
    "citizen_accounts": Dated("updated"),
    "register_applications": Dated("applied", "closed"),
    "rtb_applications": Dated("applied"),
    "marriages": Dated("marriage_date"),
    "rates_accounts": Dated("started"),
}
#: A row stands as long as the row that it belongs to: frame -> (frame, the columns that both have).
BELONGS_TO = {
    "ct_liable": ("ct_accounts", ["account_ref"]),
    "ct_discounts": ("ct_accounts", ["account_ref"]),
    "claim_houses": ("claims", ["claim_id"]),
    "claim_members": ("claim_houses", ["claim_id", "house_id"]),
    "tenancy_members": ("tenancies", ["house_ref"]),
    "care_clients": ("care_events", ["care_id"]),
    "pupil_contacts": ("pupils", ["pupil_id"]),
    "pupil_terms": ("pupils", ["pupil_id"]),
    "pupil_needs": ("pupils", ["pupil_id"]),
    "former_contacts": ("former_pupils", ["pupil_id"]),
    "overpayments": ("claims", ["claim_id"]),
    "register_people": ("register_applications", ["application_ref"]),
    "birth_parties": ("birth_registrations", ["registration_id"]),
    "marriage_parties": ("marriages", ["marriage_id"]),
    "rates_reliefs": ("rates_accounts", ["account_ref"]),
}
#: Where the members of a household are named: frame -> how their home is found.
MEMBERS = {"claim_members": "claim_houses", "tenancy_members": "tenancies"}
#: Where a planted case says that its records stand.
REFERENCES = {
    "ct_accounts": "account_ref",
    "tenancies": "tag_ref",
    "claims": "claim_id",
    "electors": "elector_id",
    "care_clients": "care_id",
    "death_registrations": "registration_id",
}
_BEGINS = ("start_date", "from_date", "added_date", "issued_date", "registered_date", "application_date", "event_date")
_ENDS = ("end_date", "to_date", "removed_date", "expiry_date", "cancel_date")
UNDATED = (
    "areas",
    "streets",
    "properties",
    "persons",
    "planted",
    "hazards",
    "former_electors",
    "patient_numbers",
    "protected",
)


def month_ends(last: date, months: int) -> list[date]:
    """The days of so many monthly deliveries up to the last, oldest first; the end of a month stays one."""
    days = []
    at_end = last.day == monthrange(last.year, last.month)[1]
    for back in range(months - 1, -1, -1):
        year, month = divmod(last.year * 12 + last.month - 1 - back, 12)
        length = monthrange(year, month + 1)[1]
        days.append(date(year, month + 1, length if at_end else min(last.day, length)))
    return days


def dating(name: str) -> Dated | None:
    """How a frame is dated, as stated above or else by the names of its columns."""
    if name in DATED or name in UNDATED:
        return DATED.get(name)
    columns = SCHEMAS[name]
    begin = next((column for column in _BEGINS if column in columns), None)
    return Dated(begin, next((column for column in _ENDS if column in columns), None)) if begin else None


def world_on(world: World, day: date, rates: Rates) -> World:
    """The world as the systems knew it at the end of `day`; people, homes and stays are as they truly were."""
    frames: dict[str, Any] = {name: getattr(world, name) for name in SCHEMAS}  # one DataFrame a name
    frames["electors"] = _register(frames, day)
    for name in SCHEMAS:
        if how := dating(name):
            frames[name] = _known(frames[name], name, how, day, rates)
    for name, (parent, keys) in BELONGS_TO.items():
        frames[name] = frames[name].join(
            frames[parent].select(keys).unique(), on=keys, how="semi", maintain_order="left"
        )
    for name, home in MEMBERS.items():
        frames[name] = _joined_by(frames[name], frames[home], world.residences, day)
    frames["claims"] = frames["claims"].with_columns(
        status=pl.when(pl.col("cancel_date").is_null()).then(1).otherwise("status").cast(pl.Int64)
    )
    frames["persons"] = _persons(world.persons, frames["names"], day)
    frames["care_clients"] = _address_then(frames["care_clients"], world.residences, world.households, day)
    frames["planted"] = _cases(frames)
    return replace(world, as_of=day, **frames)


def _known(frame: pl.DataFrame, name: str, how: Dated, day: date, rates: Rates) -> pl.DataFrame:
    """The rows whose beginning was known on the day, their ends open unless those were known too."""
    wait = {"begin": pl.lit(0), "end": pl.lit(0)}
    if how.system and how.key:
        means = plan()["hears_of"][how.system]
        for part, mean in means.items():
            draw = rates.draws(f"{how.system}:hears of:{part}", frame[how.key]).random()
            wait[part] = pl.lit(pl.Series((-np.log1p(-draw) * float(mean)).astype(np.int64)))
    heard = frame.with_columns(
        _heard=pl.col(how.begin) + pl.duration(days=wait["begin"]),
        _ended=(pl.col(how.end) if how.end else pl.lit(None, dtype=pl.Date)) + pl.duration(days=wait["end"]),
    ).filter(pl.col("_heard").is_null() | (pl.col("_heard") <= day))
    open_still = pl.col("_ended") > day
    return heard.with_columns(
        pl.when(open_still).then(None).otherwise(column).alias(column)
        for column in ((how.end, *how.open_too) if how.end else ())
    ).drop("_heard", "_ended")


def _register(frames: dict[str, pl.DataFrame], day: date) -> pl.DataFrame:
    """Everybody who was on the register on the day, those of 18 soon as attainers."""
    now, former = frames["electors"], frames["former_electors"]
    then = former.filter(pl.col("removed_date") > day).join(now, on="elector_id", how="anti", maintain_order="left")
    turn = pl.col("birth_date").dt.offset_by("18y")
    both = pl.concat([now, then.drop("removed_date")], how="diagonal").join(
        frames["persons"].select("person_id", "birth_date"), on="person_id", how="left", maintain_order="left"
    )
    return both.with_columns(
        attainer_date=pl.coalesce("attainer_date", pl.when(turn > pl.lit(day).dt.offset_by("-60d")).then(turn))
    ).select(now.columns)


def _joined_by(members: pl.DataFrame, homes: pl.DataFrame, residences: pl.DataFrame, day: date) -> pl.DataFrame:
    """The members without those who had not come to that home yet, the unborn among them."""
    keys = [column for column in ("claim_id", "house_id", "house_ref") if column in members.columns]
    came = residences.group_by("person_id", "uprn").agg(came=pl.col("from_date").min())
    return (
        members.join(homes.select(*keys, "uprn"), on=keys, how="left", maintain_order="left")
        .join(came, on=["person_id", "uprn"], how="left", maintain_order="left")
        .filter(pl.col("came").is_null() | (pl.col("came") <= day))
        .select(members.columns)
    )


def _persons(persons: pl.DataFrame, names: pl.DataFrame, day: date) -> pl.DataFrame:
    """Every person, the unborn too (their rows weigh in averages), under the name of the day; later deaths unknown."""
    current = names.sort("person_id", "from_date").unique("person_id", keep="last", maintain_order=True)
    named = persons.join(
        current.select("person_id", now="surname"), on="person_id", how="left", maintain_order="left"
    ).with_columns(
        surname=pl.coalesce("now", "surname"),
        death_date=pl.when(pl.col("death_date") <= day).then("death_date"),
        nino=pl.when(pl.col("birth_date").dt.offset_by("15y9mo") <= day).then("nino"),
    )
    return named.select(persons.columns)


def _address_then(clients: pl.DataFrame, residences: pl.DataFrame, households: pl.DataFrame, day: date) -> pl.DataFrame:
    """The clients at the address of the day: who came to the recorded one later was known at the one before."""
    stays = residences.filter(pl.col("uprn").is_not_null())
    came = stays.group_by("person_id", "uprn").agg(came=pl.col("from_date").min())
    before = (
        stays.filter(pl.col("from_date") <= day)
        .sort("person_id", "from_date")
        .unique("person_id", keep="last", maintain_order=True)
        .join(households.select("household_id", "tenure"), on="household_id", how="left", maintain_order="left")
        .select(
            "person_id", before="uprn", kind_before=pl.col("tenure").replace_strict(ACCOMMODATION, default="Unknown")
        )
    )
    later = pl.col("came") > day
    return (
        clients.join(came, on=["person_id", "uprn"], how="left", maintain_order="left")
        .join(before, on="person_id", how="left", maintain_order="left")
        .with_columns(
            uprn=pl.when(later).then("before").otherwise("uprn"),
            accommodation_status=pl.when(later).then("kind_before").otherwise("accommodation_status"),
        )
        .select(clients.columns)
    )


def _cases(frames: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """The planted cases whose records stood on the day."""
    known = pl.concat([frames[name][column].rename("ref") for name, column in REFERENCES.items()]).unique().implode()
    standing = pl.col("subject_ref").is_in(known) & (pl.col("other_ref").is_null() | pl.col("other_ref").is_in(known))
    return frames["planted"].filter(standing)
