"""A small town, linked and published by the real steps of a run: what the app's tests look at."""

from collections.abc import Callable
from pathlib import Path

from pipelines.linkage.constraints import load_decisions
from pipelines.linkage.edges import build_edge
from pipelines.linkage.homes import build_households, build_property_id
from pipelines.linkage.persons import build_persons
from pipelines.linkage.reviewed import calibrated_by_review, random_answers
from pipelines.people.records import build_record, build_record_address
from pipelines.publication.snapshot import build_snapshot
from pipelines.review.queue import build_queue
from pipelines.runs import Run
from pipelines.settings import DataFolder, write_settings
from pipelines.timings import StepTiming
from pipelines.warehouse import Warehouse
from tests.linkage.facts_of_town import load
from tests.linkage_models.small_town import SOURCES, Town, build

VIEWS = {"data_quality": list(SOURCES), "fraud": ["council_tax", "benefits", "electoral_register", "housing"]}
#: Flags of protection that some of the town's records carry: one cluster on the restricted queue comes of it.
RESTRICTED = 25


def found(root: Path, people: int = 260, seed: int = 6) -> tuple[DataFolder, Town]:
    """A data folder with the town published once."""
    folder, town = DataFolder.at(root), build(people, seed)
    folder.make()
    write_settings(folder, council="Testborough Council", clock="2026-10-31", threads=1, memory_limit="1GB")
    publish(folder, town)
    return folder, town


def publish(folder: DataFolder, town: Town, last: Callable[[Warehouse], None] | None = None) -> str:
    """One run over the town, with the decisions that stand; returns its name. `last` may change the tables before they
    are published."""
    run = Run.begin(folder, "a test")
    try:
        with run.warehouse(("identity", "published")) as wh:
            load(wh, town)
            _protect(wh)
            build_record_address(wh)
            build_record(wh, run.keyring.key("fingerprint"))
            answers = random_answers(run.operations)
            build_edge(wh, VIEWS, calibrated=lambda model: calibrated_by_review(wh, model, answers, VIEWS))
            load_decisions(wh, run.operations.decisions())
            build_persons(wh, VIEWS, run.keyring.key("ids"))
            build_property_id(wh, run.keyring.key("ids"))
            build_households(wh, VIEWS, run.keyring.key("ids"))
            build_queue(wh, run.keyring)
            _flag(wh)
            if last:
                last(wh)
            build_snapshot(wh)
        run.timings.append(StepTiming("published", 1.25, 1.0, 1))
        run.publish_with("of a test")
        run.commit()
    except BaseException:
        run.abandon("a test failed")
        raise
    return run.run_id


def _flag(wh: Warehouse) -> None:
    """Flagged pairs in the shape of the fraud room's, between records of the town; one of a protected person."""
    wh.table("identity.fraud.rule", "SELECT 'two_tenancies' AS rule, 'Two tenancies of one person' AS title")
    wh.table(
        "identity.fraud.flagged_pair",
        """-- a pair (flag_id)
        WITH pair AS (
            SELECT row_number() OVER (ORDER BY a.record_id) AS n, a.*, b.record_id AS other
            FROM identity.people.record AS a JOIN identity.people.record AS b ON b.record_id > a.record_id
                AND b.source = a.source AND b.surname = a.surname
            WHERE a.source = 'council_tax' LIMIT 40)
        SELECT 'f_' || n AS flag_id, n AS position, 'two_tenancies' AS rule,
            CASE WHEN n % 3 = 0 THEN 'low' ELSE 'high' END AS strength,
            'Tenancy (REF-' || n || ') has run since 1 May 2019 and another (OTH-' || n || ') too.' AS sentence,
            ['The birth dates agree.'] AS evidence_for,
            CASE WHEN n % 2 = 0 THEN ['Tenancy REF-' || n || ' may be ending.'] ELSE [] END AS evidence_against,
            (4000 - n * 10)::DECIMAL(12, 2) AS expected_retained, 42000::DECIMAL(12, 2) AS value_gross,
            42000::DECIMAL(12, 2) AS value_retained, source AS subject_source, 'REF-' || n AS subject_ref,
            title || ' ' || forename || ' ' || surname AS subject_name, record_id AS subject_record_id,
            DATE '2019-05-01' AS subject_from, source AS other_source, 'OTH-' || n AS other_ref,
            forename || ' ' || surname AS other_name, other AS other_record_id, DATE '2021-02-03' AS other_from,
            '1 ELM ROAD' AS address, '2 OAK ROAD' AS other_address,
            CASE WHEN n % 2 = 0 THEN 'Victoria' ELSE 'Leigh' END AS ward, 12.5 AS link_weight,
            0.99 AS link_probability, n = 1 AS is_restricted
        FROM pair""",
    )


