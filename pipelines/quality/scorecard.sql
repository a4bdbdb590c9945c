-- one source and principle: its score and its worst faults, of the extract judged last
WITH newest AS (
    SELECT source, max(judgement) AS judgement FROM ${catalog}.quality.result GROUP BY source
),
fault AS (
    SELECT result.*,
           sentence || CASE
               WHEN reason IS NOT NULL THEN ' Not so: ' || reason || '.'
               WHEN rows > 1 AND share > 0 THEN format(' Not so in {:,} of {:,} rows.', failures, rows)
               ELSE ' Not so.' END AS said,
           row_number() OVER (
               PARTITION BY source, principle
               ORDER BY severity, share - allowed DESC, failures DESC, rule) AS place
    FROM ${catalog}.quality.result AS result
    JOIN newest USING (source, judgement)
    WHERE NOT passed
)
SELECT source,
       extract_date,
       run_id,
       principle,
       any_value(owner) AS owner,
       count(*) FILTER (judged) AS rules,
       count(*) FILTER (NOT passed AND severity = 'critical') AS critical,
       count(*) FILTER (NOT passed AND severity = 'warning') AS warnings,
       round(100 * avg(1 - share) FILTER (judged), 1) AS score,
       coalesce((
           SELECT list(said ORDER BY place) FROM fault
           WHERE fault.source = result.source AND fault.principle = result.principle AND place <= 3
       ), []) AS faults
FROM ${catalog}.quality.result AS result
JOIN newest USING (source, judgement)
GROUP BY source, extract_date, run_id, principle
ORDER BY source, list_position(['accurate', 'valid', 'reliable', 'timely', 'relevant', 'complete'], principle)
