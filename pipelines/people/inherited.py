"""Protection that reaches further than the record that bears the flag: another record of the same person under a former
identity, and everybody who lives where a sealed person does.

A flag reaches records of those sources only that are read nowhere where the flag's own source is not: else a purpose
would show by what is missing what a source outside it knows.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from pipelines.governance.protection import NEVER_LINK, SEAL, listed
from pipelines.sources.facts_build import fact_at_hand
from pipelines.warehouse import Warehouse

#: UPRN and source: the source's records and addresses there say nothing of the place.
SEALED_PLACE = "identity.people.sealed_place"
#: Flagged source and source: a flag of the first reaches records of the second.
_REACH = "protection_reach"
_RECORD = "identity.people.record"


def load_reach(wh: Warehouse, views: Mapping[str, Sequence[str]]) -> None:
    """Write the temporary table of which source's flags reach which source's records."""
    sources = sorted({source for names in views.values() for source in names})
    where = {source: {view for view, names in views.items() if source in names} for source in sources}
    pairs = [(flagged, source) for flagged in sources for source in sources if where[source] <= where[flagged]]
    with wh.given(pl.DataFrame(pairs, schema={"flagged": pl.String, "source": pl.String}, orient="row")):
        wh.execute(f"CREATE OR REPLACE TEMP TABLE {_REACH} AS SELECT * FROM given")


def seal_places(wh: Warehouse, address_uprn: str) -> int:
    """Write SEALED_PLACE from where sealed people are today; needs load_reach. `address_uprn` as places give it."""
    return wh.table(
        SEALED_PLACE,
        f"""-- one row per place of a sealed person and source that says nothing of it
        SELECT DISTINCT u.uprn, w.source
        FROM identity.facts.person_record p
        JOIN {fact_at_hand(wh, "residence")} r USING (record_id)
        JOIN {address_uprn} u ON u.address_id = r.address_id
        JOIN {_REACH} w ON w.flagged = p.source
        WHERE p.sensitivity IN ({listed(SEAL)}) AND p.valid_to IS NULL AND r.valid_to IS NULL AND u.uprn IS NOT NULL
            AND (r.to_date IS NULL OR r.to_date >= DATE '{wh.as_of:%Y-%m-%d}')
        ORDER BY ALL""",
    )


def sealed_places(wh: Warehouse) -> str:
    """SQL: SEALED_PLACE, without rows where people were never read."""
    return SEALED_PLACE if wh.exists(SEALED_PLACE) else "(SELECT NULL::BIGINT AS uprn, NULL AS source WHERE false)"


def inherit_flags(wh: Warehouse) -> int:
    """Give every record that is of somebody never to be linked that flag too; needs load_reach. Returns how many.

    It is of the same person if a number or, with the birth date, a contact or a name at the same home agrees: then the
    record stands under the former identity, or under the new one where nobody entered the flag.
    """
    agree = (  # each a join by equals
        "o.nino = f.nino",
        "o.nhs_number = f.nhs_number",
        "o.birth_date = f.birth_date AND o.email = f.email",
        "o.birth_date = f.birth_date AND o.phone = f.phone",
        "o.birth_date = f.birth_date AND o.home_key = f.home_key AND o.surname_key = f.surname_key",
        "o.birth_date = f.birth_date AND o.home_key = f.home_key AND o.forename_root = f.forename_root",
    )
    former = " UNION ALL ".join(
        f"SELECT o.record_id, f.sensitivity FROM flagged f JOIN alike o ON {same} "
        f"JOIN {_REACH} w ON w.flagged = f.source AND w.source = o.source"
        for same in agree
    )
    # records are sought once for all of these, by what each of them asks for
    first = " OR ".join(f"{each} IN (SELECT {each} FROM flagged)" for each in ("nino", "nhs_number", "birth_date"))
    return len(
        wh.rows(
            f"""UPDATE {_RECORD} AS r SET sensitivity = f.sensitivity
            FROM (WITH flagged AS (SELECT * FROM {_RECORD} WHERE sensitivity IN ({listed(NEVER_LINK)})),
                alike AS MATERIALIZED (SELECT record_id, source, nino, nhs_number, birth_date, email, phone, home_key,
                    surname_key, forename_root FROM {_RECORD} WHERE sensitivity IS NULL AND ({first}))
                SELECT record_id, min(sensitivity) AS sensitivity FROM ({former}) GROUP BY record_id) f
            WHERE r.record_id = f.record_id RETURNING r.record_id"""
        )
    )
