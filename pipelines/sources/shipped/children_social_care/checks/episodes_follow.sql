-- one row per episode followed by another; fails if it ends after the next began
SELECT child, dec IS NULL OR dec > next_decom AS fails
FROM (SELECT *, lead(decom) OVER (PARTITION BY child ORDER BY decom) AS next_decom FROM ${episodes})
WHERE next_decom IS NOT NULL
