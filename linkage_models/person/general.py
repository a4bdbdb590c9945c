"""The person model for records of any origin: addresses as text, dates and names more damaged than a council's, no
gazetteer.

Beside the council's model it reads addresses word by word, knows more ways in which a birth date goes wrong, and looks
at more pairs. It holds what the council's model knows of families: surname and address stay one comparison.
"""

import math
from dataclasses import replace
from typing import Any

import duckdb

from linkage_models.person import blocking, comparisons
from linkage_models.person.communities import COLUMN as FULL_NAME
from linkage_models.person.comparisons import TWINS
from linkage_models.person.levels import Comparison, Level
from linkage_models.thresholds import (
    ADDRESS_ALIKE,
    ADDRESS_SAME,
    BIRTH_DATE_U,
    MOST_DAYS_UNPROVED,
    MOST_DIFFERENT,
    MOST_OTHER_DAYS,
    MOST_OTHER_SURNAMES,
    MOST_UNPROVED,
    NAME_SIMILARITY,
    NAMESAKE_WEIGHT,
    NAMESAKE_YEARS,
    NEAR_DAYS,
    NOBODY_WEIGHT,
    OTHER_GENERATION_WEIGHT,
    OTHER_PERSON_WEIGHT,
    RELATIVE_SHARE,
    RELATIVE_WEIGHT,
    SAME_GENERATION_WEIGHT,
    SLIGHT_SIMILARITY,
    TURNED_SIMILARITY,
    TWIN_SHARE,
    TWIN_WEIGHT,
)

_SHARED = "len(list_intersect(address_words_l, address_words_r)) / greatest(len(address_words_l), len(address_words_r))"
_NUMBER = "(address_number_l = address_number_r)"
_SAME_HOME = f"(home_key_l = home_key_r OR ({_NUMBER} AND {_SHARED} >= {ADDRESS_SAME}))"
_ALIKE = f"({_SHARED} >= {ADDRESS_ALIKE} OR {_NUMBER} AND postcode_l = postcode_r)"
_POSTCODE = "(postcode_l = postcode_r OR damerau_levenshtein(postcode_l, postcode_r) = 1)"
_SURNAME = "(surname_key_l = surname_key_r OR list_has_any(surname_parts_l, surname_parts_r))"
_CROSSED = ("jaro_winkler_similarity(forename_l, surname_key_r)", "jaro_winkler_similarity(forename_r, surname_key_l)")
_SURNAME_ALIKE = (
    "(surname_phonetic_l = surname_phonetic_r"
    f" OR jaro_winkler_similarity(surname_key_l, surname_key_r) >= {NAME_SIMILARITY}"
    # of short names one wrong letter is more than similarity forgives
    " OR (CASE WHEN surname_initial_l = surname_initial_r AND least(length(surname_key_l), length(surname_key_r)) > 3"
    " THEN damerau_levenshtein(surname_key_l, surname_key_r) = 1 ELSE false END)"
    # a name in the other's place has slips as well; where the other two names differ, it is a forename like a surname
    " OR (CASE WHEN initial_l = surname_initial_r OR initial_r = surname_initial_l"
    f" THEN greatest({', '.join(_CROSSED)}) >= {NAME_SIMILARITY}"
    f" AND least({', '.join(_CROSSED)}) >= {TURNED_SIMILARITY}"
    " ELSE false END))"
)
# a slip or two in a short name, a name heard and then mistyped
_SURNAME_SLIGHT = f"jaro_winkler_similarity(surname_key_l, surname_key_r) >= {SLIGHT_SIMILARITY}"
_FORENAME_SLIGHT = f"jaro_winkler_similarity(forename_l, forename_r) >= {SLIGHT_SIMILARITY}"
RELATIVES = "another forename at one address, telephone or e-mail, a birth date unknown, as people of one home have"
_RELATIVES = (
    f"({_SAME_HOME} OR phone_l = phone_r OR email_l = email_r) AND (birth_date_l IS NULL OR birth_date_r IS NULL)"
)
_NAMELESS = "(surname_key_l IS NULL OR surname_key_r IS NULL)"
_NOBODY = (
    "(forename_l IS NULL AND surname_key_l IS NULL) <> (forename_r IS NULL AND surname_key_r IS NULL)"
    " AND (birth_date_l IS NULL OR birth_date_r IS NULL)"
)
_UNKNOWN = " OR ".join(f"coalesce(home_key_{side}, address_line_{side}, postcode_{side}) IS NULL" for side in "lr")
_UNKNOWN = f"({_UNKNOWN})"
# levels of HOME weighed by how common a name is, for pairs of which one address or none is unknown
_ADDRESS_UNKNOWN, _ADDRESSES_KNOWN = "same surname, an address unknown", "same surname, other addresses"

