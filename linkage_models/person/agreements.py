"""What two records agree on when a rule brings them together, in words."""

from linkage_models.person import blocking, deterministic, general
from linkage_models.thresholds import NOTHING_LINKS

WORDS = {
    "nino": "National Insurance number",
    "nhs_number": "NHS number",
    "person_number": "personal number",
    "number_deletes[]": "personal number but for one sign",
    "birth_date": "birth date",
    "birth_year": "year of birth",
    "forename": "forename",
    "forename_root": "forename",
    "surname_key": "surname",
    "surname_phonetic": "sound of surname",
    "telling_name": "a full name that few bear",
    "name_key": "names in either order",
    "given_key": "given names",
    "initial": "initial",
    "home_key": "home",
    "postcode": "postcode",
    "month_out=month_in": "month of a move",
    "month_after=month_in": "month after a move",
    "birth_deletes[]": "birth date but for one digit",
    "nino_deletes[]": "National Insurance number but for one sign",
    "email_deletes[]": "email address but for one sign",
    "initial=surname_initial": "initial with the other's surname",
    "surname_initial=initial": "surname with the other's initial",
    "initial=middle_initial": "initial with the other's middle name",
    "birth_place": "place of birth",
    "occupation": "occupation",
    "telling_words[]": "a rare word of the address",
    "address_number": "number of the house",
    "door": "number and street",
    "birth_digits": "digits of the birth date",
    "birthday": "day and month of birth",
    "forename_3": "beginning of the forename",
    "surname_3": "beginning of the surname",
    "rare_surname": "a rare surname",
    "rare_forename": "a rare forename",
    "rare_birth_date": "a rare birth date",
    "rare_postcode": "a small postcode",
    "rare_door": "a rare number and street",
    "phone": "phone number",
    "email": "email address",
}


def agreement(rule: str) -> str:
    """The columns of a blocking or certain rule as a list in words: `birth date and forename`."""
    *first, last = (WORDS[key] for key in {**general.RULES, **blocking.RULES, **deterministic.RULES}[rule])
    return f"{', '.join(first)} and {last}" if first else last


def warily_in_words(bits: float, bar: float, rivals: int) -> str:
    """What a pair of lists that do not show who comes twice must reach, and what keeps it from that."""
    sure = "none of them is" if bar >= NOTHING_LINKS else f"from {bar:+.1f} bits"
    others = f"{rivals:,} other records fit" if rivals > 1 else "another record fits"
    because = f": {others} one of the two about as well or better" if rivals else ""
    return (
        "Their records do not show whether anybody comes twice in these lists, so pairs join only where that is sure:"
        f" {sure}."
        f" Beside what else it may be, this one counts {bits:+.1f} bits{because}."
    )
