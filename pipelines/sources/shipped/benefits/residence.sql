-- one row per person and home of the claim
SELECT
    m.record_id, 'benefits:' || key_part(m.claim_id) || '/' || key_part(m.house_id) AS address_id,
    h.from_date, nullif(h.to_date, DATE '2099-12-31') AS to_date,
    'claim' AS basis,
    m.extract_date, m.valid_from, m.valid_to, m.loaded_run
FROM ${hbmember} m
LEFT JOIN ${hbhousehold} h USING (claim_id, house_id)
