"""Which sources and facts are at hand: every room asks here what it may build."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class _Contract(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def facts(self) -> tuple[str, ...]: ...


C = TypeVar("C", bound=_Contract)


@dataclass(frozen=True)
class Catalogue(Generic[C]):
    """The contracts of one set of sources."""

    contracts: Mapping[str, C]

    @property
    def facts(self) -> frozenset[str]:
        """Facts that at least one source provides."""
        return frozenset(fact for contract in self.contracts.values() for fact in contract.facts)

    def has(self, *facts: str) -> bool:
        return self.facts.issuperset(facts)

    def deps(self, *facts: str) -> list[str]:
        """Asset keys of those of the named facts that are at hand."""
        return [f"facts/{fact}" for fact in facts if fact in self.facts]
