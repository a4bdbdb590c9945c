"""The comparisons of the person model, level by level, with the words that explain them.

Families share surname and address, so those two are one comparison, counted once. Levels that tell members of a family
apart (twins, parent and child of one name, two people of one home) carry fixed weights from thresholds.py: they are too
rare for EM.
"""

from typing import Any

from linkage_models.person.communities import COLUMN as FULL_NAME
from linkage_models.person.levels import Comparison, Level
from linkage_models.thresholds import (
    ADULT_TOO_SOON_WEIGHT,
    BIRTH_DATE_U,
    CHILD_ADULT_WEIGHT,
    JOINT_DAYS,
    JOINT_WEIGHT,
    LANDLINE_WEIGHT,
    NAME_SIMILARITY,
    NAMES_GO_TOGETHER,
    NAMESAKE_WEIGHT,
    NAMESAKE_YEARS,
    OTHER_PERSON_WEIGHT,
    OTHER_SEX_WEIGHT,
    TWIN_WEIGHT,
    UNIQUE_ID_U,
)


def _same(column: str) -> str:
    return f"{column}_l = {column}_r"


def _null(column: str) -> str:
    return f"{column}_l IS NULL OR {column}_r IS NULL"


def _where(cheap: str, dear: str) -> str:
    """A condition whose dear part is worked out only for the pairs that meet the cheap one."""
    return f"(CASE WHEN {cheap} THEN {dear} ELSE false END)"


INITIAL = "initial"
NEIGHBOURS = "different surnames, same postcode"
TWINS = "another forename with the same birth date in the same home, as twins have"
_SWAPPED = "(forename_l = surname_r AND forename_r = surname_l)"
_SWAPPED_ALIKE = _where(
    "initial_l = surname_initial_r AND initial_r = surname_initial_l"
    " AND least(length(forename_l), length(forename_r)) > 2",
    f"jaro_winkler_similarity(forename_l, surname_r) >= {NAME_SIMILARITY}"
    f" AND jaro_winkler_similarity(forename_r, surname_l) >= {NAME_SIMILARITY}",
)
_FORENAME_IS_MIDDLE = "(list_contains(middle_names_l, forename_r) OR list_contains(middle_names_r, forename_l))"

FORENAME = Comparison(
    "forename",
    ("forename",),
    _null("forename"),
    (
        Level("same forename", f"{_same('forename')} AND length(forename_l) > 1", term="forename", share=0.8),
        Level(
            "forenames of one root, a nickname or another spelling",
            _same("forename_root") + " AND length(forename_l) > 1",
        ),
        Level("both give the same initial only", _same("forename"), by_chance=INITIAL),
        Level(
            "one gives the initial of the other's forename",
            f"{_same('initial')} AND (length(forename_l) = 1 OR length(forename_r) = 1)",
            by_chance=INITIAL,
        ),
        Level("forename and surname are swapped", _SWAPPED),
        Level("forename and surname are swapped, spelt differently", _SWAPPED_ALIKE),
        Level("forenames alike in spelling", f"jaro_winkler_similarity(forename_l, forename_r) >= {NAME_SIMILARITY}"),
        Level(
            "forenames one letter apart",
            _where(
                "initial_l = initial_r AND least(length(forename_l), length(forename_r)) >= 3",
                "damerau_levenshtein(forename_l, forename_r) = 1",
            ),
        ),
        Level(
            "one forename begins the other",
            "least(length(forename_l), length(forename_r)) > 1 AND"
            " (starts_with(forename_l, forename_r) OR starts_with(forename_r, forename_l))",
        ),
        Level(
            "forename and middle name are swapped",
            "list_contains(middle_names_l, forename_r) AND list_contains(middle_names_r, forename_l)",
        ),
        Level("forename of one is the middle name of the other", _FORENAME_IS_MIDDLE, by_chance="forename"),
        Level(
            "the only initial of one is that of the other's middle name",
            "(length(forename_l) = 1 AND forename_l = middle_initial_r)"
            " OR (length(forename_r) = 1 AND forename_r = middle_initial_l)",
        ),
        Level(TWINS, "birth_date_l = birth_date_r AND home_key_l = home_key_r", weight=TWIN_WEIGHT),
        Level("different forenames that begin alike", "left(forename_l, 3) = left(forename_r, 3)"),
        Level("different forenames", "ELSE"),
    ),
)


