-- grain: one parsed address text (text_id); ${out}: flat, floor, name, number, number_end, street, street_known, rest, postcode
-- A text is cut into phrases by regular expressions, once; only the distinct phrases go through the word list and the lexicon.

CREATE OR REPLACE TEMP TABLE address_cut AS
WITH cleaned AS (
    SELECT text_id, address_clean(address_text) AS clean, address_postcode(postcode) AS given_postcode FROM ${texts}
),
unfloored AS (
    SELECT text_id, given_postcode,
           regexp_extract(clean, '${postcode_tail}', 0) AS tail_postcode,
           regexp_extract(clean, '${floor_pattern}', ['ahead', 'floor', 'phrase', 'side']) AS floor_parts,
           regexp_matches(clean, '${unit_pattern},? ${floor_pattern}') AS unit_first,
           regexp_replace(regexp_replace(clean, '${postcode_tail}', ''), '${floor_pattern}', ' ') AS body
    FROM cleaned
),
united AS (
    SELECT text_id, given_postcode, tail_postcode, body, unit_first,
           address_floor(floor_parts.floor, floor_parts.phrase, floor_parts.ahead || floor_parts.side) AS floor,
           regexp_extract_all(body, '${unit_pattern}', 1) AS units
    FROM unfloored
),
-- FIRST FLOOR FLAT 14 HIGH STREET: the floor names the flat, so a single number is the building's; not in FLAT 14 FIRST FLOOR.
floored AS (
    SELECT *, floor <> '' AND NOT unit_first AND len(regexp_extract_all(body, '\b\d')) = 1 AS names_building FROM united
),
unflatted AS (
    SELECT text_id, given_postcode, tail_postcode, floor,
           CASE WHEN names_building THEN [] ELSE units END AS units,
           regexp_matches(body, '${bare_unit}') AND len(units) = 0 AS bare_unit,
           regexp_extract(body, '\b(${named_units})\b', 1) AS named_unit,
           trim(regexp_replace(
               CASE WHEN names_building THEN body
                    ELSE regexp_replace(body, '${unit_pattern}', ' ', 'g') END,
               '${bare_unit}|\b(?:THE )?(?:${named_units})\b(?: TO\b)?|^ *(?:${position_words})\b', ' ', 'g')) AS body
    FROM floored
),
numbered AS (
    SELECT *, regexp_extract(regexp_replace(body, ' +', ' ', 'g'), '${number_pattern}', ['before', 'number', 'after']) AS parts
    FROM unflatted
)
SELECT text_id,
       coalesce(given_postcode, address_postcode(tail_postcode)) AS postcode,
       floor,
       CASE WHEN len(units) > 0 THEN array_to_string(units, ' ')
            WHEN named_unit <> '' THEN named_unit
            WHEN floor = '' AND bare_unit THEN 'FLAT' ELSE '' END AS unit,
       parts.number AS number_text,
       -- B NELSON HOUSE is flat B of it
       CASE WHEN parts.number = '' THEN regexp_extract(body, '^([A-Z]) +\S', 1) ELSE trim(parts.before) END AS before,
       trim(CASE WHEN parts.number = '' THEN regexp_replace(regexp_replace(body, '^[A-Z] +', ''), ' +', ' ', 'g') ELSE parts.after END) AS after
FROM numbered;

-- grain: one distinct phrase with its words in canonical form
CREATE OR REPLACE TEMP TABLE address_phrase AS
WITH phrases AS (SELECT before AS phrase FROM address_cut UNION SELECT after FROM address_cut),
tokens AS (
    SELECT phrase, unnest(string_split(phrase, ' ')) AS token, generate_subscripts(string_split(phrase, ' '), 1) AS place
    FROM phrases WHERE phrase <> ''
)
SELECT phrase, list(coalesce(word, token) ORDER BY place) AS words
FROM tokens LEFT JOIN address_word USING (token)
GROUP BY phrase;

