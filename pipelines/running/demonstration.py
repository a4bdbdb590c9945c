"""`demo` and `synth`: a borough that never existed, and the whole story told with it."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipelines.commit_point import Current, run_under_way
from pipelines.faults import BoroughlinkError, plural
from pipelines.governance.opt_out import is_nhs_number
from pipelines.reading.judging import judge
from pipelines.running.job import published_figures, run_job, say
from pipelines.settings import DataFolder, write_atomically, write_settings
from pipelines.timings import MemoryWatch

AS_OF = date(2026, 10, 31)
RELEASED, OPTED_OUT = "risk_stratification", "opt_out.csv"


def synthesise(
    out: Path, people: int, seed: int, profile: str, on: date, months: int = 1, layouts: Sequence[str] = ()
) -> None:
    """Write `out/landing` and `out/truth`, saying how it goes; `layouts` as SOURCE=LAYOUT."""
    from synthetic_data.borough import LAYOUTS, make_borough

    chosen = dict(text.partition("=")[::2] for text in layouts)
    if unknown := set(chosen.items()) - LAYOUTS.keys():
        known = ", ".join(f"{source}={layout}" for source, layout in sorted(LAYOUTS))
        named = ", ".join(f"{source}={layout}" for source, layout in sorted(unknown))
        raise BoroughlinkError(f"No layout {named} can be written; there are {known}.")

    if (out / "landing").exists() or (out / "truth").exists():
        raise BoroughlinkError(f"{out} holds a borough already: give another --out, or remove it.")
    made = make_borough(out, people, seed, profile, on, progress=say, months=months, layouts=chosen)
    say(f"Extracts: {made.landing}\nTruth:    {made.truth} (only `boroughlink evaluate` reads it)")


def answer_labels(out: Path, labels: Path) -> str:
    """Fill in the column `same` of a label sample in place, from the truth in `out`, as a reviewer without fault would.

    Raises BoroughlinkError for a file that is no sample, or of another borough.
    """
    import polars as pl

    truth = out / "truth" / "records.parquet"
    if not truth.exists():
        raise BoroughlinkError(f"{out} holds no truth: give as --out the folder that synth wrote.")
    try:
        asked = pl.read_csv(labels, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError):
        raise BoroughlinkError(f"{labels} can't be read as CSV.") from None
    if missing := {"record_l", "record_r", "same"} - set(asked.columns):
        raise BoroughlinkError(f"{labels}, line 1: the column {', '.join(sorted(missing))} is missing.")
    # a record is named source:key#occupant
    person = dict(pl.read_parquet(truth).select(pl.concat_str("source", pl.lit(":"), "source_key"), "person_id").rows())
    known = [[person.get(name.rpartition("#")[0]) for name in asked[side]] for side in ("record_l", "record_r")]
    if unknown := sum(left is None or right is None for left, right in zip(*known, strict=True)):
        raise BoroughlinkError(f"{plural(unknown, 'pair')} of {labels} are not of the borough in {out}.")
    same = ["yes" if left == right else "no" for left, right in zip(*known, strict=True)]
    write_atomically(labels, asked.with_columns(same=pl.Series(same)).write_csv().encode())
    return f"{plural(len(same), 'pair')} labelled in {labels}, {same.count('yes')} of one person."


def demonstrate(out: Path, people: int, seed: int, profile: str, months: int = 1) -> None:
    """The whole story in one folder: `data/` for the council, `truth/` beside it for the judge."""
    from pipelines.reporting.terminal import report

    started = time.perf_counter()
    asked = {"people": people, "seed": seed, "profile": profile} | ({"months": months} if months > 1 else {})
    folder = DataFolder.at(out / "data")
    with MemoryWatch() as memory:
        parts = {"making the borough": _make_once(out, folder, asked)}
        if (opted_out := out / OPTED_OUT).exists() and Current.read(folder).published is None:
            command("opt-out", "import", str(opted_out), "--date", AS_OF.isoformat(), "--data", str(folder.root))
        begun = time.perf_counter()
        unchanged, faults = run_job(folder, None, None, None, force=False)
        parts["run"] = time.perf_counter() - begun
        if faults:
            raise BoroughlinkError("The run stopped: " + " ".join(faults))
        begun = time.perf_counter()
        judged = judge(folder, out / "truth")
        parts["judging against the truth"] = time.perf_counter() - begun
        if not unchanged:
            begun = time.perf_counter()
            told = command("release", "build", RELEASED, "--data", str(folder.root))
            parts["release, a process of its own"] = time.perf_counter() - begun
    parts["total"] = time.perf_counter() - started
    figures = published_figures(folder)
    if unchanged:
        say("Nothing has changed since the last run: it stands.")
    report(figures, judged, parts, memory.peak, unchanged)
    say(f"\nPage:       {folder.published / figures.run_id / 'report.html'}")
    say(f"Fraud team: {folder.exports / 'fraud' / figures.run_id}")
    if not unchanged:
        say(f"Risk data:  {told.splitlines()[0] if told else 'nothing was released'}")
    say(f"Next:       boroughlink dev|status|quality|doctor|serve --data {folder.root}")


def command(*arguments: str) -> str:
    """Run one of our commands as a process of its own, with the keys of its own zones only; what it said, if it went
    well, else what it refused.
    """
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "boroughlink", *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr.strip()


def _invent_opt_outs(landing: Path, out: Path) -> None:
    """A list of the national data opt-out for the invented borough: every eighteenth client of social care, 5.5 %."""
    held = sorted((landing / "adult_social_care").glob("*/cld.csv"))
    if not held:
        return
    import polars as pl

    column = pl.read_csv(held[-1], infer_schema=False, encoding="utf8-lossy")["NHS Number"].drop_nulls()
    numbers = sorted({"".join(number.split()) for number in column})
    kept = [number for number in numbers if is_nhs_number(number)][::18]
    out.write_text("nhs_number\n" + "".join(f"{number}\n" for number in kept), encoding="utf-8")


def _make_once(out: Path, folder: DataFolder, asked: dict[str, Any]) -> float:
    """Make the borough and land its extracts, unless this very borough is there already; seconds spent."""
    from synthetic_data.borough import make_borough

    started = time.perf_counter()
    made = out / "borough.json"
    if made.exists():
        if json.loads(made.read_text()) != asked:
            raise BoroughlinkError(f"{out} holds another borough: give another --out, or remove the folder.")
        say("The borough is there already.")
        return time.perf_counter() - started
    if run_under_way(folder):
        raise BoroughlinkError(f"A run is under way on {folder.root}.")
    folder.make()
    write_settings(folder, holds="synthetic", clock=(AS_OF + timedelta(days=1)).isoformat())
    size, number, profile = asked["people"], asked["seed"], asked["profile"]
    say(f"Making a borough of {size:,} people who never existed (seed {number}, {profile} errors)")
    making = out / ".making"
    shutil.rmtree(making, ignore_errors=True)
    make_borough(
        making, size, number, profile, AS_OF, progress=lambda text: say("  " + text), months=asked.get("months", 1)
    )
    shutil.rmtree(out / "truth", ignore_errors=True)
    (making / "truth").rename(out / "truth")
    _invent_opt_outs(making / "landing", out / OPTED_OUT)
    for source in sorted((making / "landing").iterdir()):
        shutil.rmtree(folder.landing / source.name, ignore_errors=True)
        source.rename(folder.landing / source.name)
    shutil.rmtree(making)
    write_atomically(made, json.dumps(asked).encode())
    return time.perf_counter() - started
