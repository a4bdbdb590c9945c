-- one row per number of a pupil
SELECT
    'schools:pupil/' || pupilid || '#' || occupant AS record_id, held.scheme AS scheme, held.number AS number,
    extract_date, valid_from, valid_to, loaded_run
FROM ${pupil}, unnest([{'scheme': 'upn', 'number': upn}, {'scheme': 'upn', 'number': formerupn}, {'scheme': 'uln', 'number': uln}]) AS numbers(held)
WHERE held.number IS NOT NULL
