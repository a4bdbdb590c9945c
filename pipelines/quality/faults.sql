-- one failing rule of the extract of each source that was judged last
WITH newest AS (
    SELECT source, max(judgement) AS judgement FROM ${catalog}.quality.result GROUP BY source
)
SELECT source, extract_date, principle, severity, rule, sentence, rows, failures, owner
FROM ${catalog}.quality.result
JOIN newest USING (source, judgement)
WHERE NOT passed
ORDER BY source, severity, share - allowed DESC, failures DESC, rule
