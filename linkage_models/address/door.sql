-- grain: one parsed address text (text_id) with door_key: its door by its own words, so that two wordings of one door agree where no
-- gazetteer knows it; null where the text names no place. Nothing is learnt from other addresses: a view keeps to its own sources.
-- A door is its unit with number, street and postcode sector (a number stands once on a street of a sector, and the last two letters of
-- a postcode are what most often goes wrong), or with its building and postcode. A postcode that isn't British counts whole.
CREATE OR REPLACE TEMP TABLE ${out} AS
WITH named AS (
    SELECT i.*,
           coalesce(i.postcode, nullif(address_words(t.postcode), '')) AS area,
           CASE WHEN i.postcode IS NOT NULL THEN i.postcode[:-3] ELSE area END AS sector,
           -- ROSE COURT HIGH STREET where no gazetteer says which is which: the name of a block ends with one of its words
           CASE WHEN i.building = '' AND NOT i.street_known
                THEN regexp_extract(i.street, '^((?:\S+ )+?(?:${block_words}))(?: (\S+ .+))?$', ['building', 'street']) END AS led
    FROM source_identity i JOIN source_text t USING (text_id)
),
-- 2 ROSE COURT is FLAT 2, ROSE COURT
housed AS (
    SELECT text_id, area, sector, number, number_end, unit, street, street_known,
           CASE WHEN led.building <> '' THEN led.building ELSE building END AS block,
           number <> '' AND unit = '' AND led.building <> '' AS numbers_unit
    FROM named
),
placed AS (
    SELECT text_id, area, sector, CASE WHEN numbers_unit THEN number ELSE unit END AS unit, block,
           block <> '' AND (number = '' OR street = '' OR numbers_unit) AS by_block,
           number || CASE WHEN number_end <> '' THEN '~' || number_end ELSE '' END AS number,
           -- HIGH STREET LEEDS: what follows the word that ends a street's name is a place
           CASE WHEN street_known THEN street
                ELSE coalesce(nullif(regexp_extract(street, '^(\S+(?: \S+)*? (?:${street_types})(?: (?:${street_types}|N|S|E|W))*)(?: .*)?$', 1), ''), street) END AS street
    FROM housed
)
SELECT text_id,
       CASE WHEN by_block THEN concat_ws('|', unit, block, area)
            WHEN concat(unit, number, street) <> '' THEN concat_ws('|', unit, number, street, sector) END AS door_key
FROM placed;
