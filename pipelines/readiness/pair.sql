-- One row per unordered pair of sources with two records of one person found or missed: linked pairs of records, and
-- those that the clustering probably misses.
WITH found AS (
    SELECT a.source AS source_l, b.source AS source_r, count(*)::DOUBLE AS linked
    FROM readiness_record a JOIN readiness_record b ON b.cluster = a.cluster
        AND (a.source < b.source OR (a.source = b.source AND a.record_id < b.record_id))
    GROUP BY ALL
), missed AS (
    SELECT least(a.source, b.source) AS source_l, greatest(a.source, b.source) AS source_r, sum(c.probability) AS missed
    FROM chance_pair c JOIN readiness_record a ON a.record_id = c.record_l
    JOIN readiness_record b ON b.record_id = c.record_r
    GROUP BY ALL
)
SELECT source_l, source_r, coalesce(linked, 0)::BIGINT AS linked, coalesce(missed, 0) AS missed,
    coalesce(linked, 0) / (coalesce(linked, 0) + coalesce(missed, 0)) AS recall
FROM found FULL JOIN missed USING (source_l, source_r)
ORDER BY source_l, source_r
