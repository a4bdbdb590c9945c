"""Agreement with other sources: of records that surely mean one person, how often a source's birth date or number is
another source's too. Known only once records are linked, so it joins the results of the extract in force afterwards.

Sure is a pair of records of two sources in one person whose match weight reaches the link threshold. The value itself
speaks in that weight, so the share is a little kind; it compares sources and months with each other.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pipelines.faults import BoroughlinkError
from pipelines.quality.gate import RESULT, row_of
from pipelines.quality.parts import WARNING
from pipelines.quality.thresholds import thresholds
from pipelines.sources.contracts import Contract
from pipelines.sources.intake import INTAKE
from pipelines.view_edges import compared_in
from pipelines.warehouse import Warehouse
from quality_checks.principles import Dimension, Principle
from quality_checks.rules import Missing, Rule, RuleResult
from quality_checks.runner import run_rules

VIEW = "data_quality"
_RECORD = "people.record"
_FIELDS = {"birth_date": "birth date", "nino": "National Insurance number", "nhs_number": "NHS number"}
_NEEDED = ("linkage.edge", "linkage.membership", "linkage.threshold", _RECORD)


def agreement_rules(contract: Contract) -> list[Rule]:
    """One rule a field that people are known by."""
    return [
        Rule(
            name=f"agreement.{field}",
            source=contract.name,
            table=_RECORD,
            principle=Principle.ACCURATE,
            severity=WARNING,
            sentence=f"The {title} is another source's too, where both surely mean the same person.",
            kind="measured",
            column=field,
            parameters={"sql": {"$PARAMETER": f"{contract.name}.{field}"}},
            tolerance=thresholds().disagreement,
            dimension=Dimension.ACCURACY,
            owner=contract.owner,
        )
        for field, title in _FIELDS.items()
    ]


def note_agreement(wh: Warehouse, contracts: Iterable[Contract]) -> list[RuleResult]:
    """Judge the agreement of every source with the others and add it to what was found of its extract in force.

    Returns the results, three a source. Raises CheckBroken.
    """
    held = list(contracts)
    if not all(wh.exists(f"identity.{table}") for table in (*_NEEDED, "quality.result")):
        return []
    given = _evidence(wh, held)
    rules = [rule for contract in held for rule in agreement_rules(contract)]
    results = run_rules(wh.con, _named_apart(rules), {_RECORD: f"identity.{_RECORD}"}, given)
    found = [replace(result, rule=rule) for rule, result in zip(rules, results, strict=True)]
    for contract in held:
        _add(wh, contract, [result for result in found if result.rule.source == contract.name])
    return found


def _named_apart(rules: list[Rule]) -> list[Rule]:
    """The rules under names that no two sources share, as the runner wants those of one table."""
    return [replace(rule, name=f"{rule.source}.{rule.name}") for rule in rules]


def _evidence(wh: Warehouse, contracts: list[Contract]) -> dict[str, Any]:
    """By source and field SQL (rows, failures); Missing where too few records can be held against others."""
    few = Missing(f"fewer than {thresholds().agreement_least} records can be held against another source")
    found: dict[str, Any] = {f"{c.name}.{field}": few for c in contracts for field in _FIELDS}
    for field in _FIELDS:
        rows = wh.rows(
            f"""-- one source: its records with another source's value beside theirs, and those that agree with none
            SELECT source, count(*), count(*) FILTER (NOT agrees) FROM ({_held(wh, field)}) AS held GROUP BY source"""
        )
        for source, records, disagreeing in rows:
            if records >= thresholds().agreement_least:
                found[f"{source}.{field}"] = f"SELECT {records} AS rows, {disagreeing} AS failures"
    return found


def disagreeing(wh: Warehouse, source: str, field: str) -> list[tuple[str, Any]]:
    """Key and extract of a source's records whose value is no other source's, without those of protected people."""
    if not all(wh.exists(f"identity.{table}") for table in _NEEDED):
        raise BoroughlinkError("Records have not been linked yet: agreement with other sources is not known.")
    return wh.rows(
        f"""-- one record of the source that agrees with no other source
        SELECT r.source_key, (SELECT max(extract_date) FROM {INTAKE} WHERE source = $source AND state = 'accepted')
        FROM ({_held(wh, field)}) AS held JOIN identity.{_RECORD} AS r USING (record_id)
        WHERE held.source = $source AND NOT agrees AND r.sensitivity IS NULL ORDER BY 1""",
        {"source": source},
    )


def _held(wh: Warehouse, field: str) -> str:
    """SQL: a row for each record with another source's value beside its own, and whether one of them agrees."""
    return f"""
        WITH sure AS (
            SELECT e.record_l, e.record_r FROM {compared_in(wh, VIEW)} AS e
            JOIN identity.linkage.membership AS l ON l.record_id = e.record_l AND l.view = '{VIEW}'
            JOIN identity.linkage.membership AS r ON r.record_id = e.record_r AND r.view = '{VIEW}'
            WHERE l.person_id = r.person_id AND e.match_weight >=
                  (SELECT max(link) FROM identity.linkage.threshold WHERE view = '{VIEW}')
        ),
        beside AS (
            SELECT record_l AS record_id, record_r AS other FROM sure
            UNION ALL SELECT record_r, record_l FROM sure
        )
        SELECT mine.source, mine.record_id, bool_or(mine.{field} = other.{field}) AS agrees
        FROM beside
        JOIN identity.{_RECORD} AS mine ON mine.record_id = beside.record_id
        JOIN identity.{_RECORD} AS other ON other.record_id = beside.other
        WHERE CASE WHEN mine.source = other.source THEN false ELSE true END
            AND mine.{field} IS NOT NULL AND other.{field} IS NOT NULL
        GROUP BY ALL"""


def _add(wh: Warehouse, contract: Contract, results: list[RuleResult]) -> None:
    """Put the results with those of the source's newest judgement, if it was of the extract in force."""
    newest = wh.rows(
        f"""-- the newest judgement of a source, where its extract is the one in force
        SELECT DISTINCT judgement, run_id, extract_date FROM {RESULT}
        WHERE judgement = (SELECT max(judgement) FROM {RESULT} WHERE source = ?)
        AND extract_date = (SELECT max(extract_date) FROM {INTAKE} WHERE source = ? AND state = 'accepted')""",
        [contract.name, contract.name],
    )
    for judgement, run_id, day in newest:
        wh.execute(f"DELETE FROM {RESULT} WHERE judgement = ? AND rule LIKE 'agreement.%'", [judgement])
        for result in results:
            values = [judgement, run_id, contract.name, day, *row_of(result)]
            wh.execute(f"INSERT INTO {RESULT} VALUES ({', '.join('?' * len(values))})", values)
