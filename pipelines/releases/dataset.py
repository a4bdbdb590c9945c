"""The rows of a release: protected, under pseudonyms, in an order that only its key gives."""

import hmac
import string
from dataclasses import dataclass

import polars as pl

from pipelines.governance.purposes import Purpose
from pipelines.keys.pseudonyms import pseudonym
from pipelines.releases.content import require_no_identifiers
from pipelines.releases.disclosure import Protection, protect, shorten_rare_lists
from pipelines.releases.sets import HERE, Profile, ReleaseSet, population
from pipelines.warehouse import Warehouse

OPTED_OUT = "attributes.attributes.opted_out"


@dataclass(frozen=True)
class Built:
    """A release's rows and what was done to them. `people` are the random ids behind the rows, in their order."""

    rows: pl.DataFrame
    people: list[str]
    protection: Protection
    opted_out: int
    reasons_cut: int
    reasons_withheld: list[str]
    utility: dict[str, list[tuple[str, int, int]]]


def build_rows(
    wh: Warehouse, asked: ReleaseSet, purpose: Purpose, profile: Profile, naming: bytes, order: bytes
) -> Built:
    """Make the rows from the attributes zone alone. `naming` keys the pseudonyms, `order` the order of the rows.

    People on the national data opt-out list are left out where the purpose says so. Raises ReleaseRefused.
    """
    out = 0
    wh.execute(f"CREATE OR REPLACE TEMP TABLE population AS {population(asked)}")
    wh.execute(f"CREATE OR REPLACE TEMP TABLE subject AS {asked.query()}")
    if purpose.opt_out_applies and wh.exists(OPTED_OUT):
        gone = f"person_id IN (SELECT person_id FROM {OPTED_OUT})"
        out = int(wh.scalar(f"SELECT count(*) FROM subject WHERE {gone}"))
        wh.execute(f"DELETE FROM subject WHERE {gone}")
    done = protect(wh, asked, profile)
    hidden, cut = [], 0
    if "reasons" in asked.columns:
        hidden = [factor for factor, column in asked.speaks_of.items() if column in done.coarsened]
        _withhold_reasons(wh, hidden)
        cut = shorten_rare_lists(wh, "protected", "reasons", max(asked.k, profile.k))
    rows, people = _pseudonymised(wh, asked, naming, order)
    require_no_identifiers(rows)
    return Built(rows, people, done, out, cut, hidden, _utility(wh, asked))


def licence(council: str) -> str:
    return string.Template((HERE / "licence.txt").read_text(encoding="utf-8")).substitute(council=council).strip()


def delete_after(asked: ReleaseSet, purpose: Purpose) -> int:
    """Days for which the recipient may keep it."""
    return asked.days or purpose.retention_days or 1


def _withhold_reasons(wh: Warehouse, factors: list[str]) -> None:
    """Take out of `protected` the reasons of factors that would give away what a column was made coarser to hide."""
    spoken = wh.rows("SELECT reason FROM attributes.risk.reason WHERE list_contains(?, factor)", [factors])
    wh.execute(
        "UPDATE protected SET reasons = list_filter(reasons, reason -> NOT list_contains(?::VARCHAR[], reason))",
        [[reason for (reason,) in spoken]],
    )


def _pseudonymised(wh: Warehouse, asked: ReleaseSet, naming: bytes, order: bytes) -> tuple[pl.DataFrame, list[str]]:
    plain = {"person": "person_id", "household": "household_id"}
    columns = [
        f"shown_{name} AS {name}"
        if asked.subject.columns[name].kind == "quasi"
        else f"{plain.get(name, name)} AS {name}"
        for name in asked.columns
    ]
    frame = wh.frame(f"SELECT {', '.join(columns)} FROM protected")
    ids = frame["person"].to_list()
    digest = [hmac.digest(order, b"order\0" + one.encode(), "sha256") for one in ids]
    frame = frame.with_columns(pl.Series("__order", digest), pl.Series("person", pseudonym(naming, "person", ids)))
    if "household" in asked.columns:
        names = frame["household"].unique().drop_nulls().to_list()
        called = pl.DataFrame(
            {"household": names, "__called": pseudonym(naming, "household", names)},
            schema={"household": pl.String, "__called": pl.String},
        )
        frame = (
            frame.with_columns(pl.col("household").cast(pl.String))
            .join(called, on="household", how="left", maintain_order="left")
            .with_columns(household=pl.col("__called"))
            .drop("__called")
        )
    frame = frame.with_columns(pl.Series("__id", ids)).sort("__order")
    return frame.select(asked.columns), frame["__id"].to_list()


def _utility(wh: Warehouse, asked: ReleaseSet) -> dict[str, list[tuple[str, int, int]]]:
    """How many rows of each ward and tier (or other sensitive value) there were and are."""
    told = {}
    for column in ("ward", *(name for name in asked.of_kind("sensitive") if name != "reasons")):
        if column == "ward" or column in wh.columns("temp.main.subject"):
            told[column] = [
                (str(value), int(before), int(after))
                for value, before, after in wh.rows(
                    f"SELECT coalesce(s.{column}::VARCHAR, 'not known'), count(*), count(p.person_id) "
                    "FROM subject AS s LEFT JOIN protected AS p USING (person_id) GROUP BY ALL ORDER BY ALL"
                )
            ]
    return told
