-- One row per ward of one view: the known population beside the residents counted, and those counts reconciled by age and sex.
SELECT ward, sum(known)::INTEGER, sum(seen)::DOUBLE, sum(by_age_and_sex)::DOUBLE, sum(reconciled)::DOUBLE
FROM identity.residents.reconciliation WHERE view = '${view}'
GROUP BY ward ORDER BY ward
