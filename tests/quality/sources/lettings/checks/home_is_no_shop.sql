-- one row: homes with a UPRN of the gazetteer, those that are commercial
SELECT count(*) AS rows, count(*) FILTER (blpu.class_code LIKE 'C%') AS failures
FROM ${home} AS home
JOIN ${llpg__blpu} AS blpu ON blpu.uprn = home.uprn
