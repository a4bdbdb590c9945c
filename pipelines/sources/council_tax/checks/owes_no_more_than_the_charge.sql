-- one row: years in recovery, and those that owe more than was charged
SELECT count(*) AS rows, count(*) FILTER (WHERE balance > charge) AS failures
FROM ${ctarrears}
WHERE balance IS NOT NULL AND charge IS NOT NULL
