"""The risk stratification data set: a tier and its reasons by pseudonym, for people who may never learn a name."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from pipelines.exports import Stamp, write_csv, write_parquet
from pipelines.governance.pseudonyms import pseudonym
from pipelines.releases.disclosure import Protection, protect, shorten_rare_lists
from pipelines.settings import write_atomically
from pipelines.warehouse import Warehouse

HERE = Path(__file__).parent
COLUMNS = (
    "person",
    "household",
    "age_band",
    "sex",
    "ward",
    "imd",
    "tier",
    "reasons",
    "link_quality",
    "index_month",
    "scorecard",
    "version",
)
_TYPES = {name: pl.List(pl.String) if name == "reasons" else pl.String for name in COLUMNS}
SUBJECT = """
-- a scored person with what may be shown of them (person_id)
SELECT person.person_id, person.household_id, person.age_from, person.age_band, person.sex, person.ward,
       person.imd_decile, person.link_quality, score.tier, score.reasons, score.index_month, score.scorecard,
       score.version
FROM attributes.risk.score AS score
JOIN attributes.attributes.person AS person USING (person_id)
"""


@dataclass(frozen=True)
class Policy:
    """A release's terms: `risk_stratification.yaml`."""

    name: str
    purpose: str
    recipient: str
    days: int
    k: int
    suppress_at_most: float
    refuse_above: float
    quasi_identifiers: tuple[str, ...]
    coarser: tuple[str, ...]
    speaks_of: dict[str, str]
    licence: str


def load_policy(path: Path = HERE / "risk_stratification.yaml") -> Policy:
    terms = yaml.safe_load(path.read_text(encoding="utf-8"))
    terms["quasi_identifiers"], terms["coarser"] = tuple(terms["quasi_identifiers"]), tuple(terms["coarser"])
    return Policy(**terms)


def build_release(wh: Warehouse, policy: Policy, key: bytes, folder: Path) -> dict[str, Any]:
    """Write the data set as CSV and Parquet with `manifest.json` into `folder`; return the manifest.

    Reads the attributes zone alone. `key` is the release's own random key: pseudonyms and row order hang on it, so two
    releases share neither. Raises ReleaseRefused when groups stay too small.
    """
    wh.execute(f"CREATE OR REPLACE TEMP TABLE subject AS {SUBJECT}")
    done = protect(
        wh,
        "subject",
        policy.quasi_identifiers,
        policy.coarser,
        policy.k,
        policy.suppress_at_most,
        policy.refuse_above,
    )
    hidden = [factor for factor, column in policy.speaks_of.items() if column in done.coarsened]
    withhold_reasons(wh, hidden)
    cut = shorten_rare_lists(wh, "protected", "reasons", policy.k)
    rows = _pseudonymised(wh, key)
    expires = wh.as_of + timedelta(days=policy.days)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = folder / f"{policy.name}.csv"
    stamp = Stamp(policy.purpose, wh.run_id, expires, policy.licence)
    write_csv(written, COLUMNS, rows, stamp)
    parquet = folder / f"{policy.name}.parquet"
    write_parquet(parquet, _TYPES, rows, stamp)
    manifest = _manifest(wh, policy, done, expires, [written, parquet], cut, hidden)
    write_atomically(folder / "manifest.json", json.dumps(manifest, indent=2).encode() + b"\n")
    return manifest


def withhold_reasons(wh: Warehouse, factors: Sequence[str]) -> None:
    """Take out of `protected` the reasons of factors that would give away what a column was made coarser to hide."""
    spoken = wh.rows("SELECT reason FROM attributes.risk.reason WHERE list_contains(?, factor)", [list(factors)])
    wh.execute(
        "UPDATE protected SET reasons = list_filter(reasons, reason -> NOT list_contains(?::VARCHAR[], reason))",
        [[reason for (reason,) in spoken]],
    )


def _pseudonymised(wh: Warehouse, key: bytes) -> list[tuple[Any, ...]]:
    """The rows under pseudonyms, in an order that only the key gives."""
    found = wh.rows(
        "SELECT person_id, household_id, shown_age_band, shown_sex, shown_ward, shown_imd, tier, reasons, "
        "link_quality, strftime(index_month, '%Y-%m'), scorecard, version FROM protected"
    )
    found.sort(key=lambda row: hmac.digest(key, b"order\0" + str(row[0]).encode(), "sha256"))
    people = pseudonym(key, "person", [str(row[0]) for row in found])
    names = sorted({str(row[1]) for row in found if row[1] is not None})
    homes = dict(zip(names, pseudonym(key, "household", names), strict=True))
    return [
        (person, homes[str(row[1])] if row[1] is not None else None, *row[2:])
        for person, row in zip(people, found, strict=True)
    ]


def _manifest(
    wh: Warehouse, policy: Policy, done: Protection, expires: date, files: list[Path], cut: int, hidden: list[str]
) -> dict[str, Any]:
    by_tier = wh.rows("SELECT tier, count(*) FROM protected GROUP BY tier ORDER BY tier")
    least_tiers = wh.scalar(
        "SELECT coalesce(min(n), 0) FROM (SELECT count(DISTINCT tier) AS n FROM protected "
        f"GROUP BY {', '.join(f'shown_{column}' for column in policy.quasi_identifiers)})"
    )
    return {
        "release": policy.name,
        "status": "personal data, pseudonymised",
        "purpose": policy.purpose,
        "recipient": policy.recipient,
        "run": wh.run_id,
        "made_for_day": wh.as_of.isoformat(),
        "delete_after": expires.isoformat(),
        "rows": done.rows,
        "rows_left_out": done.suppressed,
        "rows_by_tier": {tier: count for tier, count in by_tier if count >= policy.k},
        "quasi_identifiers": done.levels,
        "k_asked": policy.k,
        "k_measured": done.smallest_group,
        "groups": done.groups,
        "fewest_tiers_in_a_group": int(least_tiers),
        "rows_with_reasons_shortened": cut,
        "reasons_withheld_because_their_column_was_made_coarser": hidden,
        "order": "shuffled under the release's key",
        "columns": list(COLUMNS),
        "files": [
            {
                "name": path.name,
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in files
        ],
        "licence": policy.licence.strip(),
    }
