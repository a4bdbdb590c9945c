-- No two records of one key are of one person; null where no rule says so.
CREATE OR REPLACE TEMP MACRO one_person_key(rule, source, source_key, home_key) AS CASE rule
    WHEN 'once' THEN source
    WHEN 'once_a_case' THEN source || ':' || split_part(source_key, '/', 1)
    WHEN 'once_an_address' THEN source || '@' || home_key END;
