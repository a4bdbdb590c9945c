"""Which identifiers can be genuine: check digits and prefixes, by the staged name of the column.

NHS number: NHS Data Dictionary, modulus 11: the digits, weighted 10 to 1, sum to a multiple of it. National Insurance
number: HMRC manual NIM39110; ZZ is never issued, which is why the synthetic borough uses it, so it passes here.
"""

from dataclasses import dataclass

from pipelines.sources.contracts import Table

_DIGITS = "TRY_CAST(replace({0}, ' ', '') AS BIGINT)"
_WEIGHED = " + ".join(f"{weight} * ({_DIGITS} // {10 ** (weight - 1)} % 10)" for weight in range(1, 11))
_NHS = f"""
    regexp_full_match(replace({{0}}, ' ', ''), '[0-9]{{{{10}}}}')
    AND {_DIGITS} % 1111111111 <> 0 AND ({_WEIGHED}) % 11 = 0
"""
_NINO = """
    regexp_full_match(upper(replace({0}, ' ', '')), '(ZZ|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z])[0-9]{{6}}[A-DT]?')
    AND left(upper({0}), 2) NOT IN ('BG', 'GB', 'KN', 'NK', 'NT', 'TN')
"""


@dataclass(frozen=True)
class Identifier:
    """What a genuine number of this kind satisfies: a SQL condition with {0} for the column."""

    title: str
    sentence: str
    condition: str


_NHS_NUMBER = Identifier("NHS number", "has a right check digit", _NHS)
_NINO_NUMBER = Identifier("National Insurance number", "has a prefix and form that are issued", _NINO)

IDENTIFIERS = {"nhs_number": _NHS_NUMBER, "nino": _NINO_NUMBER, "ni_no": _NINO_NUMBER}
POSTCODE_COLUMNS = ("postcode", "post_code", "property_post_code")  # of the same place as the row's UPRN
UPRN_COLUMNS = frozenset({"uprn", "property_urn"})


def postcode_of(table: Table) -> str | None:
    """The column with the postcode of the place that the table's UPRN names; None if there is none."""
    return next((name for name in POSTCODE_COLUMNS if name in table.staged_columns), None)
