"""Signs of life, and what they say together; the counts against a known population."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.residents.reconciliation import POPULATION, RECONCILIATION, reconcile
from pipelines.residents.residents import RESIDENT, build_residents
from pipelines.warehouse import Warehouse, scratch_warehouse

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("signs.yaml").read_text("utf-8"))["cases"]
DAY = date(2026, 10, 31)


def rows_of(numbers: range) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """record, record_address and discount rows of the cases."""
    records, stays, discounts = [], [], []
    for number in numbers:
        case = CASES[number]
        for person, signs in case["signs"].items():
            surname, initial = case.get("names", {}).get(person, (f"NAME{number}{person}", person.upper()))
            for place, (source, basis, home, start, end) in enumerate(signs):
                record = f"{number}/{person}/{source}/{place}"
                died = case.get("died", {}).get(person)
                born = case.get("born", {}).get(person)
                records.append((record, source, f"{number}{person}", died, born, surname, initial))
                stays.append((record, f"{source}:{home}", home, start, end, basis))
        discounts += [(f"council_tax:{home}", "exemption", "F") for home in case.get("empty", [])]
        discounts += [(f"council_tax:{home}", "discount", "single_person") for home in case.get("occupied", [])]
    return records, stays, discounts


def build(wh: Warehouse, numbers: range, without: str = "") -> dict[str, tuple[Any, ...]]:
    records, stays, discounts = rows_of(numbers)
    kept = {row[0] for row in records if row[1] != without}
    frame = pl.DataFrame(
        [row for row in records if row[0] in kept],
        schema={"record_id": pl.String, "source": pl.String, "person_id": pl.String, "death_date": pl.Date,
                "birth_date": pl.Date, "surname_key": pl.String, "initial": pl.String}, orient="row")  # fmt: skip
    wh.con.register("given_record", frame)
    wh.table(
        "identity.people.record",
        "SELECT record_id, source, death_date, birth_date, 'F' AS sex, true AS acts_as_adult,"
        " surname_key, NULL::VARCHAR AS forename, initial FROM given_record",
    )
    wh.table("identity.linkage.membership", "SELECT 'fraud' AS view, record_id, person_id FROM given_record")
    wh.con.register(
        "given_stay",
        pl.DataFrame([row for row in stays if row[0] in kept], orient="row", schema={
            "record_id": pl.String, "address_id": pl.String, "uprn": pl.Int64, "from_date": pl.Date, "to_date": pl.Date,
            "basis": pl.String}))  # fmt: skip
    wh.table(
        "identity.people.record_address",
        "SELECT *, uprn::VARCHAR AS home_key, 'SS1 1CK' AS postcode FROM given_stay",
    )
    wh.con.register("given_discount", pl.DataFrame(discounts, orient="row", schema=["address_id", "kind", "code"]))
    wh.table(
        "identity.facts.discount",
        "SELECT *, 'council_tax' AS source, NULL::DATE AS from_date, NULL::DATE AS to_date, NULL::DATE AS valid_to"
        " FROM given_discount",
    )
    wh.table("identity.linkage.household", "SELECT 'fraud' AS view, 'h' AS household_id, 0::BIGINT AS uprn")
    wh.table(
        "identity.linkage.household_member",
        "SELECT 'fraud' AS view, 'h' AS household_id, 'p' AS person_id, NULL::DATE AS to_date",
    )
    build_residents(wh, {"fraud": ("council_tax",)}, DAY)
    return {row[0]: row[1:] for row in wh.rows(f"SELECT person_id, class, uprn, reasons FROM {RESIDENT}")}


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, tuple[Any, ...]]]:
    with scratch_warehouse(DAY) as wh:
        yield build(wh, range(len(CASES)))


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["what"] for case in CASES])
def test_case(found: dict[str, tuple[Any, ...]], number: int) -> None:
    case = CASES[number]
    for person, expected in case["class"].items():
        got, _, reasons = found[f"{number}{person}"]
        assert got == expected, reasons
        assert reasons
    for person, home in case.get("home", {}).items():
        assert found[f"{number}{person}"][1] == home


def population(wh: Warehouse, cells: list[tuple[str, str, int, int]]) -> None:
    wh.con.register("given_cell", pl.DataFrame(cells, orient="row", schema=["wd25cd", "sex", "age_from", "residents"]))
    wh.table(POPULATION, "SELECT *, 'Ward ' || wd25cd AS wd25nm, NULL::DATE AS valid_to FROM given_cell")


def people(*rows: tuple[str | None, str | None, int | None, int]) -> pl.DataFrame:
    each = [(ward, sex, age) for ward, sex, age, count in rows for _ in range(count)]
    frame = pl.DataFrame(each, orient="row", schema={"ward_code": pl.String, "sex": pl.String, "age": pl.Int32})
    return frame.with_columns(
        person_id=pl.int_range(pl.len()).cast(pl.String), acts_as_adult=pl.col("age").is_null() | (pl.col("age") > 17)
    )


def test_weights_make_up_for_those_whom_nobody_sees() -> None:
    """Two wards, adults seen nine in ten, children three in ten; ages and sexes partly unknown."""
    with scratch_warehouse(DAY) as wh:
        population(wh, [(w, s, a, 100) for w in ("A", "B") for s in ("F", "M") for a in (0, 15)])
        seen = people(
            ("A", "F", 30, 50), ("A", None, 30, 80), ("A", "M", None, 50), ("B", "F", 30, 90), (None, "M", 30, 90),
            *((w, s, 5, 30) for w in ("A", "B") for s in ("F", "M")))  # fmt: skip
        result = reconcile(wh, seen, "fraud")
        weighted = seen.join(result.weights, on="person_id")
        assert weighted["weight"].sum() == pytest.approx(800, rel=1e-3)
        children = weighted.filter(pl.col("age") < 18)
        assert children["weight"].mean() == pytest.approx(100 / 30, rel=0.02)
        wards = wh.rows(f"SELECT ward_code, sum(known), sum(reconciled) FROM {RECONCILIATION} GROUP BY 1 ORDER BY 1")
        assert [row[0] for row in wards] == ["A", "B"]
        assert all(known == pytest.approx(fitted, rel=1e-4) for _, known, fitted in wards)
        assert result.figures["share seen"] == pytest.approx(seen.height / 800, abs=1e-3)


def test_without_a_known_population_nothing_is_weighted() -> None:
    with scratch_warehouse(DAY) as wh:
        assert reconcile(wh, people(("A", "F", 30, 5)), "fraud").weights.is_empty()
        assert wh.scalar(f"SELECT count(*) FROM {RECONCILIATION}") == 0
