"""A small town of families seen by four sources with errors: the fixture of the linkage tests. Not the shipped
generator."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

FEMALE = [
    "OLIVIA",
    "AMELIA",
    "ISLA",
    "AVA",
    "EMILY",
    "SOPHIE",
    "GRACE",
    "LUCY",
    "HANNAH",
    "SARAH",
    "EMMA",
    "LAURA",
    "KAREN",
    "SUSAN",
    "MARGARET",
    "CATHERINE",
    "ELIZABETH",
    "JEAN",
    "AISHA",
    "PRIYA",
    "JOAN",
    "RUTH",
]
MALE = [
    "OLIVER",
    "GEORGE",
    "HARRY",
    "JACK",
    "THOMAS",
    "JAMES",
    "WILLIAM",
    "DANIEL",
    "DAVID",
    "PAUL",
    "MARK",
    "ANDREW",
    "PETER",
    "JOHN",
    "ROBERT",
    "MICHAEL",
    "STEPHEN",
    "MOHAMMED",
    "IMRAN",
    "BRIAN",
    "KEITH",
    "IAN",
]
STEMS = [
    "SMITH",
    "JONES",
    "KHAN",
    "PATEL",
    "BROWN",
    "TAYLOR",
    "WILSON",
    "DAVIES",
    "EVANS",
    "THOMAS",
    "ROBERTS",
    "WALKER",
    "WRIGHT",
    "GREEN",
    "HALL",
    "WOOD",
    "CLARK",
    "HUGHES",
    "LEWIS",
    "HARRIS",
]
NICK = {
    "WILLIAM": "BILL",
    "ROBERT": "BOB",
    "ELIZABETH": "LIZ",
    "MARGARET": "PEGGY",
    "CATHERINE": "KATE",
    "JAMES": "JIM",
    "MICHAEL": "MIKE",
    "MOHAMMED": "MUHAMMAD",
}
SOURCES = {"council_tax": 0.45, "benefits": 0.25, "electoral_register": 0.6, "adult_social_care": 0.08, "housing": 0.3}
COLUMNS = (
    "record_id", "source", "source_key", "role", "title", "forename", "middle", "surname", "name_text",
    "former_surname", "birth_place", "occupation", "birth_date", "sex", "death_date",
    "nino", "nhs_number", "person_number", "phone", "email", "sensitivity", "home_key", "postcode",
)  # fmt: skip


@dataclass(frozen=True)
class Town:
    """`records` has the columns of person facts plus home_key and postcode; `truth` has record_id and person_id."""

    records: pl.DataFrame
    truth: pl.DataFrame


def _nhs(number: int) -> str:
    digits = [int(d) for d in f"999{number:06d}"]
    check = (11 - sum((10 - i) * d for i, d in enumerate(digits)) % 11) % 11
    return "" if check == 10 else "".join(map(str, digits)) + str(check)


@dataclass(frozen=True)
class Names:
    """Names and how common each is."""

    forenames: dict[str, float]
    surnames: dict[str, float]


class _Names:
    """Draws the town's own names, made up and crowded, or those given."""

    def __init__(self, rng: np.random.Generator, given: Names | None) -> None:
        self._rng, self._given = rng, given
        self._female, self._male = (
            [a + b for b in ("", "ANNE", "ETTE", "INA", "BELL", "OR") for a in names] for names in (FEMALE, MALE)
        )
        endings = ("", "SON", "FORD", "LEY", "TON", "WELL", "BURY", "GATE", "WICK", "HAM")
        self._surnames = [a + b for a in STEMS for b in endings]

    def forename(self, male: bool) -> str:
        if self._given:
            return self._as_common(self._given.forenames, MALE if male else FEMALE)
        return (self._male if male else self._female)[int(self._rng.integers(len(self._female)) * self._rng.random())]

    def family(self) -> str:
        if self._given:
            return self._as_common(self._given.surnames, list(self._given.surnames))
        return self._surnames[int(self._rng.integers(len(self._surnames)) * self._rng.random())]

    def other(self) -> str:
        """The surname of one who does not bear the family's."""
        return self.family() if self._given else self._surnames[int(self._rng.integers(len(self._surnames)))]

    def _as_common(self, shares: dict[str, float], among: list[str]) -> str:
        sums = np.cumsum([shares[name] for name in among])
        return among[int(np.searchsorted(sums, self._rng.random() * sums[-1]))]


