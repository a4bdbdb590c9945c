-- one row per letting that gives the first tenant's age; fails under sixteen
SELECT log_id, TRY_CAST(age1 AS INTEGER) < 16 AS fails
FROM ${lettings}
WHERE age1 IS NOT NULL AND age1 <> 'R'
