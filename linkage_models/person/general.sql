-- What the general design reads beside the columns of records.sql. Grain: record_id.
CREATE OR REPLACE TEMP TABLE general_word AS   -- one row per record and word of its address; a word by its beginning: a slip further on leaves it whole
SELECT DISTINCT unique_id, left(word, 4) AS word
FROM (SELECT unique_id, unnest(string_split(address_line, ' ')) AS word FROM ${table}) WHERE word <> '';
CREATE OR REPLACE TEMP TABLE general_words AS  -- one row per record with an address: its words, without those that many addresses have; the two rarest
SELECT unique_id, list(word ORDER BY word) FILTER (n <= ${common} * every) AS address_words, (list(word ORDER BY n, word) FILTER (n <= ${common} * every))[:2] AS telling_words
FROM general_word JOIN (SELECT word, count(*) AS n FROM general_word GROUP BY word) USING (word)
CROSS JOIN (SELECT count(DISTINCT unique_id) AS every FROM general_word) GROUP BY unique_id;
CREATE OR REPLACE TEMP TABLE ${table} AS
SELECT *,
    CASE WHEN count(*) OVER (PARTITION BY surname_key) <= ${rare} THEN surname_key END AS rare_surname,
    CASE WHEN count(*) OVER (PARTITION BY forename) <= ${rare} THEN forename END AS rare_forename,
    CASE WHEN count(*) OVER (PARTITION BY birth_date) <= ${rare} THEN birth_date END AS rare_birth_date,
    CASE WHEN count(*) OVER (PARTITION BY postcode) <= ${rare} THEN postcode END AS rare_postcode,
    CASE WHEN count(*) OVER (PARTITION BY door) <= ${rare} THEN door END AS rare_door
FROM (SELECT *,
    -- the number and the word beside it: after it where the number stands first, as in English, else before it
    nullif(coalesce(nullif(regexp_extract(address_line, '\b[0-9]+[A-Z]? \pL{2,4}'), ''),
        regexp_extract(address_line, '\b\pL{2,4}\pL* [0-9]+')), '') AS door,
    array_to_string(list_sort(string_split(replace(birth_text, '-', ''), '')), '') AS birth_digits,
    left(forename, 3) AS forename_3, left(surname_key, 3) AS surname_3
FROM ${table} t LEFT JOIN general_words USING (unique_id));
DROP TABLE general_word; DROP TABLE general_words;