-- grain: one distinct phrase split at the known street that it holds, or after the known building that it starts with; a street
-- counts only if what stands before it is a building
CREATE OR REPLACE TEMP TABLE address_street AS
WITH spans AS (
    SELECT phrase, words, first, unnest(generate_series(first, least(first + 5, len(words)))) AS last
    FROM (SELECT phrase, words, unnest(generate_series(1, len(words))) AS first FROM address_phrase
          WHERE phrase IN (SELECT after FROM address_cut))
),
hits AS (
    SELECT spans.phrase, words, first, last, lexicon.kind, array_to_string(words[:first - 1], ' ') AS building
    FROM spans JOIN ${lexicon} lexicon ON lexicon.phrase = array_to_string(words[first:last], ' ')
    WHERE lexicon.kind = 'street' OR (lexicon.kind = 'building' AND first = 1)
)
SELECT hits.phrase,
       CASE hits.kind WHEN 'street' THEN building ELSE array_to_string(words[:last], ' ') END AS building,
       CASE hits.kind WHEN 'street' THEN array_to_string(words[first:last], ' ')
            ELSE address_without_place(array_to_string(words[last + 1:], ' ')) END AS street,
       CASE hits.kind WHEN 'street' THEN array_to_string(words[last + 1:], ' ') ELSE '' END AS rest,
       hits.kind = 'street' AS street_known
FROM hits LEFT JOIN ${lexicon} known ON known.kind = 'building' AND known.phrase = hits.building
WHERE hits.kind = 'building' OR building = '' OR known.phrase IS NOT NULL OR regexp_matches(building, '\b(?:${building_words})$')
-- a street known to exist says more than a building whose street is misspelt or left out
QUALIFY row_number() OVER (PARTITION BY hits.phrase ORDER BY hits.kind <> 'street', last - first DESC, first) = 1;

CREATE OR REPLACE TEMP TABLE ${out} AS
WITH joined AS (
    SELECT c.text_id, c.postcode, c.floor, c.unit, c.number_text,
           array_to_string(b.words, ' ') AS before,
           s.building, s.street, s.rest, s.street_known, address_without_place(array_to_string(a.words, ' ')) AS after
    FROM address_cut c
    LEFT JOIN address_phrase b ON b.phrase = c.before
    LEFT JOIN address_phrase a ON a.phrase = c.after
    LEFT JOIN address_street s ON s.phrase = c.after
),
split AS (
    SELECT text_id, postcode, floor, number_text, unit,
           coalesce(before, '') AS before,
           coalesce(building, '') AS after_number,
           coalesce(street, after, '') AS street, coalesce(street_known, false) AS street_known, coalesce(rest, '') AS rest,
           regexp_extract(coalesce(before, ''), '^(\d+[A-Z]?|[A-Z])(?: (.*))?$', ['unit', 'name']) AS led
    FROM joined
)
SELECT text_id, postcode,
       CASE WHEN unit <> '' AND unit <> 'FLAT' THEN unit
            WHEN led.unit <> '' THEN led.unit
            WHEN unit = '' AND floor = '' THEN regexp_extract(number_text, '^\d+([A-Z])$', 1)
            WHEN floor <> '' THEN '' ELSE unit END AS flat,
       (unit <> '' OR floor <> '') AS says_flat,
       floor,
       trim(CASE WHEN led.unit <> '' AND unit IN ('', 'FLAT') THEN led.name ELSE before END) AS name,
       after_number,
       CASE WHEN unit = '' AND floor = '' AND led.unit = '' AND regexp_full_match(number_text, '\d+[A-Z]')
            THEN number_text[:-2] ELSE regexp_extract(number_text, '^(\d+[A-Z]?)', 1) END AS number,
       regexp_extract(number_text, '~(\d+[A-Z]?)$', 1) AS number_end,
       street, street_known, rest
FROM split;
