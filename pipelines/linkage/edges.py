"""linkage.edge: every compared pair of records with its weight. Linking runs in memory; the result goes to the file."""

from dataclasses import dataclass

from linkage_models.models import Model
from linkage_models.person.records import link_table
from linkage_models.scoring import Scored, score
from pipelines.linkage.choice import choose_model
from pipelines.people.records import RECORD
from pipelines.warehouse import Warehouse

EDGE = "identity.linkage.edge"
MODEL = "identity.linkage.model"
# Records that must never be joined to another: the law forbids the connection (adoption, gender recognition).
NEVER_LINK = ("adoption", "gender_recognition")


@dataclass(frozen=True)
class Linked:
    """The model used, why, and what scoring made."""

    model: Model
    chosen: str
    scored: Scored

    def figures(self) -> dict[str, float | str]:
        certain = {f"certain by {rule}": count for rule, count in self.scored.deterministic.items()}
        return {
            "pairs compared": self.scored.pairs,
            "model": self.model.version,
            "model chosen": self.chosen,
            **certain,
        }


def build_edge(wh: Warehouse) -> Linked:
    """Write EDGE from the people records; grain record_l < record_r."""
    named = ", ".join(f"'{kind}'" for kind in NEVER_LINK)
    link_table(wh.con, RECORD, "person_link", f"is_person AND coalesce(sensitivity, '') NOT IN ({named})")
    model, chosen = choose_model(wh, "person_link")
    scored = score(wh.con, "person_link", model, "person_edge")
    gammas = ", ".join(f"e.gamma_{name}" for name in model.comparisons)
    wh.table(
        EDGE,
        f"""-- one row per compared pair
        SELECT l.record_id AS record_l, r.record_id AS record_r, l.source_dataset AS source_l, r.source_dataset AS
            source_r,
            e.match_weight, e.match_probability, e.match_key, e.tier, '{model.version}' AS model_version, {gammas}
        FROM person_edge e JOIN person_link l ON l.unique_id = e.unique_id_l JOIN person_link r ON r.unique_id =
            e.unique_id_r
        ORDER BY e.unique_id_l, e.unique_id_r""",
    )
    wh.table(
        MODEL,
        "-- the model of this run, as it scored\nSELECT ?::VARCHAR AS version, ?::VARCHAR AS chosen, ?::VARCHAR"
        " AS body, ?::VARCHAR AS terms",
        [model.version, chosen, model.body(), model.terms_body()],
    )
    for table in ("person_edge", "person_link"):
        wh.execute(f"DROP TABLE {table}")
    return Linked(model, chosen, scored)
