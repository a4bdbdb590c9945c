"""The model card, in Markdown: what a model is, what it was trained on, how sure it is, where not to trust it.

After Mitchell and others, Model Cards for Model Reporting (FAT* 2019). It holds counts and parameters, no value of a
record.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from linkage_models import thresholds as policy
from linkage_models.models import SYNTHETIC, Model, weights

LICENCE = "MIT, as the code is."
LIMITS = (
    "Made to find the records of one person among a council's systems. Not made to decide anything about a person.",
    "Records that say little (no birth date, an initial for a forename, an address that is out of date) are linked less"
    " often, whoever they are about.",
    "Twins, and parent and child of one name at one home, are told apart by birth date, forename and sex alone: where"
    " records lack these, they are left to review.",
    "Weights of a shared home go with the number of people it was set to; parameters go with the columns it was trained"
    " on. Other columns, or a source whose errors are of another kind, ask for new training.",
)


def written(model: Model) -> str:
    """The card of a model, as Markdown."""
    return "\n".join(_lines(model)) + "\n"


def origin(model: Model) -> str:
    """Where the model comes from, in a few words."""
    on = model.card.get("trained_on") or {}
    if on.get("kind") == SYNTHETIC:
        return f"an invented borough of {on['people']:,} people (seed {on['seed']}, {on['profile']} errors)"
    if parent := on.get("parameters_of"):
        return f"parameters of {parent}, probabilities fitted to labels in run {on['run']}"
    if "run" in on:
        held = "invented" if on.get("holds") == "synthetic" else "the council's own"
        return f"{held} records of run {on['run']}"
    return model.card.get("note") or "not said"


def certainty(model: Model) -> str:
    """Whether the model's probabilities were fitted to labels, and to whose."""
    if model.calibration is None:
        return "not calibrated"
    return "calibrated here" if model.calibration.here else "calibrated elsewhere"


def _lines(model: Model) -> Iterator[str]:
    card = model.card
    yield f"# Model {model.version}"
    yield ""
    records = counted(card.get("records", 0))
    yield f"Comes from {origin(model)}: {records}, design `{model.design}`, mark `{model.mark}`."
    yield ""
    yield from _origin(model)
    yield from _certainty(model)
    yield from _weak(card.get("weak", ()))
    yield "## Limits"
    yield ""
    yield from (f"- {limit}" for limit in LIMITS)
    yield ""
    yield from _training(model)
    yield from _parameters(model)
    yield "## Licence and privacy"
    yield ""
    yield from _privacy(model)


def counted(records: int) -> str:
    return f"{records:,} record" + ("" if records == 1 else "s")


def _origin(model: Model) -> Iterator[str]:
    card, on = model.card, model.card.get("trained_on") or {}
    yield "## Where it comes from"
    yield ""
    rows: list[tuple[str, Any]] = []
    if on.get("kind") == SYNTHETIC:
        rows += [("generator", on["generator"]), ("seed", on["seed"]), ("people", f"{on['people']:,}")]
        rows += [("errors", on["profile"])]
    elif on:
        named = {"council": "council", "run": "run", "day": "day", "people in it": "holds"}
        rows += [(words, on.get(name, "not said")) for words, name in named.items()]
        if parent := on.get("parameters_of"):
            rows.append(("m, u and prior taken over from", parent))
        rows += [(f"records of {source}", f"{count:,}") for source, count in on["sources"].items()]
    rows += [
        ("records", f"{card.get('records', 0):,}"),
        ("set to people", f"{model.population:,}"),
        ("columns", ", ".join(card.get("columns", ()))),
        ("note", card.get("note", "")),
    ]
    yield from _table(("what", "value"), rows)


