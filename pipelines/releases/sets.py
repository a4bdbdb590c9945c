"""What can be released: sets (who gets which columns), the rows they are made of, the profiles that measure them.

A column leaves only if subjects.yaml names it: a list of what may, never of what may not, so no name slips through.
"""

import string
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.faults import BoroughlinkError
from pipelines.governance.purposes import Purpose, PurposeRefused, Purposes
from pipelines.releases.seen import seen_as

HERE = Path(__file__).parent
HOUSEHOLD = (("pseudonym", "household_id"), ("not shown", "NULL"))


class ReleaseRefused(BoroughlinkError):
    """The data set can't be made safe, or may not leave; the text says why and what would help."""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SubjectColumn(Part):
    """A column that a release can have; subjects.yaml says what each word means."""

    kind: Literal["id", "quasi", "sensitive", "plain"]
    means: str
    facts: tuple[str, ...] = ()
    levels: tuple[tuple[str, str], ...] = ()


class Subject(Part):
    """What a row of a release is."""

    grain: str
    sql: str
    columns: dict[str, SubjectColumn]

    def query(self, seen: str) -> str:
        """SELECT of every such row, as a purpose sees it (`seen_as`)."""
        return string.Template(self.sql).substitute(seen=seen)


class Profile(Part):
    """How a release is measured; profiles.yaml says what each word means."""

    k: int = Field(1, ge=1)
    k_population: int = Field(1, ge=1)
    l: int = Field(1, ge=1)  # noqa: E741 - its name in the field
    mean_risk: float = Field(1, ge=0, le=1)
    max_risk: float = Field(1, ge=0, le=1)
    unique: int | None = Field(None, ge=0)
    joined: float = Field(1, ge=0, le=1)
    kept: float = Field(ge=0, le=1)
    suppress_first: float = Field(ge=0, le=1)
    approval_days: int = Field(ge=1)


class ReleaseSet(Part):
    """One data set of rows that can be released: `sets/<name>.yaml`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    title: str
    purpose: str
    recipient: str
    rows: str
    age_known: bool = False
    columns: tuple[str, ...] = Field(min_length=1)
    start: dict[str, int] = {}
    coarser: tuple[str, ...] = ()
    k: int = Field(1, ge=1)
    days: int | None = Field(None, ge=1)
    speaks_of: dict[str, str] = {}

    @property
    def subject(self) -> Subject:
        return subjects()[self.rows]

    def query(self) -> str:
        """SELECT of the rows that may be in it. Grain: person_id."""
        query = self.subject.query(seen_as(self.purpose))
        return f"SELECT * FROM ({query}) WHERE age_from IS NOT NULL" if self.age_known else query

    def of_kind(self, *kinds: str) -> tuple[str, ...]:
        return tuple(name for name in self.columns if self.subject.columns[name].kind in kinds)

    @property
    def quasi(self) -> tuple[str, ...]:
        return self.of_kind("quasi")

    @property
    def shows_household(self) -> bool:
        return "household" in self.columns

    def levels(self, column: str) -> Sequence[tuple[str, str]]:
        return HOUSEHOLD if column == "household" else self.subject.columns[column].levels


@cache
def subjects() -> Mapping[str, Subject]:
    texts = yaml.safe_load((HERE / "subjects.yaml").read_text(encoding="utf-8"))
    return {name: Subject(**text) for name, text in texts.items()}


def population(asked: ReleaseSet) -> str:
    """SELECT of everybody whom the set's purpose sees. Grain: person_id."""
    return subjects()["person"].query(seen_as(asked.purpose))


@cache
def profiles() -> Mapping[str, Profile]:
    texts = yaml.safe_load((HERE / "profiles.yaml").read_text(encoding="utf-8"))
    return {name: Profile(**text) for name, text in texts.items()}


def set_names(folder: Path = HERE / "sets") -> list[str]:
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_set(name: str, folder: Path = HERE / "sets") -> ReleaseSet:
    """Read a set. Raises ReleaseRefused for an unknown one, an unknown column, a step that no column has."""
    if name not in set_names(folder):
        raise ReleaseRefused(f"`{name}` is no set that can be released; one of {', '.join(set_names(folder))}.")
    try:
        stated: Any = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
        asked = ReleaseSet(name=name, **stated)
    except ValidationError as fault:
        first = fault.errors(include_input=False)[0]
        raise ReleaseRefused(f"{name}.yaml, {'.'.join(map(str, first['loc']))}: {first['msg']}.") from None
    except (yaml.YAMLError, TypeError):
        raise ReleaseRefused(f"{name}.yaml is no list of `name: value`; mend it.") from None
    if why := _impossible(asked):
        raise ReleaseRefused(f"{name}.yaml: {why}.")
    return asked


def allowed(asked: ReleaseSet, purposes: Purposes) -> tuple[Purpose, Profile]:
    """The purpose and profile of a set, if every source behind its columns serves the purpose today.

    Raises PurposeRefused with what to arrange.
    """
    purpose = purposes.require_view(asked.purpose)
    if purpose.profile is None or purpose.identifiable:
        raise PurposeRefused(f"`{purpose.name}` is not for pseudonymised releases: people appear by name there.")
    if purpose.profile == "open":
        raise PurposeRefused(f"`{purpose.name}` releases counts only, never rows: use `boroughlink query`.")
    told = {fact for column in asked.columns for fact in asked.subject.columns[column].facts}
    purposes.require(purpose.name, purposes.behind(purpose.view, told))
    if asked.days and purpose.retention_days and asked.days > purpose.retention_days:
        raise PurposeRefused(f"{asked.name} is kept {asked.days} days; the purpose allows {purpose.retention_days}.")
    return purpose, profiles()[purpose.profile]


def _impossible(asked: ReleaseSet) -> str | None:
    if asked.rows not in subjects():
        return f"`rows` is one of {', '.join(subjects())}"
    known = asked.subject.columns
    if unknown := [column for column in asked.columns if column not in known]:
        return (
            f"`{unknown[0]}` is no column that may leave; {asked.subject.grain} can have {', '.join(known)}. "
            "Names, birth dates, postcodes and numbers never do"
        )
    if len(set(asked.columns)) < len(asked.columns):
        return "a column stands twice"
    if "person" not in asked.columns or not asked.quasi:
        return "`person` and at least one column that others may know are needed, to be measured by"
    steps = {*asked.quasi, *(["household"] if asked.shows_household else [])}
    if other := ({*asked.coarser, *asked.start} | set(asked.speaks_of.values())) - steps:
        return f"`{min(other)}` is no column of the set that gets coarser"
    if any(not 0 <= at < len(asked.levels(column)) for column, at in asked.start.items()):
        return "`start` names a step that its column does not have"
    return None
