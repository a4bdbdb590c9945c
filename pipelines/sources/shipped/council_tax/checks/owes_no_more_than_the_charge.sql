-- one row per year in recovery; fails if more is owed than was charged
SELECT account_ref, fin_year, balance > charge AS fails
FROM ${ctarrears}
WHERE balance IS NOT NULL AND charge IS NOT NULL
