"""The catalogue of what can be asked: tables and columns of the attributes, with their meaning."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from pipelines.governance.purposes import PurposeRefused, Purposes


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CatalogueColumn(Part):
    """A column; catalogue.yaml says what each word means."""

    means: str
    kind: Literal["id", "released", "none"] = "none"
    of: tuple[str, ...] = ()
    worked_out: bool = False
    place: Literal["lsoa", "ward", "rank"] | None = None


class CatalogueTable(Part):
    grain: str
    columns: dict[str, CatalogueColumn]
    facts: tuple[str, ...]
    schema_: Literal["attributes", "risk"] = "attributes"

    def ids(self) -> set[str]:
        return {name for name, column in self.columns.items() if column.kind == "id"}


@cache
def catalogue() -> Mapping[str, CatalogueTable]:
    texts = yaml.safe_load((Path(__file__).parent / "catalogue.yaml").read_text(encoding="utf-8"))
    return {
        name: CatalogueTable(**{"schema_" if word == "schema" else word: value for word, value in text.items()})
        for name, text in texts.items()
    }


def askable() -> dict[str, CatalogueTable]:
    """The tables as questions may speak of them: without what leaves in releases alone."""
    return {
        name: table.model_copy(update={"columns": {c: s for c, s in table.columns.items() if s.kind != "released"}})
        for name, table in catalogue().items()
    }


def may_ask(purposes: Purposes, purpose: str) -> dict[str, CatalogueTable]:
    """The tables that a purpose may ask today. Raises PurposeRefused for a purpose that may ask nothing."""
    stated = purposes.require_view(purpose)
    if stated.view != "risk":
        raise PurposeRefused(
            f"`{purpose}` asks nothing of the attributes: they are of the view `risk`. Purposes that may are "
            f"{', '.join(p.name for p in purposes.purposes.values() if p.view == 'risk')}."
        )
    return {
        name: table
        for name, table in askable().items()
        if all(purposes.refusal(purpose, source) is None for source in purposes.behind(stated.view, set(table.facts)))
    }
