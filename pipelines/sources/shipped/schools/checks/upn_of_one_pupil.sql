-- one row per pupil with a unique pupil number; fails if another pupil bears it
SELECT pupilid, count(*) OVER (PARTITION BY upn) > 1 AS fails FROM ${pupil} WHERE upn IS NOT NULL