HOME = Comparison(
    "home",
    ("surname_key", "home_key", "postcode"),
    f"surname_key_l IS NULL AND {_UNKNOWN} OR surname_key_r IS NULL AND {_UNKNOWN}",
    (
        Level("same surname at one address", f"{_SURNAME} AND {_SAME_HOME}", share=0.4),
        Level("surnames alike at one address", f"{_SURNAME_ALIKE} AND {_SAME_HOME}"),
        Level("surnames a little alike at one address", f"{_SURNAME_SLIGHT} AND {_SAME_HOME}"),
        # a home's or an office's record is none of its people's
        Level("one names nobody, a birth date unknown", _NOBODY, weight=NOBODY_WEIGHT),
        Level("a surname unknown at one address", f"{_NAMELESS} AND {_SAME_HOME}"),
        Level("different surnames at one address", _SAME_HOME),
        Level("same surname, addresses alike", f"{_SURNAME} AND {_ALIKE}", share=0.2),
        Level("surnames alike, addresses alike", f"{_SURNAME_ALIKE} AND {_ALIKE}"),
        Level("surnames a little alike, addresses alike", f"{_SURNAME_SLIGHT} AND {_ALIKE}"),
        Level("a surname unknown, addresses alike", f"{_NAMELESS} AND {_ALIKE}"),
        Level("different surnames, addresses alike", _ALIKE),
        Level("same surname and postcode", f"{_SURNAME} AND {_POSTCODE}"),
        Level("surnames alike, same postcode", f"{_SURNAME_ALIKE} AND {_POSTCODE}"),
        Level("surnames a little alike, same postcode", f"{_SURNAME_SLIGHT} AND {_POSTCODE}"),
        Level("a surname unknown, same postcode", f"{_NAMELESS} AND {_POSTCODE}"),
        Level("different surnames, same postcode", _POSTCODE),
        Level(
            _ADDRESS_UNKNOWN,
            f"surname_key_l = surname_key_r AND {_UNKNOWN}",
            term=FULL_NAME,
        ),
        Level(
            _ADDRESSES_KNOWN,
            "surname_key_l = surname_key_r",
            term=FULL_NAME,
        ),
        Level(
            "surnames of one sound, other or unknown addresses",
            "surname_phonetic_l = surname_phonetic_r",
            term="surname_phonetic",
        ),
        Level("surnames alike, other or unknown addresses", f"{_SURNAME} OR {_SURNAME_ALIKE}", term=FULL_NAME),
        Level("surnames a little alike, other or unknown addresses", _SURNAME_SLIGHT),
        Level("a surname unknown, other addresses", _NAMELESS),
        Level("different surnames, an address unknown", _UNKNOWN, most=MOST_OTHER_SURNAMES),
        Level("different surnames, other addresses", "ELSE", most=MOST_OTHER_SURNAMES),
    ),
)

