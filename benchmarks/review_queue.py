"""A queue that is made up by SQL: the shape of a borough's (5 records an item, 3 neighbours, all pairs scored), not its
content.

    python -m benchmarks.review_queue FOLDER --clusters 100000 --seconds 600

publishes it again and again into a folder, as a pipeline does that runs beside the app.
"""

import argparse
import time
from pathlib import Path

from linkage_models.models import pinned
from pipelines.publication.snapshot import build_snapshot
from pipelines.runs import Run
from pipelines.settings import DataFolder, write_settings
from pipelines.warehouse import Warehouse

EACH, BESIDE = 5, 3


def made(root: Path, clusters: int) -> DataFolder:
    """A data folder with a published run of so many items."""
    folder = DataFolder.at(root)
    folder.make()
    write_settings(folder, clock="2026-10-31", threads=2, memory_limit="3GB")
    publish(folder, clusters)
    return folder


def publish(folder: DataFolder, clusters: int) -> str:
    """One run, which reads the decisions that stand as every run does; returns its name."""
    run = Run.begin(folder, "a benchmark")
    with run.warehouse(("identity", "published")) as wh:
        run.operations.decisions()
        _tables(wh, clusters)
        build_snapshot(wh)
    run.publish_with("of a benchmark")
    run.commit()
    return run.run_id


