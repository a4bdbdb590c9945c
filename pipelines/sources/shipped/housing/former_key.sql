-- one row per member of a household that came over from the former system; who moved in later never bore an old key
SELECT
    m.record_id, key_part(c.old_house_ref) || '/' || key_part(m.person_no) AS former_key, c.migrated_on AS changed_on,
    m.extract_date, m.valid_from, m.valid_to, m.loaded_run
FROM ${crosswalk} c JOIN ${member} m ON m.house_ref = c.new_house_ref
WHERE m.occupant = 1
QUALIFY row_number() OVER (PARTITION BY m.record_id ORDER BY c.extract_date DESC, c.old_house_ref) = 1
