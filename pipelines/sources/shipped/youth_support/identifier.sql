-- one row per number of a young person
SELECT record_id, held.scheme AS scheme, held.number AS number, extract_date, valid_from, valid_to, loaded_run
FROM ${young_person}, unnest([{'scheme': 'upn', 'number': upn}, {'scheme': 'uln', 'number': uln}]) AS numbers(held)
WHERE held.number IS NOT NULL
