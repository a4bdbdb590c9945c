-- A group of the records that both runs have, and how many of them were regrouped (view, kind, value).
WITH described AS (
    SELECT k.view, k.is_split OR k.is_merged AS regrouped, r.source,
        coalesce(CASE r.sex WHEN 'F' THEN 'female' WHEN 'M' THEN 'male' ELSE r.sex END, 'not known') AS sex,
        CASE WHEN r.birth_date IS NULL THEN 'not known'
            WHEN date_sub('year', r.birth_date, DATE '${as_of}') < 18 THEN 'under 18'
            WHEN date_sub('year', r.birth_date, DATE '${as_of}') < 35 THEN '18 to 34'
            WHEN date_sub('year', r.birth_date, DATE '${as_of}') < 65 THEN '35 to 64'
            ELSE '65 and over' END AS age,
        coalesce(${ward}, 'not known') AS ward
    FROM kept k JOIN ${record} r USING (record_id) ${place}
)

SELECT view, kind, value, count(*) AS records, count(*) FILTER (regrouped) AS moved
FROM (UNPIVOT described ON source, sex, age, ward INTO NAME kind VALUE value)
GROUP BY ALL
ORDER BY view, kind, moved / records DESC, value
