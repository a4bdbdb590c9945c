-- One row per rule of the extract of each source that was judged last, with the extract since which it has failed.
-- Grain: source, rule.
WITH result AS (SELECT * FROM ${catalog}.quality.result WHERE ${where}),
newest AS (SELECT source, max(judgement) AS judgement FROM result GROUP BY source),
held AS (   -- when the rule last held
    SELECT source, rule, max(judgement) AS judgement FROM result WHERE passed GROUP BY source, rule
), since AS (
    SELECT r.source, r.rule, arg_min(r.extract_date, r.judgement) AS since
    FROM result r LEFT JOIN held h USING (source, rule)
    WHERE NOT r.passed AND r.judgement > coalesce(h.judgement, -1) GROUP BY r.source, r.rule
)
SELECT r.source, r.principle, r.rule, r.sentence, r.severity, r.table_name, r.column_name, r.rows, r.failures, r.share,
    r.allowed, r.passed, r.judged, r.reason, s.since, ${state} AS state
FROM result r JOIN newest USING (source, judgement) LEFT JOIN since s USING (source, rule)
ORDER BY r.source, r.passed, r.severity, r.share - r.allowed DESC, r.failures DESC, r.rule
