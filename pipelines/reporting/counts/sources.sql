-- One row per source and table of the newest accepted extract of each source.
WITH newest AS (
    SELECT source, arg_max(delivery, (extract_date, delivery)) AS delivery
    FROM identity.meta.intake
    WHERE state = 'accepted'
    GROUP BY source
)
SELECT i.source, i.table_name, max(i.extract_date), sum(i.rows)::BIGINT, sum(i.set_aside)::BIGINT
FROM identity.meta.intake AS i
JOIN newest USING (source, delivery)
WHERE i.state = 'accepted' AND i.table_name IS NOT NULL
GROUP BY i.source, i.table_name
ORDER BY i.source, i.table_name
