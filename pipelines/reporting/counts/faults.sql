-- One row per source, table, column, kind and reason: rows or values set aside in the newest accepted extract.
WITH newest AS (
    SELECT source, arg_max(delivery, (extract_date, delivery)) AS delivery
    FROM identity.meta.intake
    WHERE state = 'accepted'
    GROUP BY source
)
SELECT f.source, f.table_name, f.column_name, f.kind, f.reason, count(*)
FROM identity.staged.fault AS f
JOIN newest USING (source, delivery)
WHERE f.kind IN ('row', 'value')
GROUP BY ALL
ORDER BY count(*) DESC, f.source, f.table_name, f.column_name, f.reason
