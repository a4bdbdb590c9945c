-- grain: one address; the UPRN is filled only where the evidence settles it, a doubtful best candidate stands beside
CREATE OR REPLACE TEMP TABLE ${out} AS
WITH ranked AS (
    SELECT text_id, uprn, weight, row_number() OVER best AS place, count(*) OVER (PARTITION BY text_id) AS candidates,
           weight - lead(weight) OVER best AS gap
    FROM address_scored WINDOW best AS (PARTITION BY text_id ORDER BY weight DESC, uprn)
),
best AS (
    SELECT text_id, uprn, weight, candidates, coalesce(gap, weight - ${candidate_weight}) AS gap FROM ranked WHERE place = 1
),
found AS (
    SELECT a.address_id, a.text_id,
           coalesce(i.uprn, k.uprn, b.uprn) AS best_uprn,
           CASE WHEN i.uprn IS NOT NULL THEN i.method WHEN k.uprn IS NOT NULL THEN 'normalised_key'
                WHEN b.uprn IS NOT NULL THEN 'splink' WHEN a.text_id IS NULL THEN 'no_address' ELSE 'unmatched' END AS way,
           CASE WHEN i.uprn IS NULL AND k.uprn IS NULL THEN b.weight ELSE ${settled} END AS weight,
           CASE WHEN i.uprn IS NULL AND k.uprn IS NULL THEN b.gap ELSE ${settled} END AS gap,
           CASE WHEN i.uprn IS NULL AND k.uprn IS NULL THEN coalesce(b.candidates, 0) ELSE 1 END AS candidates
    FROM source_address a
    LEFT JOIN address_identified i USING (address_id)
    LEFT JOIN address_keyed k ON k.text_id = a.text_id AND i.uprn IS NULL
    LEFT JOIN best b ON b.text_id = a.text_id AND i.uprn IS NULL AND k.uprn IS NULL
),
judged AS (
    -- the shell of several flats is nobody's home: an address that stops at it could be any of them
    SELECT f.*, h.is_shell OR (way = 'splink' AND (weight < ${accept_weight} OR gap < ${accept_gap})) AS doubtful
    FROM found f LEFT JOIN gazetteer_home h ON h.uprn = f.best_uprn
)
SELECT address_id,
       CASE WHEN NOT coalesce(doubtful, false) THEN best_uprn END AS uprn,
       CASE WHEN coalesce(doubtful, false) THEN 'ambiguous' ELSE way END AS method,
       CASE WHEN best_uprn IS NOT NULL THEN weight END AS match_weight,
       CASE WHEN best_uprn IS NOT NULL THEN CASE WHEN h_shell THEN 0.0 ELSE gap END END AS runner_up_gap,
       best_uprn AS candidate_uprn,
       candidates::INTEGER AS candidates
FROM (SELECT j.*, coalesce(h.is_shell, false) AS h_shell FROM judged j LEFT JOIN gazetteer_home h ON h.uprn = j.best_uprn);
