-- grain: one distinct identity (text_id) on each side that goes into Splink: splink_source still open, splink_gazetteer all
CREATE OR REPLACE TEMP TABLE word_count AS
SELECT word, row_number() OVER (ORDER BY count(*), length(word), word) AS rarity
FROM (SELECT unnest(string_split(trim(building || ' ' || street), ' ')) AS word FROM gazetteer_identity)
WHERE length(word) > 3 GROUP BY word;

CREATE OR REPLACE TEMP TABLE splink_gazetteer AS
WITH worded AS (SELECT text_id, unnest(string_split(trim(building || ' ' || street), ' ')) AS word FROM gazetteer_identity),
rarest AS (SELECT text_id, arg_min(word, rarity) AS rare_word FROM worded JOIN word_count USING (word) GROUP BY text_id)
SELECT text_id, unit, address_unit_kind(unit) AS unit_kind, nullif(unit, '') AS block_unit, nullif(building, '') AS block_building, building,
       trim(building || ' ' || street) AS line,
       number, nullif(number, '') AS block_number, number_end, street, postcode, rare_word
FROM gazetteer_identity LEFT JOIN rarest USING (text_id);

CREATE OR REPLACE TEMP TABLE splink_source AS
WITH waiting AS (
    SELECT * FROM source_identity
    WHERE text_id IN (SELECT text_id FROM source_address ANTI JOIN address_identified USING (address_id))
      AND text_id NOT IN (SELECT text_id FROM address_keyed)
),
worded AS (SELECT text_id, unnest(string_split(trim(building || ' ' || street), ' ')) AS word FROM waiting),
rarest AS (SELECT text_id, arg_min(word, rarity) AS rare_word FROM worded JOIN word_count USING (word) GROUP BY text_id)
SELECT text_id, unit, address_unit_kind(unit) AS unit_kind, nullif(unit, '') AS block_unit, nullif(building, '') AS block_building, building,
       trim(building || ' ' || street) AS line,
       number, nullif(number, '') AS block_number, number_end, street, postcode, rare_word
FROM waiting LEFT JOIN rarest USING (text_id);
