"""The four rules: each a .sql file of candidate pairs with coded evidence; strength and value follow from YAML."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from pipelines.governance.protection import withheld
from pipelines.keys.keyring import Keyring
from pipelines.keys.pseudonyms import lasting_name
from pipelines.people.inherited import sealed_places
from pipelines.sources.window import Passing, open_window
from pipelines.view_edges import open_view_edges
from pipelines.warehouse import Warehouse, sql_file

HERE = Path(__file__).parent
PURPOSE = VIEW = "fraud"


@dataclass(frozen=True)
class Rule:
    """One rule: its name (also its .sql file), a title, and the facts without which it can't run."""

    name: str
    title: str
    needs: tuple[str, ...]


RULES = (
    Rule("spd_second_adult", "Single person discount and another adult", ("discount", "liability")),
    Rule("two_tenancies", "Two tenancies of one person", ("tenancy",)),
    Rule("tenancy_elsewhere", "Tenancy with residence elsewhere", ("tenancy",)),
    Rule("deceased", "Benefit, discount, tenancy or permit of a person who has died", ("death",)),
)
READ = ("person_record", "residence", "liability", "discount", "tenancy", "claim", "registration", "death", "permit")

CANDIDATE = """
    rule VARCHAR, subject_source VARCHAR, subject_ref VARCHAR, subject_record_id VARCHAR, subject_from DATE,
    other_source VARCHAR, other_ref VARCHAR, other_record_id VARCHAR, other_from DATE, uprn BIGINT, other_uprn BIGINT,
    link_weight DOUBLE, link_probability DOUBLE, link_basis VARCHAR, sentence VARCHAR,
    evidence STRUCT(code VARCHAR, detail VARCHAR)[], value_kind VARCHAR, yearly DECIMAL(12, 2), since DATE
"""


def build_flagged_pairs(
    wh: Warehouse, sources: Sequence[str], keys: Keyring, passing: Passing | None = None
) -> dict[str, int]:
    """Build `identity.fraud.flagged_pair` and `.explained`, one row a pair; return the counts by rule and strength.

    `sources` are those that the fraud purpose may read, `passing` how their facts pass for it. A rule whose facts no
    source provides is left out (`left_out_<rule>` is 1). Flagged pairs are ordered by `position`: what a look may save
    the council, highest first.
    """
    policy = load("thresholds.yaml")
    values = load("values.yaml")
    _open_window(wh, sources, policy, passing)
    wh.execute(f"CREATE OR REPLACE TEMP TABLE candidate ({CANDIDATE})")
    counts: dict[str, int] = {}
    titled = pl.DataFrame([(rule.name, rule.title) for rule in RULES], schema=["rule", "title"], orient="row")
    with wh.given(titled):
        wh.table("identity.fraud.rule", "-- a rule and what it is called (rule)\nSELECT * FROM given")
    for rule in RULES:
        if not all(wh.exists(f"identity.facts.{fact}") for fact in rule.needs):
            counts[f"left_out_{rule.name}"] = 1
            continue
        wh.execute("INSERT INTO candidate BY NAME " + sql_file(HERE / f"{rule.name}.sql", **policy))
    _load_policy(wh, values)
    unknown = wh.rows(
        "SELECT DISTINCT p.piece.code FROM (SELECT unnest(evidence) AS piece FROM candidate) AS p "
        "WHERE p.piece.code NOT IN (SELECT code FROM evidence)"
    )
    if unknown:
        raise ValueError(f"evidence.yaml has no words for {sorted(code for (code,) in unknown)}")
    names = {**policy, "values_version": str(values["version"])}
    wh.execute("CREATE OR REPLACE TEMP TABLE weighed AS " + sql_file(HERE / "strength.sql", **names))
    _name_flags(wh, keys)
    wh.table(
        "identity.fraud.flagged_pair",
        "SELECT f.flag_id, row_number() OVER (ORDER BY w.expected_retained DESC, f.flag_id) AS position, "
        "w.* EXCLUDE (since) FROM weighed AS w JOIN flag AS f USING (rule, subject_record_id, subject_ref, "
        "other_record_id, other_ref) WHERE w.strength <> 'explained' ORDER BY position",
    )
    wh.table(
        "identity.fraud.explained",
        "SELECT f.flag_id, w.* EXCLUDE (since, expected_retained, likelihood) FROM weighed AS w JOIN flag AS f USING "
        "(rule, subject_record_id, subject_ref, other_record_id, other_ref) WHERE w.strength = 'explained' "
        "ORDER BY f.flag_id",
    )
    for name, strength, count in wh.rows("SELECT rule, strength, count(*) FROM weighed GROUP BY ALL ORDER BY ALL"):
        counts[f"{name}_{strength}"] = count
    return counts


