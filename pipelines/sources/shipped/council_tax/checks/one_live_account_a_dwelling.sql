-- one row per dwelling with a live account; fails with more than one
SELECT property_ref, count(*) > 1 AS fails FROM ${ctoccupation} WHERE live_ind = '1' GROUP BY property_ref
