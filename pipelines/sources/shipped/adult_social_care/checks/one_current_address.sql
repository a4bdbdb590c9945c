-- one row per person with a current address; fails with several
SELECT person_id, count(*) > 1 AS fails FROM ${addresses} WHERE end_date IS NULL GROUP BY person_id
