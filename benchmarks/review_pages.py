"""The review app over 100,000 clusters: time of a page, key press to next record, first load, decisions an hour with
look-ups, eight reviewers at once beside a pipeline that runs.

    python -m benchmarks.review_pages [--clusters 100000] [--reviewers 8] [--minutes 10] [--without-runs]
    python -m benchmarks.review_pages --demo boroughlink-demo --reviewers 8 --minutes 10

The clusters are made up (review_queue.py) and published again and again while the eight answer; with --demo they are a
demonstration's, and `boroughlink run --force` is what runs. Reviewers are callers of the pages, over HTTP, as fast as
the app lets them. Everything that the app acknowledged is looked for in the store afterwards.
"""

import argparse
import html
import multiprocessing
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import sqlalchemy as sa
import uvicorn

from benchmarks.review_queue import made
from pipelines.governance import audit
from pipelines.keys.keyring import STANDING_KEYS
from pipelines.operations import Operations, opened_store
from pipelines.settings import DataFolder
from review_app.app import create_app
from review_app.policy import policy
from review_app.roles import User
from review_app.tables import verdict_table

#: Seconds that a decision may take for 120 an hour.
BUDGET = 30


def serve(root: Path, names: Sequence[str], port: int) -> None:
    """The app in a process of its own."""
    policy().update(pages_a_minute=1_000_000, sign_ins_a_minute=1_000, searches_a_minute=1_000_000, second_share=0.0)
    app = create_app(DataFolder.at(root), [User(name, frozenset({"reviewer"})) for name in names])
    app.state.house.published.warm()
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


@contextmanager
def served(root: Path, names: Sequence[str]) -> Iterator[tuple[str, psutil.Process]]:
    """The address of the app and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.perf_counter()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(root, names, port), daemon=True)
    process.start()
    home = f"http://127.0.0.1:{port}"
    while process.is_alive():
        try:
            httpx.get(f"{home}/sign-in", timeout=5)
            break
        except httpx.TransportError:
            time.sleep(0.1)
    print(f"  opened, warmed and listening after {time.perf_counter() - begun:.1f} s")
    try:
        yield home, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.join(20)


class Reviewer:
    """Somebody at the pages, as a browser asks for them."""

    def __init__(self, home: str, name: str) -> None:
        self.name = name
        self.client = httpx.Client(base_url=home, headers={"origin": home}, follow_redirects=True, timeout=120)
        self.client.post("/sign-in", data={"csrf": self._token(self.client.get("/sign-in").text), "name": name})
        self.spent: dict[str, list[float]] = {}
        self.acknowledged: dict[int, tuple[str, str]] = {}  # number of a verdict -> item, what was answered
        self.taken_back: list[int] = []
        self.stale = 0
        self.faults: list[str] = []

    @staticmethod
    def _token(text: str) -> str:
        return re.findall(r'name="csrf" value="([^"]+)"', text)[0]

    def _timed(self, what: str, method: str, path: str, **more: object) -> httpx.Response:
        begun = time.perf_counter()
        answer = self.client.request(method, path, **more)
        self.spent.setdefault(what, []).append(time.perf_counter() - begun)
        return answer

    def look(self, path: str, what: str = "page") -> httpx.Response:
        answer = self._timed(what, "GET", path)
        if answer.status_code != 200:
            self.faults.append(f"{answer.status_code} {what}")
        return answer

    def search(self, page: httpx.Response) -> None:
        """Find another record: by the surname and the year of birth that the page proposes."""
        path = f"{page.url.path}/find"
        asked = self.look(path, "find another record: the form")
        wanted = dict(re.findall(r'id="(surname|forename|year)" name="\w+" value="([^"]*)"', asked.text))
        wanted = {name: html.unescape(value) for name, value in wanted.items()} | {"csrf": self._token(asked.text)}
        answer = self._timed("find another record: the search", "POST", path, data=wanted)
        if answer.status_code != 200 or 'role="status"' not in answer.text:
            self.faults.append(f"{answer.status_code} search")

    def look_up(self, page: httpx.Response) -> None:
        """What a careful reviewer opens before answering: why, another record, a neighbour's link."""
        links = [html.unescape(link) for link in re.findall(r'href="(/review/item/[^"]+/pair\?[^"]+)"', page.text)]
        for link in links[:1]:
            self.look(link, "why two were linked")
        self.search(page)
        for link in links[-1:]:
            self.look(link, "why a neighbour is close")

    def decide(self, answer: httpx.Response, verdict: str) -> httpx.Response:
        form = re.search(r'<form id="answer".*?</form>', answer.text, re.S)
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form.group(0) if form else ""))
        item_id = answer.url.path.rsplit("/", 1)[-1]
        following = self._timed(
            "key press to next record", "POST", answer.url.path, data=fields | {"verdict": verdict, "seconds": "5"}
        )
        number = re.search(r'name="number" value="(\d+)"', following.text)
        if following.status_code == 200 and "Saved:" in following.text and number:
            self.acknowledged[int(number.group(1))] = (item_id, verdict)
        elif following.status_code in (
            404,
            409,
        ):  # a colleague or a newer run came before: told so, and nothing was saved
            self.stale += 1
        else:
            self.faults.append(f"{following.status_code} answer")
        return following

    def take_back(self, answer: httpx.Response) -> httpx.Response:
        """Take back what was answered last, as its page offers."""
        (number,) = re.findall(r'name="number" value="(\d+)"', answer.text)[:1]
        data = {"csrf": self._token(answer.text), "number": number}
        following = self._timed("taking back", "POST", "/review/undo", data=data)
        if "Taken back" in following.text:
            self.taken_back.append(int(number))
        elif "a second answer stands on it" in following.text:  # a colleague was quicker: told so
            self.stale += 1
        else:
            self.faults.append(f"{following.status_code} undo")
        return following


