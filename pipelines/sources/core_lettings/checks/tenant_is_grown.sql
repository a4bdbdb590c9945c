-- one row: lettings that give the first tenant's age, and those under sixteen
SELECT count(*) AS rows, count(*) FILTER (WHERE TRY_CAST(age1 AS INTEGER) < 16) AS failures
FROM ${lettings}
WHERE age1 IS NOT NULL AND age1 <> 'R'
