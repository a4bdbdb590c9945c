-- One row per current mention of a person, standardised, with the latest address its source gives. Grain: record_id.
WITH stay AS (
    SELECT record_id,
        list_sort(list_distinct(list(home_key) FILTER (home_key IS NOT NULL))) AS past_homes,
        arg_max(struct_pack(uprn, postcode, address_number, address_line, home_key, from_date, to_date, is_current),
            struct_pack(c := is_current, f := coalesce(from_date, DATE '1900-01-01'), a := address_id)) AS latest,
        max(from_date) FILTER (basis <> 'death') AS last_begun
    FROM identity.people.record_address SEMI JOIN people_standardised USING (record_id)
    GROUP BY record_id
)
SELECT p.* EXCLUDE (fingerprint) REPLACE (f.sensitivity AS sensitivity), f.source_key, p.fingerprint,
    s.latest.uprn AS uprn, s.latest.postcode AS postcode, s.latest.address_number AS address_number, s.latest.address_line AS address_line, s.latest.home_key AS home_key,
    coalesce(s.past_homes, []) AS past_homes,
    -- many who have nothing to do with one another live in a hall of residence or a care home
    coalesce(h.is_communal, false) AS home_is_communal,
    s.latest.from_date AS from_date, s.latest.to_date AS to_date,
    -- the day a living person last began something; executors act for the dead
    CASE WHEN p.party_kind = 'person' THEN s.last_begun END AS last_begun,
    one_person_key(o.rule, p.source, f.source_key, s.latest.home_key) AS one_person_key
FROM people_standardised p
JOIN (SELECT record_id, source_key, sensitivity FROM people_fact) f USING (record_id)
LEFT JOIN stay s USING (record_id)
LEFT JOIN ${property} h ON h.uprn = s.latest.uprn
LEFT JOIN given o ON o.source = p.source AND (o.role IS NULL OR o.role = p.role)
ORDER BY record_id
