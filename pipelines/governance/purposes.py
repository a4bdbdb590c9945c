"""Purpose and source, checked before each read: no live, approved basis in the contract, no byte read."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, Protocol

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.faults import BoroughlinkError
from pipelines.governance.treatments import TELLING, Treatment

VIEWS = ("data_quality", "fraud", "risk")
SHIPPED = Path(__file__).parent / "purposes.yaml"
CLASSES = (*TELLING, "sensitive", "none")
#: Part of Schedule 1 (DPA 2018 s.10) that a condition of article 9 needs beside it, as the paragraphs that may stand.
_SCHEDULE_1 = {"b": {1}, "h": {2}, "i": {3}, "j": {4}, "g": set(range(5, 29))}
_HEALTH = "Caldicott Guardian"


def purposes_file(sources: Path) -> Path:
    """The purposes that go with a set of contracts: `purposes.yaml` beside them, else the shipped one."""
    own = sources / SHIPPED.name
    return own if own.is_file() else SHIPPED


class PurposeRefused(BoroughlinkError):
    """A source may not be read for a purpose; the text says what to arrange."""


class PurposeContradiction(PurposeRefused):
    """A purpose, or what a contract states for it, contradicts itself; nothing is read until it is mended."""


class Agreed(Protocol):
    """What was agreed, and its last day."""

    @property
    def expires(self) -> date | None: ...


class Basis(Protocol):
    """What a contract states for one purpose."""

    @property
    def basis(self) -> str: ...

    @property
    def gateway(self) -> str | None: ...

    @property
    def assessment(self) -> str | None: ...

    @property
    def agreement(self) -> str | None: ...

    @property
    def approved_by(self) -> tuple[str, ...]: ...

    @property
    def treatment(self) -> Mapping[str, str]: ...

    @property
    def retention_days(self) -> int | None: ...

    @property
    def expires(self) -> date | None: ...

    @property
    def lookup(self) -> Agreed | None: ...


class HasPurposes(Protocol):
    """The part of a source contract that this room asks for."""

    @property
    def name(self) -> str: ...

    @property
    def level(self) -> str: ...

    @property
    def purposes(self) -> Mapping[str, Basis]: ...

    @property
    def facts(self) -> tuple[str, ...]: ...

    @property
    def classes(self) -> Mapping[str, str]: ...


class Purpose(BaseModel):
    """One purpose of purposes.yaml; its comments there say what each word means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    description: str
    view: Literal["data_quality", "fraud", "risk", "none"]
    identifiable: bool
    treatment: str
    opt_out: str
    basis: str | None = None
    profile: Literal["internal", "partner", "open"] | None = None
    needs: tuple[Literal["gateway", "assessment", "agreement", "approved_by"], ...] = ()
    approvers: tuple[str, ...] = ()
    release_approvers: tuple[
        Literal["information_asset_owner", "data_protection_officer", "siro", "caldicott_guardian"], ...
    ] = ()
    never: tuple[str, ...] = ()
    retention_days: int | None = Field(None, ge=1)

    @property
    def opt_out_applies(self) -> bool:
        return self.opt_out == "applies"


