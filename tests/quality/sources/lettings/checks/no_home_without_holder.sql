-- one row: homes, those that nobody holds
SELECT count(*) AS rows, count(*) FILTER (holder.home_ref IS NULL) AS failures
FROM ${home} AS home
LEFT JOIN (SELECT DISTINCT home_ref FROM ${holder}) AS holder USING (home_ref)
