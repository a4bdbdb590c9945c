-- What became of the persons of each view (view).
WITH kept_count AS (
    SELECT view, count(DISTINCT was) FILTER (is_merged) AS merged,
        count(DISTINCT now) FILTER (is_merged) AS merged_into,
        count(DISTINCT was) FILTER (is_split) AS split, count(DISTINCT now) FILTER (is_split) AS split_into,
        count(*) FILTER (is_split OR is_merged) AS regrouped, count(*) AS shared
    FROM kept GROUP BY view
),
-- persons who neither came from several nor went into several
alone AS (
    SELECT DISTINCT k.view, k.was, k.now, w.gone, n.new
    FROM kept k JOIN was_person w USING (view, was) JOIN now_person n USING (view, now)
    WHERE NOT k.is_split AND NOT k.is_merged
),
alone_count AS (
    SELECT view, count(*) FILTER (gone = 0 AND new = 0) AS unchanged, count(*) FILTER (new > 0) AS grown,
        count(*) FILTER (gone > 0) AS shrunk
    FROM alone GROUP BY view
),
was_count AS (SELECT view, count(*) AS persons, count(*) FILTER (parts = 0) AS retired FROM was_person GROUP BY view),
now_count AS (SELECT view, count(*) AS persons, count(*) FILTER (parts = 0) AS created FROM now_person GROUP BY view)

SELECT view, coalesce(b.persons, 0), coalesce(a.persons, 0), coalesce(s.unchanged, 0), coalesce(k.merged, 0),
    coalesce(k.merged_into, 0), coalesce(k.split, 0), coalesce(k.split_into, 0), coalesce(a.created, 0),
    coalesce(b.retired, 0), coalesce(s.grown, 0), coalesce(s.shrunk, 0), coalesce(k.regrouped, 0), coalesce(k.shared, 0)
FROM was_count b FULL JOIN now_count a USING (view)
LEFT JOIN kept_count k USING (view)
LEFT JOIN alone_count s USING (view)
ORDER BY view