def _tables(wh: Warehouse, clusters: int) -> None:
    """Item i has records i*8 .. i*8+4 as its members (two persons) and three more as its neighbour."""
    model = pinned()
    per = EACH + BESIDE
    wh.table(
        "identity.people.record",
        f"""-- a record (record_id)
        SELECT 'council_tax:' || n || '#1' AS record_id, ['council_tax', 'benefits', 'housing'][1 + n % 3] AS source,
            'liable' AS role, 'MR' AS title, ['JOHN', 'JON', 'JACK'][1 + n % 3] AS forename, none AS middle,
            'SURNAME' || (n // {per} % 9000) AS surname, none AS former_surname, none AS forename_root,
            DATE '1930-01-01' + (n // {per} % 30000)::INT + (n % 2)::INT AS birth_date,
            1930 + n // {per} % 80 AS birth_year, false AS weak_birth_date, 'M' AS sex, none AS nino,
            none AS nhs_number, none AS person_number, none AS phone, none AS email, none AS birth_place,
            none AS occupation, NULL::DATE AS death_date,
            none AS sensitivity, true AS is_person, n::VARCHAR AS source_key, md5(n::VARCHAR) AS fingerprint,
            n // {per} AS uprn, 'SS11AA' AS postcode, (n % 90) || ' HIGH STREET' AS address_line,
            DATE '2010-01-01' + (n % 4000)::INT AS from_date, NULL::DATE AS to_date, none AS one_person_key,
            NULL::DATE AS last_begun
        FROM range({clusters * per}) AS r(n), (SELECT NULL::VARCHAR AS none)""",
    )
    wh.table(
        "identity.people.record_address",
        "SELECT record_id, 'a:' || record_id AS address_id, address_line, postcode, uprn, from_date, to_date, "
        "'liable' AS basis FROM identity.people.record",
    )
    wh.table(
        "identity.review.member",
        f"""-- (item_id, record_id)
        SELECT 'q_' || md5((n // {per})::VARCHAR)[:16] AS item_id, 'council_tax:' || n || '#1' AS record_id,
            'p' || (n // {per}) || (CASE WHEN n % {per} < 3 THEN 'a' ELSE 'b' END) AS person_id,
            CASE WHEN n % {per} < 3 THEN 'a' ELSE 'b' END AS side, 'council_tax' AS source, 'liable' AS role,
            n % {per} IN (0, 3) AS is_of_the_pair
        FROM range({clusters * per}) AS r(n) WHERE n % {per} < {EACH} ORDER BY item_id, side, record_id""",
    )
    wh.table(
        "identity.review.beside",
        f"""-- (item_id, record_id)
        SELECT 'q_' || md5((n // {per})::VARCHAR)[:16] AS item_id, 'p' || (n // {per}) || 'n' AS person_id,
            'council_tax:' || n || '#1' AS record_id, 'council_tax' AS source, 'liable' AS role, -4.0 AS best
        FROM range({clusters * per}) AS r(n) WHERE n % {per} >= {EACH} ORDER BY item_id, record_id""",
    )
    gammas = ", ".join(f"(1 + a.n % 2)::INT AS gamma_{name}" for name in model.comparisons[:4])
    wh.table(
        "identity.linkage.edge",
        f"""-- a pair (record_l, record_r)
        SELECT 'council_tax:' || a.n || '#1' AS record_l, 'council_tax:' || b.n || '#1' AS record_r,
            (3 - (b.n - a.n))::DOUBLE AS match_weight, 0.6::DOUBLE AS match_probability,
            'name_birth_date_home' AS match_key,
            'model' AS tier, '{model.version}' AS model_version, {gammas}, (3 - (b.n - a.n))::DOUBLE AS model_weight
        FROM range({clusters * per}) AS a(n), range(1, {per}) AS d(k), LATERAL (SELECT a.n + d.k AS n) AS b
        WHERE b.n // {per} = a.n // {per}""",
    )
    wh.table(
        "identity.review.pair",
        f"""-- (item_id, record_l, record_r)
        SELECT 'q_' || md5((regexp_extract(record_l, '\\d+')::BIGINT // {per})::VARCHAR)[:16] AS item_id,
            * EXCLUDE (model_version)
        FROM identity.linkage.edge ORDER BY item_id, match_weight DESC""",
    )
    wh.table(
        "identity.review.queue",
        f"""-- (item_id)
        SELECT 'q_' || md5(i::VARCHAR)[:16] AS item_id, i + 1 AS position, 'data_quality' AS view,
            'uncertain pair' AS reason, 'The score lies between.' AS why, 'p' || i || 'a' AS person_id,
            'p' || i || 'b' AS other_person_id, 'council_tax:' || (i * {per}) || '#1' AS record_l,
            'council_tax:' || (i * {per} + 3) || '#1' AS record_r, {EACH} AS members, 0::DOUBLE AS weakest_weight,
            0.5::DOUBLE AS weakest_probability, 2 AS effect, 1::DOUBLE AS doubt,
            (2 / (1 + i / 1000))::DOUBLE AS priority,
            false AS is_restricted, md5('v' || i) AS version
        FROM range({clusters}) AS r(i) ORDER BY position""",
    )
    wh.table(
        "identity.linkage.membership",
        "SELECT 'data_quality' AS view, record_id, person_id FROM (SELECT record_id, person_id FROM "
        "identity.review.member UNION ALL SELECT record_id, person_id FROM identity.review.beside) ORDER BY ALL",
    )
    wh.table(
        "identity.linkage.ledger",
        "SELECT row_number() OVER () AS ledger_seq, 'r' AS run_id, view, 'created' AS event, person_id, "
        "NULL AS other_person_id, list(record_id) AS records, 'new records only' AS reason "
        "FROM identity.linkage.membership GROUP BY view, person_id",
    )
    wh.table(
        "identity.linkage.household_member",
        "SELECT 'data_quality' AS view, 'h' || regexp_extract(person_id, '\\d+') AS household_id, person_id, "
        "DATE '2015-01-01' AS from_date, NULL::DATE AS to_date FROM identity.linkage.membership GROUP BY ALL",
    )
    wh.table(
        "identity.linkage.model",
        "SELECT ?::VARCHAR AS version, 'shipped' AS chosen, ?::VARCHAR AS body, '{}' AS terms",
        [model.version, model.body()],
    )


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("folder", type=Path)
    asked.add_argument("--clusters", type=int, required=True)
    asked.add_argument("--seconds", type=float, required=True)
    given = asked.parse_args()
    over = time.monotonic() + given.seconds
    while time.monotonic() < over:
        print(publish(DataFolder.at(given.folder), given.clusters), flush=True)


if __name__ == "__main__":
    main()
