-- What the general design reads beside the columns of records.sql. Grain: record_id. What is common is counted on ${counted}, some of the records.
CREATE OR REPLACE TEMP TABLE general_word AS   -- one row per record and word of its address; a word by its beginning: a slip further on leaves it whole
SELECT DISTINCT unique_id, left(word, 4) AS word
FROM (SELECT unique_id, unnest(string_split(address_line, ' ')) AS word FROM ${table}) WHERE word <> '';
CREATE OR REPLACE TEMP TABLE general_words AS  -- one row per record with an address: its words, without those that many addresses have; the two rarest
SELECT unique_id, list(word ORDER BY word) FILTER (n <= ${common} * every) AS address_words, (list(word ORDER BY n, word) FILTER (n <= ${common} * every))[:2] AS telling_words
FROM (SELECT * REPLACE (coalesce(n, 0) AS n) FROM general_word LEFT JOIN (SELECT word, count(*) AS n FROM general_word SEMI JOIN ${counted} c USING (unique_id) GROUP BY word) USING (word))
CROSS JOIN (SELECT count(DISTINCT unique_id) AS every FROM general_word SEMI JOIN ${counted} c USING (unique_id)) GROUP BY unique_id;
CREATE OR REPLACE TEMP TABLE general_door AS  -- one row per record: the number and the word beside it, after it where the number stands first, as in English, else before it
SELECT unique_id, nullif(coalesce(nullif(regexp_extract(address_line, '\b[0-9]+[A-Z]? \pL{2,4}'), ''),
    regexp_extract(address_line, '\b\pL{2,4}\pL* [0-9]+')), '') AS door
FROM ${table};
-- what is common is joined: to count it in windows over whole rows holds all of them at once, five times over
CREATE OR REPLACE TEMP TABLE ${table} AS
SELECT t.* EXCLUDE (birth_number) REPLACE (CASE WHEN ${home} THEN home_key END AS home_key), address_words, telling_words, door,
    array_to_string(list_sort(string_split(replace(birth_text, '-', ''), '')), '') AS birth_digits,
    list_distinct([hash(left(person_number, i - 1) || substr(person_number, i + 1)) FOR i IN range(1, length(person_number) + 1)]) AS number_deletes,
    list_distinct([hash(left(email, i - 1) || substr(email, i + 1)) FOR i IN range(1, length(email) + 1)]) AS email_deletes,
    CASE WHEN birth_number IS NOT NULL THEN list_distinct([birth_number // (10 * p) * p + birth_number % p FOR p IN [1, 10, 100, 1000, 10000, 100000, 1000000, 10000000]]) END AS birth_deletes,
    CASE WHEN middle IS NOT NULL THEN least(initial, left(middle, 1)) || greatest(initial, left(middle, 1)) END AS given_key,
    left(forename, 3) AS forename_3, left(surname_key, 3) AS surname_3,
    CASE WHEN common_surname IS NULL THEN surname_key END AS rare_surname, CASE WHEN common_forename IS NULL THEN forename END AS rare_forename,
    CASE WHEN common_birth_date IS NULL THEN birth_date END AS rare_birth_date, CASE WHEN common_postcode IS NULL THEN postcode END AS rare_postcode,
    CASE WHEN common_door IS NULL THEN door END AS rare_door
FROM (SELECT *, year(birth_date) * 10000 + month(birth_date) * 100 + day(birth_date) AS birth_number FROM ${table}) t
LEFT JOIN general_words USING (unique_id) JOIN general_door USING (unique_id)
LEFT JOIN (SELECT surname_key AS common_surname FROM ${counted} c GROUP BY ALL HAVING count(*) > ${rare}) ON common_surname = surname_key
LEFT JOIN (SELECT forename AS common_forename FROM ${counted} c GROUP BY ALL HAVING count(*) > ${rare}) ON common_forename = forename
LEFT JOIN (SELECT birth_date AS common_birth_date FROM ${counted} c GROUP BY ALL HAVING count(*) > ${rare}) ON common_birth_date = birth_date
LEFT JOIN (SELECT postcode AS common_postcode FROM ${counted} c GROUP BY ALL HAVING count(*) > ${rare}) ON common_postcode = postcode
LEFT JOIN (SELECT door AS common_door FROM general_door SEMI JOIN ${counted} c USING (unique_id) GROUP BY ALL HAVING count(*) > ${rare}) ON common_door = door;
DROP TABLE general_word; DROP TABLE general_words; DROP TABLE general_door;
