-- One row per refused extract that no later accepted extract of its source has replaced.
SELECT r.source, r.extract_date, coalesce(min(r.reason), 'no reason was noted')
FROM identity.meta.intake AS r
WHERE r.state IN ('refused', 'unjudged')
  AND NOT EXISTS (
      SELECT 1 FROM identity.meta.intake AS a
      WHERE a.source = r.source AND a.state = 'accepted' AND a.extract_date > r.extract_date
  )
GROUP BY r.source, r.extract_date
ORDER BY r.source, r.extract_date
