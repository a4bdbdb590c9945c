-- One row per grouping and group of persons with enough records to tell: how many of its links are probably found; pairs
-- that no rule compared are told over all sources only (${beyond}), and taken to fall on everyone alike.
WITH missed AS (
    SELECT record_id, sum(apart) * ${beyond} AS missed FROM (
        SELECT record_l AS record_id, apart FROM chance_pair
        UNION ALL SELECT record_r, apart FROM chance_pair) GROUP BY record_id
), sized AS (SELECT cluster, count(*) - 1 AS linked FROM readiness_record GROUP BY cluster),
grouped AS (
    SELECT record_id, cluster, reach, unnest([
        {'grouping': 'age band', 'name': coalesce(CASE ${age_bands} END, 'not known')},
        {'grouping': 'sex', 'name': coalesce(CASE person_sex WHEN 'F' THEN 'female' WHEN 'M' THEN 'male' END, 'not known')},
        {'grouping': 'ethnic group', 'name': ethnic_group},
        {'grouping': 'ward', 'name': ward}], recursive := true)
    FROM readiness_record LEFT JOIN readiness_ethnic_group USING (cluster)
)
SELECT grouping, name, count(*) AS records, count(*) FILTER (reach < ${link}) AS unlinkable,
    sum(linked) / 2 AS linked, coalesce(sum(missed), 0) / 2 AS missed,
    CASE WHEN sum(linked) + coalesce(sum(missed), 0) > 0
        THEN sum(linked) / (sum(linked) + coalesce(sum(missed), 0)) END AS recall
FROM grouped JOIN sized USING (cluster) LEFT JOIN missed USING (record_id)
WHERE name IS NOT NULL
GROUP BY grouping, name
HAVING count(*) >= ${fewest}
ORDER BY grouping, recall NULLS LAST, name
