-- One row per source, judgement and principle of the newest ${judgements} judgements of each source: its score then.
-- Grain: source, judgement, principle.
WITH judged AS (
    SELECT *, dense_rank() OVER (PARTITION BY source ORDER BY judgement DESC) AS age FROM ${catalog}.quality.result
)
SELECT source, principle, extract_date, run_id,
    round(100 * avg(1 - share) FILTER (judged), 1) AS score,
    CASE WHEN count(*) FILTER (NOT passed AND severity = 'critical') > 0 THEN 'fails'
         WHEN count(*) FILTER (NOT passed) > 0 THEN 'warns'
         WHEN count(*) FILTER (judged) > 0 THEN 'holds' ELSE 'not judged' END AS state
FROM judged WHERE age <= ${judgements}
GROUP BY source, judgement, principle, extract_date, run_id
ORDER BY source, judgement, principle