def told(name: str, spent: Sequence[float], goal: float | None) -> None:
    ordered = sorted(spent)
    if not ordered:
        return
    p95 = ordered[int(len(ordered) * 0.95)] * 1000
    beside = f"goal {goal:.0f} ms, " if goal else ""
    missed = "   MISSED" if goal and p95 > goal else ""
    print(
        f"  {name:<42} p50 {statistics.median(ordered) * 1000:6.0f} ms  p95 {p95:6.0f} ms  "
        f"({beside}{len(ordered)} times){missed}"
    )


def first_load(home: str) -> None:
    """A browser without anything in its store comes to the first item."""
    one = Reviewer(home, "Reviewer 0")
    one.client.headers["accept-encoding"] = "gzip"
    begun = time.perf_counter()
    page = one.client.get("/review/next")
    paths = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    for path in paths:
        one.client.get(path)
    spent = (time.perf_counter() - begun) * 1000
    packed = 0
    for path in [page.url.path, *paths]:
        with one.client.stream("GET", path) as answer:
            packed += sum(len(chunk) for chunk in answer.iter_raw())
    missed = "   MISSED" if spent > 1000 or packed > 200_000 else ""
    print(
        f"  first load {spent:.0f} ms (goal 1000), {packed / 1000:.0f} kB as sent (goal 200) in {len(paths) + 1} files"
        f"{missed}"
    )


def alone(home: str, app: psutil.Process, pages: int) -> None:
    one = Reviewer(home, "Reviewer 0")
    answer, cpu = one.look("/review/next"), sum(app.cpu_times()[:2])
    for place in range(pages):
        answer = one.decide(answer, ("same", "different", "unsure")[place % 3])
        if "/review/done" in str(answer.url):
            break
        one.look(answer.url.path)
    spent = len(one.spent["page"]) + len(one.spent["key press to next record"])
    print(f"  CPU of the app, a request {(sum(app.cpu_times()[:2]) - cpu) / spent * 1000:.0f} ms")
    told("an item, one reviewer", one.spent["page"], 200)
    told("key press to next record, one reviewer", one.spent["key press to next record"], 150)
    for path in ("/review", "/linkage", "/agreement"):
        for _ in range(8):
            one.look(path, path)
        told(path, one.spent[path], 200)
    for fault, times in Counter(one.faults).items():
        print(f"  FAULT {fault}, {times} times")
    one.client.get("/review/done")


def with_look_ups(home: str, decisions: int) -> None:
    """Nobody thinks: what the app takes of the time of a decision, and how many an hour it would carry."""
    one = Reviewer(home, "Reviewer 0")
    answer, spent = one.client.get("/review/next"), []
    for place in range(decisions):
        begun = time.perf_counter()
        one.look_up(answer)
        answer = one.decide(answer, ("same", "different")[place % 2])
        spent.append(time.perf_counter() - begun)
        if "/review/done" in str(answer.url):
            break
    for what in one.spent:
        told(what, one.spent[what], 150 if what == "key press to next record" else 200)
    each = statistics.mean(spent)
    print(
        f"  a decision with four look-ups takes {each:.2f} s of the app's time, {each / BUDGET:.1%} of the {BUDGET} s "
        f"that 120 an hour leave; {3600 / each:,.0f} an hour if nobody thought (goal 120)"
        f"{'   MISSED' if 3600 / each < 120 else ''}"
    )
    for fault, times in Counter(one.faults).items():
        print(f"  FAULT {fault}, {times} times")
    one.client.get("/review/done")