BIRTH_DATE = Comparison(
    "birth_date",
    ("birth_date",),
    "birth_date_l IS NULL OR birth_date_r IS NULL",
    (
        Level("same day of birth", "birth_date_l = birth_date_r AND NOT weak_birth_date_l", u=BIRTH_DATE_U),
        Level("same year of birth, day unknown for both", "birth_date_l = birth_date_r"),
        Level(
            "days of birth with day and month swapped",
            "birth_year_l = birth_year_r AND month(birth_date_l) = day(birth_date_r) AND day(birth_date_l) ="
            " month(birth_date_r)",
        ),
        Level(
            "days of birth one digit apart, or two digits swapped",
            "damerau_levenshtein(birth_text_l, birth_text_r) = 1 AND NOT (weak_birth_date_l AND weak_birth_date_r)",
        ),
        Level(
            "same year of birth, day unknown for one",
            "birth_year_l = birth_year_r AND (weak_birth_date_l OR weak_birth_date_r)",
        ),
        Level(
            "years of birth next to each other, day unknown",
            "abs(birth_year_l - birth_year_r) = 1 AND (weak_birth_date_l OR weak_birth_date_r)",
        ),
        Level(
            "years of birth two or three apart, day unknown",
            "abs(birth_year_l - birth_year_r) <= 3 AND (weak_birth_date_l OR weak_birth_date_r)",
        ),
        Level(
            "days of birth within a month of each other",
            f"abs(birth_date_l - birth_date_r) <= {NEAR_DAYS} AND NOT (weak_birth_date_l OR weak_birth_date_r)",
        ),
        Level(
            "days of birth two digits apart",
            "damerau_levenshtein(birth_text_l, birth_text_r) = 2 AND NOT (weak_birth_date_l OR weak_birth_date_r)",
        ),
        Level(
            "same forename in one home, born a generation apart, as a parent and a child of one name",
            f"home_key_l = home_key_r AND forename_root_l = forename_root_r AND abs(birth_year_l - birth_year_r)"
            f" >= {NAMESAKE_YEARS}",
            weight=NAMESAKE_WEIGHT,
        ),
        Level(
            "same year of birth, or same day and month",
            "birth_year_l = birth_year_r OR (right(birth_text_l, 5) = right(birth_text_r, 5)"
            " AND NOT weak_birth_date_l)",
        ),
        Level(
            "two people of one home: forenames and days of birth both differ",
            "home_key_l = home_key_r AND left(forename_root_l, 1) <> left(forename_root_r, 1)",
            weight=OTHER_PERSON_WEIGHT,
        ),
        Level(
            "years of birth further apart, day unknown", "weak_birth_date_l OR weak_birth_date_r", most=MOST_DIFFERENT
        ),
        Level("other days of birth", "ELSE", most=MOST_OTHER_DAYS),
    ),
)

_DAYS_APART = ("days of birth two digits apart", "same year of birth, or same day and month", "other days of birth")
_YEARS_APART = (
    "years of birth next to each other, day unknown",
    "years of birth two or three apart, day unknown",
    "years of birth further apart, day unknown",
)