def _protect(wh: Warehouse) -> None:
    """Mark some records as those of protected people, the same ones each time."""
    wh.execute(
        "UPDATE identity.facts.person_record SET sensitivity = 'restricted' WHERE record_id IN ("
        f"SELECT record_id FROM identity.facts.person_record ORDER BY md5(record_id) LIMIT {RESTRICTED})"
    )


#: What somebody may have typed into a form of some council system.
HOSTILE = (
    "<script>alert(1)</script>",
    '=HYPERLINK("http://evil.example")',
    "\u202egnirts desrever\u202c",
    "{{ 7 * 7 }} {% raw %}",
    "N" * 10_000,
    "'; DROP TABLE decision; --",
)


def hostile(wh: Warehouse) -> None:
    """Names that want to be more than names, on every record of the queue; addresses as long as real ones."""
    wh.execute("UPDATE identity.people.record_address SET address_line = 'FLAT 3 WESTBURY LODGE 54 DUNN WAY SOUTHEND'")
    for place, name in enumerate(HOSTILE):
        wh.execute(
            "UPDATE identity.people.record SET surname = ?, address_line = ? WHERE record_id IN (SELECT record_id FROM "
            "(SELECT record_id, row_number() OVER (ORDER BY position, record_id) AS n FROM identity.review.member "
            "JOIN identity.review.queue AS q USING (item_id) WHERE NOT q.is_restricted) "
            f"WHERE n % {len(HOSTILE)} = ?)",
            [name, name, place],
        )


def crowded(wh: Warehouse) -> None:
    """One item of 300 records, first in the queue."""
    wh.execute(
        "INSERT INTO identity.review.queue BY NAME SELECT * REPLACE ('q_crowd' AS item_id, 0 AS position, "
        "'oversized' AS reason, NULL AS other_person_id, NULL AS record_l, NULL AS record_r, 300 AS members, "
        "false AS is_restricted, 'crowd' AS version) FROM identity.review.queue WHERE NOT is_restricted LIMIT 1"
    )
    wh.execute(
        "INSERT INTO identity.review.member BY NAME SELECT 'q_crowd' AS item_id, record_id, "
        "(SELECT person_id FROM identity.review.queue WHERE item_id = 'q_crowd') AS person_id, 'a' AS side, source, "
        "role, false AS is_of_the_pair FROM identity.people.record WHERE sensitivity IS NULL "
        "ORDER BY record_id LIMIT 300"
    )
    wh.execute(
        "INSERT INTO identity.review.pair BY NAME SELECT 'q_crowd' AS item_id, * EXCLUDE (source_l, source_r, "
        "model_version, rules) FROM identity.linkage.edge AS e WHERE EXISTS (SELECT 1 FROM identity.review.member AS m "
        "WHERE m.item_id = 'q_crowd' AND m.record_id = e.record_l) AND EXISTS (SELECT 1 FROM identity.review.member "
        "AS m WHERE m.item_id = 'q_crowd' AND m.record_id = e.record_r)"
    )
