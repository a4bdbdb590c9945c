"""Verdicts on both stores, SQLite and Postgres; and killed at any moment, none that was acknowledged is lost."""

import itertools
import os
import pwd
import random
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.governance import audit
from pipelines.governance.row_checks import first_bad_row
from pipelines.keys.keyring import STANDING_KEYS, open_keyring
from pipelines.operations import Operations, opened_store
from pipelines.running.preview import copied
from pipelines.settings import DataFolder, load_settings
from review_app.flagged import cases
from review_app.policy import policy
from review_app.tables import verdict_table
from tests.review_app.conftest import reading
from tests.review_app.town import publish

Founded = tuple[DataFolder, object]
SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of our own in a throw-away folder, on a socket, for this session."""
    if not SERVERS:
        if os.environ.get("CI"):
            pytest.fail("CI installs a Postgres server: .ci/run")
        pytest.skip("no Postgres server on this machine; .ci/run installs it")
    binaries, root = SERVERS[-1].parent, tmp_path_factory.mktemp("postgres")
    as_user: dict[str, object] = {}
    if os.geteuid() == 0:  # Postgres refuses to run as root
        account = next((name for name in ("postgres", "nobody") if _there(name)), None)
        if account is None:
            pytest.skip("Postgres does not run as root, and there is no other account")
        for folder in (root, *root.parents):
            if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
                folder.chmod(0o755)
        shutil.chown(root, account)
        as_user = {"user": account}
    data = root / "data"
    subprocess.run([binaries / "initdb", "-D", data, "-A", "trust", "-U", "boroughlink"], check=True,
                   capture_output=True, cwd=root, **as_user)  # fmt: skip
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-k", root, "-c", "listen_addresses=", "-c", "fsync=off"],
        cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user,
    )  # fmt: skip
    patience = time.monotonic() + 30
    while not (root / ".s.PGSQL.5432").exists() and time.monotonic() < patience:
        time.sleep(0.05)
    time.sleep(0.3)
    yield f"postgresql+psycopg://boroughlink@/postgres?host={root}"
    server.send_signal(signal.SIGINT)
    server.wait(20)


def _there(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


@pytest.fixture(params=["sqlite", "postgres"])
def stored(request: pytest.FixtureRequest, place: DataFolder, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """The published town with its operational store on either."""
    if request.param == "postgres":
        monkeypatch.setenv("BOROUGHLINK_OPERATIONS_URL", request.getfixturevalue("postgres"))
    return place


def test_the_loop_on_either_store(stored: DataFolder) -> None:
    with reading(stored) as ruth, reading(stored, "Rob Reviewer") as rob:
        page = ruth.item()
        assert rob.item().item_id != page.item_id  # a lease
        assert page.answer_with("same", note="seen on paper").status_code == 303
        assert page.answer_with("different").status_code == 409
        assert ruth.submit("/review/undo").status_code == 200
        assert ruth.item(f"/review/item/{page.item_id}").answer_with("different").status_code == 303
        assert ruth.get("/review").status_code == 200
        with reading(stored, "Fred Fraud", "fraud_officer") as fred:
            assert fred.submit("/flagged/f_2", {"step": "take", "note": "mine"}).status_code == 200
            assert "Assigned" in fred.get("/flagged/f_2").text
    operations = Operations.open(stored, open_keyring(stored, load_settings(stored), STANDING_KEYS))
    kinds = {row["kind"] for row in operations.decisions()}
    assert kinds == {"cannot_link"}
    assert audit.verify(operations)[1] is None and first_bad_row(operations) is None
    operations.close()


def test_a_run_that_is_thrown_away_stands_on_a_copy_of_either_store(stored: DataFolder) -> None:
    with reading(stored) as ruth, reading(stored, "Fred Fraud", "fraud_officer") as fred:
        assert ruth.item().answer_with("same", note="seen on paper").status_code == 303
        fred.submit("/flagged/f_2", {"step": "close", "outcome": "customer_error", "amount": "1250.50"})
    url = os.environ.get("BOROUGHLINK_OPERATIONS_URL")
    with opened_store(stored) as true, copied(stored, "preview") as copy:
        before = true.decisions()
        assert not load_settings(copy).operations_url and "BOROUGHLINK_OPERATIONS_URL" not in os.environ
        with opened_store(copy) as thrown_away:
            assert thrown_away.decisions() == before and before
            assert cases(thrown_away) == cases(true) and cases(true)["f_2"].amount == Decimal("1250.50")
            assert audit.verify(thrown_away)[1] is None
            thrown_away.start_run("thrown-away", "nobody")
            audit.record(thrown_away, "nobody", "run committed", "thrown-away")
        assert true.decisions() == before and "thrown-away" not in {run["run_id"] for run in true.runs()}
    assert os.environ.get("BOROUGHLINK_OPERATIONS_URL") == url


ANSWERING = textwrap.dedent(
    """
    import sys
    from pipelines.settings import DataFolder
    from review_app.policy import policy
    from tests.review_app.conftest import reading

    policy().update(pages_a_minute=1_000_000, second_share=0.0, gold_every=10**9, second_every=10**9)
    with reading(DataFolder.at(sys.argv[1])) as reader:
        for page in iter(lambda: reader.item(), None):
            if "/review/done" in page.path:
                break
            if page.answer_with("same").status_code == 303:
                print(page.item_id, flush=True)
    """
)


def killed(folder: DataFolder, rest: random.Random) -> None:
    """Answer in a process of its own, kill it at some moment, and hold what it had acknowledged against the store."""
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", ANSWERING, str(folder.root)],
        cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    first = child.stdout.readline()  # the app is up and answers
    time.sleep(rest.uniform(0, 0.6))
    child.kill()
    said = [line.decode().strip() for line in (first, *child.stdout.readlines()) if line.endswith(b"\n")]
    child.wait()
    assert said
    operations = Operations.open(folder, open_keyring(folder, load_settings(folder), STANDING_KEYS))
    try:
        from review_app.verdicts import Verdicts

        kept = Verdicts(operations)
        for item_id in said:
            assert [row["verdict"] for row in kept.history(item_id)] == ["same"], item_id
            assert kept.states([item_id])[item_id]["state"] == "done"
        assert audit.verify(operations)[1] is None and first_bad_row(operations) is None
    finally:
        operations.close()


def test_a_kill_loses_no_acknowledged_answer(place: DataFolder) -> None:
    killed(place, random.Random(1))


@pytest.mark.prove
def test_kills_at_fifty_random_moments(founded, tmp_path: Path) -> None:
    rest = random.Random(50)
    for round_ in range(50):
        shutil.copytree(founded[0].root, tmp_path / f"data{round_}")
        killed(DataFolder.at(tmp_path / f"data{round_}"), rest)
        shutil.rmtree(tmp_path / f"data{round_}")


def eight(place: DataFolder, town: object, goes_on: Callable[[int], bool], kept: float) -> tuple[int, int]:
    """Eight reviewers answer while runs publish beside them, and take back all but a share; each acknowledged answer is
    held against the store. Returns answers and runs."""
    readers, chance, ended = [], random.Random(8), threading.Event()

    def work(reader: object) -> tuple[dict[int, str], list[int], list[int]]:
        said, taken, faults, asked = {}, [], [], itertools.count()
        while goes_on(next(asked)):
            page = reader.item()
            if page.answer.status_code != 200:
                faults.append(page.answer.status_code)
            if not page.fields:  # the queue is dry for the moment
                time.sleep(0.1)
                continue
            answer = page.answer_with("same", follow=True)
            if (told := re.search(r'name="number" value="(\d+)"', answer.text)) is None:
                if answer.status_code not in (404, 409):  # somebody, or a newer run, was before: told so
                    faults.append(answer.status_code)
                continue
            said[int(told[1])] = page.item_id
            if chance.random() >= kept:
                back = reader.submit("/review/undo", {"number": told[1]})
                taken += [int(told[1])] if "Taken back" in back.text else []
        return said, taken, faults

    def run() -> int:
        runs = [publish(place, town)]
        while not ended.is_set():
            runs.append(publish(place, town))
        return len(runs)

    with ExitStack() as stack, ThreadPoolExecutor(9) as pool:
        readers = [stack.enter_context(reading(place, f"Reviewer {n}")) for n in range(8)]
        running = pool.submit(run)
        found = list(pool.map(work, readers))
        ended.set()
        runs = running.result()
    said = {number: item for each, _, _ in found for number, item in each.items()}
    taken = [number for _, each, _ in found for number in each]
    with opened_store(place) as operations:
        with operations.begin() as db:
            rows = db.execute(sa.select(verdict_table)).mappings().all()
        assert audit.verify(operations)[1] is None and first_bad_row(operations) is None
    answers = {row["verdict_id"]: row for row in rows if row["verdict"] != "undo"}
    assert {number: row["item_id"] for number, row in answers.items()} == said  # none lost, none unasked
    assert sorted(row["undoes"] for row in rows if row["verdict"] == "undo") == sorted(taken)  # each once
    standing = [(row["item_id"], row["version"]) for number, row in answers.items() if number not in taken]
    assert len(standing) == len(set(standing))  # none doubled
    assert [fault for _, _, each in found for fault in each] == []
    return len(said), runs


@pytest.fixture
def first_answers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "second_share": 0.0,
        "gold_every": 10**9,
        "second_every": 10**9,
        "pages_a_minute": 10**6,
    }.items():
        monkeypatch.setitem(policy(), name, value)


def test_eight_at_once_lose_and_double_nothing(place: DataFolder, founded: Founded, first_answers_only: None) -> None:
    answers, runs = eight(place, founded[1], lambda number: number < 10, kept=0.5)
    assert answers >= 8 and runs >= 1


@pytest.mark.prove
def test_eight_at_once_for_ten_minutes(place: DataFolder, founded: Founded, first_answers_only: None) -> None:
    over = time.monotonic() + 600
    answers, runs = eight(place, founded[1], lambda _: time.monotonic() < over, kept=0.02)
    assert answers > 500 and runs > 10
