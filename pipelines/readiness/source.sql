-- One row per source of people: its records, what can't be linked, how many links are probably found, addresses placed,
-- and people whom its records can hardly tell apart.
WITH counted AS (
    SELECT source, count(*) AS records, count(DISTINCT cluster) AS persons,
        count(*) FILTER (reach < ${link}) AS unlinkable, ${filled}
    FROM readiness_record GROUP BY source
), linked AS (   -- each pair of records counts for the sources of both
    SELECT source, sum(linked) AS linked, sum(missed) AS missed FROM (
        SELECT source_l AS source, linked, missed FROM identity.quality.readiness_pair
        UNION ALL SELECT source_r, linked, missed FROM identity.quality.readiness_pair WHERE source_l <> source_r)
    GROUP BY source
), home AS (
    SELECT DISTINCT home_key, cluster, initial, surname_key, birth_date FROM readiness_record
    WHERE home_key IS NOT NULL AND surname_key IS NOT NULL AND initial IS NOT NULL
), twin AS (   -- two persons of one home and birth date whose forenames begin unlike
    SELECT DISTINCT a.cluster FROM home a JOIN home b ON b.home_key = a.home_key AND b.birth_date = a.birth_date
        AND b.cluster <> a.cluster AND b.initial <> a.initial
), collision AS (   -- two persons of one home, surname and initial, where a birth date of one is not known
    SELECT DISTINCT a.cluster FROM home a JOIN home b ON b.home_key = a.home_key AND b.surname_key = a.surname_key
        AND b.initial = a.initial AND b.cluster <> a.cluster
    WHERE a.birth_date IS NULL OR b.birth_date IS NULL
), alike AS (
    SELECT source, count(*) FILTER (t.cluster IS NOT NULL) AS twins, count(*) FILTER (c.cluster IS NOT NULL) AS collisions
    FROM readiness_record r LEFT JOIN twin t USING (cluster) LEFT JOIN collision c USING (cluster) GROUP BY source
)
SELECT c.source, c.records, c.persons, c.unlinkable, coalesce(l.linked, 0)::BIGINT AS linked,
    coalesce(l.missed, 0) AS missed,
    CASE WHEN l.linked + l.missed > 0 THEN l.linked / (l.linked + l.missed) END AS recall,
    a.addresses, a.placed, k.twins, k.collisions, c.* EXCLUDE (source, records, persons, unlinkable)
FROM counted c LEFT JOIN linked l USING (source) LEFT JOIN alike k USING (source)
LEFT JOIN (${addresses}) a USING (source)
ORDER BY c.source
