-- One row per row of ${source}: the person as models compare them. Grain: record_id. Reads std_one_string, std_era and std_default_date.
CREATE OR REPLACE TEMP TABLE std_given_form AS   -- one row per distinct forename or middle name as given
SELECT raw, std_without(list_filter(string_split(std_given_words(name), ' '), lambda t: t <> '' AND NOT list_contains(std_no_name(), t)), std_beside_given_names()) AS tokens
FROM (SELECT raw, std_name_of(text) AS name
      FROM (SELECT raw, std_text(raw) AS text FROM (SELECT forename AS raw FROM ${source} UNION SELECT middle FROM ${source} UNION SELECT array_to_string(given, ' ') FROM std_one_string) WHERE raw IS NOT NULL));

CREATE OR REPLACE TEMP TABLE std_named AS        -- one row per record: its given names and family name, each on its side
WITH keyed AS (
    SELECT *, CASE WHEN surname IS NULL AND forename IS NULL THEN name_text END AS one_string FROM ${source}
), read AS (
    SELECT r.*, o.title AS own_title, o.party_kind, o.second_given, o.family, o.former, o.name_text IS NOT NULL AS as_one_string,
        CASE WHEN as_one_string THEN array_to_string(o.given, ' ') ELSE r.forename END AS given_raw, CASE WHEN NOT as_one_string THEN r.middle END AS middle_raw
    FROM keyed r LEFT JOIN std_one_string o ON o.name_text = r.one_string
), told AS (
    SELECT r.record_id, r.source, r.role, r.sex, r.death_date, r.nino, r.nhs_number, r.person_number, r.phone, r.email, r.birth_place, r.occupation, r.sensitivity,
        CASE WHEN d.source IS NULL THEN std_birth_date_since(${birth_date}, ${as_of}, coalesce(e.oldest, std_oldest_alive(${as_of}))) END AS birth_date,
        coalesce(t.name, own_title) AS title, coalesce(party_kind, 'person') AS party_kind, second_given,
        list_concat(coalesce(f.tokens, []), coalesce(m.tokens, [])) AS given,
        nullif(CASE WHEN as_one_string THEN family ELSE r.surname END, '') AS family,
        CASE WHEN NOT as_one_string THEN coalesce(std_generation(r.surname), std_generation(r.forename), std_generation(r.middle))
            WHEN std_generation('X ' || family) IS NULL THEN std_generation(r.one_string) END AS generation,
        coalesce(r.former_surname, former) AS former_surname
    FROM read r
    LEFT JOIN std_given_form f ON f.raw = r.given_raw
    LEFT JOIN std_given_form m ON m.raw = r.middle_raw
    LEFT JOIN std_era e ON e.source = r.source
    LEFT JOIN std_default_date d ON d.source = r.source AND d.birth_date = ${birth_date}
    LEFT JOIN (SELECT title, std_name_of(text) AS name FROM (SELECT title, std_text(title) AS text FROM (SELECT DISTINCT title FROM ${source}))) t ON t.title = r.title
), weighed AS (
    SELECT t.*, coalesce(a.is_syllable, false) AS first_syllable, coalesce(b.is_syllable, false) AS second_syllable, coalesce(c.is_syllable, false) AS third_syllable,
        coalesce(s.is_family, false) AS east_asian,
        -- forename and surname stand in each other's place if that is many times likelier than both being rare names
        coalesce(length(t.given[1]) > 1 AND coalesce(s.bits, 0) - std_bits_of(t.given[1], a.bits)
            >= CASE WHEN a.is_family AND s.is_syllable THEN std_bits_swap_east_asian() ELSE std_bits_swap() END, false) AS swapped
    FROM told t
    LEFT JOIN std_name_use a ON a.name = t.given[1]
    LEFT JOIN std_name_use b ON b.name = t.given[2]
    LEFT JOIN std_name_use c ON c.name = t.given[3]
    LEFT JOIN std_name_use s ON s.name = upper(t.family)
)
SELECT * EXCLUDE (family, given), CASE WHEN swapped THEN given[1] ELSE family END AS family,
    CASE WHEN swapped THEN list_concat([upper(family)], given[2:])
         WHEN first_syllable AND second_syllable THEN list_concat([given[1] || given[2]], given[3:])                -- WAI YEE
         WHEN east_asian AND second_syllable AND third_syllable THEN list_concat([given[1], given[2] || given[3]], given[4:])
         ELSE given END AS given
FROM weighed;

