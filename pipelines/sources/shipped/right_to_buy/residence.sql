-- one row per applicant: in the home on the day of the application
SELECT
    record_id, 'right_to_buy:' || rtb_ref AS address_id, application_date AS from_date, NULL AS to_date, 'contact' AS basis,
    extract_date, valid_from, valid_to, loaded_run
FROM ${rtb}
