-- One row per person of one purpose view with any sign of life in the borough: lives here on the day or not, where, and why.
-- Grain: person_id. Reads temporary tables: view_record (columns of people.record with the person_id of the view), unoccupied and
-- occupied (address_id): dwellings whose exemption says that they stand empty, or whose discount says who lives there.

-- grain: one sign of life: person_id, place, basis, source. A place is a UPRN, else a door, else a postcode.
CREATE OR REPLACE TEMP TABLE sign AS
SELECT v.person_id, coalesce(a.home_key, a.postcode) AS place, a.basis, v.source,
       min(a.uprn) AS uprn, min(a.postcode) AS postcode,
       min(a.from_date) AS from_date, max(a.from_date) AS last_from,
       max(a.to_date) FILTER (a.to_date <= DATE '${day}') AS last_end,
       bool_or(a.to_date IS NULL OR a.to_date > DATE '${day}') AS is_open,
       bool_or(a.address_id IN (SELECT address_id FROM occupied)) AS attested
FROM view_record v JOIN ${record_address} a USING (record_id)
LEFT JOIN (SELECT unnest(${stale_bases}) AS basis, unnest(${stale_days}) AS days) stale ON stale.basis = a.basis
WHERE coalesce(a.from_date <= DATE '${day}', true) AND a.basis <> 'death' AND coalesce(a.home_key, a.postcode) IS NOT NULL
    AND NOT (a.basis = 'liable' AND a.address_id IN (SELECT address_id FROM unoccupied))
    -- a badge that says until when it holds is not stale before
    AND (coalesce(a.from_date >= DATE '${day}' - stale.days, true) OR a.to_date > DATE '${day}')
GROUP BY ALL;

-- grain: one person at one place
CREATE OR REPLACE TEMP TABLE stay AS
SELECT person_id, place, min(uprn) AS uprn, min(postcode) AS postcode,
       min(from_date) AS from_date, max(last_from) AS last_from,
       coalesce(list_sort(list(DISTINCT basis) FILTER (is_open)), []) AS open_signs,
       coalesce(list_sort(list(DISTINCT basis) FILTER (NOT is_open)), []) AS ended_signs,
       len(list_intersect(open_signs, ${held_by})) > 0 AS holds,
       NOT holds AND len(list_intersect(ended_signs, ${held_by})) > 0 AS gave_up,
       coalesce(bool_or(attested AND is_open), false) AS attested,
       -- a contact that doesn't say since when is told anew with every extract: young people tracked, adults to call of pupils
       len(list_intersect(open_signs, ${sure})) > 0 OR bool_or(is_open AND basis = 'contact' AND last_from IS NULL) AS kept_up,
       -- the owner of a home that everyone left is billed anew the day after
       coalesce(bool_or(is_open AND basis = 'liable' AND last_end >= last_from - 31), false) AS billed_anew,
       max(last_end) AS last_end
FROM sign GROUP BY person_id, place;

-- grain: one place: since when those who hold it today have been known there, and how many people show open signs of life
CREATE OR REPLACE TEMP TABLE place_today AS
SELECT place, min(coalesce(from_date, DATE '1900-01-01')) FILTER (holds) AS held_since, count(*) FILTER (open_signs <> [] AND NOT gave_up) AS people
FROM stay GROUP BY place;

-- grain: one person at one place, with what the signs say together
CREATE OR REPLACE TEMP TABLE verdict AS
SELECT s.*,
       CASE WHEN s.gave_up THEN 'gave the home up'
            WHEN NOT s.holds AND NOT s.kept_up AND t.held_since > coalesce(s.last_from, DATE '1900-01-01') THEN 'others have held the home since'
            WHEN s.open_signs = ['liable'] AND s.billed_anew AND NOT s.attested AND t.people = 1 THEN 'billed for a home that was left'
            WHEN s.open_signs = [] AND len(list_filter(s.ended_signs, lambda sign: NOT list_contains(${end_is_no_move}, sign))) > 0 THEN 'every sign has ended'
       END AS against,
       CASE WHEN against IS NOT NULL THEN 'left'
            WHEN len(s.open_signs) > 1 OR s.attested OR len(list_intersect(s.open_signs, ${sure})) > 0 THEN 'resident'
            ELSE 'probably' END AS class
FROM stay s JOIN place_today t USING (place);

-- grain: person_id and a value that records give, with the number of records that give it
CREATE OR REPLACE TEMP TABLE birth_date_given AS SELECT person_id, birth_date AS value, count(*) AS n FROM view_record WHERE birth_date IS NOT NULL GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE sex_given AS SELECT person_id, sex AS value, count(*) AS n FROM view_record WHERE sex IS NOT NULL GROUP BY ALL;

