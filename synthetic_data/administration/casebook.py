"""Planted cases so far, the homes already used, and the few edits that planting needs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.randomness import distinct, stream
from synthetic_data.schemas import SCHEMAS
from synthetic_data.timeline import OPEN, YEAR

COLUMNS = ["subject_source", "subject_ref", "other_source", "other_ref", "person_ids", "uprns", "note"]


def planting_rules() -> dict[str, Any]:
    """planted.yaml."""
    return dict(yaml.safe_load((Path(__file__).parents[1] / "planted.yaml").read_text(encoding="utf-8")))


def cases_of(
    chosen: pl.DataFrame, subject: str, other: str, people: Sequence[str], homes: Sequence[str], note: str
) -> pl.DataFrame:
    """Cases as `record` takes them. `subject` and `other` name a source and the column that holds its reference, as in
    housing.tag_ref; `people` and `homes` are columns of person ids and UPRNs."""
    (subject_source, subject_ref), (other_source, other_ref) = subject.split("."), other.split(".")
    return chosen.select(
        subject_source=pl.lit(subject_source),
        subject_ref=subject_ref,
        other_source=pl.lit(other_source),
        other_ref=other_ref,
        person_ids=pl.concat_list(people),
        uprns=pl.concat_list(homes),
        note=pl.lit(note),
    )


class Casebook:
    """Edits a copy of the frames; a home takes part in at most one case."""

    def __init__(self, scene: Scene, frames: FRAMES) -> None:
        self.rules = planting_rules()
        self.scene, self.as_of, self.frames = scene, scene.as_of, dict(frames)
        self.used_homes: list[int] = []
        self.used_people: list[int] = []
        self.cases: list[pl.DataFrame] = []
        open_spd = (pl.col("code") == "SPD") & (pl.col("end") == OPEN)
        self.base = {
            "discounts": len(frames["ct_discounts"].filter(open_spd)),
            "tenancies": len(frames["tenancies"].filter(pl.col("end") == OPEN)),
        }
        residents = len(scene.stays.filter((pl.col("to") == OPEN) & pl.col("uprn").is_not_null()))
        self.least = max(count for people, count in self.rules["least_by_people"].items() if residents >= people)

    def wanted(self, kind: str) -> int:
        rule = self.rules["kinds"][kind]
        return max(self.least, round(rule["rate"] * self.base[rule["of"]]))

    def pick(
        self,
        kind: str,
        candidates: pl.DataFrame,
        homes: tuple[str, ...] = ("household_id",),
        person: str | None = None,
        count: int | None = None,
    ) -> pl.DataFrame:
        """A random choice of candidates in no earlier case; their homes and person are marked as used."""
        rng = stream(self.scene.seed, f"planted {kind} {len(self.used_homes)}")
        for home in homes:
            candidates = candidates.filter(~pl.col(home).is_in(self.used_homes)).unique(
                home, keep="first", maintain_order=True
            )
        if person:
            candidates = candidates.filter(~pl.col(person).is_in(self.used_people)).unique(
                person, keep="first", maintain_order=True
            )
        order = rng.permutation(len(candidates))[: self.wanted(kind) if count is None else count]
        chosen = candidates[np.sort(order).tolist()]
        for home in homes:
            self.used_homes += chosen[home].drop_nulls().to_list()
        if person:
            self.used_people += chosen[person].to_list()
        return chosen

    def record(self, kind: str, cases: pl.DataFrame) -> None:
        """Adds cases: columns as in COLUMNS, one row a case."""
        rule = self.rules["kinds"][kind]
        self.cases.append(
            cases.select(*COLUMNS)
            .with_columns(
                case_id=pl.format("{}-{}", pl.lit(kind), pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(4)),
                kind=pl.lit(kind),
                guilty=pl.lit(bool(rule["guilty"])),
                rule=pl.lit(rule["rule"]),
            )
            .select(list(SCHEMAS["planted"]))
        )

    def add(self, frame: str, rows: pl.DataFrame) -> None:
        """Appends rows; columns not given are null."""
        known = self.frames[frame]
        rows = rows.select(
            pl.col(c).cast(known.schema[c]) if c in rows.columns else pl.lit(None, dtype=known.schema[c]).alias(c)
            for c in known.columns
        )
        self.frames[frame] = pl.concat([known, rows])

    def drop(self, frame: str, column: str, values: pl.Series) -> None:
        self.frames[frame] = self.frames[frame].filter(~pl.col(column).is_in(values.implode()))

    def change(self, frame: str, key: str, updates: pl.DataFrame) -> None:
        """Overwrites the columns of `updates` in the rows with its keys."""
        known = self.frames[frame]
        columns = [c for c in updates.columns if c != key]
        marked = updates.with_columns(hit=pl.lit(True)).rename({c: f"{c}_new" for c in columns})
        joined = known.join(marked, on=key, how="left", maintain_order="left")
        self.frames[frame] = joined.with_columns(
            pl.when(pl.col("hit").fill_null(False))
            .then(pl.col(f"{c}_new"))
            .otherwise(pl.col(c))
            .cast(known.schema[c])
            .alias(c)
            for c in columns
        ).select(known.columns)

    def electors_at(self) -> pl.DataFrame:
        """One row an entry of a person at the address where the person truly lives."""
        here = self.scene.residents().filter("current").select("person_id", "uprn", "lived_at", lives_since="from")
        entries = (
            self.frames["electors"].filter(~pl.col("anonymous")).select("elector_id", "person_id", "uprn", "added_date")
        )
        return (
            entries.rename({"uprn": "listed"})
            .join(here, on="person_id", maintain_order="left")
            .filter((pl.col("listed") == pl.col("lived_at")) | (pl.col("listed") == pl.col("uprn")))
            .unique("person_id", keep="first", maintain_order=True)
        )

    def list_elector(self, people: pl.DataFrame) -> pl.DataFrame:
        """Enters each person (person_id, uprn, added_date) anew in the register; returns elector_id too."""
        self.drop("electors", "person_id", people["person_id"])
        # drawn like any other: a number must not tell that a case was planted
        drawn = distinct(
            stream(self.scene.seed, f"planted electors {len(self.cases)}"), 2 * len(people) + 50, 1_000_000, 9_999_999
        )
        numbers = pl.DataFrame({"elector_id": "E" + pl.Series(drawn).cast(pl.String)})
        free = numbers.join(self.frames["electors"], on="elector_id", how="anti", maintain_order="left")
        people = people.with_columns(elector_id=free["elector_id"].head(len(people)), anonymous=pl.lit(False))
        self.add("electors", people)
        return people

    def live_accounts(self) -> pl.DataFrame:
        """One row a live account of a person: account_ref, household_id, lead, uprn, home_from, kind, tenure."""
        accounts = (
            self.frames["ct_accounts"]
            .filter((pl.col("end") == OPEN) & (pl.col("liable_kind") == "person"))
            .select("account_ref", uprn="property_uprn")
        )
        homes = self.scene.homes.filter(pl.col("to") == OPEN).select(
            "household_id", "uprn", "kind", "tenure", home_from="from"
        )
        leads = (
            self.frames["ct_liable"]
            .filter((pl.col("end") == OPEN) & (pl.col("slot") == 1))
            .select("account_ref", lead="person_id")
        )
        stays = self.scene.stays.filter(pl.col("to") == OPEN).select(lead="person_id", lead_home="household_id")
        return (
            accounts.join(homes, on="uprn", maintain_order="left")
            .join(
                leads.unique("account_ref", keep="last", maintain_order=True), on="account_ref", maintain_order="left"
            )
            .join(stays, on="lead", maintain_order="left")
            .filter(pl.col("lead_home") == pl.col("household_id"))
            .sort("account_ref", maintain_order=True)
        )

    def live_tenancies(self) -> pl.DataFrame:
        """One row a current council tenancy and home: tag_ref, house_ref, household_id, tenant, uprn, start, kind."""
        current = (
            self.frames["tenancies"]
            .filter((pl.col("end") == OPEN) & (pl.col("tenure") != "TEM"))
            .select("tag_ref", "house_ref", "household_id", "uprn", "start", "prop_ref")
        )
        homes = self.scene.homes.filter(pl.col("to") == OPEN).select("household_id", "kind", home_from="from")
        tenants = (
            self.frames["tenancy_members"]
            .filter("responsible")
            .unique("house_ref", keep="first", maintain_order=True)
            .select("house_ref", tenant="person_id")
        )
        return (
            current.join(homes, on="household_id", maintain_order="left")
            .join(tenants, on="house_ref", maintain_order="left")
            .join(
                self.scene.known.select(
                    tenant="person_id", sex="sex", birth="birth", surname="surname", forename="forename"
                ),
                on="tenant",
                maintain_order="left",
            )
            .sort("tag_ref", maintain_order=True)
        )

    def sole_tenant(self, house_refs: pl.Series, people: pl.Series, relationship: str = "tenant") -> None:
        """The tenancy is recorded for this one person alone."""
        self.drop("tenancy_members", "house_ref", house_refs)
        self.add(
            "tenancy_members",
            pl.DataFrame({"house_ref": house_refs, "person_id": people}).with_columns(
                person_no=pl.lit(1), relationship=pl.lit(relationship), responsible=pl.lit(True)
            ),
        )

    def sole_liable(self, account_refs: pl.Series, people: pl.Series) -> None:
        """The account is in this one person's name, in the first slot as before."""
        old = (
            self.frames["ct_liable"]
            .filter(pl.col("account_ref").is_in(account_refs.implode()) & (pl.col("slot") == 1))
            .unique("account_ref", keep="last", maintain_order=True)
        )
        self.drop("ct_liable", "account_ref", account_refs)
        named = pl.DataFrame({"account_ref": account_refs, "person_id": people})
        self.add("ct_liable", old.drop("person_id").join(named, on="account_ref", maintain_order="left"))

    def rename(self, people: pl.DataFrame) -> None:
        """Gives persons (person_id, forename, surname) other names, for the whole of their history."""
        rows = people.select("person_id", "forename", "surname")
        self.change(
            "persons",
            "person_id",
            rows.with_columns(birth_surname=pl.col("surname"), email=pl.lit(None, dtype=pl.String)),
        )
        self.frames["names"] = self.frames["names"].filter(
            ~pl.col("person_id").is_in(people["person_id"].implode()) | (pl.int_range(pl.len()).over("person_id") == 0)
        )
        self.change("names", "person_id", rows.with_columns(to=pl.lit(OPEN)))

    def free_dead(self, count: int) -> pl.DataFrame:
        """Registered dead of half a year ago or more, who died in care homes: free to be given another last home."""
        roles = (
            self.frames["residences"]
            .filter((pl.col("role") == "resident") & (pl.col("to") < OPEN) & pl.col("uprn").is_not_null())
            .select("person_id")
        )
        dead = (
            self.frames["death_registrations"]
            .join(roles.unique(maintain_order=True), on="person_id", maintain_order="left")
            .filter(pl.col("death_date") < self.as_of - 185)
        )
        dead = (
            dead.filter(~pl.col("person_id").is_in(self.used_people))
            .sort("death_date", maintain_order=True)
            .head(count)
        )
        self.used_people += dead["person_id"].to_list()
        return dead.select("registration_id", dead="person_id", died="death_date")

    def settle_dead(self, rows: pl.DataFrame) -> None:
        """The dead (dead, died, household_id, uprn, home_from) lived their last years beside that household."""
        self.drop("residences", "person_id", rows["dead"])
        birth = self.scene.known.select(dead="person_id", birth="birth")
        rows = rows.join(birth, on="dead", maintain_order="left").with_columns(
            came=pl.min_horizontal(pl.max_horizontal("home_from", pl.col("died") - int(12 * YEAR)), pl.col("died") - 60)
        )
        inside = rows.select(
            person_id="dead",
            household_id="household_id",
            uprn="uprn",
            role=pl.lit("parent"),
            **{"from": pl.col("came"), "to": pl.col("died")},
        )
        outside = rows.select(
            person_id="dead",
            role=pl.lit("parent"),
            **{"from": pl.max_horizontal("birth", pl.col("came") - int(5 * YEAR)), "to": pl.col("came")},
        )
        self.add("residences", outside)
        self.add("residences", inside)
        self.change("death_registrations", "person_id", rows.select(person_id="dead", uprn="uprn"))

    def planted(self) -> pl.DataFrame:
        return pl.concat(self.cases) if self.cases else pl.DataFrame(schema=SCHEMAS["planted"])
