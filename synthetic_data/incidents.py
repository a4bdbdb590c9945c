"""What befalls one system in one month: an upload with a fault, a migration to new keys (months.yaml)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from synthetic_data.extracts.delivery import ExtractFile, Rendered, csv_file

FEWEST_MONTHS = 3  # with fewer, nothing can go wrong and be right again
_PRIME, _FACTOR = 99_999_989, 48_271  # new keys say nothing of the old: multiplication modulo a prime is one to one


@cache
def plan() -> dict[str, Any]:
    """months.yaml."""
    return dict(yaml.safe_load((Path(__file__).parent / "months.yaml").read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Incidents:
    """When each incident of a borough's months happens; None if it does not."""

    batch_on: date | None
    migrated_from: date | None

    @classmethod
    def of(cls, days: Sequence[date]) -> "Incidents":
        if len(days) < FEWEST_MONTHS:
            return cls(None, None)
        found = [
            days[max(1, round((len(days) - 1) * plan()[name]["month"]))] for name in ("batch_gone_wrong", "migration")
        ]
        return cls(*found)

    def upload_fault(self, day: date) -> dict[str, Any] | None:
        """The fault of the month's upload, if this is the month."""
        return dict(plan()["batch_gone_wrong"]) if day == self.batch_on else None

    def after(self, rendered: Rendered, day: date) -> Rendered:
        """The extract under the keys of the new system, from its month on; in that month old ones beside."""
        rule = plan()["migration"]
        if self.migrated_from is None or day < self.migrated_from or rendered.source != rule["source"]:
            return rendered
        files = [_rekeyed(file, rule["keys"].get(file.name, {})) for file in rendered.files]
        if day == self.migrated_from:
            files.append(_crosswalk(rendered, rule, day))
        return replace(
            rendered,
            files=files,
            records=rendered.records.with_columns(
                source_key=new_key(pl.col("source_key").str.extract("^([^/]*)"), rule["source_key"])
                + pl.col("source_key").str.extract("^[^/]*(.*)$")
            ),
        )

    def cases_after(self, planted: pl.DataFrame, day: date) -> pl.DataFrame:
        """Planted cases with the references of the new system, from its month on."""
        rule = plan()["migration"]
        if self.migrated_from is None or day < self.migrated_from:
            return planted
        (form,) = {columns["tag_ref"] for columns in rule["keys"].values() if "tag_ref" in columns}
        return planted.with_columns(
            pl.when(pl.col(f"{side}_source") == rule["source"])
            .then(new_key(pl.col(f"{side}_ref"), form))
            .otherwise(f"{side}_ref")
            .alias(f"{side}_ref")
            for side in ("subject", "other")
        )

    def told(self) -> list[dict[str, str]]:
        """For the truth: what happened, where and when."""
        batch, moved = plan()["batch_gone_wrong"], plan()["migration"]
        said = [
            ("upload with a fault", batch["file"], batch["fault"], self.batch_on),
            ("migration to new keys", moved["source"], ", ".join(moved["keys"]), self.migrated_from),
        ]
        return [
            {"what": what, "where": where, "how": how, "month": day.isoformat()}
            for what, where, how, day in said
            if day is not None
        ]


def new_key(old: pl.Expr, form: str) -> pl.Expr:
    """The key of the new system: the form with a number that stands for the digits of the old key."""
    digits = old.str.replace_all(r"\D", "").cast(pl.Int64)
    return pl.format(form, (digits * _FACTOR) % _PRIME)


def _rekeyed(file: ExtractFile, columns: dict[str, str]) -> ExtractFile:
    if not columns:
        return file
    table = pl.read_csv(BytesIO(file.content), infer_schema=False)
    return csv_file(
        file.name, table.with_columns(new_key(pl.col(c), form).alias(c) for c, form in columns.items()), table.columns
    )


def _crosswalk(rendered: Rendered, rule: dict[str, Any], day: date) -> ExtractFile:
    """One row an old key of those that name persons, with the new one."""
    stated = rule["crosswalk"]
    (content,) = (file.content for file in rendered.files if file.name == stated["from"])
    old = pl.read_csv(BytesIO(content), infer_schema=False).select(old=stated["key"]).drop_nulls().unique().sort("old")
    rows = old.with_columns(new=new_key(pl.col("old"), rule["source_key"]), on=pl.lit(day.isoformat()))
    return csv_file(
        stated["file"], rows.rename(dict(zip(rows.columns, stated["columns"], strict=True))), stated["columns"]
    )
