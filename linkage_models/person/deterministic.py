"""Pairs that are certain without a model: sets of columns that must all agree, each inside a blocking rule."""

RULES: dict[str, tuple[str, ...]] = {
    "nino_birth_date": ("nino", "birth_date"),
    "nhs_number_birth_date": ("nhs_number", "birth_date"),
    "nino_name": ("nino", "forename_root", "surname_key"),
    "nhs_number_name": ("nhs_number", "forename_root", "surname_key"),
    "name_birth_date_home": ("forename_root", "surname_key", "birth_date", "home_key"),
}


COLUMNS = sorted({key for keys in RULES.values() for key in keys})


def deterministic_key_sql() -> str:
    """Expression over x_l and x_r naming the first rule that a pair of records meets, else null."""
    cases = [f"WHEN {' AND '.join(f'{key}_l = {key}_r' for key in keys)} THEN '{name}'" for name, keys in RULES.items()]
    return f"CASE {' '.join(cases)} END"
