-- one row per applicant for a right to buy
SELECT
    rtb_ref AS application_ref, record_id, 'right_to_buy:' || rtb_ref AS address_id, 'right_to_buy' AS kind,
    CASE applicant_no WHEN '1' THEN 'applicant' ELSE 'joint' END AS role,
    CASE stage WHEN 'COMPLETED' THEN 'granted' WHEN 'WITHDRAWN' THEN 'withdrawn' WHEN 'DENIED' THEN 'refused' ELSE 'open' END AS status,
    lower(stage) AS priority, application_date AS from_date,
    CASE WHEN stage IN ('COMPLETED', 'WITHDRAWN', 'DENIED') THEN stage_date END AS to_date,
    extract_date, valid_from, valid_to, loaded_run
FROM ${rtb}
