"""Holding a published run against the truth of an invented borough, which nothing else may read, or against a list of
who is who."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from linkage_models.estimation import untried
from linkage_models.thresholds import INTERVAL_LEVEL
from pipelines.faults import BoroughlinkError, plural
from pipelines.reading.answer import Answer, Table
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import open_snapshot, require_linked

VIEW = "data_quality"
FLAGGED = "SELECT rule, subject_ref, other_ref, strength FROM published.fraud.flagged_pair"


def evaluation_of(folder: DataFolder, truth: Path | None, with_stock: bool = False) -> Answer:
    """Links, addresses and flags against the truth of an invented borough, or links against a CSV of who is who;
    without either, what can be estimated."""
    if truth is None:
        return Answer(*estimated(folder))
    truth = truth.expanduser().resolve()
    if truth.is_file():
        judged = judge_known(folder, truth, with_stock)
        return Answer(*known_tables(judged), {"judged": judged})
    judged = judge(folder, truth, with_stock)
    said, tables = judgement_tables(judged)
    return Answer(said, tables, {"judged": judged})


def judge(folder: DataFolder, truth: Path, with_stock: bool = False) -> dict[str, Any]:
    """Links, addresses and flagged pairs of the published run against an invented borough's truth.

    `with_stock` adds the yardsticks that train a stock Splink model on the same records: seconds to minutes.
    """
    import polars as pl

    from linkage_models.address.evaluation import evaluate_addresses
    from linkage_models.evaluation import evaluate
    from linkage_models.models import Model
    from linkage_models.person.designs import DESIGNS
    from pipelines.fraud.evaluation import evaluate_flags, summarise
    from pipelines.linkage.certainty import calibration_of, thresholds_of
    from pipelines.linkage.lasting import ids_by_run, ids_over_months
    from pipelines.residents.evaluation import evaluate_residents
    from pipelines.view_edges import open_view_edges

    if not (truth / "persons.parquet").exists():
        raise BoroughlinkError(f"{truth} is not the truth/ folder of an invented borough.")
    with open_snapshot(folder, read=(truth,)) as (wh, _):
        open_view_edges(wh, VIEW, "published")
        judged: dict[str, Any] = {
            "links": evaluate(
                wh.con,
                truth,
                VIEW,
                day=load_settings(folder).today(),
                link=thresholds_of(wh, VIEW, "published").link,
                calibration=calibration_of(wh, "published"),
                with_stock=with_stock,
                edges="view_edge",
                design=DESIGNS[Model.of(*wh.rows("SELECT body, terms FROM published.linkage.model")[0]).design],
            ),
            "addresses": evaluate_addresses(
                wh.con,
                str(truth / "addresses.parquet"),
                addresses="published.facts.address",
                matched="published.places.address_uprn",
            ),
            "residents": evaluate_residents(wh, truth),
        }
        if wh.exists("published.fraud.flagged_pair"):
            planted = pl.read_parquet(truth / "planted.parquet")
            judged["flags"] = summarise(evaluate_flags(wh.frame(FLAGGED), planted))
        judged |= {"ids by run": ids_by_run(wh, VIEW), "ids over months": ids_over_months(wh, VIEW, truth)}
        return judged


def judge_known(folder: DataFolder, known: Path, with_stock: bool = False) -> dict[str, Any]:
    """Links of the published run against a CSV of who is who: source, source_key, person.

    Raises BoroughlinkError for a file that is no such list, or of other records.
    """
    import polars as pl

    from linkage_models.evaluation import evaluate_known
    from pipelines.linkage.certainty import thresholds_of

    columns = ("source", "source_key", "person")
    try:
        listed = pl.read_csv(known, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError):
        raise BoroughlinkError(f"{known} can't be read as CSV.") from None
    if missing := set(columns) - set(listed.columns):
        raise BoroughlinkError(f"{known}, line 1: the column {', '.join(sorted(missing))} is missing.")
    listed = listed.select(columns)
    if listed.null_count().sum_horizontal().sum():
        raise BoroughlinkError(f"{known}: a value is empty; each row is one record and who it is.")
    if twice := int(listed.select("source", "source_key").is_duplicated().sum()):
        raise BoroughlinkError(f"{known}: {plural(twice, 'row')} name a record that another row names too.")
    with open_snapshot(folder) as (wh, _):
        require_linked(wh)
        wh.con.register("known", listed)
        judged = evaluate_known(
            wh.con, "known", VIEW, link=thresholds_of(wh, VIEW, "published").link, with_stock=with_stock
        )
        wh.con.unregister("known")
    if judged["records not taken in"] == judged["records"]:
        raise BoroughlinkError(f"{known} names no record of {folder.root}: `source` is the name of a contract.")
    return {"links": judged}


def known_tables(judged: Mapping[str, Any]) -> tuple[list[str], list[Table]]:
    """What `judge_known` found as sentences and tables for people."""
    links = judged["links"]
    said = [
        f"{links['records']:,} records, of which {links['records not taken in']:,} were not taken in and "
        f"{links['records without a cluster']:,} name nobody: each counts as missed. {_worst_clusters(links)}"
    ]
    tables = [
        _rates(links),
        _table("Beside yardsticks on the same records", links["yardstick"]),
        _misses(links),
        _table("By pair of sources", links["by_source_pair"]),
    ]
    return said, [table for table in tables if table[2]]


def estimated(folder: DataFolder) -> tuple[list[str], list[Table]]:
    """How good the published links are as far as anyone can tell without the truth, by view: precision and recall with
    intervals, and the thresholds in use."""
    from linkage_models.calibration import face_value
    from linkage_models.models import Model
    from pipelines.linkage.certainty import thresholds_of
    from pipelines.linkage.estimates import estimate_of

    rows = []
    with open_snapshot(folder) as (wh, _):
        require_linked(wh)
        model = Model.of(*wh.rows("SELECT body, terms FROM published.linkage.model")[0])
        for (view,) in wh.rows("SELECT DISTINCT view FROM published.linkage.membership ORDER BY view"):
            (links, said), at = estimate_of(wh, model, view, "published"), thresholds_of(wh, view, "published")
            rows.append(
                (
                    view,
                    links,
                    f"{said.precision:.4f} ({said.precision_low:.4f} to {said.precision_high:.4f})",
                    f"{said.recall:.4f} ({said.recall_low:.4f} to {said.recall_high:.4f})",
                    at.link,
                    at.review,
                    at.expected,
                )
            )
    calibration, transfer = model.calibration or face_value(), model.transfer or untried()
    columns = ("view", "linked pairs", "precision", "recall", "links from", "review from", "precision of strong pairs")
    said_of = (
        f"fitted on {transfer.sites} labelled boroughs and corrected by what this data gives away"
        if transfer.sites
        else "of a model that no labelled borough has tried, so far from sure"
    )
    return (
        [
            f"Estimates without a truth, {said_of}; intervals {INTERVAL_LEVEL:.0%}. Links from and review from are"
            " match weights.",
            f"Probabilities: {calibration.source}.",
        ],
        [("Links as estimated", columns, rows)],
    )


def judgement_tables(judged: Mapping[str, Any]) -> tuple[list[str], list[Table]]:
    """What `judge` found as sentences and tables for people: (title, columns, rows)."""
    links = judged["links"]
    apart, calibrated = links["distinguished"], links["calibration"]
    said = [
        f"{links['records']:,} records. {_worst_clusters(links)}",
        f"Of {apart['true pairs']:,} true pairs that recorded values distinguish, {apart['recall']:.2%} are linked. "
        + apart["definition"],
        f"Probabilities are off by {calibrated['error']:.4f} on average over pairs with weights -5 to 15, in 15 bins "
        f"of equal size. Calibration: {calibrated['source']}.",
        f"Intervals are {INTERVAL_LEVEL:.0%}, the true person being the unit drawn.",
    ]
    blocking = links["blocking"]
    said.append(
        f"{blocking['recall']:.2%} of all true pairs were compared; without the truth, blocking estimates"
        f" {blocking['estimated']:.2%}."
    )
    said += [
        f"Worst {low['grouping']}: {low['group']}, pairs {_with_interval(low, 'pair precision')} precision, "
        f"{_with_interval(low, 'pair recall')} recall."
        for low in links["worst"]
    ]
    tables: list[Table] = [
        _rates(links),
        _table("Beside yardsticks on the same records", links["yardstick"]),
        _misses(links),
        _table("Blocking: pairs that each rule makes", _named(blocking["rules"])),
        (
            "By pair of sources",
            ("source", "with", "true pairs", "precision", "recall"),
            [
                (
                    row["source"],
                    row["with"],
                    row["true pairs"],
                    *(_with_interval(row, r) for r in ("precision", "recall")),
                )
                for row in links["by_source_pair"]
            ],
        ),
    ]
    rates = ("pair precision", "pair recall", "B-cubed precision", "B-cubed recall", "whole precision", "whole recall")
    for grouping in dict.fromkeys(row["grouping"] for row in links["by_group"]):
        mine = [row for row in links["by_group"] if row["grouping"] == grouping]
        rows = [
            (row["group"], row["records"], row["true pairs"], *(_with_interval(row, rate) for rate in rates))
            for row in mine
        ]
        tables.append((f"By {grouping}", ("group", "records", "true pairs", *rates), rows))
    tables += [
        _table("Probability said and true, by match weight", calibrated["bins"]),
        _table(
            "Addresses against the truth",
            [row | {each: row[each] or "all" for each in ("source", "method")} for row in judged["addresses"]],
        ),
        _table("Residents against the truth, by view", judged["residents"].get("people", ())),
        _table("Wards against their known totals, by view", judged["residents"].get("wards", ())),
        _table("Flagged pairs against what was planted", judged.get("flags", ())),
        _table("Persons after each run, and how many of their ids are current today", judged.get("ids by run", ())),
        _table("Ids over the months, by what befell the true person", judged.get("ids over months", ())),
    ]
    return said, [table for table in tables if table[2]]


def _worst_clusters(links: Mapping[str, Any]) -> str:
    return (
        f"Largest cluster: {links['largest cluster']} records; most true persons in one: "
        f"{links['most persons in a cluster']}; clusters of more than one person: "
        f"{links['share of clusters with more than one person']:.3%}."
    )


def _rates(links: Mapping[str, Any]) -> Table:
    kinds = (("pairs of records", "pairs"), ("records, averaged (B-cubed)", "b_cubed"), ("whole persons", "clusters"))
    return (
        "Links against the truth",
        ("of", "precision", "recall", "F1"),
        [(words, *(round(links[kind][rate], 4) for rate in ("precision", "recall", "f1"))) for words, kind in kinds],
    )


def _misses(links: Mapping[str, Any]) -> Table:
    rows = [tuple(row.values()) for row in links["misses"]]
    return "Why true pairs were missed", ("first cause that holds", "pairs"), rows


def _named(rules: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    from linkage_models.person.agreements import agreement

    return [{"agreement on": agreement(row["rule"])} | {key: row[key] for key in row if key != "rule"} for row in rules]


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    columns = list(rows[0]) if rows else []
    return (
        title,
        [column.replace("_", " ") for column in columns],
        [[row[column] for column in columns] for row in rows],
    )


def _with_interval(row: Mapping[str, Any], rate: str) -> str:
    """0.9912 (0.988–0.993): breaks between the two only."""
    low, high = row[f"{rate} interval"]
    return "-" if row[rate] is None else f"{row[rate]:.4f} ({low:.3f}–{high:.3f})"
