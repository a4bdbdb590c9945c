-- A standing decision on two records that a run has in a view: whether the run contradicts it (view, decision_id).
WITH judged AS (
    SELECT l.view, d.decision_id, d.kind, d.made_at,
        CASE d.kind WHEN 'must_link' THEN l.was <> r.was ELSE l.was = r.was END AS before_contradicts,
        CASE d.kind WHEN 'must_link' THEN l.now <> r.now ELSE l.now = r.now END AS after_contradicts
    FROM decided d JOIN moved l ON l.record_id = d.l JOIN moved r ON r.record_id = d.r AND r.view = l.view
)

SELECT view, decision_id, kind, made_at, coalesce(before_contradicts, false), coalesce(after_contradicts, false)
FROM judged WHERE before_contradicts IS NOT NULL OR after_contradicts IS NOT NULL
ORDER BY view, decision_id