class Purposes:
    """The named purposes, and which sources may serve each on a given day."""

    def __init__(
        self,
        purposes: Mapping[str, Purpose],
        treatments: Mapping[str, Mapping[str, Treatment]],
        contracts: Iterable[HasPurposes],
        today: date,
    ) -> None:
        self.purposes = dict(purposes)
        self.treatments = dict(treatments)
        self.contracts = {contract.name: contract for contract in contracts}
        self.today = today

    @classmethod
    def load(cls, contracts: Iterable[HasPurposes], today: date, path: Path = SHIPPED) -> "Purposes":
        """Read the purposes and hold the contracts against them. Raises PurposeContradiction at the first mistake."""
        named, treatments = _read(path)
        loaded = cls(named, treatments, contracts, today)
        for contract in loaded.contracts.values():
            for purpose, basis in contract.purposes.items():
                if why := loaded._contradiction(contract, purpose, basis):
                    raise PurposeContradiction(f"The contract of `{contract.name}`, purposes, {purpose}: {why}.")
        return loaded

    def sources(self, purpose: str) -> tuple[str, ...]:
        """Sources with a live basis for the purpose, in alphabetical order."""
        return tuple(sorted(name for name in self.contracts if self.refusal(purpose, name) is None))

    def lookups(self, purpose: str) -> tuple[str, ...]:
        """Those of the sources for the purpose whose nameless rows may be led to persons by a number."""
        stated = {s: basis.lookup for s in self.sources(purpose) if (basis := self.contracts[s].purposes.get(purpose))}
        return tuple(s for s, by in stated.items() if by and (by.expires is None or by.expires >= self.today))

    def require(self, purpose: str, sources: Iterable[str]) -> None:
        """Raise PurposeRefused unless every source may be read for the purpose."""
        for source in sources:
            if (why := self.refusal(purpose, source)) is not None:
                raise PurposeRefused(why)

    def require_view(self, purpose: str) -> Purpose:
        """The purpose, if its outputs may stand on its view: every source whose persons or homes shape the links there
        serves the purpose too. Raises PurposeRefused, naming those that don't.
        """
        if purpose not in self.purposes:
            raise PurposeRefused(self.refusal(purpose, "") or "")
        stated = self.purposes[purpose]
        if stated.view == "none":
            raise PurposeRefused(
                f"`{purpose}` has no view of linked persons: each of its requests is answered by itself, from its own "
                f"sources. `boroughlink disclose request RECORD --purpose {purpose}` asks for an answer."
            )
        self.require(purpose, self.behind(stated.view, {"person_record", "residence"}))
        return stated

    def behind(self, view: str, facts: set[str]) -> tuple[str, ...]:
        """Sources that may stand behind facts of a view: all that state it, since what is kept was read once."""
        return tuple(sorted(name for name, c in self.contracts.items() if view in c.purposes and facts & set(c.facts)))

    def treatment_of(self, purpose: str, source: str) -> dict[str, Treatment]:
        """How each column of a source passes, by `table.column`: as the contract says, else as its class does."""
        contract = self.contracts[source]
        basis = contract.purposes.get(purpose)
        stated = basis.treatment if basis else {}
        by_class = self.treatments[self.purposes[purpose].treatment]
        return {
            column: Treatment.read(stated[column]) if column in stated else by_class[personal]
            for column, personal in contract.classes.items()
        }

    def refusal(self, purpose: str, source: str) -> str | None:
        """Why a source may not be read for a purpose today, and what to arrange; None if it may."""
        if purpose not in self.purposes:
            return f"`{purpose}` is no purpose; one of {', '.join(self.purposes)} is expected."
        if source not in self.contracts:
            return f"There is no contract for the source `{source}`."
        stated = self.purposes[purpose]
        basis = self.contracts[source].purposes.get(purpose)
        refused = f"`{source}` may not be read for `{purpose}`: "
        if basis is None:
            if stated.basis and source not in stated.never:
                return None
            return (
                f"{refused}its contract states no lawful basis for that purpose. "
                f"Arrange one with the owner and add it under `purposes:` in the contract."
            )
        if basis.expires is not None and basis.expires < self.today:
            return f"{refused}the basis in its contract expired on {basis.expires}. Renew the agreement and its date."
        if missing := [word for word in stated.needs if not getattr(basis, word) and self._about_people(source)]:
            return f"{refused}its contract does not state {_and(missing)}. {_ARRANGE[missing[0]]}"
        asked = {*stated.approvers, *([_HEALTH] if stated.approvers and "h" in articles(basis.basis, 9) else [])}
        if (lacking := asked - set(basis.approved_by)) and self._about_people(source):
            return (
                f"{refused}it is not approved by the {_and(sorted(lacking))}. Ask for the approval, then add it to "
                f"`approved_by` in the contract."
            )
        return None

    def _about_people(self, source: str) -> bool:
        """Whether the source holds personal data: areas and properties need no one's approval."""
        return self.contracts[source].level == "person"

    def _contradiction(self, contract: HasPurposes, purpose: str, basis: Basis) -> str | None:
        """What a contract says of a purpose that can't be."""
        if purpose not in self.purposes:
            return f"is no purpose; one of {', '.join(self.purposes)} is expected"
        stated = self.purposes[purpose]
        if contract.name in stated.never and contract.level == "person":
            return f"purposes.yaml says that `{contract.name}` never serves it; take the basis out"
        if "f" in articles(basis.basis, 6):
            return "a public authority can't rest its tasks on article 6(1)(f); another basis is needed"
        paragraphs = {int(number) for number in re.findall(r"(?:para|and) (\d+)", basis.basis.partition("sch. 1")[2])}
        for letter in articles(basis.basis, 9):
            if (wanted := _SCHEDULE_1.get(letter)) and not paragraphs & wanted:
                return (
                    f"article 9(2)({letter}) stands only with a condition of sch. 1 of the Data Protection Act 2018 "
                    f"(paragraph {min(wanted)}{f' to {max(wanted)}' if len(wanted) > 1 else ''}); name it"
                )
        if re.search(r"Digital Economy Act 2017 s\.(48|56)\b", basis.gateway or "") and not basis.agreement:
            return "that gateway is for pilots with a business case; state it under `agreement`"
        if basis.retention_days and stated.retention_days and basis.retention_days > stated.retention_days:
            return f"keeps for {basis.retention_days} days what the purpose keeps for {stated.retention_days}"
        for column, text in basis.treatment.items():
            if column not in contract.classes:
                return f"`treatment` names `{column}`, which no table here holds; write table.column"
            try:
                told = Treatment.read(text)
            except ValueError as fault:
                return str(fault)
            if not stated.identifiable and not told.hides(contract.classes[column]):
                return f"`{column}` tells who a person is, and nobody may be known for this purpose: not `{told}`"
        return None