def _certainty(model: Model) -> Iterator[str]:
    yield "## How sure it is"
    yield ""
    held = model.calibration
    if held is None:
        yield "Not calibrated: its weights are taken at face value, which was seen 2 to 4 bits off. Label a sample."
    else:
        where = "here" if held.here else "elsewhere, not here"
        yield (
            f"Calibrated {where}, on {held.labels:,} labelled pairs (worth {held.effective:,.0f} drawn at random):"
            f" {held.source}."
        )
    yield ""
    if found := model.card.get("estimates"):
        yield (
            f"Estimated without a truth on the records that it was trained on or calibrated for, intervals"
            f" {policy.INTERVAL_LEVEL:.0%}:"
        )
        yield ""
        rates = [(e["view"], _interval(e, "precision"), _interval(e, "recall")) for e in found]
        ends = [(f"{e['link']:+.2f}", f"{e['review']:+.2f}") for e in found]
        columns = ("view", "precision", "recall", "links from", "review from")
        yield from _table(columns, [(*rate, *end) for rate, end in zip(rates, ends, strict=True)])


def _interval(estimate: dict[str, float], rate: str) -> str:
    return f"{estimate[rate]:.4f} ({estimate[f'{rate}_low']:.4f} to {estimate[f'{rate}_high']:.4f})"


def _weak(groups: Sequence[Sequence[Any]]) -> Iterator[str]:
    if not groups:
        return
    yield "## Where it is least sure"
    yield ""
    yield (
        "Groups whose records hold most of the open questions: the share of their linked pairs that the probabilities"
        " expect to be wrong, and of pairs left apart that they expect to be right, in a thousand records."
    )
    yield ""
    yield from _table(
        ("by", "group", "records", "wrong links expected", "missed links expected"),
        [(by, group, f"{records:,}", f"{wrong:.1f}", f"{missed:.1f}") for by, group, records, wrong, missed in groups],
    )


def _training(model: Model) -> Iterator[str]:
    card = model.card
    yield "## Training"
    yield ""
    if why := card.get("untrained"):
        yield (
            f"**Not trained: training failed ({why}).** u from random pairs of these records, m assumed: the mean over"
            " invented records of several kinds. The prior from the pairs that the rules find, given these."
        )
    else:
        yield (
            "u from random pairs, m by expectation maximisation over pairs that agree on the columns named, the prior"
            " from pairs that meet a certain rule. Each session converged (no parameter moved by"
            f" {policy.EM_CONVERGENCE:g} in its last iteration); training fails otherwise."
        )
    yield ""
    rows = [
        (rule, told["iterations"], f"{told['matches']:,}") for rule, told in sorted(card.get("sessions", {}).items())
    ]
    yield from _table(("pairs that agree on", "iterations", "matches found"), rows)
    if (assumed := card.get("assumed")) and not card.get("untrained"):
        yield f"Too few matches to learn from, so m is assumed: {', '.join(assumed)}."
        yield ""


def _parameters(model: Model) -> Iterator[str]:
    yield "## Parameters"
    yield ""
    yield f"Two random records are of one person with probability {model.prior:.3g}."
    yield ""
    at = {
        (comparison["output_column_name"], level["label_for_charts"]): level
        for comparison in model.settings["comparisons"]
        for level in comparison["comparison_levels"]
    }
    rows = []
    for name, words, bits in weights(model):
        m, u = (f"{at[name, words][f'{which}_probability']:.3g}" for which in "mu")
        rows.append((name, words, m, u, f"{bits:+.1f}"))
    yield from _table(("comparison", "level", "m", "u", "weight (bits)"), rows)


def _privacy(model: Model) -> Iterator[str]:
    pooled = model.card.get("rare_terms_pooled_below", policy.RARE_TERM_COUNT)
    if (model.card.get("trained_on") or {}).get("kind") == SYNTHETIC:
        yield f"Nobody in its training data exists. {LICENCE}"
    else:
        yield (
            "Trained on a council's records: for the council's own use, not to be passed on. This card and the JSON"
            " beside it hold counts and parameters only."
        )
    yield (
        f"How often a value occurs is kept sealed, or with the code if invented; values seen fewer than {pooled} times"
        " are pooled, so that no rare name can be read out of it."
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    if not rows:
        return
    yield f"| {' | '.join(columns)} |"
    yield "|" + "---|" * len(columns)
    yield from (f"| {' | '.join(str(value).replace('|', '/') for value in row)} |" for row in rows)
    yield ""
