-- One row per view: the known population beside the residents counted, and how far the farthest ward is off.
SELECT view, sum(known)::INTEGER, sum(seen)::DOUBLE, max(abs(seen / known - 1)), max(abs(by_age_and_sex / known - 1))
FROM (
    SELECT view, ward, sum(known) AS known, sum(seen) AS seen, sum(by_age_and_sex) AS by_age_and_sex
    FROM identity.residents.reconciliation GROUP BY view, ward
)
WHERE known > 0 GROUP BY view ORDER BY view
