"""The linkage of the published run in figures: what was linked, how surely, what waits. Counts only."""

from dataclasses import dataclass
from typing import Any

from pipelines.view_edges import view_edges
from review_app.published import VIEW, Snapshot

BARS = 40


@dataclass(frozen=True)
class LinkageReport:
    """`sizes` are (records of a person, persons); `sources` are (source, records, share linked to another source);
    `weights` is the drawing of the pairs' weights."""

    model: dict[str, Any]
    views: list[dict[str, Any]]
    sizes: list[tuple[int, int]]
    sources: list[tuple[str, int, float]]
    queue: list[tuple[str, int]]
    weights: dict[str, Any] | None


def keep(snapshot: Snapshot) -> LinkageReport:
    """The report of a run, counted once."""
    return snapshot.once("linkage report", report)


def report(snapshot: Snapshot) -> LinkageReport:
    wh = snapshot.wh
    if not snapshot.has("published.linkage.person"):
        return LinkageReport({}, [], [], [], [], None)
    views = [
        dict(zip(("view", "persons", "records", "link", "review", "target", "expected"), row, strict=True))
        for row in wh.rows(
            "SELECT view, count(*), sum(records), any_value(t.link), any_value(t.review), any_value(t.target), "
            "any_value(t.expected) FROM published.linkage.person "
            "LEFT JOIN published.linkage.threshold AS t USING (view) "
            "WHERE status = 'current' GROUP BY view ORDER BY view"
        )
    ]
    sizes = wh.rows(
        "SELECT least(records, 12), count(*) FROM published.linkage.person WHERE view = ? AND status = 'current' "
        "GROUP BY ALL ORDER BY ALL",
        [VIEW],
    )
    sources = wh.rows(
        "SELECT r.source, count(*), avg((len(p.sources) > 1)::INT) FROM published.linkage.membership AS m "
        "JOIN published.people.record AS r USING (record_id) JOIN published.linkage.person AS p "
        "ON p.view = m.view AND p.person_id = m.person_id WHERE m.view = ? GROUP BY r.source ORDER BY r.source",
        [VIEW],
    )
    queue = wh.rows("SELECT reason, count(*) FROM published.review.queue GROUP BY ALL ORDER BY 2 DESC")
    model = snapshot.model
    card = {"version": model.version, "population": model.population, "comparisons": model.comparisons} if model else {}
    if model:
        card["chosen"] = wh.scalar("SELECT chosen FROM published.linkage.model")
        held = model.calibration
        card |= {"here": bool(held and held.here), "calibration": held.source if held else "weights at face value"}
    return LinkageReport(card, views, list(sizes), [tuple(row) for row in sources], list(queue), _weights(snapshot))


def _weights(snapshot: Snapshot) -> dict[str, Any] | None:
    """The view's pairs by weight, on a root scale so that the few in doubt are seen beside the many that are not."""
    low, high = -20.0, 30.0
    inside = f"SELECT record_id FROM published.linkage.membership WHERE view = '{VIEW}'"
    rows = dict(
        snapshot.wh.rows(
            f"SELECT least(greatest(floor((match_weight - {low}) / {(high - low) / BARS}), 0), {BARS - 1})::INT "
            f"AS bar, count(*) FROM ({view_edges(snapshot.wh, VIEW, 'published')}) "
            f"WHERE record_l IN ({inside}) AND record_r IN ({inside}) GROUP BY ALL"
        )
    )
    if not rows:
        return None
    width, height, most = 760, 200, max(rows.values())
    step = (width - 20) / BARS

    def x(weight: float) -> float:
        return round(10 + (min(max(weight, low), high) - low) / (high - low) * (width - 20), 1)

    bars = [
        {
            "x": round(10 + step * bar, 1),
            "height": round((count / most) ** 0.5 * (height - 50), 1),
            "width": round(step - 1.5, 1),
            "linked": low + (bar + 1) * (high - low) / BARS > snapshot.link_weight,
        }
        for bar, count in sorted(rows.items())
    ]
    ticks = [{"x": x(value), "label": f"{value:+d}" if value else "0"} for value in range(-20, 31, 10)]
    return {"bars": bars, "ticks": ticks, "link": x(snapshot.link_weight), "width": width, "height": height,
            "bottom": height - 30, "pairs": sum(rows.values())}  # fmt: skip
