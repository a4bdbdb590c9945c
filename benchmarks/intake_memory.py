"""Memory of taking in one extract of 250 MB and one four times as large: a larger file must not need more of it.

Each size in a process of its own, through the real intake and quality gate into encrypted files. DuckDB's own limit is
set low (`--limit`), so that what does not fit goes to encrypted temporary files; what Python, Great Expectations and
the reading itself hold comes on top, and is what would grow if anything held a file whole.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

DAY = date(2026, 10, 31)
CONTRACT = """\
name: library
title: Lending library
system: Made up
level: person
owner: Libraries
steward: library@example.org
description: Borrowers, as many as a test of memory needs.
retention_days: 365
refresh_days: 31
control: manifest
date_format: "%d/%m/%Y"
purposes:
  data_quality: {basis: public task, expires: 2030-01-01}
tables:
  - name: borrower
    file: borrower.csv
    grain: one borrower
    why: who borrows
    key: [card]
    columns:
      - {name: card, personal: identifier, required: true}
      - {name: forename, personal: name}
      - {name: surname, personal: name}
      - {name: born, type: date, personal: birth_date}
      - {name: address, personal: address}
      - {name: postcode, personal: address}
      - {name: visits, type: integer, personal: none}
      - {name: note, personal: free_text}
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--megabytes", type=int, nargs="+", default=[250, 1000])
    asked.add_argument("--limit", default="250MB", help="DuckDB's own memory limit")
    asked.add_argument("--child", help="take in what lies in this folder")
    asked.add_argument("--folder", help="where the files go while it runs; by default the system's temporary folder")
    given = asked.parse_args()
    if given.child:
        print(json.dumps(take_in_measured(Path(given.child), given.limit)))
        return
    print(f"{'extract MB':>12}{'rows':>14}{'peak MB':>10}{'seconds':>10}{'CPU s':>10}   DuckDB's limit {given.limit}")
    for size in given.megabytes:
        with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
            write_extract(Path(scratch), size * 1_000_000)
            command = [sys.executable, "-m", "benchmarks.intake_memory", "--child", scratch, "--limit", given.limit]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout.splitlines()[-1])
            print(f"{size:>12,}{found['rows']:>14,}{found['peak']:>10,}{found['wall']:>10.1f}{found['cpu']:>10.1f}")


def write_extract(place: Path, wanted: int) -> None:
    """A delivery of about so many bytes, with its manifest and its contract."""
    folder = place / "landing" / "library" / str(DAY)
    folder.mkdir(parents=True)
    home = place / "sources" / "library"
    home.mkdir(parents=True)
    (home / "contract.yaml").write_text(CONTRACT, encoding="utf-8")
    digest, written, row, rows = hashlib.sha256(), 0, 0, 50_000
    with (folder / "borrower.csv").open("wb") as file:
        head = b"card,forename,surname,born,address,postcode,visits,note\n"
        while written < wanted:
            lines = "".join(
                f"C{n:09d},FORENAME{n % 5003},SURNAME{n * 7 % 90001},{n % 28 + 1:02d}/{n % 12 + 1:02d}/{1930 + n % 90},"
                f'"{n % 199} HIGH STREET, EASTWOOD",SS{n % 9 + 1} {n % 9}AB,{n % 50},SAID {n * 2654435761 % 10**9}\n'
                for n in range(row, row + rows)
            ).encode()
            file.write(head + lines)
            digest.update(head + lines)
            written += len(head) + len(lines)
            row, head = row + rows, b""
    stated = {"name": "borrower.csv", "rows": row, "sha256": digest.hexdigest(), "bytes": written}
    manifest = {"source": "library", "extract_date": str(DAY), "synthetic": True, "files": [stated]}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def take_in_measured(place: Path, limit: str) -> dict[str, float]:
    from pipelines import warehouse
    from pipelines.quality.gate import gate
    from pipelines.sources.archive import Archive
    from pipelines.sources.contract_files import load_contract
    from pipelines.sources.intake import take_in
    from pipelines.timings import MemoryWatch

    for name in ("temp", "zone", "archive"):
        (place / name).mkdir()
    contract = load_contract(place / "sources" / "library" / "contract.yaml")
    wall, cpu = time.perf_counter(), time.process_time()
    zones, allowed = {"identity": (place / "zone" / "identity.duckdb", b"k" * 32)}, (place / "zone", place / "landing")
    with MemoryWatch() as watch, warehouse.opened(zones, place / "temp", allowed, limit, 2) as con:
        wh = warehouse.Warehouse(con, "benchmark", DAY, place / "zone")
        (intake,) = take_in(wh, contract, place / "landing", Archive(place / "archive", b"k" * 32), gate(wh))
        wh.execute("CHECKPOINT identity")
    if intake.state != "accepted":
        raise SystemExit(f"the extract was {intake.state}: {intake.reason}")
    return {
        "rows": intake.total_rows,
        "peak": watch.peak // 1024 // 1024,
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
    }


if __name__ == "__main__":
    main()
