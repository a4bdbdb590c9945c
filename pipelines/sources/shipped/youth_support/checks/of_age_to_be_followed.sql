-- one row per young person with a birth date; fails outside the ages that the service may follow
SELECT young_person_id, date_diff('year', birth_date, started) NOT BETWEEN 12 AND 25 AS fails
FROM ${young_person} WHERE birth_date IS NOT NULL
