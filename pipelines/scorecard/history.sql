-- One row per source, judgement and principle of the newest ${judgements} judgements of each source: its score then, and
-- the gravest state of its rules. Grain: source, judgement, principle.
WITH judged AS (
    SELECT *, ${state} AS state, dense_rank() OVER (PARTITION BY source ORDER BY judgement DESC) AS age
    FROM ${catalog}.quality.result WHERE ${where}
)
SELECT source, principle, extract_date, run_id, round(100 * avg(1 - share) FILTER (judged), 1) AS score,
    arg_min(state, list_position([${states}], state)) AS state
FROM judged WHERE age <= ${judgements}
GROUP BY source, judgement, principle, extract_date, run_id
ORDER BY source, judgement, principle
