-- grain: one address (address_id) whose UPRN as given, or as the gazetteer's cross-reference says, does not contradict its own text
CREATE OR REPLACE TEMP TABLE ${out} AS
WITH claims AS (
    SELECT a.address_id, a.text_id, a.postcode_clean, 1 AS turn, 'given' AS method, h.home_uprn AS uprn, h.is_shell
    FROM ${addresses} a JOIN gazetteer_home h ON h.uprn = a.uprn_given
    UNION ALL
    SELECT a.address_id, a.text_id, a.postcode_clean, 2, 'cross_reference', x.uprn, x.is_shell
    FROM ${addresses} a JOIN gazetteer_reference x ON x.xref_source = a.xref_source AND x.reference = ltrim(a.xref_key, '0')
),
weighed AS (
    SELECT c.*, agreed.uprn IS NOT NULL AS twice
    FROM claims c
    LEFT JOIN claims agreed ON agreed.address_id = c.address_id AND agreed.turn <> c.turn AND agreed.uprn = c.uprn
),
compared AS (
    SELECT c.address_id, c.turn, c.method, c.uprn, c.is_shell,
           -- the text and a wording of the gazetteer name the same place ...
           (s.street = g.street OR s.postcode = g.postcode OR (s.building = g.building AND s.building <> '')
            OR jaro_winkler_similarity(s.street, g.street) >= ${street_similarity}) AS same_place,
           -- ... the same number on it (12 is inside 12-14) ...
           (s.number = '' OR g.number = '' OR s.number = g.number OR s.number IN (g.number_end) OR g.number IN (s.number_end)) AS same_number,
           -- ... and no other unit; a letter, a number and a floor may all be names of one flat
           (s.unit = '' OR g.unit = '' OR s.unit = g.unit OR address_unit_kind(s.unit) <> address_unit_kind(g.unit)) AS same_unit,
           -- 30A is not the neighbour 30 where the gazetteer has a 30A
           s.unit <> g.unit AND own.uprn <> c.uprn AS belongs_elsewhere,
           c.twice,
           -- a slip in the number of an address whose reference the gazetteer keeps
           c.turn = 2 AND s.street = g.street AND s.postcode = g.postcode AND damerau_levenshtein(s.number, g.number) = 1
               AND length(s.number) > 1 AS slip,
           s.text_id IS NULL AS no_text,
           c.postcode_clean IS NULL OR c.postcode_clean = g.postcode AS postcode_fits
    FROM weighed c
    LEFT JOIN source_identity s ON s.text_id = c.text_id
    LEFT JOIN gazetteer_key own ON own.rank = 2 AND own.key = s.k2
    LEFT JOIN gazetteer_identity g ON g.home_uprn = c.uprn
)
SELECT address_id, arg_min(method, turn) AS method, arg_min(uprn, turn) AS uprn
FROM compared
WHERE NOT coalesce(is_shell, false)
  AND CASE WHEN no_text THEN postcode_fits ELSE same_place AND same_unit AND (twice OR NOT coalesce(belongs_elsewhere, false)) AND (same_number OR twice OR slip) END
GROUP BY address_id;
