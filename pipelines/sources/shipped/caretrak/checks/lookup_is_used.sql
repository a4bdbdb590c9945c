-- one row per client looked up; fails without a spell
SELECT pseudo_nhs_no, s.pseudo_nhs_no IS NULL AS fails
FROM ${lookup} l LEFT JOIN (SELECT DISTINCT pseudo_nhs_no FROM ${spells}) s USING (pseudo_nhs_no)
