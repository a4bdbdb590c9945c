-- one row per home; fails if nobody holds it
SELECT home.home_ref, holder.home_ref IS NULL AS fails
FROM ${home} AS home
LEFT JOIN (SELECT DISTINCT home_ref FROM ${holder}) AS holder USING (home_ref)
