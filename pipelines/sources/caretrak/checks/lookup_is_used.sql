-- one row: clients looked up, and those without a spell
SELECT count(*) AS rows, count(*) FILTER (WHERE s.pseudo_nhs_no IS NULL) AS failures
FROM ${lookup} l LEFT JOIN (SELECT DISTINCT pseudo_nhs_no FROM ${spells}) s USING (pseudo_nhs_no)
