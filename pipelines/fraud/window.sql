-- The facts that the fraud purpose may read, as they stand today: one temporary view a fact, and the words rules share.
CREATE OR REPLACE TEMP MACRO today() AS DATE '${as_of}';
CREATE OR REPLACE TEMP MACRO said(holds, code, detail) AS
    CASE WHEN holds THEN {'code': code, 'detail': detail::VARCHAR} END;
CREATE OR REPLACE TEMP MACRO evidence_of(pieces) AS list_filter(pieces, lambda piece: piece IS NOT NULL);
CREATE OR REPLACE TEMP MACRO day_in_words(day) AS strftime(day, '%-d %B %Y');
CREATE OR REPLACE TEMP MACRO disregard_in_words(code) AS
    CASE WHEN code IN ('smi', 'carer', 'hospital', 'care_home') THEN 'a personal ground'  -- health is not the fraud team's to know
        WHEN code = 'under_18' THEN 'under 18' ELSE replace(code, '_', ' ') END;
CREATE OR REPLACE TEMP MACRO live(starts, ends) AS  -- on its last day it is live yet
    (starts IS NULL OR starts <= today()) AND (ends IS NULL OR ends >= today());

-- two wordings of a name that one person may use: swapped, a middle name, a nickname, a new surname, an initial, one word
CREATE OR REPLACE TEMP MACRO names_alike(a, b) AS
    len(list_intersect(a.name_tokens, b.name_tokens)) >= 2
    OR (len(a.forename) > 1 AND a.forename_root = b.forename_root)
    OR (a.surname = b.surname AND a.initial = b.initial)
    OR (a.surname = b.surname AND (list_contains(a.name_tokens, b.initial) OR list_contains(b.name_tokens, a.initial)))
    OR (len(a.name_tokens) = 1 AND list_contains(b.name_tokens, a.name_tokens[1]))
    OR (len(b.name_tokens) = 1 AND list_contains(a.name_tokens, b.name_tokens[1]));

-- record of a person within the fraud view (record_id)
CREATE OR REPLACE TEMP TABLE member AS
SELECT r.record_id, m.person_id, r.source, r.role, r.title, r.forename, r.surname, r.initial,
       r.forename_root, r.name_tokens,
       r.birth_date, r.nino, r.uprn, r.sensitivity
FROM identity.linkage.membership AS m
JOIN identity.people.record AS r USING (record_id)
WHERE m.view = 'fraud' AND r.source IN (${sources}) AND coalesce(r.sensitivity, '') NOT IN (${withheld});

-- person who holds a flagged record in this view (person_id)
CREATE OR REPLACE TEMP TABLE protected AS
SELECT DISTINCT m.person_id
FROM identity.linkage.membership AS m JOIN identity.people.record AS r USING (record_id)
WHERE m.view = 'fraud' AND r.sensitivity IS NOT NULL;

-- person of the fraud view (person_id)
CREATE OR REPLACE TEMP TABLE person AS
SELECT person_id, mode(birth_date ORDER BY birth_date) AS birth_date FROM member GROUP BY person_id;

-- address with its UPRN (address_id)
CREATE OR REPLACE TEMP TABLE place AS
SELECT a.address_id, a.uprn, a.method, p.parent_uprn, p.class_code,
       coalesce(p.is_communal, false) AS is_communal, coalesce(p.is_shell, false) AS is_shell,
       a.method = 'splink' OR coalesce(p.is_shell, false) OR coalesce(p.is_communal, false) AS uncertain
FROM identity.places.address_uprn AS a
LEFT JOIN identity.places.property AS p USING (uprn)
WHERE a.uprn IS NOT NULL
    -- where a sealed person is, no rule fires
    AND a.uprn NOT IN (SELECT uprn FROM ${sealed_place} WHERE source IN (${sources}));
