-- one row per home with a UPRN of the gazetteer; fails if it is commercial
SELECT home.home_ref, blpu.class_code LIKE 'C%' AS fails
FROM ${home} AS home
JOIN ${llpg__blpu} AS blpu ON blpu.uprn = home.uprn
