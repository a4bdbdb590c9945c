-- one row per discount, disregard or exemption; the person is the newest holder of the party's slot in the account
SELECT
    d.account_ref, 'council_tax:' || d.property_ref AS address_id,
    CASE d.kind WHEN 'D' THEN 'discount' WHEN 'R' THEN 'disregard' WHEN 'E' THEN 'exemption' END AS kind,
    CASE d.code
        WHEN 'SPD' THEN 'single_person' WHEN 'ALLDIS' THEN 'all_disregarded' WHEN 'STU' THEN 'student' WHEN 'SMI' THEN 'smi'
        WHEN 'CARER' THEN 'carer' WHEN 'HOSP' THEN 'hospital' WHEN 'CHOME' THEN 'care_home' WHEN 'APPR' THEN 'apprentice'
        WHEN 'U18' THEN 'under_18' ELSE d.code
    END AS code,
    l.record_id,
    d.percent, d.amount,
    d.start_date AS from_date, nullif(d.end_date, DATE '2099-12-31') AS to_date,
    d.extract_date, d.valid_from, d.valid_to, d.loaded_run
FROM ${ctdiscount} d
LEFT JOIN (
    SELECT account_ref, party_ref, max_by(record_id, (extract_date, valid_from)) AS record_id
    FROM ${ctliable} WHERE ${party_kind} IN ('person', 'executors') GROUP BY account_ref, party_ref
) l USING (account_ref, party_ref)
UNION ALL
-- the flat file holds one discount, one disregard and one exemption an account, by the council's own key; the amount is of all of them
SELECT
    account_reference, 'council_tax:account/' || account_reference, kind,
    CASE upper(code) WHEN 'SPD' THEN 'single_person' WHEN 'STU' THEN 'student' WHEN 'CARER' THEN 'carer' ELSE code END,
    NULL, NULL, CASE WHEN place = min(place) OVER (PARTITION BY account_reference, valid_from) THEN discount_amount END,
    discount_start_date, discount_expiry_date, extract_date, valid_from, valid_to, loaded_run
FROM (
    SELECT *, 'discount' AS kind, discount_code AS code, 1 AS place FROM ${nfi_council_tax}
    UNION ALL SELECT *, 'disregard', disregard_code, 2 FROM ${nfi_council_tax}
    UNION ALL SELECT *, 'exemption', upper(exemption_code), 3 FROM ${nfi_council_tax}
)
WHERE code IS NOT NULL
