-- grain: one wording of the address of one UPRN (LPI official, alternative, historic; delivery point), in the single-line order of
-- Ordnance Survey: organisation aside, secondary object, primary object, street, locality, town
WITH lpi AS (
    SELECT l.uprn, l.usrn, l.logical_status,
           concat_ws('-', nullif(concat(l.sao_start_number, l.sao_start_suffix), ''), nullif(concat(l.sao_end_number, l.sao_end_suffix), '')) AS sao,
           nullif(l.sao_text, '') AS sao_text,
           concat_ws('-', nullif(concat(l.pao_start_number, l.pao_start_suffix), ''), nullif(concat(l.pao_end_number, l.pao_end_suffix), '')) AS pao,
           nullif(l.pao_text, '') AS pao_text,
           s.street_description AS street, nullif(s.locality, '') AS locality, nullif(s.town_name, '') AS town
    FROM llpg_lpi l
    LEFT JOIN llpg_street_descriptor s ON s.usrn = l.usrn AND s.language = coalesce(l.language, 'ENG')
    WHERE l.logical_status IN (1, 3, 6, 8)
),
worded AS (
    SELECT lpi.uprn, lpi.usrn, CASE lpi.logical_status WHEN 3 THEN 'alternative' WHEN 8 THEN 'historic' ELSE 'lpi' END AS variant,
           -- a unit is numbered, or named with its number in one text (FLAT 2): a bare number means a flat
           concat_ws(', ', nullif(concat_ws(' ', CASE WHEN sao <> '' AND sao_text IS NULL THEN 'FLAT' END, sao_text, nullif(sao, '')), ''),
                     pao_text, nullif(concat_ws(' ', nullif(pao, ''), lpi.street), ''), locality, town) AS address_text,
           b.postcode_locator AS postcode, lpi.street, pao_text AS building, sao <> '' OR sao_text IS NOT NULL AS has_unit, locality, town
    FROM lpi JOIN llpg_blpu b ON b.uprn = lpi.uprn
    UNION ALL
    SELECT uprn, NULL, 'dpa',
           concat_ws(', ', nullif(sub_building_name, ''), nullif(building_name, ''),
                     nullif(concat_ws(' ', building_number, nullif(dependent_thoroughfare, ''), nullif(thoroughfare, '')), ''),
                     nullif(dependent_locality, ''), nullif(post_town, '')),
           postcode, coalesce(nullif(dependent_thoroughfare, ''), nullif(thoroughfare, '')),
           -- the postal file keeps 14B among the building names
           CASE WHEN NOT regexp_matches(building_name, '[0-9]') THEN nullif(building_name, '') END,
           coalesce(sub_building_name, '') <> '', nullif(dependent_locality, ''), nullif(post_town, '')
    FROM llpg_dpa
)
SELECT DISTINCT * FROM worded WHERE address_text <> ''
