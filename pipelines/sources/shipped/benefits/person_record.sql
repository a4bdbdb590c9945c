-- one row per person of a claim and occupant, as written with the newest home of the claim
SELECT
    record_id, key_part(claim_id) || '/' || key_part(person_ref) AS source_key, occupant,
    CASE relationship WHEN 'C' THEN 'claimant' WHEN 'P' THEN 'partner' WHEN 'D' THEN 'dependant' ELSE 'non_dependant' END AS role,
    title, forename, NULL AS middle, surname, NULL AS name_text, NULL AS former_surname,
    birth_date, CASE gender WHEN '1' THEN 'M' WHEN '2' THEN 'F' END AS sex, deceased_date AS death_date,
    nino, NULL AS nhs_number, NULL AS phone, NULL AS email,
    CASE special_ind WHEN 'G' THEN 'gender_recognition' WHEN 'R' THEN 'refuge' WHEN 'C' THEN 'restricted' WHEN 'S' THEN 'staff'
    END AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${hbmember}
QUALIFY row_number() OVER (
    PARTITION BY record_id ORDER BY extract_date DESC, TRY_CAST(house_id AS INTEGER) DESC, house_id DESC, member_id) = 1
