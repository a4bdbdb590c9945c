"""The review app over 100,000 clusters: time of a page, key press to next record, first load, eight reviewers at once.

    python -m benchmarks.review_pages [--clusters 100000] [--reviewers 8] [--minutes 0.5]

The clusters are made up by SQL: the shape of a borough's queue (5 records an item, 3 neighbours, all pairs scored), not
its content. Goals: p95 of a page 200 ms, key press to next record 150 ms, first load 1 s and 200 kB.
"""

import argparse
import re
import shutil
import statistics
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import uvicorn

from linkage_models.models import pinned
from pipelines.publication.snapshot import build_snapshot
from pipelines.runs import Run
from pipelines.settings import DataFolder, write_settings
from pipelines.warehouse import Warehouse
from review_app.app import create_app
from review_app.policy import policy
from review_app.roles import User

EACH, BESIDE = 5, 3


def made(root: Path, clusters: int) -> DataFolder:
    """A published run of so many items."""
    folder = DataFolder.at(root)
    folder.make()
    write_settings(folder, clock="2026-10-31", threads=2, memory_limit="3GB")
    run = Run.begin(folder, "a benchmark")
    with run.warehouse(("identity", "published")) as wh:
        _tables(wh, clusters)
        build_snapshot(wh)
    run.publish_with("of a benchmark")
    run.commit()
    return folder


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
            none AS nhs_number, none AS phone, none AS email, none AS birth_place, none AS occupation,
            NULL::DATE AS death_date,
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


class Reviewer:
    """Somebody at the pages, as a browser asks for them."""

    def __init__(self, home: str, name: str) -> None:
        self.client = httpx.Client(base_url=home, headers={"origin": home}, follow_redirects=True, timeout=60)
        token = self._token(self.client.get("/sign-in").text)
        self.client.post("/sign-in", data={"csrf": token, "name": name})
        self.spent: dict[str, list[float]] = {"page": [], "key press to next record": []}
        self.acknowledged = 0
        self.faults: list[str] = []

    @staticmethod
    def _token(text: str) -> str:
        return re.findall(r'name="csrf" value="([^"]+)"', text)[0]

    def look(self, path: str) -> httpx.Response:
        begun = time.perf_counter()
        answer = self.client.get(path)
        self.spent["page"].append(time.perf_counter() - begun)
        return answer

    def decide(self, answer: httpx.Response, verdict: str) -> httpx.Response:
        form = re.search(r'<form id="answer".*?</form>', answer.text, re.S)
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form.group(0) if form else ""))
        begun = time.perf_counter()
        following = self.client.post(answer.url.path, data=fields | {"verdict": verdict, "seconds": "5"})
        self.spent["key press to next record"].append(time.perf_counter() - begun)
        if following.status_code == 200 and "Saved:" in following.text:
            self.acknowledged += 1
        else:
            self.faults.append(f"{following.status_code} {following.url.path}")
        return following


