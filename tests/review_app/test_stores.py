"""Verdicts on both stores, SQLite and Postgres; and killed at any moment, none that was acknowledged is lost."""

import os
import pwd
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.governance import audit
from pipelines.governance.keys import STANDING_KEYS, open_keyring
from pipelines.operations import Operations, opened_store
from pipelines.running.preview import copied
from pipelines.settings import DataFolder, load_settings
from review_app.flagged import cases
from tests.review_app.conftest import reading

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
    assert audit.verify(operations)[1] is None
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
        assert audit.verify(operations)[1] is None
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


def test_eight_at_once_lose_and_double_nothing(
    place: DataFolder, founded: tuple[DataFolder, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every waiting item is answered by somebody, once, while a run publishes beside them."""
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import ExitStack

    from review_app.policy import policy
    from review_app.verdicts import Verdicts
    from tests.review_app.town import publish

    monkeypatch.setitem(policy(), "second_share", 0.0)
    with ExitStack() as stack:
        readers = [stack.enter_context(reading(place, f"Reviewer {n}")) for n in range(8)]

        def work(reader: object) -> list[str]:
            said = []
            for _ in range(12):
                page = reader.item()
                if "/review/done" in page.path:
                    break
                if page.answer_with("same").status_code == 303:
                    said.append(page.item_id)
            return said

        with ThreadPoolExecutor(9) as pool:
            run = pool.submit(publish, place, founded[1])
            answered = [item for found in pool.map(work, readers) for item in found]
            run.result()
    operations = Operations.open(place, open_keyring(place, load_settings(place), STANDING_KEYS))
    desk = Verdicts(operations)
    assert answered and len(answered) == len(set(answered))
    assert all([row["verdict"] for row in desk.history(item)] == ["same"] for item in answered)
    assert audit.verify(operations)[1] is None
    operations.close()
