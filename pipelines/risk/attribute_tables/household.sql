-- A household of today: its composition and its place (household_id).
SELECT household_id, any_value(property_id) AS property_id, count(*)::INTEGER AS persons,
       count(*) FILTER (age_from >= 20 OR age_from IS NULL)::INTEGER AS adults,
       count(*) FILTER (age_from < 15)::INTEGER AS children,
       count(*) FILTER (age_from >= 65)::INTEGER AS aged_65_or_over,
       CASE WHEN count(*) = 1 THEN 'one person'
            WHEN count(*) FILTER (age_from < 20) > 0 AND count(*) FILTER (age_from >= 20 OR age_from IS NULL) = 1
                THEN 'one adult with children'
            WHEN count(*) FILTER (age_from < 20) > 0 THEN 'adults with children'
            WHEN count(*) = 2 THEN 'two adults'
            WHEN count(*) <= 6 THEN 'three to six adults'
            ELSE 'larger' END AS composition,
       any_value(ward) AS ward, any_value(lsoa) AS lsoa, any_value(imd_decile) AS imd_decile
FROM attributes.attributes.person
WHERE household_id IS NOT NULL
GROUP BY household_id
ORDER BY household_id