def load(name: str) -> dict[str, Any]:
    """One of this room's YAML files."""
    return dict(yaml.safe_load((HERE / name).read_text(encoding="utf-8")))


def _open_window(wh: Warehouse, sources: Sequence[str], policy: dict[str, Any], passing: Passing | None) -> None:
    """Temporary views of what the purpose may read: current facts of its sources, its persons, where they are."""
    listed = open_window(wh, READ, sources, passing)
    for fact in READ:
        if "record_id" in wh.columns(fact):
            wh.execute(
                f"DELETE FROM {fact} WHERE record_id IN "
                f"(SELECT record_id FROM identity.people.record WHERE sensitivity IN ({withheld()}))"
            )
    sealed = {"withheld": withheld(), "sealed_place": sealed_places(wh)}
    wh.execute(sql_file(HERE / "window.sql", as_of=wh.as_of.isoformat(), sources=listed, **sealed))
    open_view_edges(wh, VIEW)
    wh.execute("CREATE OR REPLACE TEMP TABLE presence AS " + sql_file(HERE / "presence.sql"))
    wh.execute("CREATE OR REPLACE TEMP TABLE kin AS " + sql_file(HERE / "kin.sql", **policy))


def _load_policy(wh: Warehouse, values: dict[str, Any]) -> None:
    """The YAML files as temporary tables: evidence in words, values by kind, likelihood by rule and strength."""
    pieces = load("evidence.yaml")
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE evidence "
        "(place INTEGER, code VARCHAR, effect VARCHAR, adds INTEGER, text VARCHAR)"
    )
    for place, (code, piece) in enumerate(pieces.items()):
        row = [place, code, piece["effect"], piece.get("adds", 0), piece["text"]]
        wh.execute("INSERT INTO evidence VALUES (?, ?, ?, ?, ?)", row)
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE value (kind VARCHAR, default_yearly DOUBLE, back_years DOUBLE, "
        "forward_years DOUBLE, fixed DOUBLE, retained_share DOUBLE)"
    )
    for kind, value in values["kinds"].items():
        names = ("default_yearly", "back_years", "forward_years", "fixed", "retained_share")
        wh.execute("INSERT INTO value VALUES (?, ?, ?, ?, ?, ?)", [kind, *(value[name] for name in names)])
    wh.execute("CREATE OR REPLACE TEMP TABLE likelihood (rule VARCHAR, strength VARCHAR, likelihood DOUBLE)")
    for rule, shares in values["likelihood"].items():
        for strength, share in shares.items():
            wh.execute("INSERT INTO likelihood VALUES (?, ?, ?)", [rule, strength, share])


def _name_flags(wh: Warehouse, keys: Keyring) -> None:
    """A temporary table `flag` that names each pair by a keyed hash, the same in every run."""
    pairs = wh.rows("SELECT rule, subject_record_id, subject_ref, other_record_id, other_ref FROM weighed ORDER BY ALL")
    ids = [flag_id(keys, *pair) for pair in pairs]
    columns = ("rule", "subject_record_id", "subject_ref", "other_record_id", "other_ref")
    frame = pl.DataFrame(pairs, schema=dict.fromkeys(columns, pl.String), orient="row")
    frame = frame.with_columns(pl.Series("flag_id", ids, dtype=pl.String))
    wh.con.register("flag_frame", frame.to_arrow())
    wh.execute("CREATE OR REPLACE TEMP TABLE flag AS SELECT * FROM flag_frame")
    wh.con.unregister("flag_frame")


def flag_id(keys: Keyring, *pair: str) -> str:
    """The lasting name of a flagged pair, over rule, subject and other."""
    return lasting_name(keys, "f_", "flag", *pair)
