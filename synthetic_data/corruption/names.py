"""Names as a system writes them: which of a person's names, then what became of it on the way in."""

import unicodedata

import numpy as np
import polars as pl

from synthetic_data.corruption.characters import damage_where, misheard, misread, mistyped, nickname, tables
from synthetic_data.draws import Draws
from synthetic_data.rates import Rates

_UNFOLDED = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ß": "ss", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "Ae"})


def error_factor(quality: pl.Series) -> pl.Series:
    """A person's factor on every error rate from documentation quality (0..1, 1 good); about 1 on average."""
    raw = 0.35 + 3.0 * (1.0 - quality.to_numpy()) ** 1.5
    return pl.Series("factor", raw / raw.mean(), dtype=pl.Float64)


def people_of(
    rows: pl.DataFrame, names: pl.DataFrame, persons: pl.DataFrame, rates: Rates, system: str
) -> pl.DataFrame:
    """The rows (row_key, person_id, known_from, known_to) with each person as the system knew them, in the same order.

    A new surname reaches a system after a wait of its own, drawn once a person.
    """
    lag = -np.log1p(-rates.draws(f"{system}:name lag", persons["person_id"]).random()) * rates.lag_days(system)
    waits = persons.select("person_id", lag=pl.Series(lag.astype(np.int64)))
    known = (
        rows.with_row_index("row")
        .join(waits, on="person_id", how="left", maintain_order="left")
        .with_columns(
            on=pl.max_horizontal("known_from", pl.col("known_to") - pl.duration(days=pl.col("lag").fill_null(0)))
        )
        .drop("lag")
    )
    dated = known.filter(pl.col("person_id").is_not_null()).sort("person_id", "on", "row")
    spells = names.sort("person_id", "from_date").select(
        "person_id", "from_date", "forename", "middle", "surname", borne_as="sex"
    )
    named = dated.join_asof(spells, left_on="on", right_on="from_date", by="person_id", check_sortedness=False)
    first = spells.unique("person_id", keep="first", maintain_order=True).select(
        "person_id",
        first_forename="forename",
        first_middle="middle",
        first_surname="surname",
        first_borne_as="borne_as",
    )
    attributes = persons.select(
        "person_id", "sex", "birth_date", "title", "ethnic_group", "recent_arrival", "nino", "nhs_number",
        factor=error_factor(persons["documentation_quality"]),
    )  # fmt: skip
    named = (
        named.join(first, on="person_id", how="left", maintain_order="left")
        .with_columns(
            # Someone known before the first dated name carries that first name.
            forename=pl.coalesce("forename", "first_forename"),
            middle=pl.when(pl.col("forename").is_null()).then("first_middle").otherwise("middle"),
            borne_as=pl.when(pl.col("forename").is_null()).then("first_borne_as").otherwise("borne_as"),
            surname=pl.coalesce("surname", "first_surname"),
        )
        .select("row", "forename", "middle", "surname", "borne_as")
    )
    return (
        known.drop("on")
        .join(named, on="row", how="left", maintain_order="left")
        .join(attributes, on="person_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("factor").fill_null(1.0),
            sex=pl.coalesce("borne_as", "sex"),
            title=pl.col("borne_as").replace_strict({"M": "MR", "F": "MISS"}, default=pl.col("title")),
        )
        .drop("row", "borne_as")
    )


def hits(draws: Draws, rate: float, factor: pl.Series) -> np.ndarray:
    """Which rows an error strikes, at the rate times each row's factor."""
    return draws.random() < rate * factor.to_numpy()


def _group_factors(people: pl.DataFrame, rates: Rates, error: str) -> pl.Series:
    groups = people["ethnic_group"].fill_null("")
    known = {group: rates.group_factor(error, group) for group in sorted(groups.unique().to_list())}
    # (an empty table keeps the type of its texts)
    return groups.replace_strict(known, return_dtype=pl.Float64).cast(pl.Float64) * people["factor"]


def without_accents(words: pl.Series) -> pl.Series:
    """Letters of the plain alphabet only, as old systems hold them."""
    plain = {
        word: unicodedata.normalize("NFKD", word.translate(_UNFOLDED)).encode("ascii", "ignore").decode()
        for word in words.unique().drop_nulls().sort().to_list()
        if not word.isascii()
    }
    return words.replace(plain) if plain else words


def _swap_where(people: pl.DataFrame, hit: np.ndarray, left: str, right: str) -> pl.DataFrame:
    mask = pl.Series(hit)
    return people.with_columns(
        pl.when(mask).then(pl.col(right)).otherwise(pl.col(left)).alias(left),
        pl.when(mask).then(pl.col(left)).otherwise(pl.col(right)).alias(right),
    )


def _double_barrel(surname: str, draw: np.ndarray) -> str:
    first, _, last = surname.replace("-", " ").partition(" ")
    if not last:
        return surname
    return (f"{first} {last}", f"{first}{last.lower()}", first, last, f"{last}-{first}")[
        int(np.searchsorted([0.4, 0.55, 0.68, 0.95], draw[0], side="right"))
    ]


