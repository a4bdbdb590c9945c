"""Purpose and source, checked before each read: no live basis in the contract, no byte read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import yaml

from pipelines.settings import BoroughlinkError

VIEWS = ("data_quality", "fraud", "risk")


class PurposeRefused(BoroughlinkError):
    """A source may not be read for a purpose; the text says what to arrange."""


class Agreed(Protocol):
    """What was agreed, and its last day."""

    @property
    def expires(self) -> date | None: ...


class Basis(Protocol):
    """What a contract states for one purpose."""

    @property
    def basis(self) -> str: ...

    @property
    def expires(self) -> date | None: ...

    @property
    def lookup(self) -> Agreed | None: ...


class HasPurposes(Protocol):
    """The part of a source contract that this room asks for."""

    @property
    def name(self) -> str: ...

    @property
    def purposes(self) -> Mapping[str, Basis]: ...


@dataclass(frozen=True)
class Purpose:
    name: str
    title: str
    view: str
    identifiable: bool
    description: str


class Purposes:
    """The named purposes, and which sources may serve each on a given day."""

    def __init__(self, purposes: Mapping[str, Purpose], contracts: Iterable[HasPurposes], today: date) -> None:
        self.purposes = dict(purposes)
        self.contracts = {contract.name: contract for contract in contracts}
        self.today = today

    @classmethod
    def load(cls, contracts: Iterable[HasPurposes], today: date) -> "Purposes":
        texts = yaml.safe_load((Path(__file__).parent / "purposes.yaml").read_text(encoding="utf-8"))
        return cls({name: Purpose(name=name, **text) for name, text in texts.items()}, contracts, today)

    def sources(self, purpose: str) -> tuple[str, ...]:
        """Sources with a live basis for the purpose, in alphabetical order."""
        return tuple(sorted(name for name in self.contracts if self._refusal(purpose, name) is None))

    def lookups(self, purpose: str) -> tuple[str, ...]:
        """Those of the sources for the purpose whose nameless rows may be led to persons by a number."""
        stated = {source: self.contracts[source].purposes[purpose].lookup for source in self.sources(purpose)}
        return tuple(s for s, by in stated.items() if by and (by.expires is None or by.expires >= self.today))

    def require(self, purpose: str, sources: Iterable[str]) -> None:
        """Raise PurposeRefused unless every source may be read for the purpose."""
        for source in sources:
            if (why := self._refusal(purpose, source)) is not None:
                raise PurposeRefused(why)

    def _refusal(self, purpose: str, source: str) -> str | None:
        if purpose not in self.purposes:
            return f"`{purpose}` is no purpose; one of {', '.join(self.purposes)} is expected."
        if source not in self.contracts:
            return f"There is no contract for the source `{source}`."
        basis = self.contracts[source].purposes.get(purpose)
        if basis is None:
            return (
                f"`{source}` may not be read for `{purpose}`: its contract states no lawful basis for that purpose. "
                f"Arrange one with the owner and add it under `purposes:` in the contract."
            )
        if basis.expires is not None and basis.expires < self.today:
            return (
                f"`{source}` may not be read for `{purpose}`: the basis in its contract expired on {basis.expires}. "
                f"Renew the agreement and its date."
            )
        return None