def pipeline(root: Path, clusters: int, demo: bool, seconds: float) -> list[str]:
    """Run one run after the other beside the app; the names of those that were published."""
    if not demo:
        words = [sys.executable, "-m", "benchmarks.review_queue", root, "--clusters", clusters, "--seconds", seconds]
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True)
        return done.stdout.split()
    over, runs = time.monotonic() + seconds, []
    while time.monotonic() < over:
        words = [str(Path(sys.executable).parent / "boroughlink"), "run", "--force", "--data", str(root)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        runs.append("published" if done.returncode == 0 else f"ended with {done.returncode}: {done.stderr[-300:]}")
    return runs


def together(home: str, root: Path, names: Sequence[str], minutes: float, clusters: int, demo: bool) -> None:
    """All at once. Every third answer is taken back, so that a queue of any length lasts."""
    everyone, over, runs = [Reviewer(home, name) for name in names], time.monotonic() + minutes * 60, []

    def work(one: Reviewer) -> None:
        chance, answer = random.Random(one.name), one.client.get("/review/next")
        while time.monotonic() < over:
            if 'id="answer"' not in answer.text:  # the queue is dry, or the item has moved on
                time.sleep(1)
                answer = one.client.get("/review/next")
                continue
            following = one.decide(answer, chance.choice(("same", "different", "unsure")))
            time.sleep(0.4)  # the fastest that anybody reads
            if chance.random() < 0.33 and 'name="number"' in following.text:
                following = one.take_back(following)
            answer = following

    threads = [threading.Thread(target=work, args=(one,)) for one in everyone]
    if clusters or demo:
        threads.append(threading.Thread(target=lambda: runs.extend(pipeline(root, clusters, demo, minutes * 60))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told(
        f"key press to next record, {len(names)} at once, runs beside",
        [each for one in everyone for each in one.spent.get("key press to next record", [])],
        None,
    )
    beside = Counter(each if demo else "published" for each in runs)
    print(f"  beside them: {', '.join(f'{n} runs {what}' for what, n in beside.items()) or 'no run'}")
    with opened_store(DataFolder.at(root), STANDING_KEYS) as operations:
        _held_against(operations, everyone)


def _held_against(operations: Operations, everyone: Sequence[Reviewer]) -> None:
    """What the reviewers were told beside what the store holds."""
    names = [one.name for one in everyone]
    since = min((number for one in everyone for number in one.acknowledged), default=0)
    with operations.begin() as db:
        query = sa.select(verdict_table).where(verdict_table.c.made_by.in_(names), verdict_table.c.verdict_id >= since)
        rows = {row["verdict_id"]: dict(row) for row in db.execute(query).mappings()}
    kept = {number: row for number, row in rows.items() if row["verdict"] != "undo"}
    undone = [row["undoes"] for row in rows.values() if row["verdict"] == "undo"]
    said = {number: (one.name, *answer) for one in everyone for number, answer in one.acknowledged.items()}
    lost = [n for n, who in said.items() if n not in kept or who != tuple(kept[n][c] for c in _SAID)]
    standing = Counter((row["item_id"], row["version"], row["part"], row["made_by"] if row["part"] == "gold" else "")
                       for number, row in kept.items() if number not in undone)  # fmt: skip
    doubled = sum(times - 1 for times in standing.values()) + len(undone) - len(set(undone))
    taken = sum(len(one.taken_back) for one in everyone)
    faults = Counter(fault for one in everyone for fault in one.faults)
    broken = audit.verify(operations)[1]
    print(
        f"  {len(said):,} answers and {taken:,} take-backs acknowledged; {len(kept):,} and {len(undone):,} kept; "
        f"{len(lost) + abs(taken - len(undone))} lost, {doubled} doubled, {len(set(kept) - set(said))} kept unasked, "
        f"{sum(faults.values())} errors (goals 0) {dict(faults) or ''}; {sum(one.stale for one in everyone)} told that "
        f"the item had moved on; the audit's chain is {'unbroken' if broken is None else f'BROKEN at {broken}'}"
    )


_SAID = ("made_by", "item_id", "verdict")


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--clusters", type=int, default=100_000)
    asked.add_argument("--demo", type=Path, help="A demonstration's folder, in the place of clusters that are made up.")
    asked.add_argument("--reviewers", type=int, default=8)
    asked.add_argument("--minutes", type=float, default=10)
    asked.add_argument("--pages", type=int, default=150)
    asked.add_argument("--without-runs", action="store_true")
    given = asked.parse_args()
    names = [f"Reviewer {n}" for n in range(given.reviewers)]
    root = Path(tempfile.mkdtemp(prefix="review-pages-")) / "data"
    try:
        begun = time.perf_counter()
        if given.demo:
            shutil.copytree(given.demo / "data", root)
        else:
            made(root, given.clusters)
        size = sum(path.stat().st_size for path in (root / "published").rglob("*.duckdb")) / 1e6
        what = f"{given.demo}" if given.demo else f"{given.clusters:,} clusters"
        print(f"{what} at hand after {time.perf_counter() - begun:.0f} s, {size:.0f} MB published")
        with served(root, names) as (home, app):
            first_load(home)
            alone(home, app, given.pages)
            with_look_ups(home, given.pages // 2)
            beside = (0, False) if given.without_runs else (given.clusters, bool(given.demo))
            together(home, root, names, given.minutes, *beside)
            print(f"  memory of the app {app.memory_info().rss / 1e6:.0f} MB")
    finally:
        shutil.rmtree(root.parent, ignore_errors=True)


if __name__ == "__main__":
    main()
