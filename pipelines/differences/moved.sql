-- A record of a view: its person in the run before and in the run after, null where it is not (view, record_id).
CREATE OR REPLACE TEMP TABLE moved AS
SELECT view, record_id, b.person_id AS was, a.person_id AS now
FROM before_member b FULL JOIN after_member a USING (view, record_id);

-- A person of the run before: into how many it went, and how many of its records are gone (view, was).
CREATE OR REPLACE TEMP TABLE was_person AS
SELECT view, was, count(*) AS records, count(DISTINCT now) AS parts, count(*) FILTER (now IS NULL) AS gone
FROM moved WHERE was IS NOT NULL GROUP BY ALL;

-- A person of the run after: from how many it came, and how many of its records are new (view, now).
CREATE OR REPLACE TEMP TABLE now_person AS
SELECT view, now, count(*) AS records, count(DISTINCT was) AS parts, count(*) FILTER (was IS NULL) AS new
FROM moved WHERE now IS NOT NULL GROUP BY ALL;

-- A record that both runs have, and whether its person was merged or split (view, record_id).
CREATE OR REPLACE TEMP TABLE kept AS
SELECT m.*, w.parts > 1 AS is_split, n.parts > 1 AS is_merged
FROM moved m JOIN was_person w USING (view, was) JOIN now_person n USING (view, now)
