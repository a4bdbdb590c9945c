"""How a good delivery is damaged, so that every generated rule of one kind fails."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from pipelines.quality.identifiers import postcode_of
from pipelines.sources.contracts import Contract
from pipelines.sources.intake import Candidate
from pipelines.warehouse import Warehouse
from quality_checks.rules import Rule
from tests.quality import good

_GENUINE = {"nhs_number": "'1111111111'", "nino": "'TN000000A'", "ni_no": "'TN000000A'"}
#: Kinds that need the profile of the delivery.
AGAINST_THE_LAST = frozenset({"fill_drop", "spread", "changed", "repeated", "gone", "stalled", "in_place"})


def kind_of(rule: Rule) -> str:
    """The last word of a rule's name, without the columns that some bear."""
    return kind_of_name(rule.name)


def kind_of_name(name: str) -> str:
    word = name.rpartition(".")[2]
    return next((kind for kind in ("unique", "after") if word.startswith(kind + "_")), word)


def apply(wh: Warehouse, contract: Contract, text: str) -> None:
    """Run statements on the candidate tables, named ${table}."""
    for statement in filter(str.strip, text.split(";")):
        for table in contract.tables:
            statement = statement.replace("${" + table.name + "}", contract.candidate(table.name))
        wh.execute(statement)


def spoil(wh: Warehouse, contract: Contract, kind: str, rules: list[Rule]) -> Candidate:
    """A good delivery with the matter of every rule of the kind damaged. KeyError for a kind without a damage."""
    if kind in _OF_EXTRACT:
        return _OF_EXTRACT[kind](wh, contract)
    spoiled = good.candidate(wh, contract)
    for rule in rules:
        apply(wh, contract, _OF_RULE[kind](contract, rule))
    return spoiled


def of_rule(contract: Contract, rule: Rule) -> str:
    """Statements that damage the matter of one rule."""
    return _OF_RULE[kind_of(rule)](contract, rule)


def _set(rule: Rule, value: str, column: str | None = None) -> str:
    return f'UPDATE ${{{rule.table}}} SET "{column or rule.column}" = {value}'


def _type(contract: Contract, rule: Rule) -> str:
    assert rule.column
    return contract.table(rule.table).column(rule.column).type


def _out_of_range(contract: Contract, rule: Rule) -> str:
    low, high = rule.parameters.get("min"), rule.parameters.get("max")
    if isinstance(high, dict):
        high = good.DAY
    bound, step = (high, "+ 1") if high is not None else (low, "- 1")
    return _set(rule, f"DATE '{bound}' {step}" if isinstance(bound, date) else f"{bound} {step}")


def _nowhere(contract: Contract, rule: Rule) -> str:
    kind = _type(contract, rule)
    # a table of its own word, so that what points at a column that points elsewhere finds nothing either
    return _set(rule, f"'nowhere {rule.table}'" if kind == "text" else f"-{1 + len(rule.table)}")


def _elsewhere(contract: Contract, rule: Rule) -> str:
    """Another distribution: another code, longer text, other months years away, numbers of another size."""
    assert rule.column
    column, name = contract.table(rule.table).column(rule.column), f'"{rule.column}"'
    if column.codes is not None:
        codes = ", ".join("'" + code.replace("'", "''") + "'" for code in column.codes)
        held = f"(SELECT count(*) FROM ${{{rule.table}}} AS t WHERE t.{name} = code)"
        rarest = f"(SELECT arg_min(code, {held}) FROM unnest([{codes}]) AS u(code))"
        return _set(rule, rarest if len(column.codes) > 1 else "'no such code'")
    to = {
        "text": f"repeat('x', 30) || {name}",
        "date": f"DATE '1981-07-07' - (dayofyear({name}) % 5)::INTEGER",
        "decimal": f"1e7 + {name}",
    }
    return _set(rule, to.get(column.type, f"1000000 + {name} * 100"))


def _changed(contract: Contract, rule: Rule) -> str:
    name = f'"{rule.column}"'
    to = {"text": f"concat({name}, 'x')", "date": f"{name} + 1"}
    return _set(rule, to.get(_type(contract, rule), f"{name} + 1"))


def _shifted(contract: Contract, rule: Rule) -> str:
    """Each column holds what stood in the one before it, as far as it can be read there."""
    kept = contract.table(rule.table).kept
    moved = (
        f'"{to.staged}" = TRY_CAST("{of.staged}" AS {to.sql_type})'
        for to, of in zip(kept, [kept[-1], *kept], strict=False)
    )
    return f"UPDATE ${{{rule.table}}} SET {', '.join(moved)}"


