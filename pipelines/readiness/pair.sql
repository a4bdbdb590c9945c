-- One row per unordered pair of sources with two records of one person found or missed: linked pairs of records; those that
-- the clustering probably misses, with those that no rule compared; recall, and between what it lies nine times in ten.
WITH found AS (
    SELECT a.source AS source_l, b.source AS source_r, count(*)::DOUBLE AS linked
    FROM readiness_record a JOIN readiness_record b ON b.cluster = a.cluster
        AND (a.source < b.source OR (a.source = b.source AND a.record_id < b.record_id))
    GROUP BY ALL
), merge AS (   -- what two clusters that may be one person would join: all of it, or nothing
    SELECT least(a.source, b.source) AS source_l, greatest(a.source, b.source) AS source_r, x, y, c.apart, count(*) AS n
    FROM chance_pair c JOIN readiness_record a ON a.record_id = c.record_l
    JOIN readiness_record b ON b.record_id = c.record_r
    GROUP BY ALL
), missed AS (
    SELECT source_l, source_r, sum(n * apart) AS missed, sum(n * n * apart * (1 - apart)) AS variance
    FROM merge GROUP BY ALL
), compared AS (   -- pairs that rules found, of one person for all that is known, by how many families of rules
    SELECT least(source_l, source_r) AS source_l, greatest(source_l, source_r) AS source_r, ${families} AS families,
        sum(CASE WHEN cluster_l = cluster_r THEN 1 ELSE c.apart END) AS n
    FROM clustered_edge LEFT JOIN chance c ON c.x = least(cluster_l, cluster_r) AND c.y = greatest(cluster_l, cluster_r)
    WHERE cluster_l = cluster_r OR c.x IS NOT NULL
    GROUP BY ALL
), seen AS (
    SELECT source_l, source_r, sum(n) AS n, coalesce(sum(n) FILTER (families = 1), 0) AS once,
        coalesce(sum(n) FILTER (families = 2), 0) AS twice
    FROM compared GROUP BY ALL
), told AS (   -- Chao's unseen, less the uncompared that are known by a third record; inside a source there is no such
    SELECT source_l, source_r, coalesce(f.linked, 0) AS linked, coalesce(m.variance, 0) AS variance,
        linked + coalesce(m.missed, 0) - s.n AS uncompared,
        greatest(once * once / (2 * greatest(twice, 1)) - uncompared, 0) AS chao,
        CASE WHEN source_l = source_r THEN 0 ELSE coalesce(least(chao, ${unseen_most} * once), 0) END AS beyond,
        coalesce(m.missed, 0) + ${unseen} * beyond AS missed
    FROM found f FULL JOIN missed m USING (source_l, source_r) LEFT JOIN seen s USING (source_l, source_r)
)
SELECT source_l, source_r, linked::BIGINT AS linked, missed, linked / (linked + missed) AS recall,
    linked / (linked + missed + margin) AS low, least(linked / (linked + greatest(missed - margin, 0)), 1) AS high
FROM (SELECT *, ${nine_in_ten} * sqrt(variance + (${off} * missed) ** 2) AS margin FROM told)
ORDER BY source_l, source_r
