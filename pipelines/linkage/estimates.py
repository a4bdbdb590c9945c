"""How good the links of a view are as far as anyone can tell without the truth."""

from linkage_models.estimation import Estimate, estimate, survey, untried
from linkage_models.models import Model
from pipelines.view_edges import open_view_edges
from pipelines.warehouse import Warehouse


def estimate_of(wh: Warehouse, model: Model, view: str, catalog: str = "identity") -> tuple[int, Estimate]:
    """The linked pairs of a view, and their estimated precision and recall; `model` is the one that scored."""
    open_view_edges(wh, view, catalog)
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE view_cluster AS SELECT record_id, person_id AS cluster"
        f" FROM {catalog}.linkage.membership WHERE view = ?",
        [view],
    )
    seen = survey(wh.con, "view_edge", "view_cluster", f"{catalog}.people.record", model.settings)
    wh.execute("DROP TABLE view_cluster")
    wh.execute("DROP VIEW view_edge")
    return seen.links, estimate(seen, model.transfer or untried())
