-- one row per closed application; fails if closed before it was made
SELECT application_ref, closed_on < submitted_on AS fails
FROM ${applications}
WHERE closed_on IS NOT NULL AND submitted_on IS NOT NULL
