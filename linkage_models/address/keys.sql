-- grain: one parsed address text (text_id) with its identity (unit, building, number, street, postcode) and its keys k1 to k7 (k1 to k4 hold the postcode)
-- Flat B at 14 and 14B are one unit already; 2 ROSE COURT is unit 2 where the gazetteer knows ROSE COURT as a block.
CREATE OR REPLACE TEMP TABLE ${out} AS
WITH placed AS (
    SELECT p.*, p.after_number <> '' AND p.number <> '' AND p.flat = '' AND p.floor = '' AND block.phrase IS NOT NULL AS numbers_unit
    FROM ${parsed} p
    LEFT JOIN ${lexicon} block ON block.kind = 'block' AND block.phrase = p.after_number
),
identified AS (
    SELECT text_id, postcode, street, street_known, says_flat,
           CASE WHEN numbers_unit THEN number
                WHEN flat <> '' AND (flat <> 'FLAT' OR floor = '') THEN flat
                WHEN floor <> '' THEN 'FLOOR ' || floor ELSE '' END AS unit,
           trim(name || ' ' || after_number) AS building,
           CASE WHEN numbers_unit THEN '' ELSE number END AS number,
           CASE WHEN numbers_unit THEN '' ELSE number_end END AS number_end,
           after_number <> '' AND number <> '' AND NOT numbers_unit AS named_after_number
    FROM placed
)
SELECT *,
       CASE WHEN postcode IS NOT NULL AND (number <> '' OR building <> '')
            THEN concat_ws('|', unit, building, number, number_end, street, postcode) END AS k1,
       CASE WHEN postcode IS NOT NULL AND number <> '' AND street <> '' AND NOT named_after_number
            THEN concat_ws('|', unit, number, street, postcode) END AS k2,
       CASE WHEN postcode IS NOT NULL AND building <> '' AND (number = '' OR unit <> '')
            THEN concat_ws('|', unit, building, postcode) END AS k3,
       -- FLAT 71 HIGH STREET is THE FLAT, 71 HIGH STREET where the gazetteer has that one
       CASE WHEN postcode IS NOT NULL AND building = '' AND street <> '' THEN
            CASE WHEN unit = 'FLAT' AND number <> '' THEN concat_ws('|', number, street, postcode)
                 WHEN number = '' AND says_flat AND regexp_matches(unit, '^\d') THEN concat_ws('|', unit, street, postcode) END END AS k4,
       CASE WHEN number <> '' AND street <> '' THEN concat_ws('|', unit, building, number, number_end, street) END AS k5,
       CASE WHEN number <> '' AND street <> '' AND NOT named_after_number THEN concat_ws('|', unit, number, street) END AS k6,
       CASE WHEN building <> '' AND street <> '' AND (number = '' OR unit <> '') THEN concat_ws('|', unit, building, street) END AS k7
FROM identified;
