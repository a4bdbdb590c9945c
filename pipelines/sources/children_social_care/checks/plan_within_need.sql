-- one row: protection plans, and those outside every episode of need of the child
SELECT count(*) AS rows, count(*) FILTER (WHERE NOT EXISTS (
    SELECT 1 FROM ${need} n WHERE n.child_id = p.child_id AND n.referred <= p.started AND coalesce(n.closed >= p.started, true))) AS failures
FROM ${plan} p
