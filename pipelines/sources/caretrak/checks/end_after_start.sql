-- one row: spells with an end, and those that end before they begin
SELECT count(*) AS rows, count(*) FILTER (WHERE end_date < start_date) AS failures FROM ${spells} WHERE end_date IS NOT NULL
