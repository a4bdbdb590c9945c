-- What the records of a source show of whether anybody comes twice in it. Grain: source.
WITH person AS (
    SELECT source, role, forename_root, surname_key, birth_date, weak_birth_date, home
    FROM ${people} LEFT JOIN (
        SELECT record_id, min(home_key) AS home FROM identity.people.record_address WHERE ${is_home} GROUP BY ALL)
    USING (record_id)
    WHERE is_person
), told AS (  -- a name with a full birth date, or with a year of birth at one home, is one person
    SELECT source, sum(n) AS telling, sum(n) FILTER (n > 1) AS repeated
    FROM (
        SELECT source, count(*) AS n FROM person
        WHERE forename_root IS NOT NULL AND surname_key IS NOT NULL AND birth_date IS NOT NULL
            AND (NOT weak_birth_date OR home IS NOT NULL)
        GROUP BY source, forename_root, surname_key, birth_date, CASE WHEN weak_birth_date THEN home END)
    GROUP BY source
)
SELECT source, records, is_list, coalesce(telling, 0)::BIGINT AS telling, coalesce(repeated, 0)::BIGINT AS repeated,
    coalesce(telling, 0) < greatest(${fewest}, ${telling} * records) AS is_silent,
    NOT is_silent AND coalesce(repeated, 0) <= ${share} * telling AS once
FROM (SELECT source, count(*) AS records, bool_and(role = 'person') AS is_list FROM person GROUP BY source)
LEFT JOIN told USING (source)
ORDER BY source