def told(name: str, spent: list[float], goal: float) -> None:
    ordered = sorted(spent)
    p95 = ordered[int(len(ordered) * 0.95)] * 1000
    print(
        f"  {name:<40} p50 {statistics.median(ordered) * 1000:6.0f} ms  p95 {p95:6.0f} ms  (goal {goal:.0f} ms, "
        f"{len(ordered)} times){'' if p95 <= goal else '   MISSED'}"
    )


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--clusters", type=int, default=100_000)
    asked.add_argument("--reviewers", type=int, default=8)
    asked.add_argument("--minutes", type=float, default=0.5)
    asked.add_argument("--pages", type=int, default=150)
    given = asked.parse_args()
    policy().update(pages_a_minute=1_000_000, sign_ins_a_minute=1_000, second_share=0.0)
    root = Path(tempfile.mkdtemp(prefix="review-pages-"))
    try:
        begun = time.perf_counter()
        folder = made(root / "data", given.clusters)
        size = sum(path.stat().st_size for path in folder.published.rglob("*.duckdb")) / 1e6
        print(f"{given.clusters:,} clusters published in {time.perf_counter() - begun:.0f} s, {size:.0f} MB")
        users = [User(f"Reviewer {n}", frozenset({"reviewer"})) for n in range(given.reviewers)]
        app = create_app(folder, users)
        begun = time.perf_counter()
        app.state.house.published.warm()
        print(f"  opened and warmed in {time.perf_counter() - begun:.1f} s")
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=8699, log_level="error", access_log=False))
        threading.Thread(target=server.run, daemon=True).start()
        while not server.started:
            time.sleep(0.02)
        one = Reviewer("http://127.0.0.1:8699", "Reviewer 0")
        _first_load(one)
        _alone(one, given.pages)
        _together(users, given.minutes, app.state.house)
        server.should_exit = True
        time.sleep(0.5)
        app.state.house.operations.close()
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _first_load(one: Reviewer) -> None:
    begun = time.perf_counter()
    page = one.client.get("/review/next")
    paths = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    sizes = [len(page.content)] + [len(one.client.get(path).content) for path in paths]
    spent = time.perf_counter() - begun
    with httpx.Client(base_url=str(one.client.base_url)) as bare:
        packed = 0
        for path in [str(page.url.path), *paths]:
            with bare.stream(
                "GET", path, headers={"accept-encoding": "gzip"}, cookies=dict(one.client.cookies)
            ) as answer:
                packed += sum(len(chunk) for chunk in answer.iter_raw())
    print(
        f"  first load {spent * 1000:.0f} ms (goal 1000), {sum(sizes) / 1000:.0f} kB, as sent {packed / 1000:.0f} kB "
        f"(goal 200) in {len(sizes)} files"
    )


def _alone(one: Reviewer, pages: int) -> None:
    answer, cpu = one.look("/review/next"), time.process_time()
    for place in range(pages):
        answer = one.decide(answer, ("same", "different", "unsure")[place % 3])
        one.look(answer.url.path)
    each = (time.process_time() - cpu) / (2 * pages) * 1000
    print(
        f"  CPU of an item's page, app and caller together: {each:.0f} ms (on a busy machine this is the fair figure)"
    )
    told("an item, one reviewer", one.spent["page"], 200)
    told("key press to next record, one reviewer", one.spent["key press to next record"], 150)
    for path in ("/review", "/linkage", "/agreement"):
        one.spent["page"] = []
        for _ in range(8):
            one.look(path)
        told(path, one.spent["page"], 200)
    one.client.get("/review/done")


def _together(users: list[User], minutes: float, house: object) -> None:
    everyone = [Reviewer("http://127.0.0.1:8699", user.name) for user in users]
    before = len(house.operations.decisions())
    verdicts = sum(len(each) for each in [_verdicts(house)])
    over = time.monotonic() + minutes * 60

    def work(one: Reviewer) -> None:
        answer = one.client.get("/review/next")
        while time.monotonic() < over:
            answer = one.decide(answer, "same")
            if one.faults:
                answer = one.client.get("/review/next")
            time.sleep(0.4)  # the fastest that anybody reads

    threads = [threading.Thread(target=work, args=(one,)) for one in everyone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = [each for one in everyone for each in one.spent["key press to next record"]]
    told(f"key press to next record, {len(users)} reviewers", spent, 200)
    said = sum(one.acknowledged for one in everyone)
    kept = _verdicts(house)[verdicts:]
    met = [each for each in kept if each[1] != "gold"]  # a check is met by many, once each
    doubled = len(met) - len(set(met))
    print(
        f"  {said} answers acknowledged, {len(kept)} kept, {doubled} doubled, "
        f"{sum(len(one.faults) for one in everyone)} refused {Counter(f for one in everyone for f in one.faults)}; "
        f"pair decisions {before} to "
        f"{len(house.operations.decisions())}"
    )


def _verdicts(house: object) -> list[tuple[str, str]]:
    import sqlalchemy as sa

    from review_app.tables import verdict_table

    with house.operations.begin() as db:
        query = sa.select(verdict_table.c.item_id, verdict_table.c.part).order_by(verdict_table.c.verdict_id)
        return [(item, part) for item, part in db.execute(query)]


if __name__ == "__main__":
    main()
