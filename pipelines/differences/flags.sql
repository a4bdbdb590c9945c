-- What became of the flagged pairs of each rule (rule).
SELECT coalesce(b.rule, a.rule), count(b.flag_id), count(a.flag_id), count(*) FILTER (b.flag_id IS NULL),
    count(*) FILTER (a.flag_id IS NULL), count(*) FILTER (a.strength <> b.strength)
FROM before.fraud.flagged_pair b FULL JOIN after.fraud.flagged_pair a ON a.flag_id = b.flag_id
GROUP BY 1
ORDER BY 1
