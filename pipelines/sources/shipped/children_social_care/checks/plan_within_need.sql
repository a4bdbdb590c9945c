-- one row per protection plan; fails outside every episode of need of the child
SELECT child_id, NOT EXISTS (
    SELECT 1 FROM ${need} n WHERE n.child_id = p.child_id AND n.referred <= p.started AND coalesce(n.closed >= p.started, true)) AS fails
FROM ${plan} p