def _no_address(side: str = "") -> str:
    # an address as written (~) without a postcode names no home
    return f"(postcode{side} IS NULL AND coalesce(starts_with(home_key{side}, '~'), true))"


HOME = Comparison(
    "home",
    ("surname_key",),
    _null("surname_key"),
    (
        Level("same surname, same home", "${surname} AND ${home}", local=True, share=0.7),
        Level("surnames alike, same home", "${alike} AND ${home}", local=True),
        Level(
            "different surnames, same home one after the other",
            "${home} AND home_key_l = home_key_r AND NOT home_is_communal_l"
            " AND (moved_out_l < moved_in_r - INTERVAL 7 DAY OR moved_out_r < moved_in_l - INTERVAL 7 DAY)",
            local=True,
        ),
        # a hall of residence or a care home is no household; men seldom take another surname
        Level(
            "different surnames, same home, of a man",
            "${home} AND NOT home_is_communal_l AND (sex_l = 'M' OR sex_r = 'M')",
            local=True,
        ),
        Level("different surnames, same home", "${home} AND NOT home_is_communal_l", local=True),
        Level(
            "same surname, same postcode and the home of one unknown",
            "${surname} AND ${postcode} AND ${unknown}",
            local=True,
            by_chance="surname_key",
        ),
        # relatives live near, and share forenames
        Level(
            "same surname, same postcode, another home",
            "${surname} AND ${postcode}",
            local=True,
            discount=NAMES_GO_TOGETHER,
            by_chance="surname_key",
        ),
        Level(NEIGHBOURS, "${postcode}", local=True),
        Level(
            "same surname, address of one unknown",
            f"surname_key_l = surname_key_r AND ({_no_address('_l')} OR {_no_address('_r')})",
            term=FULL_NAME,
            discount=NAMES_GO_TOGETHER,
            unknown=_no_address(),
        ),
        Level(
            "same surname, another address",
            "surname_key_l = surname_key_r",
            term=FULL_NAME,
            discount=NAMES_GO_TOGETHER,
        ),
        Level("a surname of one, former or part of a double one, is the other's, another address", "${surname}"),
        Level("surnames alike, another address", "${alike}", discount=NAMES_GO_TOGETHER),
        Level("different surnames and addresses", "ELSE"),
    ),
)
_HOME_PARTS = {
    # a surname in the forename's place is the same surname
    "${surname}": "(surname_key_l = surname_key_r OR list_contains(surname_parts_l, surname_key_r)"
    " OR list_contains(surname_parts_r, surname_key_l) OR list_has_any(surname_parts_l, surname_parts_r)"
    " OR list_contains(middle_names_l, surname_key_r) OR list_contains(middle_names_r, surname_key_l)"
    f" OR {_SWAPPED})",
    "${alike}": (
        f"(surname_phonetic_l = surname_phonetic_r OR jaro_winkler_similarity(surname_key_l,"
        f" surname_key_r) >= {NAME_SIMILARITY} OR {_SWAPPED_ALIKE})"
    ),
    "${home}": "(home_key_l = home_key_r OR list_contains(other_homes_l, home_key_r)"
    " OR list_contains(other_homes_r, home_key_l) OR list_has_any(other_homes_l, other_homes_r))",
    "${postcode}": "(postcode_l = postcode_r)",
    # an address as written (~) that differs from another may still be the same home in other words
    "${unknown}": (
        "(home_key_l IS NULL OR home_key_r IS NULL OR starts_with(home_key_l, '~') OR starts_with(home_key_r, '~'))"
    ),
}

MIDDLE = Comparison(
    "middle",
    ("middle",),
    # a middle name that is the other's forename is counted there
    f"{_null('middle')} OR {_FORENAME_IS_MIDDLE}",
    (
        Level("same middle name", _same("middle") + " AND length(middle_l) > 1", share=0.7),
        Level(
            "middle names share a name or an initial",
            "list_has_any(middle_names_l, middle_names_r) OR (middle_initial_l = middle_initial_r AND"
            " (length(middle_names_l[1]) = 1 OR length(middle_names_r[1]) = 1))",
        ),
        Level(
            "middle names alike in spelling",
            _where(
                "least(length(middle_l), length(middle_r)) > 2",
                f"jaro_winkler_similarity(middle_l, middle_r) >= {NAME_SIMILARITY}"
                " OR damerau_levenshtein(middle_l, middle_r) = 1",
            ),
        ),
        Level("different middle names", "ELSE"),
    ),
)