_ARRANGE = {
    "gateway": "Ask the information governance team by which law the data may be shared, and state it as `gateway`.",
    "assessment": "Have the data protection impact assessment made and signed, and state its number as `assessment`.",
    "agreement": "Have the sharing agreement or business case signed, and state its number as `agreement`.",
    "approved_by": "Ask for the approval, then add who gave it to `approved_by` in the contract.",
}


def articles(basis: str, number: int) -> set[str]:
    """The letters of UK GDPR article 6(1) or 9(2) that a basis cites: `art. 6(1)(c) and (e)` cites c and e."""
    paragraph = {6: 1, 9: 2}[number]
    found = re.findall(rf"\b{number}\({paragraph}\)((?:\([a-j]\)(?:,? and |, )?)+)", basis)
    return {letter for part in found for letter in re.findall(r"\(([a-j])\)", part)}


def _and(words: Iterable[str]) -> str:
    return " and the ".join(f"`{word}`" if word in _ARRANGE else word for word in words)


def _read(path: Path) -> tuple[dict[str, Purpose], dict[str, dict[str, Treatment]]]:
    """The purposes and treatments of a file. Raises PurposeContradiction, naming file, purpose and word."""
    try:
        stated: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        named, sets = dict(stated["purposes"]), dict(stated["treatments"])
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise PurposeContradiction(f"{path.name}{where}: not valid YAML; mend the file.") from None
    except (OSError, UnicodeDecodeError):
        raise PurposeContradiction(f"{path} can't be read.") from None
    except (KeyError, TypeError, ValueError):
        raise PurposeContradiction(f"{path.name}: `treatments:` and `purposes:` are expected.") from None
    treatments = {name: _treatments(path, name, by_class) for name, by_class in sets.items()}
    purposes = {}
    for name, text in named.items():
        try:
            purposes[name] = Purpose(name=name, **text)
        except (ValidationError, TypeError) as fault:
            said = fault.errors(include_input=False)[0] if isinstance(fault, ValidationError) else None
            words = f"{'.'.join(map(str, said['loc']))}: {said['msg']}" if said else "a list of words is expected"
            raise PurposeContradiction(f"{path.name}, {name}: {words}.") from None
        if why := _impossible(purposes[name], treatments):
            raise PurposeContradiction(f"{path.name}, {name}: {why}.")
    for view in VIEWS:
        if view not in purposes or purposes[view].view != view:
            raise PurposeContradiction(f"{path.name}: the purpose `{view}`, by which its view is linked, is missing.")
    return purposes, treatments


def _treatments(path: Path, name: str, by_class: Mapping[str, str]) -> dict[str, Treatment]:
    if set(by_class) != set(CLASSES):
        raise PurposeContradiction(f"{path.name}, treatments, {name}: states {', '.join(CLASSES)}, each once.")
    try:
        return {personal: Treatment.read(text) for personal, text in by_class.items()}
    except ValueError as fault:
        raise PurposeContradiction(f"{path.name}, treatments, {name}: {fault}.") from None


def _impossible(purpose: Purpose, treatments: Mapping[str, Mapping[str, Treatment]]) -> str | None:
    """What of a purpose can't hold together."""
    if purpose.treatment not in treatments:
        return f"`treatment` is one of {', '.join(treatments)}"
    kept = [personal for personal, how in treatments[purpose.treatment].items() if not how.hides(personal)]
    if not purpose.identifiable and kept:
        return f"nobody may be known, but {', '.join(kept)} would pass as `{treatments[purpose.treatment][kept[0]]}`"
    if purpose.identifiable and purpose.profile:
        return "people appear by name, so no profile of a pseudonymised release fits; take `profile` out"
    if not purpose.identifiable and not purpose.profile:
        return "a release needs a `profile` to be measured by: internal, partner or open"
    if not purpose.identifiable and not purpose.retention_days:
        return "a release needs `retention_days`"
    if (purpose.profile in ("internal", "partner")) != bool(purpose.release_approvers):
        return (
            "`release_approvers` names the roles that may approve a release; it stands where rows leave, and only there"
        )
    if not purpose.opt_out_applies and not purpose.opt_out.startswith("does not apply: "):
        return "`opt_out` is `applies`, or `does not apply: ` and the reason"
    if purpose.approvers and "approved_by" not in purpose.needs:
        return "names approvers whom `needs` doesn't ask for; add approved_by to `needs`"
    if "approved_by" in purpose.needs and not purpose.approvers:
        return "asks for an approval, but names nobody under `approvers`"
    return None
