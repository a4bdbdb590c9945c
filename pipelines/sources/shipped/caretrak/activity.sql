-- one row per spell; the pseudonym stays behind, the NHS number comes from the lookup where the supplier gave it
SELECT
    s.spell_id AS activity_ref, NULL AS record_id,
    CASE WHEN l.nhs_no IS NOT NULL THEN 'nhs_number' END AS subject_scheme, l.nhs_no AS subject_number,
    CASE s.setting WHEN 'A&E' THEN 'emergency' WHEN 'Emergency admission' THEN 'inpatient_unplanned'
        WHEN 'Planned admission' THEN 'inpatient_planned' ELSE 'community_health' END AS kind,
    s.reason AS detail, s.cost::DECIMAL(12,2) AS quantity, 'pounds' AS unit, s.start_date AS from_date, s.end_date AS to_date,
    s.extract_date, s.valid_from, s.valid_to, s.loaded_run
FROM ${spells} s
LEFT JOIN ${lookup} l ON l.pseudo_nhs_no = s.pseudo_nhs_no AND l.valid_to IS NULL