_CHILD_AND_ADULT = (
    "(is_child_l AND acts_as_adult_r) OR (is_child_r AND acts_as_adult_l)"
    " OR (is_pupil_l AND is_contact_r) OR (is_pupil_r AND is_contact_l)"
)
_ADULT_TOO_SOON = (
    "coalesce(born_by_l < born_since_r, false) OR coalesce(born_by_r < born_since_l, false)"
    " OR (is_young_l AND is_contact_r) OR (is_young_r AND is_contact_l)"
)

BIRTH_DATE = Comparison(
    "birth_date",
    ("birth_date",),
    f"({_null('birth_date')}) AND NOT ({_CHILD_AND_ADULT} OR {_ADULT_TOO_SOON})",
    (
        Level("one is a child, the other acts as adults do", _CHILD_AND_ADULT, weight=CHILD_ADULT_WEIGHT),
        Level("one was a child when the other acted as adults do", _ADULT_TOO_SOON, weight=ADULT_TOO_SOON_WEIGHT),
        Level("same birth date", _same("birth_date") + " AND NOT weak_birth_date_l", u=BIRTH_DATE_U),
        Level("same birth date, 1 January, which often means year only", _same("birth_date")),
        Level(
            "same forename in one home, born a generation apart, as parent and child of one name",
            f"home_key_l = home_key_r AND forename_root_l = forename_root_r AND abs(birth_year_l - birth_year_r)"
            f" >= {NAMESAKE_YEARS}",
            weight=NAMESAKE_WEIGHT,
        ),
        Level(
            "birth dates with day and month swapped",
            "birth_year_l = birth_year_r AND month(birth_date_l) = day(birth_date_r) AND day(birth_date_l) ="
            " month(birth_date_r)",
        ),
        Level(
            "birth dates one digit apart, or two neighbours swapped",
            _where(
                "birth_year_l = birth_year_r OR right(birth_text_l, 5) = right(birth_text_r, 5)",
                "damerau_levenshtein(birth_text_l, birth_text_r) = 1",
            ),
        ),
        Level(
            "same year, one gives 1 January only",
            "birth_year_l = birth_year_r AND (weak_birth_date_l OR weak_birth_date_r)",
        ),
        Level(
            "same birth year or same day and month",
            "birth_year_l = birth_year_r OR right(birth_text_l, 5) = right(birth_text_r, 5)",
        ),
        Level(
            "two people of one home: forename and birth date both differ",
            "home_key_l = home_key_r AND left(forename_root_l, 1) <> left(forename_root_r, 1)",
            weight=OTHER_PERSON_WEIGHT,
        ),
        Level("different birth dates", "ELSE"),
    ),
)

SEX = Comparison(
    "sex",
    ("sex",),
    # a forename says the sex with it
    f"{_null('sex')} OR ({_same('sex')} AND {_same('forename_root')} AND length(forename_l) > 1)",
    (
        Level("same sex", _same("sex")),
        Level(
            "different sex, though of one forename",
            f"{_same('forename_root')} AND length(forename_l) > 1",
            weight=OTHER_SEX_WEIGHT,
        ),
        Level("different sex", "ELSE"),
    ),
    null_words="not known for both, or the same as the same forename says",
)


def number(name: str, called: str) -> Comparison:
    return Comparison(
        name,
        (name,),
        _null(name),
        (
            Level(f"same {called}", _same(name), u=UNIQUE_ID_U, m=0.97),
            Level(f"{called}s one sign apart", f"damerau_levenshtein({name}_l, {name}_r) = 1", u=1e-5, m=0.02),
            Level(f"different {called}s", "ELSE", m=0.01),
        ),
    )


CONTACT = Comparison(
    "contact",
    ("phone", "email"),
    "(phone_l IS NULL OR phone_r IS NULL) AND (email_l IS NULL OR email_r IS NULL)",
    (
        Level(
            "same e-mail or mobile",
            "email_l = email_r OR (phone_l = phone_r AND phone_kind_l = 'mobile')",
            m=0.5,
            local=True,
        ),
        Level("same telephone of a home", "phone_l = phone_r", weight=LANDLINE_WEIGHT),
        Level("different phone and e-mail", "ELSE", m=0.5),
    ),
)

