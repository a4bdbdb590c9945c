-- grain: one UPRN of the gazetteer as it stands now, current or retired
WITH class AS (
    SELECT uprn, arg_max(classification_code, (coalesce(end_date, DATE '9999-12-31'), classification_code)) AS class_code
    FROM llpg_classification GROUP BY uprn
),
successor AS (  -- a UPRN that was split has no one successor
    SELECT uprn, min(successor) AS successor_uprn FROM llpg_successor GROUP BY uprn HAVING count(DISTINCT successor) = 1
),
official AS (
    SELECT uprn, usrn, street, address_text, has_unit FROM memory.main.address_wording
    QUALIFY row_number() OVER (PARTITION BY uprn ORDER BY variant <> 'lpi', variant = 'dpa', address_text) = 1
),
area AS (
    SELECT o.uprn, o.wd25cd AS ward_code, l.wd25nm AS ward, o.lsoa21cd AS lsoa, l.imd25_decile AS imd_decile
    FROM (${onsud}) o LEFT JOIN (${lsoa}) l USING (lsoa21cd)
),
placed AS (
    SELECT b.uprn, b.parent_uprn, b.logical_status, b.blpu_state AS state, c.class_code,
           b.x_coordinate::DOUBLE AS x, b.y_coordinate::DOUBLE AS y, b.postcode_locator AS postcode,
           b.logical_status IN (1, 6) AND (b.end_date IS NULL) AS is_current, s.successor_uprn,
           coalesce(c.class_code = 'R' OR regexp_matches(c.class_code, '^(RD|RH|X)'), false) AS is_dwelling,
           coalesce(starts_with(c.class_code, 'RI'), false) AS is_communal
    FROM llpg_blpu b LEFT JOIN class c USING (uprn) LEFT JOIN successor s USING (uprn)
),
children AS (
    SELECT parent_uprn AS uprn, count(*) AS homes, min(uprn) AS a_home FROM placed WHERE is_current AND is_dwelling AND parent_uprn IS NOT NULL GROUP BY ALL
)
SELECT p.uprn, p.parent_uprn, p.logical_status, p.state, p.class_code, p.x, p.y, p.postcode,
       a.ward_code, a.ward, a.lsoa, a.imd_decile, o.usrn, o.street, p.is_current, p.is_dwelling, p.is_communal,
       -- a shell is a building known only as the parent of its homes, or a shop that has homes above it
       NOT p.is_dwelling AND NOT p.is_communal AND (coalesce(starts_with(p.class_code, 'PP'), false) OR coalesce(c.homes, 0) > 0) AS is_shell,
       o.address_text AS address,
       -- a house that was split into flats is followed by its building, not by the one flat that the reference names
       CASE WHEN NOT o.has_unit AND after_o.has_unit AND split.homes > 1 THEN after_p.parent_uprn ELSE p.successor_uprn END AS successor_uprn,
       CASE WHEN NOT p.is_dwelling AND NOT p.is_communal AND c.homes = 1 THEN c.a_home END AS only_home_uprn
FROM placed p
LEFT JOIN children c USING (uprn) LEFT JOIN official o USING (uprn) LEFT JOIN area a USING (uprn)
LEFT JOIN placed after_p ON after_p.uprn = p.successor_uprn
LEFT JOIN official after_o ON after_o.uprn = p.successor_uprn
LEFT JOIN children split ON split.uprn = after_p.parent_uprn
ORDER BY p.uprn
