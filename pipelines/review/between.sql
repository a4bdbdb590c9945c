-- Two persons whom at least one scored pair says may be one (person_id < other_person_id), with their strongest pair.
WITH crossing AS (
    SELECT least(person_id, other_person_id) AS person_id, greatest(person_id, other_person_id) AS other_person_id,
           record_l, record_r, match_weight, match_probability
    FROM telling
    WHERE person_id <> other_person_id AND match_weight >= ${review_weight}
),

size AS (
    SELECT person_id, count(*) AS records FROM review_member GROUP BY person_id
)

SELECT CASE WHEN ambiguous.record_l IS NOT NULL THEN 'fits two'
            WHEN pair.match_weight >= ${link_weight} THEN 'cut edge' ELSE 'uncertain pair' END AS reason,
       CASE WHEN ambiguous.record_l IS NOT NULL
            THEN 'One of the two fits another person about as well, so that it was joined to neither.'
            WHEN pair.match_weight >= ${link_weight}
            THEN 'The two score as one person, but other evidence or a rule keeps them apart.'
            ELSE 'The score of the strongest pair lies between "same" and "different".' END AS why,
       pair.person_id, pair.other_person_id, pair.record_l, pair.record_r,
       a.records + b.records AS members, pair.match_weight AS weakest_weight, pair.match_probability AS weakest_probability,
       a.records * b.records AS effect,
       -- the strongest of many pairs says less: each further record of the smaller person had its chance to join them
       pair.match_probability / (pair.match_probability + (1 - pair.match_probability)
           * 2.0 ^ (${further_record} * (least(a.records, b.records) - 1))) AS doubt
FROM (
    SELECT * FROM crossing
    QUALIFY row_number() OVER (
        PARTITION BY person_id, other_person_id ORDER BY match_weight DESC, record_l, record_r) = 1
) AS pair
JOIN size AS a ON a.person_id = pair.person_id
JOIN size AS b ON b.person_id = pair.other_person_id
LEFT JOIN identity.linkage.review_edge AS ambiguous
    ON ambiguous.view = '${view}' AND ambiguous.record_l = pair.record_l AND ambiguous.record_r = pair.record_r
       AND starts_with(ambiguous.reason, 'fits two persons')
