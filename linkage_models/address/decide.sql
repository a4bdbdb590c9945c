-- grain: one address; the UPRN is filled only where the evidence settles the home: an address that stops at a building of several
-- homes has that building's (building_uprn), and a doubtful best candidate stands beside
CREATE OR REPLACE TEMP TABLE ${out} AS
WITH ranked AS (
    SELECT text_id, uprn, weight, lacks_unit, row_number() OVER best AS place, count(*) OVER (PARTITION BY text_id) AS candidates,
           weight - lead(weight) OVER best AS gap
    FROM address_scored WINDOW best AS (PARTITION BY text_id ORDER BY weight DESC, uprn)
),
best AS (
    SELECT text_id, uprn, weight, lacks_unit, candidates, coalesce(gap, weight - ${candidate_weight}) AS gap FROM ranked WHERE place = 1
),
found AS (
    SELECT a.address_id, a.no_home, d.door_key,
           -- without a gazetteer a UPRN that the source gives is taken at its word
           CASE WHEN NOT gazetteer.known THEN a.uprn_given END AS trusted_uprn,
           coalesce(i.uprn, k.uprn, b.uprn, trusted_uprn) AS best_uprn,
           CASE WHEN i.uprn IS NOT NULL THEN i.method WHEN trusted_uprn IS NOT NULL THEN 'given' WHEN k.uprn IS NOT NULL THEN 'normalised_key'
                WHEN b.uprn IS NOT NULL THEN 'splink' WHEN a.text_id IS NULL THEN 'no_address' ELSE 'unmatched' END AS way,
           way = 'splink' AS scored,
           CASE WHEN scored THEN b.weight ELSE ${settled} END AS weight,
           CASE WHEN scored THEN b.gap ELSE ${settled} END AS gap,
           CASE WHEN scored THEN b.candidates WHEN best_uprn IS NULL THEN 0 ELSE 1 END AS candidates,
           scored AND b.lacks_unit AS lacks_unit
    FROM source_address a
    CROSS JOIN (SELECT count(*) > 0 AS known FROM gazetteer_home) gazetteer
    LEFT JOIN address_identified i ON i.address_id = a.address_id
    LEFT JOIN address_keyed k ON k.text_id = a.text_id
    LEFT JOIN best b ON b.text_id = a.text_id
    LEFT JOIN address_door d ON d.text_id = a.text_id
),
judged AS (
    -- the shell of several flats is nobody's home: an address that stops at it could be any of them;
    -- a flat that the gazetteer doesn't have is not the house around it, but lies in it
    SELECT f.*, (coalesce(h.is_shell, false) AND NOT no_home) OR lacks_unit AS stops_at_building,
           way = 'splink' AND (weight < ${accept_weight} OR gap < ${accept_gap}) AS doubtful
    FROM found f LEFT JOIN gazetteer_home h ON h.uprn = f.best_uprn
),
-- one row per home that stands for the shop below it too, by gazetteer.py
shop AS (
    SELECT home_uprn, min(uprn) AS uprn FROM gazetteer_home WHERE home_uprn <> uprn AND NOT is_retired GROUP BY home_uprn
),
-- one row per address that is known under a retired UPRN only: as given, by reference, or worded as the retired one was
retired AS (
    SELECT a.address_id, 'given' AS way, h.home_uprn, h.uprn AS retired_uprn
    FROM source_address a JOIN gazetteer_home h ON h.uprn = a.uprn_given WHERE h.is_retired AND h.home_uprn <> h.uprn
    UNION ALL
    SELECT a.address_id, 'cross_reference', x.uprn, x.retired_uprn
    FROM source_address a JOIN gazetteer_reference x ON x.xref_source = a.xref_source AND x.reference = ltrim(a.xref_key, '0')
    WHERE x.retired_uprn IS NOT NULL AND x.retired_uprn <> x.uprn
    UNION ALL
    SELECT j.address_id, j.way, g.home_uprn, min(g.variant_uprn)
    FROM judged j JOIN source_address a USING (address_id) JOIN source_identity s USING (text_id)
    JOIN (SELECT * FROM gazetteer_identity SEMI JOIN (SELECT home_uprn FROM gazetteer_home WHERE is_retired AND home_uprn <> uprn) USING (home_uprn)) g
        ON g.home_uprn = j.best_uprn AND (${same_key})
    WHERE j.way IN ('normalised_key', 'splink') GROUP BY ALL HAVING bool_and(g.is_retired AND g.variant_uprn <> g.home_uprn)
)
SELECT judged.address_id,
       CASE WHEN NOT doubtful AND NOT stops_at_building THEN coalesce(shop.uprn, best_uprn) END AS uprn,
       CASE WHEN doubtful THEN 'ambiguous' WHEN stops_at_building THEN 'building' ELSE judged.way END AS method,
       CASE WHEN best_uprn IS NOT NULL THEN weight END AS match_weight,
       CASE WHEN stops_at_building THEN 0.0 WHEN best_uprn IS NOT NULL THEN gap END AS runner_up_gap,
       coalesce(shop.uprn, best_uprn) AS candidate_uprn,
       candidates::INTEGER AS candidates,
       CASE WHEN NOT doubtful AND stops_at_building THEN best_uprn END AS building_uprn,
       door_key,
       CASE WHEN NOT doubtful THEN retired_uprn END AS retired_uprn
FROM judged LEFT JOIN retired ON retired.address_id = judged.address_id AND retired.way = judged.way AND retired.home_uprn = judged.best_uprn
LEFT JOIN shop ON no_home AND shop.home_uprn = best_uprn;
