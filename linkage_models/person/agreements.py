"""What two records agree on when a rule brings them together, in words."""

from linkage_models.person import blocking, deterministic

WORDS = {
    "nino": "National Insurance number",
    "nhs_number": "NHS number",
    "birth_date": "birth date",
    "birth_year": "year of birth",
    "forename": "forename",
    "forename_root": "forename",
    "surname_key": "surname",
    "surname_phonetic": "sound of surname",
    "name_key": "names in either order",
    "given_key": "given names",
    "initial": "initial",
    "home_key": "home",
    "postcode": "postcode",
    "month_out=month_in": "month of a move",
    "month_after=month_in": "month after a move",
    "birthday": "day and month of birth",
    "birth_deletes[]": "birth date but for one digit",
    "nino_deletes[]": "National Insurance number but for one sign",
    "email_deletes[]": "email address but for one sign",
    "initial=surname_initial": "initial with the other's surname",
    "surname_initial=initial": "surname with the other's initial",
    "initial=middle_initial": "initial with the other's middle name",
    "phone": "phone number",
    "email": "email address",
}


def agreement(rule: str) -> str:
    """The columns of a blocking or certain rule as a list in words: `birth date and forename`."""
    *first, last = (WORDS[key] for key in {**blocking.RULES, **deterministic.RULES}[rule])
    return f"{', '.join(first)} and {last}" if first else last