def build(people: int = 3000, seed: int = 7, given: Names | None = None) -> Town:
    """About `people` people in homes of one to five, about 1.7 records each; deterministic for a seed."""
    rng = np.random.default_rng(seed)
    names = _Names(rng, given)
    persons: list[dict[str, object]] = []
    home = 0
    while len(persons) < people:
        home += 1
        size = int(rng.choice([1, 2, 3, 4, 5], p=[0.3, 0.35, 0.15, 0.13, 0.07]))
        family = names.family()
        twin_year = int(rng.integers(1995, 2008))
        for place in range(size):
            male = bool(rng.random() < 0.5)
            year = int(rng.integers(1935, 1990)) if place < 2 else twin_year + int(rng.integers(0, 8))
            born = date(year, int(rng.integers(1, 13)), int(rng.integers(1, 29)))
            name = names.forename(male)
            if place == 3 and rng.random() < 0.1:
                born = persons[-1]["born"]  # type: ignore[assignment]
            if place == 2 and male and rng.random() < 0.05:
                name = str(persons[-1]["forename"])
            persons.append(
                {"id": len(persons), "home": home, "forename": name,
                "surname": family if rng.random() < 0.9 else names.other(),
                 "born": born, "sex": "M" if male else "F",
                 "middle": (MALE if male else FEMALE)[int(rng.integers(22))] if rng.random() < 0.5 else None}
            )  # fmt: skip
    rows, truth = [], []
    for person in persons:
        for source, share in SOURCES.items():
            if rng.random() > share:
                continue
            row = _mention(rng, person, source, home)
            rows.append(row)
            truth.append((row["record_id"], person["id"]))
    schema = {name: pl.Date if name.endswith("_date") else pl.String for name in COLUMNS}
    return Town(
        pl.DataFrame(rows, schema=schema),
        pl.DataFrame(truth, schema={"record_id": pl.String, "person_id": pl.Int64}, orient="row"),
    )


def _mention(rng: np.random.Generator, person: dict[str, object], source: str, homes: int) -> dict[str, object]:
    number = int(person["id"])  # type: ignore[call-overload]
    forename, surname, middle = str(person["forename"]), str(person["surname"]), person["middle"]
    if rng.random() < 0.05:
        forename = NICK.get(forename, forename)
    if rng.random() < 0.02 and len(surname) > 4:
        cut = int(rng.integers(1, len(surname) - 1))
        surname = surname[:cut] + surname[cut + 1 :]
    home = int(person["home"]) if rng.random() > 0.05 else int(rng.integers(1, homes))  # type: ignore[call-overload]
    born: object = person["born"]
    if source in ("council_tax", "electoral_register") and rng.random() < 0.93:
        born = None
    elif rng.random() < 0.01:
        born = date(1900, 1, 1)
    row: dict[str, object] = dict.fromkeys(COLUMNS)
    key = f"{home}/{number}" if source != "electoral_register" else f"E{number}"
    row |= {"record_id": f"{source}:{key}#1", "source": source, "source_key": key, "role": "person",
    "birth_date": born, "home_key": f"U{home}",
            "postcode": f"SS{home % 9} {home // 40 % 10}{'CIK'[home // 400 % 3]}M"}  # fmt: skip
    if source == "council_tax":
        title = "MR" if person["sex"] == "M" else "MRS"
        first = forename[0] if rng.random() < 0.08 else forename
        row["name_text"] = f"{title} {first} {surname}" if home % 2 else f"{surname} {title} {first}"
    else:
        row |= {
            "forename": forename.title(),
            "surname": surname.title(),
            "middle": middle if rng.random() < 0.6 else None,
        }
    if source not in ("council_tax", "electoral_register"):
        row["sex"] = person["sex"]
    if source == "benefits" or (source == "housing" and rng.random() < 0.6):
        row["nino"] = f"ZZ{number:06d}T"
    if source == "adult_social_care":
        row |= {"nhs_number": _nhs(number) or None, "home_key": None}
    return row
