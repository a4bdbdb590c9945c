-- The earliest day that is a birth date in each source of ${source}. Grain: source.
CREATE OR REPLACE TEMP TABLE std_era AS
SELECT source,
    -- many different days of people too old to live are no slips: the source is about the past
    CASE WHEN count(DISTINCT birth_date) FILTER (birth_date < std_oldest_alive(${as_of})) > greatest(${historic_fewest}, ${historic_share} * count(DISTINCT birth_date))
         THEN DATE '0001-01-01' ELSE std_oldest_alive(${as_of}) END AS oldest
FROM (SELECT source, ${birth_date} AS birth_date FROM ${source} r) WHERE NOT std_placeholder_date(birth_date) GROUP BY source;

CREATE OR REPLACE TEMP TABLE std_default_date AS   -- one row per source and full date that so many people share that it is a default
SELECT source, birth_date
FROM (SELECT source, ${birth_date} AS birth_date, coalesce(surname, name_text, forename) AS name FROM ${source} r)
WHERE NOT std_weak_birth_date(birth_date)
GROUP BY source, birth_date
HAVING birth_date IS NOT NULL AND count(DISTINCT name) >= ${default_fewest}
QUALIFY count(*) > ${default_share} * sum(count(*)) OVER (PARTITION BY source);
