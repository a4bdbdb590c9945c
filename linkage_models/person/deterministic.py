"""Pairs that are certain without a model. A rule is a set of columns that must all agree; each is inside a blocking
rule."""

RULES: dict[str, tuple[str, ...]] = {
    "nino_birth_date": ("nino", "birth_date"),
    "nhs_number_birth_date": ("nhs_number", "birth_date"),
    "nino_name": ("nino", "forename_root", "surname_key"),
    "nhs_number_name": ("nhs_number", "forename_root", "surname_key"),
    "name_birth_date_home": ("forename_root", "surname_key", "birth_date", "home_key"),
}


def deterministic_key_sql(columns: set[str], left: str = "l", right: str = "r") -> str:
    """Expression naming the first rule that a pair of records meets, else null."""
    cases = [
        f"WHEN {' AND '.join(f'{left}.{key} = {right}.{key}' for key in keys)} THEN '{name}'"
        for name, keys in RULES.items()
        if columns.issuperset(keys)
    ]
    return f"CASE {' '.join(cases)} END" if cases else "NULL::VARCHAR"
