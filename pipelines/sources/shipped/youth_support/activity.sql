-- one row per young person: what they do now
SELECT
    young_person_id AS activity_ref, record_id, NULL AS subject_scheme, NULL AS subject_number,
    CASE WHEN activity IN ('540', '550') THEN 'not_in_education_or_work' WHEN activity = '810' THEN 'youth_not_known'
         WHEN activity IN ('310', '330') THEN 'youth_work' ELSE 'youth_education' END AS kind,
    activity AS detail, NULL AS quantity, NULL AS unit, started AS from_date, NULL::DATE AS to_date,
    extract_date, valid_from, valid_to, loaded_run
FROM ${young_person}
