"""A delivery: the files of one source at one date, in a folder of their own, the manifest written last."""

import json
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl

from synthetic_data.rates import Rates


@dataclass(frozen=True)
class ExtractFile:
    """One file ready to be written: its bytes, its data rows, and the share of rows that fill each column."""

    name: str
    content: bytes
    rows: int
    filled: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Rendered:
    """One source's extract with the truth about it.

    records: source_key, person_id (one row a person record); addresses: address_key, uprn (null outside the gazetteer).
    `changes_only`: the files show what changed since the last delivery.
    """

    source: str
    files: list[ExtractFile]
    records: pl.DataFrame
    addresses: pl.DataFrame
    changes_only: bool = False


def csv_file(
    name: str,
    frame: pl.DataFrame,
    columns: list[str],
    *,
    encoding: str = "utf-8",
    line_end: str = "\n",
    byte_order_mark: bool = False,
) -> ExtractFile:
    """The columns of the frame as CSV; empty text and null are both written as nothing."""
    text = frame.select(pl.col(column).cast(pl.String).replace("", None) for column in columns)
    buffer = BytesIO()
    text.write_csv(buffer, line_terminator=line_end, quote_style="necessary")
    content = buffer.getvalue()
    if encoding != "utf-8":
        content = content.decode("utf-8").encode(encoding, errors="replace")
    if byte_order_mark:
        content = b"\xef\xbb\xbf" + content
    filled = {column: round(1.0 - text[column].null_count() / max(text.height, 1), 4) for column in columns}
    return ExtractFile(name, content, text.height, filled)


def with_intake_faults(frame: pl.DataFrame, file: str, rates: Rates) -> pl.DataFrame:
    """The text frame with the few rows spoilt that an intake must set aside (errors.yaml, intake_faults).

    Which rows (by `row_key`, else the first column) is settled by the first extract of the file that is written.
    """
    key = frame["row_key" if "row_key" in frame.columns else frame.columns[0]].cast(pl.String)
    for fault in rates.intake_faults(file):
        name = f"{file}:{fault['column']}:intake faults"
        if name in rates.settled:
            rows = np.flatnonzero((key.is_in(rates.settled[name].implode()) & key.is_first_distinct()).to_numpy())
        else:
            draws = rates.draws(name, pl.Series(range(frame.height), dtype=pl.Int64))
            # A small borough has none, so that a test of a few hundred rows stays clean.
            count = int(frame.height * fault["per_million"] / 1e6 + 0.5)
            rows = np.argsort(draws.random(), kind="stable")[:count]
            rates.settled[name] = key.gather(rows).drop_nulls()
        column = fault["column"]
        spoilt = frame[column].scatter(rows, pl.Series([fault["text"] or None] * len(rows), dtype=pl.String))
        frame = frame.with_columns(spoilt.alias(column))
    return frame


def key_of(*columns: str) -> pl.Expr:
    """A key of several columns joined by strokes; null when any part is missing."""
    return pl.concat_str([pl.col(column).cast(pl.String) for column in columns], separator="/")


def truth_of(frame: pl.DataFrame, key: pl.Expr, value: str, name: str) -> pl.DataFrame:
    """One row a key and true value, in file order; rows that lost their key are left out."""
    pairs = frame.select(key.alias(name), pl.col(value).cast(pl.Int64))
    return pairs.drop_nulls(name).unique(maintain_order=True)


def write_delivery(rendered: Rendered, landing: Path, extract_date: date) -> Path:
    """Writes landing/<source>/<date>/ and returns it; the manifest comes last: a folder without one is unfinished."""
    folder = landing / rendered.source / extract_date.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.json"
    manifest.unlink(missing_ok=True)
    for file in rendered.files:
        (folder / file.name).write_bytes(file.content)
    described = {
        "source": rendered.source,
        "extract_date": extract_date.isoformat(),
        "synthetic": True,
        **({"supply": "changes"} if rendered.changes_only else {}),
        "files": [
            {
                "name": file.name,
                "rows": file.rows,
                "sha256": sha256(file.content).hexdigest(),
                "bytes": len(file.content),
            }
            for file in rendered.files
        ],
    }
    manifest.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    return folder