_DAYS = "least(abs(date_diff('day', moved_out_l, moved_in_r)), abs(date_diff('day', moved_out_r, moved_in_l)))"
# days spent in both homes, today's stays without end
_AT_ONCE = (
    "date_diff('day', greatest(moved_in_l, moved_in_r),"
    " least(coalesce(moved_out_l, DATE '9999-12-31'), coalesce(moved_out_r, DATE '9999-12-31')))"
)
_BOTH_DATED = "dated_move_l AND dated_move_r"

MOVE = Comparison(
    "move",
    ("moved_in",),
    "moved_in_l IS NULL OR moved_in_r IS NULL OR home_key_l = home_key_r OR home_key_l IS NULL OR home_key_r IS NULL",
    (
        # no namesake's bill ends on the day: what is taken off for names that go together is given back
        Level(
            "a bill or tenancy ends as the other begins elsewhere, within a week",
            f"{_BOTH_DATED} AND {_DAYS} <= 7",
            discount=-NAMES_GO_TOGETHER,
        ),
        Level("one leaves as the other arrives elsewhere, within a week", f"{_DAYS} <= 7"),
        Level("one leaves as the other arrives elsewhere, within three months", f"{_DAYS} <= 92"),
        Level(
            "two bills or tenancies at once in two homes, for over three months", f"{_BOTH_DATED} AND {_AT_ONCE} > 92"
        ),
        Level("a bill or tenancy ends far from where the other begins", f"{_BOTH_DATED} AND {_DAYS} IS NOT NULL"),
        Level("both live on in two homes, or did so for over a year", f"{_AT_ONCE} > 366", m=0.2),
        Level("leaving and arriving lie apart", "ELSE", m=0.3),
    ),
)

_JOINT = f"biller_l = biller_r AND home_key_l = home_key_r AND {_AT_ONCE} > {JOINT_DAYS}"

JOINT = Comparison(
    "joint",
    ("biller",),
    _null("biller"),
    (
        Level("two names on the bills or tenancies of one home at one time", _JOINT, weight=JOINT_WEIGHT),
        Level("not billed together", "ELSE", weight=0.0),
    ),
)

COMPARISONS = (
    FORENAME,
    HOME,
    MIDDLE,
    BIRTH_DATE,
    SEX,
    number("nino", "national insurance number"),
    number("nhs_number", "NHS number"),
    CONTACT,
    MOVE,
    JOINT,
)


def as_settings(comparison: Comparison) -> dict[str, Any]:
    """The comparison as Splink reads it from a model file."""
    levels: list[dict[str, Any]] = [
        {"sql_condition": comparison.null, "label_for_charts": comparison.null_words, "is_null_level": True}
    ]
    for level in comparison.levels:
        condition = level.condition
        for part, meaning in _HOME_PARTS.items():
            condition = condition.replace(part, meaning)
        settings: dict[str, Any] = {"sql_condition": condition, "label_for_charts": level.words}
        if level.weight is not None:
            settings |= {
                "m_probability": UNIQUE_ID_U * 2.0**level.weight,
                "u_probability": UNIQUE_ID_U,
                "fix_m_probability": True,
                "fix_u_probability": True,
            }
        if level.u is not None:
            settings |= {"u_probability": level.u, "fix_u_probability": True}
        if level.term is not None:
            settings |= {
                "tf_adjustment_column": level.term,
                "tf_adjustment_weight": 1.0,
                "disable_tf_exact_match_detection": True,
            }
        levels.append(settings)
    return {"output_column_name": comparison.name, "comparison_levels": levels}


def local_levels() -> set[tuple[str, str]]:
    """(comparison, level) whose u is a share of neighbours, so falls with the population."""
    return {(each.name, level.words) for each in COMPARISONS for level in each.levels if level.local}


def levels_by_chance() -> dict[tuple[str, str], str]:
    """(comparison, level) -> the part of a name whose chance agreement a place of few names makes commoner."""
    return {
        (each.name, level.words): level.by_chance for each in COMPARISONS for level in each.levels if level.by_chance
    }