-- grain: person_id: what the records say, of several values the one given most often
CREATE OR REPLACE TEMP TABLE known_person AS
SELECT k.*, b.value AS birth_date, s.value AS sex
FROM (
SELECT person_id, min(death_date) AS death_date,
       bool_or(acts_as_adult) AS acts_as_adult,
       list(DISTINCT source) AS sources, list(DISTINCT surname_key) FILTER (surname_key IS NOT NULL) AS surnames,
       list(DISTINCT forename) FILTER (forename IS NOT NULL) AS forenames, list(DISTINCT initial) FILTER (initial IS NOT NULL) AS initials,
       list(DISTINCT birth_date) FILTER (birth_date IS NOT NULL) AS birth_dates, list(DISTINCT sex) FILTER (sex IS NOT NULL) AS sexes
FROM view_record GROUP BY person_id) k
LEFT JOIN (SELECT person_id, arg_min(value, struct_pack(a := -n, v := value)) AS value FROM birth_date_given GROUP BY person_id) b USING (person_id)
LEFT JOIN (SELECT person_id, arg_min(value, struct_pack(a := -n, v := value)) AS value FROM sex_given GROUP BY person_id) s USING (person_id);

-- grain: person_id: of several homes the one begun last that was not left, then the surest, then the better attested
CREATE OR REPLACE TEMP TABLE own_place AS
SELECT * FROM verdict
QUALIFY row_number() OVER (
    PARTITION BY person_id
    ORDER BY class = 'left', last_from DESC NULLS LAST, class = 'probably', len(open_signs) DESC, place) = 1;

-- grain: person_id of a child whom only contacts name, such as the entry of its birth: where the surest of those is who stand beside it there
CREATE OR REPLACE TEMP TABLE carried AS
WITH named AS (
    SELECT DISTINCT v.person_id, a.address_id, bool_and(a.basis = 'contact') OVER (PARTITION BY v.person_id) AS only_contacts
    FROM view_record v JOIN ${record_address} a USING (record_id)
)
SELECT child.person_id, adult.* EXCLUDE (person_id)
FROM named child JOIN known_person born USING (person_id)
JOIN named beside ON beside.address_id = child.address_id AND beside.person_id <> child.person_id
JOIN own_place adult ON adult.person_id = beside.person_id
JOIN known_person alive ON alive.person_id = beside.person_id AND alive.death_date IS NULL
WHERE child.only_contacts AND born.birth_date > DATE '${day}' - INTERVAL ${child_below} YEAR
QUALIFY row_number() OVER (
    PARTITION BY child.person_id ORDER BY adult.class = 'left', adult.class = 'probably', adult.last_from DESC NULLS LAST, adult.person_id) = 1;

-- grain: person_id
CREATE OR REPLACE TEMP TABLE main_place AS
SELECT * FROM own_place ANTI JOIN carried USING (person_id)
UNION ALL BY NAME
SELECT * REPLACE (CASE WHEN class = 'left' THEN class ELSE 'probably' END AS class, [] AS ended_signs,
                  CASE WHEN class = 'left' THEN [] ELSE ['with the family'] END AS open_signs,
                  CASE WHEN class = 'left' THEN 'the family has left' END AS against)
FROM carried;

-- grain: person_id of one who is most likely another person of the same home: no source holds both, the surname and the initial agree or
-- the names are crossed over, and nothing that is known tells them apart
CREATE OR REPLACE TEMP TABLE counted_twice AS
WITH here AS (
    SELECT m.person_id, m.place, m.class, len(m.open_signs) AS signs, k.* EXCLUDE (person_id)
    FROM main_place m JOIN known_person k USING (person_id) WHERE m.class <> 'left' AND m.uprn IS NOT NULL AND k.death_date IS NULL
)
SELECT weak.person_id, min(firm.person_id) AS same_as
FROM here weak JOIN here firm ON firm.place = weak.place
    AND (firm.class = 'probably', -firm.signs, firm.person_id) < (weak.class = 'probably', -weak.signs, weak.person_id)
    AND len(list_intersect(firm.sources, weak.sources)) = 0
    AND (list_has_any(firm.surnames, weak.surnames) AND list_has_any(firm.initials, weak.initials)
         OR list_has_any(firm.forenames, weak.surnames) AND list_has_any(firm.surnames, weak.forenames))
    AND coalesce(list_has_any(firm.birth_dates, weak.birth_dates), true) AND coalesce(list_has_any(firm.sexes, weak.sexes), true)
GROUP BY weak.person_id;

CREATE OR REPLACE TEMP TABLE resident_now AS
WITH classed AS (
    SELECT p.*, m.* EXCLUDE (person_id, class), t.same_as,
           CASE WHEN p.death_date <= DATE '${day}' THEN 'dead' WHEN t.same_as IS NOT NULL THEN 'counted twice' ELSE coalesce(m.class, 'unknown') END AS class
    FROM known_person p LEFT JOIN main_place m USING (person_id) LEFT JOIN counted_twice t USING (person_id)
)
SELECT person_id, class, uprn, postcode, from_date,
       CASE class WHEN 'dead' THEN death_date WHEN 'left' THEN last_end END AS to_date,
       CASE class WHEN 'dead' THEN ['died'] WHEN 'unknown' THEN ['no sign of a place']
            WHEN 'left' THEN [against] || list_transform(open_signs, lambda sign: 'still: ' || sign)
            ELSE open_signs || list_transform(ended_signs, lambda sign: 'ended: ' || sign) END AS reasons,
       same_as, sex, birth_date, acts_as_adult
FROM classed;
