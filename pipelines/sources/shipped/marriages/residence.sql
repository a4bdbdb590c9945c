-- one row per person who married: at the usual address on the day
SELECT
    p.record_id, 'marriages:' || key_part(p.marriage_id) || '/' || key_part(p.party_no) AS address_id,
    m.date_of_marriage AS from_date, NULL AS to_date, 'contact' AS basis,
    p.extract_date, p.valid_from, p.valid_to, p.loaded_run
FROM ${parties} p
JOIN ${marriages} m USING (marriage_id)
WHERE p.usual_address IS NOT NULL OR p.postcode IS NOT NULL