CREATE OR REPLACE TEMP TABLE std_surname_form AS   -- one row per distinct family name as given, or as read
SELECT raw, surname, std_sound_join(sound) AS phonetic,
    list_filter(list_distinct(list_concat(string_split(surname, ' '), list_transform(string_split(surname, ' '), lambda t: std_family_form(t)))),
        lambda t: length(t) > 1 AND NOT list_contains(std_particles(), t)) AS parts
FROM (SELECT *, std_sound_letters(std_sound_spelling(surname)) AS sound FROM (SELECT raw, std_prefixes_joined(nullif(array_to_string(std_without(list_filter(tokens, lambda t: NOT list_contains(std_no_name(), t)), std_beside_family_names()), ' '), '')) AS surname
      FROM (SELECT raw, CASE WHEN len(words) > 1 AND std_generation(raw) IS NOT NULL AND list_contains(std_maybe_suffixes(), words[-1]) THEN words[:-2] ELSE words END AS tokens
        FROM (SELECT raw, std_tokens_of(text) AS words FROM (SELECT raw, std_text(raw) AS text FROM (SELECT family AS raw FROM std_named UNION SELECT former_surname FROM std_named) WHERE raw IS NOT NULL)))));

CREATE OR REPLACE TEMP TABLE ${target} AS
SELECT n.record_id, n.source, n.role, n.title, n.party_kind,
    n.given[1] AS forename,
    nullif(array_to_string(n.given[2:], ' '), '') AS middle,
    s.surname,
    former.surname AS former_surname,
    n.second_given,
    n.generation,
    coalesce(k.root, n.given[1]) AS forename_root,
    coalesce(k.forms, CASE WHEN length(n.given[1]) > 1 THEN [n.given[1]] END) AS forename_forms,
    s.phonetic AS surname_phonetic,
    left(n.given[1], 1) AS initial,
    list_concat(n.given, string_split(coalesce(s.surname, ''), ' ')) AS name_tokens,
    list_distinct(list_concat(coalesce(s.parts, []), coalesce(former.parts, []))) AS surname_parts,
    replace(s.surname, ' ', '') AS surname_key,
    n.birth_date,
    year(n.birth_date) AS birth_year,
    std_weak_birth_date(n.birth_date) AS weak_birth_date,
    std_swapped_date(n.birth_date) AS birth_date_swapped,
    coalesce(n.birth_date > ${as_of} - INTERVAL 16 YEAR, false) AS is_child,
    coalesce(n.role IN ('liable', 'claimant', 'partner', 'tenant', 'elector', 'applicant', 'spouse', 'mother', 'father', 'ratepayer', 'contact',
        'account_holder', 'permit_holder'), false) AS acts_as_adult,
    CASE WHEN left(upper(n.sex), 1) IN ('M', 'F') THEN left(upper(n.sex), 1)
         WHEN n.title IN ('MR', 'MASTER', 'MSTR', 'SIR', 'LORD', 'FATHER', 'BROTHER') THEN 'M'
         WHEN n.title IN ('MRS', 'MISS', 'MS', 'DAME', 'LADY', 'SISTER', 'MADAM') THEN 'F' END AS sex,
    std_nino(n.nino) AS nino, std_nhs_number(n.nhs_number) AS nhs_number, n.person_number,
    n.phone, std_phone_kind(n.phone) AS phone_kind, n.email,
    std_text(n.birth_place) AS birth_place, std_text(n.occupation) AS occupation,
    n.death_date, n.sensitivity,
    -- where each row is a person, a birth date, a number or a way to reach them stands for a name that was lost
    n.party_kind IN ('person', 'executors') AND (coalesce(s.surname, n.given[1]) IS NOT NULL OR n.role = 'person' AND (
        NOT std_weak_birth_date(n.birth_date) AND n.birth_date IS NOT NULL
        OR coalesce(n.person_number, n.phone, n.email) IS NOT NULL)) AS is_person
-- what a macro repeats is worked out first, as a column: it takes long to read
FROM (SELECT * REPLACE (std_phone_checked(phone) AS phone, std_email_checked(email) AS email) FROM (
    SELECT * REPLACE (std_person_number(person_number) AS person_number, std_phone_national(phone) AS phone, std_email_clean(email) AS email) FROM (
    SELECT * REPLACE (nullif(std_phone_first(phone), '') AS phone) FROM std_named))) n
LEFT JOIN std_surname_form s ON s.raw = n.family
LEFT JOIN std_surname_form former ON former.raw = n.former_surname
LEFT JOIN std_nickname k ON k.name = n.given[1];

DROP TABLE std_one_string; DROP TABLE std_given_form; DROP TABLE std_named; DROP TABLE std_surname_form;
