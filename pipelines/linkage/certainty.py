"""How sure the links are: the calibration of the run's model, and the thresholds that follow from it in each view."""

import json

import numpy as np

from linkage_models import thresholds as policy
from linkage_models.calibration import Calibration, Floats, Thresholds, face_value, thresholds
from linkage_models.person.designs import COUNCIL, DESIGNS, Design
from pipelines.linkage.edges import MODEL
from pipelines.warehouse import Warehouse

THRESHOLD = "linkage.threshold"
STOP_LEVEL = "linkage.stop_level"
_COLUMNS = "view VARCHAR, link DOUBLE, review DOUBLE, target DOUBLE, expected DOUBLE"


def calibration_of(wh: Warehouse, catalog: str = "identity") -> Calibration:
    """What the model that scored says of its own certainty; weights at face value where it says nothing."""
    relation = MODEL.replace("identity", catalog, 1)
    if not wh.exists(relation):
        return face_value()
    read = json.loads(wh.scalar(f"SELECT body FROM {relation}")).get("calibration")
    return Calibration.of(read) if read else face_value()


def design_of(wh: Warehouse, catalog: str = "identity") -> Design:
    """The design of the model that scored; the council's before any did."""
    relation = MODEL.replace("identity", catalog, 1)
    said = wh.scalar(f"SELECT body ->> 'design' FROM {relation}") if wh.exists(relation) else None
    return DESIGNS[said or COUNCIL.name]


def write_thresholds(wh: Warehouse, view: str, weights: Floats, target: float) -> Thresholds:
    """Add the row of a view to identity.linkage.threshold, from the weights of the pairs between its records: what lies
    outside the view moves nothing in it. Returns it."""
    at = thresholds(calibration_of(wh), weights, target)
    wh.execute(f"CREATE TABLE IF NOT EXISTS identity.{THRESHOLD} ({_COLUMNS})")
    row = [view, at.link, at.review, at.target, at.expected]
    wh.execute(f"INSERT INTO identity.{THRESHOLD} VALUES (?, ?, ?, ?, ?)", row)
    return at


def write_stop_level(wh: Warehouse, view: str, stop: float, expected: float) -> None:
    """Add the row of a view to identity.linkage.stop_level: from what mean weight on groups join, for a stated target,
    and the precision that is expected of it."""
    wh.execute(f"CREATE TABLE IF NOT EXISTS identity.{STOP_LEVEL} (view VARCHAR, stop DOUBLE, expected DOUBLE)")
    wh.execute(f"INSERT INTO identity.{STOP_LEVEL} VALUES (?, ?, ?)", [view, stop, expected])


def stop_of(wh: Warehouse, view: str, otherwise: float, catalog: str = "identity") -> float:
    """The stop level at which a view was clustered: `otherwise` unless a stated target raised it."""
    if wh.exists(f"{catalog}.{STOP_LEVEL}"):
        for (stop,) in wh.rows(f"SELECT stop FROM {catalog}.{STOP_LEVEL} WHERE view = ?", [view]):
            return float(stop)
    return otherwise


def least_asked(wh: Warehouse, stop: float) -> float:
    """The least weight of a pair that joins two records, makes a question of them or counts towards a threshold."""
    return min(stop, policy.LINK_WEIGHT, thresholds(calibration_of(wh), np.empty(0)).review)


def thresholds_of(wh: Warehouse, view: str, catalog: str = "identity") -> Thresholds:
    """The thresholds of a view; the policy's own where the run wrote none."""
    if wh.exists(f"{catalog}.{THRESHOLD}"):
        columns = f"SELECT link, review, target, expected FROM {catalog}.{THRESHOLD} WHERE view = ?"
        for row in wh.rows(columns, [view]):
            return Thresholds(*row)
    return Thresholds(policy.LINK_WEIGHT, policy.REVIEW_WEIGHT, policy.TARGET_PRECISION, 0.0)
