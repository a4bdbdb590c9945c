-- one row per current tenancy; fails without a named tenant
SELECT tag_ref, m.house_ref IS NULL AS fails
FROM ${tenagree} t
LEFT JOIN (SELECT DISTINCT house_ref FROM ${member} WHERE responsible = '1') m USING (house_ref)
WHERE t.end_date IS NULL
