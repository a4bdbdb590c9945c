-- One row per reason: items that wait for a reviewer.
SELECT reason, count(*) FROM identity.review.queue GROUP BY reason ORDER BY count(*) DESC, reason