def _general(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    """A council's levels with plain difference bounded, and names swapped in any spelling: both, or one that stands in
    the other's place, which people of one family whose names were swapped show as well."""
    kept = []
    for level in levels:
        if level.words == "forename and surname are swapped":
            kept.append(replace(level, condition=f"least({', '.join(_CROSSED)}) >= {NAME_SIMILARITY}"))
        elif level.words == "forename and surname are swapped, spelt differently":
            one = f"greatest({', '.join(_CROSSED)}) >= {NAME_SIMILARITY}"
            kept.append(Level("forename of one is, or is like, the surname of the other", one))
        else:
            if level.words == "different forenames":
                kept.append(Level("forenames a little alike", _FORENAME_SLIGHT))
                kept.append(Level(RELATIVES, _RELATIVES, weight=RELATIVE_WEIGHT))
            kept.append(replace(level, most=MOST_DIFFERENT) if level.condition == "ELSE" else level)
    return tuple(kept)


FORENAME = replace(comparisons.FORENAME, levels=_general(comparisons.FORENAME.levels))
SEX = Comparison("sex", ("sex",), "sex_l IS NULL OR sex_r IS NULL", _general(comparisons.SEX.levels[::2]))
# with a forename go a sex, a tongue and an age, and with these middle names: what namesakes of other families share of
# them is counted
MIDDLE = replace(
    comparisons.MIDDLE,
    among={
        "forename": (FORENAME.levels[0].words,),
        "home": tuple(level.words for level in HOME.levels if level.words.startswith("different surnames")),
    },
)


def _said(name: str, called: str, many: str) -> Comparison:
    """A thing said of a person in a word or two, as registers and censuses do."""
    return Comparison(
        name,
        (name,),
        f"{name}_l IS NULL OR {name}_r IS NULL",
        (
            Level(f"same {called}", f"{name}_l = {name}_r", term=name, m=0.8),
            Level(
                f"{many} alike",
                f"jaro_winkler_similarity({name}_l, {name}_r) >= {NAME_SIMILARITY} OR contains({name}_l, {name}_r)"
                f" OR contains({name}_r, {name}_l)",
                m=0.1,
            ),
            Level(f"different {many}", "ELSE", m=0.1),
        ),
    )


GENERATION = Comparison(
    "generation",
    ("generation",),
    "generation_l IS NULL OR generation_r IS NULL",
    (
        Level("both Sr, both Jr or both of one number", "generation_l = generation_r", weight=SAME_GENERATION_WEIGHT),
        Level("one Sr, the other Jr, or of other numbers, as father and son", "ELSE", weight=OTHER_GENERATION_WEIGHT),
    ),
)
_REPLACED = {"sex": SEX, "forename": FORENAME, "home": HOME, "middle": MIDDLE, "birth_date": BIRTH_DATE}
COMPARISONS = (
    *(_REPLACED.get(each.name, each) for each in comparisons.COMPARISONS if each.name != "move"),
    comparisons.number("person_number", "number"),
    GENERATION,
    _said("birth_place", "place of birth", "places of birth"),
    _said("occupation", "occupation", "occupations"),
)

ADDED_COLUMNS = (
    "generation", "person_number", "number_deletes", "birth_place", "occupation", "address_number", "door",
    "birth_digits", "forename_3", "surname_3", "rare_surname", "rare_forename", "rare_birth_date", "rare_postcode",
    "rare_door", "telling_words", "given_key", "email_deletes", "birth_deletes",
)  # fmt: skip
RULES: dict[str, tuple[str, ...]] = {
    name: keys
    for name, keys in blocking.RULES.items()
    if not name.startswith("moved") and name not in {"phone", "email"}
} | {
    "full_name": ("forename", "surname_key"),
    "full_name_by_sound": ("forename_root", "surname_phonetic"),
    "postcode_forename": ("postcode", "forename_root"),
    "home_swapped_initials": ("home_key", "initial=surname_initial", "surname_initial=initial"),
    "home_given_names": ("home_key", "given_key"),
    "birth_date_one_digit_apart": ("birth_deletes[]", "surname_phonetic", "initial"),
    # no initial is asked for: where names are damaged, it is wrong or missing
    "phone_alone": ("phone",),
    "email_alone": ("email",),
    "email_alone_one_sign_apart": ("email_deletes[]",),
    "person_number": ("person_number",),
    "person_number_one_sign_apart": ("number_deletes[]",),
    "birth_date_initial": ("birth_date", "initial"),
    "birth_date_number": ("birth_date", "address_number"),
    "birth_digits_forename": ("birth_digits", "forename_root"),
    "birth_digits_surname": ("birth_digits", "surname_phonetic"),
    "birthday_forename": ("birthday", "forename_root"),
    "birthday_surname": ("birthday", "surname_phonetic"),
    "birth_year_postcode": ("birth_year", "postcode", "initial"),
    "beginnings": ("forename_3", "surname_3", "birth_year"),
    "beginnings_of_names": ("forename_3", "surname_3"),
    "swapped_names": ("name_key",),
    "birth_year_forename": ("birth_year", "forename_root"),
    "birth_year_surname": ("birth_year", "surname_phonetic"),
    "postcode_surname": ("postcode", "surname_phonetic"),
    "postcode_number": ("postcode", "address_number", "initial"),
    "door_forename": ("door", "forename_3"),
    "door_surname": ("door", "surname_3"),
    "door_birth_year": ("door", "birth_year"),
    "door_postcode": ("door", "postcode"),
    "born_there_birth_date": ("birth_place", "birth_date"),
    "born_there_birth_year": ("birth_place", "birth_year"),
    "born_there_occupation": ("birth_place", "occupation"),
    "born_there_surname": ("birth_place", "surname_phonetic"),
    "born_there_forename": ("birth_place", "forename_root"),
    "occupation_surname": ("occupation", "surname_phonetic"),
    "occupation_forename": ("occupation", "forename_3"),
    "telling_word_forename": ("telling_words[]", "forename_3"),
    "telling_word_surname": ("telling_words[]", "surname_3"),
    "telling_word_birth_date": ("telling_words[]", "birth_date"),
    "telling_word_number": ("telling_words[]", "address_number"),
    "rare_surname": ("rare_surname",),
    "rare_forename": ("rare_forename",),
    "rare_birth_date": ("rare_birth_date",),
    "rare_postcode": ("rare_postcode",),
    "rare_door": ("rare_door",),
}

_PLACE = ("home", "postcode", "door", "address", "telling_words")
FAMILIES: dict[str, frozenset[str]] = {
    "identifier": frozenset(name for name in RULES if name.startswith(("nino", "nhs", "phone", "email", "person_n"))),
    "place": frozenset(name for name, keys in RULES.items() if any(word in key for key in keys for word in _PLACE)),
}
FAMILIES["birth date"] = frozenset(name for name in RULES if "birth" in name) - FAMILIES["place"]
FAMILIES["name"] = frozenset(RULES).difference(*FAMILIES.values())


def shares_of_pairs(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, float]:
    """Of the levels of HOME that are for pairs with an address unknown, or with none, the share of all pairs that they
    are: how common a name is, which stands in the place of their u, counts among these alone."""
    known = "avg((coalesce(home_key, address_line, postcode) IS NOT NULL)::INT)"
    ((held,),) = con.execute(f"SELECT {known} FROM {table}").fetchall()
    shares = {_ADDRESS_UNKNOWN: 1 - held**2, _ADDRESSES_KNOWN: held**2}
    return {words: share for words, share in shares.items() if share > 0}


def weigh_among_these(trained: dict[str, Any], shares: dict[str, float]) -> None:
    """Make m of the levels of `shares_of_pairs` the share of these pairs, as how common a name is counts."""
    for comparison in trained["comparisons"]:
        for level in comparison["comparison_levels"] if comparison["output_column_name"] == HOME.name else ():
            if (share := shares.get(level["label_for_charts"])) is not None:
                level["m_probability"] = min(level["m_probability"] / share, 1.0)


def weigh_relatives(trained: dict[str, Any], prior: float) -> None:
    """Set the weights of another forename in one home, beside one birth date (twins) or an unknown one (anybody of the
    home), by how often one person's records differ in forename: what the other columns say is undone, the odds of
    damage against another of the home stand in its place."""
    levels = {
        each["output_column_name"]: {level["label_for_charts"]: level for level in each["comparison_levels"]}
        for each in trained["comparisons"]
    }
    forenames = levels.get("forename", {})
    best = {
        each.name: math.log2(level["m_probability"] / level["u_probability"])
        for each in (HOME, BIRTH_DATE, comparisons.CONTACT)
        if each.name in levels and (level := levels[each.name][each.levels[0].words])
    }
    words = [each.words for each in FORENAME.levels if each.weight is None or each.words == TWINS]
    differ = [forenames[each]["m_probability"] for each in words[words.index(TWINS) + 1 :] if each in forenames]
    for apart, wrong, share, undone, least in (
        (TWINS, sum(differ), TWIN_SHARE, ("home", "birth_date"), TWIN_WEIGHT),
        (RELATIVES, sum(differ[-1:]), RELATIVE_SHARE, ("home", "contact"), RELATIVE_WEIGHT),
    ):
        if apart in forenames:
            bits = math.log2(prior / (1 - prior)) + sum(best.get(name, 0.0) for name in undone)
            weight = min(max(math.log2(wrong / share) - bits, least), 0.0)
            forenames[apart]["m_probability"] = forenames[apart]["u_probability"] * 2.0**weight


def without_proof(chosen: list[Comparison]) -> list[Comparison]:
    """The comparisons where years of birth and names are all that is known: pairs of different surnames and addresses
    share a forename and a year at most, so training would find namesakes there."""
    return [
        replace(
            each,
            levels=tuple(replace(x, most=MOST_UNPROVED) if x.most == MOST_OTHER_SURNAMES else x for x in each.levels),
        )
        if each.name == HOME.name
        else each
        for each in chosen
    ]


def with_days_alone(chosen: list[Comparison], unknown: float) -> list[Comparison]:
    """The comparisons where a day of birth is the only thing beside names that could prove a person: whoever shares a
    name and no day is a namesake, of whom training would take many for one person. `unknown`: the share of births known
    by their year alone; no more pairs than have such a one can differ so."""
    most = dict.fromkeys(_DAYS_APART, MOST_DAYS_UNPROVED) | {
        words: MOST_DAYS_UNPROVED * min(2 * unknown, 1.0) for words in _YEARS_APART
    }
    return [
        replace(each, levels=tuple(replace(x, most=most.get(x.words, x.most)) for x in each.levels)) for each in chosen
    ]


def without_families(chosen: list[Comparison]) -> list[Comparison]:
    """The comparisons without the fixed levels that tell members of a family apart: where records hold no families,
    what they describe is damage, and training says what it is worth."""
    return [replace(each, levels=tuple(level for level in each.levels if level.weight is None)) for each in chosen]
