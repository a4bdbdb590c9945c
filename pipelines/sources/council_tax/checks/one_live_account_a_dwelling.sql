-- one row: dwellings with a live account, and those with more than one
SELECT count(*) AS rows, count(*) FILTER (WHERE accounts > 1) AS failures
FROM (SELECT property_ref, count(*) AS accounts FROM ${ctoccupation} WHERE live_ind = '1' GROUP BY property_ref)
