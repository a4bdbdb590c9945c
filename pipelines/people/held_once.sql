-- Sources that hold each person once, as far as their own records tell. Grain: source.
WITH evidence AS (   -- a name with a full birth date, or with a year of birth at one home, is one person
    SELECT source, record_id, forename_root, surname_key, birth_date, CASE WHEN weak_birth_date THEN home END AS home
    FROM ${people} LEFT JOIN (
        SELECT record_id, min(home_key) AS home FROM identity.people.record_address GROUP BY ALL) USING (record_id)
    WHERE forename_root IS NOT NULL AND surname_key IS NOT NULL AND birth_date IS NOT NULL
        AND (NOT weak_birth_date OR home IS NOT NULL)
), counted AS (
    SELECT source, sum(n) AS telling, sum(n) FILTER (n > 1) AS repeated
    FROM (SELECT source, count(*) AS n FROM evidence GROUP BY source, forename_root, surname_key, birth_date, home)
    GROUP BY source
)
SELECT source FROM counted JOIN (SELECT source, count(*) AS records FROM ${people} GROUP BY ALL) USING (source)
WHERE telling >= ${fewest} AND telling >= ${telling} * records AND coalesce(repeated, 0) <= ${share} * telling
ORDER BY source
