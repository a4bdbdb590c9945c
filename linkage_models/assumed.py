"""A model for records that training can't learn from: too few, too few of one person, or EM does not settle.

What random pairs agree on (u) and how common names are is counted on the records themselves, and so is the share of
matches. What the records of one person agree on (m) is assumed: the mean over invented records of several kinds.
"""

from datetime import date
from pathlib import Path

import duckdb
import yaml

from linkage_models.every_pair import learn_from_every_pair, look_at_every_pair
from linkage_models.maximisation import NotConverged
from linkage_models.models import Model, version_name
from linkage_models.observed import observe, take_matches_out_of_u
from linkage_models.person.designs import GENERAL
from linkage_models.person.general import weigh_among_these, weigh_relatives
from linkage_models.thresholds import PRIOR_MOST, RARE_TERM_COUNT
from linkage_models.training import SEED, TaughtTooLittle, TrainingFailed

ASSUMED_M = Path(__file__).parent / "person" / "general_m.yaml"


def assumed_model(
    con: duckdb.DuckDBPyConnection, table: str, day: date, population: int, why: TrainingFailed, note: str = ""
) -> Model:
    """A model of the general design for `table`; `why` training taught none goes into the card as `untrained`, and
    what it saw, if it came so far, is not looked at again.

    Raises TrainingFailed where no column tells records apart.
    """
    if isinstance(why, TaughtTooLittle):
        seen, pairs = why.seen, why.pairs
    else:
        seen = observe(con, table, GENERAL, population, SEED)
        pairs = look_at_every_pair(con, table, seen.settings, GENERAL, seen.columns, seen.terms)
    trained, prior = seen.settings, seen.prior
    take_matches_out_of_u(trained, seen.chosen, prior)
    usual = yaml.safe_load(ASSUMED_M.read_text(encoding="utf-8"))
    free = []
    for comparison in trained["comparisons"]:
        m = usual.get(comparison["output_column_name"], {})
        for level in comparison["comparison_levels"]:
            if level.get("is_null_level") or level.get("fix_m_probability"):
                continue
            level["m_probability"] = m.get(level["label_for_charts"], level["m_probability"])
            level["fix_m_probability"] = True
            free.append(level)
    try:
        found = learn_from_every_pair(pairs, trained, seen.every, prior, None)
        prior = min(max(found.matches, 1.0) / seen.every, PRIOR_MOST)
    except NotConverged:
        pass  # the share of pairs that meet a certain rule stands
    for level in free:
        del level["fix_m_probability"]
    weigh_relatives(trained, prior)
    weigh_among_these(trained, pairs.shares)
    trained["probability_two_random_records_match"] = prior
    card = {
        "untrained": str(why),
        "assumed": [comparison["output_column_name"] for comparison in trained["comparisons"]],
        "records": seen.records,
        "note": note,
        "seed": SEED,
        "columns": sorted(seen.columns),
        "sessions": {},
        "rare_terms_pooled_below": RARE_TERM_COUNT,
        "calibrated": False,
    }
    return Model(version_name(day), population, trained, seen.terms, card, design=GENERAL.name)
