-- A group of the records of a view and the errors that probabilities expect in a thousand of them (kind, value).
WITH pair AS (
    SELECT e.record_l, e.record_r,
        CASE WHEN l.person_id = r.person_id THEN 1 - e.match_probability ELSE 0 END AS wrong,
        CASE WHEN l.person_id <> r.person_id THEN e.match_probability ELSE 0 END AS missed
    FROM ${edge} e
    JOIN ${membership} l ON l.view = '${view}' AND l.record_id = e.record_l
    JOIN ${membership} r ON r.view = '${view}' AND r.record_id = e.record_r
),

-- half of a pair's error lies with each of its records
open AS (
    SELECT record_id, sum(wrong) / 2 AS wrong, sum(missed) / 2 AS missed
    FROM (SELECT record_l AS record_id, wrong, missed FROM pair UNION ALL SELECT record_r, wrong, missed FROM pair)
    GROUP BY record_id
),

described AS (
    SELECT coalesce(o.wrong, 0) AS wrong, coalesce(o.missed, 0) AS missed, r.source,
        coalesce(CASE r.sex WHEN 'F' THEN 'female' WHEN 'M' THEN 'male' ELSE r.sex END, 'not known') AS sex,
        CASE WHEN r.birth_date IS NULL THEN 'not known'
            WHEN date_sub('year', r.birth_date, DATE '${as_of}') < 18 THEN 'under 18'
            WHEN date_sub('year', r.birth_date, DATE '${as_of}') < 35 THEN '18 to 34'
            WHEN date_sub('year', r.birth_date, DATE '${as_of}') < 65 THEN '35 to 64'
            ELSE '65 and over' END AS age
    FROM ${membership} m
    JOIN ${record} r USING (record_id)
    LEFT JOIN open o USING (record_id)
    WHERE m.view = '${view}'
)

SELECT kind, value, count(*) AS records, 1000 * sum(wrong) / count(*) AS wrong_links,
    1000 * sum(missed) / count(*) AS missed_links
FROM (UNPIVOT described ON source, sex, age INTO NAME kind VALUE value)
GROUP BY ALL
HAVING count(*) >= ${least}
ORDER BY wrong_links + missed_links DESC, kind, value
