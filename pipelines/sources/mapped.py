"""The facts of a table with one person a row, from what its contract's `maps` says of each column."""

from collections.abc import Iterator

from pipelines.sources.contracts import Code, Contract, PersonalClass, Table
from pipelines.sources.joined_keys import joined
from pipelines.sources.person_map import PersonMap

# How personal a column must be declared for what it is mapped to.
CLASSES: dict[str, PersonalClass] = {
    **dict.fromkeys(("title", "forename", "middle", "surname", "name_text", "former_surname"), "name"),
    **dict.fromkeys(("birth_date", "birth_year", "age"), "birth_date"),
    **dict.fromkeys(("nino", "nhs_number", "person_number"), "identifier"),
    **dict.fromkeys(("phone", "email"), "contact"),
    **dict.fromkeys(("address", "postcode", "uprn"), "address"),
}  # fmt: skip
_DATED = "extract_date, valid_from, valid_to, loaded_run"
_OLDEST_AGE = 130


def mistakes(table: Table) -> Iterator[tuple[str, str]]:
    """(meaning, problem) of everything in the table's `maps` that can't be."""
    maps = table.maps
    if maps is None:
        return
    if not table.key:
        yield "", "needs a `key`: the columns that name a row in every extract"
    if not maps.names:
        yield "", "maps no name; state which column is forename and surname, or name_text"
    kept = {column.staged: column for column in table.kept}
    for meaning in PersonMap.model_fields:
        for name in maps.named(meaning):
            if name not in kept:
                yield meaning, f"names `{name}`, which is no kept column of the table; use the names after `as:`"
            elif meaning in CLASSES and kept[name].personal != CLASSES[meaning]:
                yield meaning, f"is of column `{name}`, which must then say `personal: {CLASSES[meaning]}`"
            elif (wanted := _type_wanted(maps, meaning)) and kept[name].type not in wanted:
                yield meaning, f"is of column `{name}`, which must then say `type: {wanted[0]}`"
    if len(maps.birth_date) not in (0, 1, 3):
        yield "birth_date", "is one date column, or three: year, month, day"


def _type_wanted(maps: PersonMap, meaning: str) -> tuple[str, ...]:
    if meaning == "death_date" or (meaning == "birth_date" and len(maps.birth_date) == 1):
        return ("date",)
    return ("integer", "bigint") if meaning in ("birth_date", "birth_year", "age") else ()


def fact_sql(contract: Contract, table: Table, fact: str) -> str:
    """The SQL that a file <fact>.sql would hold; `${table}` stands for the newest rows of the table."""
    if table.maps is None or fact not in table.maps.facts:
        raise ValueError(f"{contract.name} maps no {fact}")
    maps, source = table.maps, "${" + table.name + "}"
    key = joined(table.slot.key if table.slot else table.key)
    if fact == "person_record":
        given = ", ".join(f"{_value(table, maps, name)} AS {name}" for name in _TEXTS)
        return f"""-- one row per row of {table.name}: its person
            SELECT record_id, {key} AS source_key, occupant, 'person' AS role, {given},
                {_born(maps)} AS birth_date, {maps.death_date or "NULL::DATE"} AS death_date,
                NULL AS sensitivity, {_DATED}
            FROM {source}"""
    if fact == "address":
        uprn = f"whole_uprn({maps.uprn})" if maps.uprn else "NULL::BIGINT"
        return f"""-- one row per row of {table.name}: the address that it gives
            SELECT record_id AS address_id, substr(record_id, {len(contract.name) + 2}) AS address_key,
                {_address(maps)} AS address_text, {_value(table, maps, "postcode")} AS postcode, {uprn} AS uprn_given,
                NULL AS xref_source, NULL AS xref_key, {_DATED}
            FROM {source}"""
    return f"""-- one row per row of {table.name}: who lives there
            SELECT record_id, record_id AS address_id, NULL::DATE AS from_date, NULL::DATE AS to_date,
                'contact' AS basis, {_DATED}
            FROM {source}"""


_TEXTS = (
    "title", "forename", "middle", "surname", "name_text", "former_surname", "sex", "nino", "nhs_number",
    "person_number", "phone", "email", "birth_place", "occupation",
)  # fmt: skip


def _value(table: Table, maps: PersonMap, meaning: str) -> str:
    """SQL: the text of one meaning, null where nothing is held."""
    columns = maps.named(meaning)
    if not columns:
        return "NULL::VARCHAR"
    if meaning == "sex":
        return _sex(columns[0], table.column(columns[0]).codes or {})
    return f"{columns[0]}::VARCHAR" if len(columns) == 1 else f"nullif(concat_ws(' ', {', '.join(columns)}), '')"


def _sex(column: str, codes: dict[str, str | Code]) -> str:
    """SQL: M, F or null, by the code list where there is one."""
    if not codes:
        return f"CASE WHEN upper(left({column}::VARCHAR, 1)) IN ('M', 'F') THEN upper(left({column}::VARCHAR, 1)) END"
    ways = []
    for code, meant in codes.items():
        says = meant if isinstance(meant, str) else meant.means
        if says[:1].lower() in ("m", "f"):
            quoted = code.replace("'", "''").replace("$", "$$")
            ways.append(f"WHEN '{quoted}' THEN '{says[0].upper()}'")
    return f"CASE {column}::VARCHAR {' '.join(ways)} END" if ways else "NULL::VARCHAR"


def _born(maps: PersonMap) -> str:
    """SQL: the birth date, or 1 January of its year where no more is known."""
    ways = []
    if len(maps.birth_date) == 1:
        ways.append(f"{maps.birth_date[0]}::DATE")
    elif maps.birth_date:
        year, month, day = maps.birth_date
        ways += [f"TRY(make_date({year}, {month}, {day}))", f"TRY(make_date({year}, 1, 1))"]
    if maps.birth_year:
        ways.append(f"TRY(make_date({maps.birth_year}, 1, 1))")
    if maps.age:
        year = f"year(extract_date) - {maps.age}"
        ways.append(f"CASE WHEN {maps.age} BETWEEN 0 AND {_OLDEST_AGE} THEN TRY(make_date({year}, 1, 1)) END")
    return f"coalesce({', '.join(ways)})" if ways else "NULL::DATE"


def _address(maps: PersonMap) -> str:
    """SQL: the parts of the address joined by commas; a bare number belongs to what follows it."""
    if not maps.address:
        return "NULL::VARCHAR"
    parts = [
        f"CASE WHEN {name} IS NOT NULL THEN {name}::VARCHAR || "
        f"CASE WHEN regexp_full_match({name}::VARCHAR, '[0-9]+[A-Za-z]?') THEN ' ' ELSE ', ' END END"
        for name in maps.address
    ]
    return f"nullif(rtrim(concat({', '.join(parts)}), ', '), '')"