def _double(contract: Contract, rule: Rule) -> str:
    return f"INSERT INTO ${{{rule.table}}} SELECT t.* FROM ${{{rule.table}}} AS t, range(3)"


def _rekey(contract: Contract, rule: Rule) -> str:
    key = contract.table(rule.table).key[0]
    numeric = contract.table(rule.table).column(key).type != "text"
    to = f'"{key}" + 1000' if numeric else f"'new ' || \"{key}\""
    if contract.table(rule.table).column(key).type == "date":
        to = f'"{key}" + 5000'
    return _set(rule, to, key)


def _postcode(contract: Contract, rule: Rule) -> str:
    return _set(rule, "'ZZ9 9ZZ'", postcode_of(contract.table(rule.table)))


_OF_RULE: dict[str, Callable[[Contract, Rule], str]] = {
    "filled": lambda _, rule: _set(rule, "NULL"),
    "fill_rate": lambda _, rule: _set(rule, "NULL"),
    "fill_drop": lambda _, rule: _set(rule, "NULL"),
    "every": lambda contract, rule: _set(rule, "'elsewhere'" if _type(contract, rule) == "text" else "NULL"),
    "form": lambda _, rule: _set(rule, "'?!'"),
    "codes": lambda _, rule: _set(rule, "'no such code'"),
    "range": _out_of_range,
    "reference": _nowhere,
    "placeholder": lambda _, rule: _set(rule, "DATE '1900-01-01'"),
    "first_of_january": lambda _, rule: _set(rule, "DATE '1999-01-01'"),
    "genuine": lambda _, rule: _set(rule, _GENUINE[str(rule.column)]),
    "known_uprn": lambda contract, rule: _set(rule, "'1'" if _type(contract, rule) == "text" else "1"),
    "uprn_postcode": _postcode,
    "spread": _elsewhere,
    "changed": _changed,
    "repeated": lambda contract, rule: _double(contract, rule),
    "gone": _rekey,
    "in_place": _shifted,
    "stalled": lambda *_: "",  # a good delivery is the last one once more
    "unique": _double,
    "after": lambda _, rule: _set(rule, f'"{rule.parameters["other"]}" - 10'),
    "columns": lambda _, rule: f"ALTER TABLE ${{{rule.table}}} ADD COLUMN religion VARCHAR",
    "rows": lambda _, rule: f"DELETE FROM ${{{rule.table}}}",
    "row_count_warning": lambda _, rule: f"DELETE FROM ${{{rule.table}}}",
    "row_count_critical": lambda _, rule: f"DELETE FROM ${{{rule.table}}}",
}


def _without_purpose(wh: Warehouse, contract: Contract) -> Candidate:
    tables = tuple(
        table.model_copy(update={"columns": tuple(c.model_copy(update={"why": ""}) for c in table.columns)})
        for table in contract.tables
    )
    return good.candidate(wh, contract.model_copy(update={"tables": tables}))


def _expired(wh: Warehouse, contract: Contract) -> Candidate:
    over = {name: basis.model_copy(update={"expires": date(2020, 1, 1)}) for name, basis in contract.purposes.items()}
    return good.candidate(wh, contract.model_copy(update={"purposes": over}))


def _unreadable(wh: Warehouse, contract: Contract) -> Candidate:
    spoiled = good.candidate(wh, contract)
    faults = {c.staged: good.ROWS for table in contract.tables for c in table.kept}
    tables = {name: replace(table, value_faults=faults) for name, table in spoiled.tables.items()}
    return replace(spoiled, tables=tables)


def _aged(days: int) -> Callable[[Warehouse, Contract], Candidate]:
    return lambda wh, contract: good.candidate(wh, contract, good.DAY - timedelta(days))


_OF_EXTRACT: dict[str, Callable[[Warehouse, Contract], Candidate]] = {
    "late": lambda wh, contract: _aged(contract.refresh_days + 1)(wh, contract),
    "past_retention": lambda wh, contract: _aged(contract.retention_days + 1)(wh, contract),
    "future": _aged(-1),
    "expired_purposes": _expired,
    "purpose": _without_purpose,
    "readable": _unreadable,
    "usable_warning": lambda wh, contract: good.candidate(wh, contract, set_aside=good.ROWS),
    "usable_critical": lambda wh, contract: good.candidate(wh, contract, set_aside=good.ROWS),
}
