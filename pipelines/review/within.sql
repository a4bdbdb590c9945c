-- A person whose records do not hold together well (person_id, reason), with the weakest link that carries the person.
WITH person AS (
    SELECT person_id, count(*) AS records, count(DISTINCT birth_date) AS births, count(DISTINCT nino) AS ninos,
           count(DISTINCT nhs_number) AS nhs_numbers, count(DISTINCT sex) AS sexes
    FROM review_member
    GROUP BY person_id
),

doubted AS (
    SELECT person_id, 'contradiction' AS reason,
           'Records of one person disagree: ' || concat_ws(', ',
               CASE WHEN ninos > 1 THEN 'national insurance numbers' END,
               CASE WHEN nhs_numbers > 1 THEN 'NHS numbers' END,
               CASE WHEN births > 1 THEN 'birth dates' END,
               CASE WHEN sexes > 1 THEN 'sex' END) || '.' AS why, ${undecided} AS doubt
    FROM person
    WHERE ninos > 1 OR nhs_numbers > 1 OR births > 2 OR (births > 1 AND sexes > 1)
    UNION ALL
    SELECT person_id, 'oversized', 'One person of ' || records || ' records: more than is usual.',
           ${oversized_doubt}
    FROM person
    WHERE records > ${oversized}
    UNION ALL
    SELECT bridge.person_id, 'weak bridge',
           'The person hangs together by one weak link; without it the records fall into two.',
           1 - bridge.match_probability
    FROM bridge
    -- a single record on a weak link is doubted below the link threshold only, two groups earlier
    WHERE bridge.match_weight < CASE WHEN bridge.smaller_side > 1 THEN ${weak_bridge} ELSE ${link_weight} END
)

SELECT doubted.reason, doubted.why, doubted.person_id, NULL::VARCHAR AS other_person_id,
       bridge.record_l, bridge.record_r, person.records AS members,
       bridge.match_weight AS weakest_weight, bridge.match_probability AS weakest_probability,
       coalesce(bridge.smaller_side, 1) * (person.records - coalesce(bridge.smaller_side, 1)) AS effect, doubted.doubt
FROM doubted
JOIN person USING (person_id)
LEFT JOIN bridge USING (person_id)
