-- Households as dated intervals at a home. First the stay of each person at each home over all their records.
-- Grain: view, person_id, uprn. A stay of which no record knows the first day has lasted as long as anyone knows.
CREATE OR REPLACE TEMP TABLE home_stay AS
WITH stay AS (
    SELECT m.view, m.person_id, a.uprn,
        coalesce(min(a.from_date), DATE '1900-01-01') AS from_date,
        CASE WHEN bool_or(a.is_current) THEN NULL ELSE max(a.to_date) END AS to_date,
        bool_or(a.is_current) AS is_current,
        list_sort(list_distinct(list(m.source))) AS evidence
    FROM ${membership} m JOIN ${record_address} a USING (record_id)
    WHERE a.uprn IS NOT NULL AND a.uprn NOT IN (SELECT uprn FROM ${communal})
    GROUP BY ALL
), latest AS (   -- of several homes that someone is said to live in now, the one begun last is the main one, then the better attested
    SELECT *, is_current AND row_number() OVER (PARTITION BY view, person_id, is_current ORDER BY from_date DESC, len(evidence) DESC, uprn) = 1 AS is_main
    FROM stay
), ended AS (   -- a home that nobody closed ends where a later main home began, or with a death
    SELECT l.*, d.death_date,
        coalesce(l.to_date, CASE WHEN l.is_current AND NOT l.is_main AND main.from_date > l.from_date THEN main.from_date END) AS closed
    FROM latest l
    LEFT JOIN latest main ON main.view = l.view AND main.person_id = l.person_id AND main.is_main
    LEFT JOIN ${deaths} d ON d.view = l.view AND d.person_id = l.person_id
)
SELECT view, person_id, uprn, from_date, least(closed, death_date) AS to_date, evidence,
    is_main AND death_date IS NULL AS is_main
FROM ended
WHERE from_date <= coalesce(least(closed, death_date), DATE '9999-12-31');

-- Stays that overlap by ${overlap} days or more run together into one household. Grain: view, person_id, uprn.
CREATE OR REPLACE TEMP TABLE household_now AS
WITH ordered AS (
    SELECT *, max(coalesce(to_date, DATE '9999-12-31')) OVER (
        PARTITION BY view, uprn ORDER BY from_date, coalesce(to_date, DATE '9999-12-31') DESC, person_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
    FROM home_stay
), islands AS (
    SELECT *, sum(CASE WHEN reached IS NULL OR from_date + ${overlap} > reached THEN 1 ELSE 0 END) OVER (
        PARTITION BY view, uprn ORDER BY from_date, coalesce(to_date, DATE '9999-12-31') DESC, person_id ROWS UNBOUNDED PRECEDING) AS island
    FROM ordered
)
SELECT uprn || '/' || person_id AS member, dense_rank() OVER (ORDER BY view, uprn, island) AS group_no,
    view, person_id, uprn, nullif(from_date, DATE '1900-01-01') AS from_date, to_date, evidence, is_main
FROM islands;
DROP TABLE home_stay;