def _prefix(surname: str, draw: np.ndarray) -> str:
    head, mark, tail = surname.partition("'")
    if mark:
        return f"{head} {tail}" if draw[0] < 0.4 else f"{head}{tail.lower() if draw[1] < 0.5 else tail}"
    if surname.startswith("Mc"):
        return f"Mc {surname[2:]}" if draw[0] < 0.5 else f"Mac{surname[2:].lower()}"
    return surname


def _mohammed(forename: str, draw: np.ndarray) -> str:
    others = [spelling for spelling in tables()["mohammed"] if spelling != forename]
    return others[int(draw[0] * len(others))]


def _cultural_forms(people: pl.DataFrame, rates: Rates, system: str) -> pl.DataFrame:
    """Differences that are custom, not carelessness: name order, Singh and Begum, Mohammed, double names."""
    draws = rates.draws(f"{system}:name forms", people["row_key"])

    def rate(error: str) -> float:
        return rates.person(error, system)

    relational = tables()["relational"]
    # A relational name stands as surname in one system and as middle name in another.
    movable = (people["middle"].is_in(relational) | people["surname"].is_in(relational)) & (people["middle"] != "")
    moved = hits(draws, rate("relational_moved"), people["factor"]) & movable.fill_null(False).to_numpy()
    people = _swap_where(people, moved, "middle", "surname")
    inverted = draws.random() < rate("names_inverted") * _group_factors(people, rates, "names_inverted").to_numpy()
    is_mohammed = people["forename"].is_in(tables()["mohammed"]).fill_null(False).to_numpy()
    factor = people["factor"]
    forename = damage_where(
        people["forename"], is_mohammed & hits(draws, rate("mohammed_respelt"), factor), _mohammed, draws
    )
    double = people["surname"].str.contains("[- ]").fill_null(False).to_numpy()
    surname = damage_where(
        people["surname"], double & hits(draws, rate("double_barrel_changed"), factor), _double_barrel, draws
    )
    prefixed = surname.str.contains("^(Mc|O')").fill_null(False).to_numpy()
    surname = damage_where(surname, prefixed & hits(draws, rate("prefix_respaced"), factor), _prefix, draws)
    return _swap_where(people.with_columns(forename=forename, surname=surname), inverted, "forename", "surname")


def damaged_names(people: pl.DataFrame, rates: Rates, system: str) -> pl.DataFrame:
    """The people with title, forename, middle and surname as the system wrote them; same rows, same order."""
    people = _cultural_forms(people, rates, system)
    draws = rates.draws(f"{system}:names", people["row_key"])
    factor = people["factor"]

    def struck(error: str) -> np.ndarray:
        return hits(draws, rates.person(error, system), factor)

    right = people.select("forename", "surname")
    has_middle = (people["middle"].fill_null("") != "").to_numpy()
    people = _swap_where(people, struck("known_by_middle") & has_middle, "forename", "middle")
    forename = damage_where(people["forename"], struck("nickname"), nickname, draws)
    surname = people["surname"]
    for error, damage in (("misspelt", misheard), ("typo", mistyped)):
        forename = damage_where(forename, struck(f"forename_{error}"), damage, draws)
        surname = damage_where(surname, struck(f"surname_{error}"), damage, draws)
    forename = damage_where(forename, struck("scanned_letter"), misread, draws)
    surname = damage_where(surname, struck("scanned_letter"), misread, draws)
    # How much of the middle name is kept is the form's doing, not the person's.
    kept = draws.random()
    missing = rates.person("middle_missing", system)
    shortened = missing + (1.0 - missing) * rates.person("middle_initial", system)
    plain = pl.Series(struck("accent_stripped") | (rates.person("accent_stripped", system) == 1.0))
    initial = pl.Series(struck("initial_only"))
    untitled = pl.Series(struck("title_missing"))
    people = people.with_columns(forename=forename, surname=surname, kept=pl.Series(kept)).with_columns(
        middle=pl.when(pl.col("kept") < missing)
        .then(None)
        .when(pl.col("kept") < shortened)
        .then(pl.col("middle").str.slice(0, 1))
        .otherwise("middle"),
        forename=pl.when(initial).then(pl.col("forename").str.slice(0, 1)).otherwise("forename"),
        title=pl.when(untitled).then(None).otherwise("title"),
    )
    people = people.drop("kept")
    put_right = rates.corrected(system, people["row_key"])
    for column in right.columns:
        rates.note_corrected(system, column, people["row_key"], put_right & (people[column] != right[column]))
    people = people.with_columns(
        pl.when(put_right).then(right[column]).otherwise(people[column]).alias(column) for column in right.columns
    )
    return people.with_columns(
        pl.when(plain).then(without_accents(people[column])).otherwise(people[column]).alias(column)
        for column in ("forename", "middle", "surname")
    )
