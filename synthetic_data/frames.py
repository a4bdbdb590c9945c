"""Frames and text columns as every table of a world holds them."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synthetic_data.schemas import SCHEMAS

NOTHING: NDArray[np.object_] = np.array(None, dtype=object)  # numpy's missing text


def shaped(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with exactly the columns and types of its schema; a column that is missing is an error."""
    return frame.select(pl.col(column).cast(kind) for column, kind in SCHEMAS[name].items())


def texts(values: NDArray[Any]) -> pl.Series:
    """A text column from an object array, None as null."""
    return pl.Series(values.tolist(), dtype=pl.String)
