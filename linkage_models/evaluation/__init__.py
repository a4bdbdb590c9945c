"""How good the links are: against a truth, by group and by cause, beside yardsticks; and, without one, by estimate."""

from linkage_models.evaluation.judgement import evaluate
from linkage_models.evaluation.known import evaluate_known
from linkage_models.evaluation.rates import Evaluation, Rates, measure

__all__ = ["Evaluation", "Rates", "evaluate", "evaluate_known", "measure"]
