-- one row: terms, and those with more half days missed than possible
SELECT count(*) AS rows, count(*) FILTER (WHERE authorised + unauthorised > possible) AS failures FROM ${attendance}
