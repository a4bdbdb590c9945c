"""A small attributes zone by hand, and the sources that may serve it."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.governance.purposes import Purposes
from pipelines.releases.seen import open_views
from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contracts
from pipelines.warehouse import Warehouse

TODAY = date(2026, 11, 1)


def purposes(today: date = TODAY) -> Purposes:
    return Purposes.load(load_contracts(SHIPPED_SOURCES).values(), today)


@dataclass(frozen=True)
class Recipient:
    """Who gets a release: the key pair that only they hold."""

    key: str
    identity: object


def lay(wh: Warehouse, people: int = 3000) -> None:
    """People over two wards, ten deciles and two sexes, few of them very old; every fourth is helped."""
    wh.table(
        "attributes.attributes.person",
        "SELECT printf('id%05d', i) AS person_id, printf('home%05d', i // 2) AS household_id, age_from, "
        "printf('%02d-%02d', age_from, age_from + 4) AS age_band, if(i % 2 = 0, 'F', 'M') AS sex, "
        "if(i % 3 = 0, 'Leigh', 'Milton') AS ward, if(i % 3 = 0, 'E01000001', 'E01000002') AS lsoa, "
        "(i % 5 * 2 + 1)::INTEGER AS imd_decile, 'high' AS link_quality "
        "FROM (SELECT i, if(i % 100 = 7, 90, 20 + i % 4 * 5)::INTEGER AS age_from FROM range(?) AS t(i))",
        [people],
    )
    wh.table(
        "attributes.attributes.household",
        "SELECT household_id, 'two adults' AS composition FROM attributes.attributes.person GROUP BY ALL",
    )
    wh.table(
        "attributes.attributes.service_flag",
        "SELECT person_id, if(hash(person_id) % 8 = 0, 'adult_social_care', 'housing_benefit') AS service, "
        "DATE '2020-01-01' AS from_month, NULL::DATE AS to_month, true AS is_today "
        "FROM attributes.attributes.person WHERE hash(person_id) % 4 = 0 UNION ALL "
        "SELECT person_id, 'social_tenancy', DATE '2020-01-01', NULL::DATE, true "
        "FROM attributes.attributes.person WHERE hash(person_id) % 3 = 0",
    )
    wh.table(
        "attributes.risk.score",
        "SELECT person_id, 'card' AS scorecard, '1' AS version, ?::DATE AS index_month, "
        "if(age_from = 90, 'high', 'lower') AS tier, "
        "if(person_id = 'id00003', ['Lives alone', 'Rare'], ['Lives alone']) AS reasons "
        "FROM attributes.attributes.person",
        [date(2026, 10, 1)],
    )
    wh.table(
        "attributes.risk.reason",
        "FROM (VALUES ('Lives alone', 'lives_alone'), ('Rare', 'rare'), ('In a deprived area', 'imd_decile')) "
        "AS t(reason, factor)",
    )
    opt_out(wh, [])
    open_views(wh, purposes())


def opt_out(wh: Warehouse, people: list[str], on: date | None = date(2026, 10, 25)) -> None:
    wh.table("attributes.attributes.opted_out", "SELECT unnest(?::VARCHAR[]) AS person_id", [people])
    wh.table("attributes.attributes.opt_out_list", "SELECT ?::DATE AS list_date", [on])


def nhs_list(path: Path, *numbers: str) -> Path:
    path.write_text("NHS number\n" + "\n".join(numbers) + "\n", encoding="utf-8")
    return path
