-- One row per row of ${source}: the person as models compare them. Grain: record_id.
CREATE OR REPLACE TEMP TABLE std_one_string AS   -- one row per distinct name held as one string
WITH read AS (
    SELECT name_text, std_text(name_text) AS line,
        std_tokens(replace(name_text, '-', 'ǀ')) AS all_tokens   -- ǀ counts as a letter: a hyphen holds a name together until it is read
    FROM (SELECT DISTINCT name_text FROM ${source} WHERE name_text IS NOT NULL)
), marked AS (
    SELECT *, regexp_matches(' ' || coalesce(line, '') || ' ', ' (EXORS?|EXECUTORS?|EXECUTRIX|EXECS?|DECD|DECEASED|DEC|ESTATE OF|PERS(ONAL)? REPS?|ADMINISTRATORS? OF) ') AS of_the_dead,
        regexp_matches(line, '\b(OCCUPIERS?|OCCUPANTS?|UNKNOWN|VOID|VACANT|EMPTY|LANDLORD|NAME NOT|NOT KNOWN|THE OWNER|THE RESIDENT)') AS unnamed
    FROM read
), cleaned AS (
    SELECT *, CASE WHEN unnamed THEN 'unnamed' WHEN list_has_any(all_tokens, std_not_a_person()) OR regexp_matches(name_text, '[0-9]') THEN 'company'
                   WHEN of_the_dead THEN 'executors' ELSE 'person' END AS party_kind,
        list_filter(all_tokens, lambda t: NOT (of_the_dead AND list_contains(std_death_marks(), t)) AND NOT list_contains(std_suffixes(), t)) AS tokens,
        list_filter(std_tokens(regexp_extract(line, '^([^,]+),', 1)), lambda t: NOT list_contains(std_titles(), t)) AS before_comma,
        list_filter(std_tokens(regexp_extract(line, ',(.*)$', 1)), lambda t: NOT list_contains(std_titles(), t) AND NOT list_contains(std_suffixes(), t)) AS after_comma
    FROM marked
), titled AS (
    SELECT *, coalesce(list_position(list_transform(tokens, lambda t: list_contains(std_titles(), t)), true), 0) AS title_at,
        list_filter(tokens, lambda t: NOT list_contains(std_titles(), t)) AS names
    FROM cleaned
), ordered AS (
    SELECT *, tokens[title_at] AS own_title,
        CASE WHEN title_at > 1 THEN title_at - 1                                                          -- SMITH MR JOHN
             WHEN title_at = 1 THEN 0                                                                     -- MR JOHN SMITH
             WHEN len(names) > 1 AND length(names[-1]) = 1 AND length(names[1]) > 1 THEN 1                -- SMITH J
             WHEN len(names) > 1 AND names[-1] IN (SELECT name FROM std_given_name)
                  AND names[1] NOT IN (SELECT name FROM std_given_name) THEN 1                            -- SMITH JOHN
             ELSE 0 END AS surname_first,
        coalesce(list_position(list_transform(names[2:], lambda t: list_contains(std_particles(), t)), true), 0) AS particle_at
    FROM titled
)
SELECT name_text, party_kind, own_title AS title,
    std_tokens(replace(array_to_string(CASE WHEN party_kind IN ('company', 'unnamed') THEN [] WHEN len(after_comma) > 0 THEN after_comma
         WHEN surname_first > 0 THEN names[surname_first + 1:]
         WHEN particle_at > 0 AND particle_at + 1 < len(names) THEN names[:particle_at]
         ELSE names[:-2] END, ' '), 'ǀ', ' ')) AS given,
    std_tokens(replace(array_to_string(CASE WHEN party_kind IN ('company', 'unnamed') THEN [] WHEN len(after_comma) > 0 THEN before_comma
         WHEN surname_first > 0 THEN names[:surname_first]
         WHEN particle_at > 0 AND particle_at + 1 < len(names) THEN names[particle_at + 1:]
         ELSE names[-1:] END, ' '), 'ǀ', ' ')) AS family
FROM ordered;

CREATE OR REPLACE TEMP TABLE std_surname_form AS   -- one row per distinct surname as given, or as read from a one-string name
SELECT raw, std_surname(kept) AS surname, std_phonetic(std_surname(kept)) AS phonetic
FROM (SELECT raw, CASE WHEN len(std_tokens(raw)) > 1 THEN array_to_string(list_filter(std_tokens(raw),
             lambda t: NOT list_contains(std_suffixes(), t) AND NOT list_contains(std_titles(), t)), ' ') ELSE raw END AS kept
      FROM (SELECT surname AS raw FROM ${source} UNION SELECT former_surname FROM ${source} UNION SELECT array_to_string(family, ' ') FROM std_one_string) WHERE raw IS NOT NULL);

CREATE OR REPLACE TEMP TABLE std_given_form AS   -- one row per distinct forename or middle name as given
SELECT raw, list_filter(std_tokens(raw), lambda t: NOT list_contains(std_suffixes(), t) AND NOT list_contains(std_titles(), t)) AS tokens
FROM (SELECT forename AS raw FROM ${source} UNION SELECT middle FROM ${source}) WHERE raw IS NOT NULL;

CREATE OR REPLACE TEMP TABLE std_era AS   -- one row per source: the earliest day that is a birth date in it
SELECT source,
    -- many different days of people too old to live are no slips: the source is about the past
    CASE WHEN count(DISTINCT birth_date) FILTER (birth_date < std_oldest_alive(${as_of})) > greatest(${historic_fewest}, ${historic_share} * count(DISTINCT birth_date))
         THEN DATE '0001-01-01' ELSE std_oldest_alive(${as_of}) END AS oldest
FROM ${source} WHERE NOT std_placeholder_date(birth_date) GROUP BY source;

CREATE OR REPLACE TEMP TABLE ${target} AS
WITH named AS (
    SELECT r.record_id, r.source, r.role, r.sensitivity, std_birth_date_since(r.birth_date, ${as_of}, coalesce(e.oldest, std_oldest_alive(${as_of}))) AS birth_date, r.sex, r.death_date, r.nino, r.nhs_number, r.phone, r.email,
        coalesce(std_name(r.title), o.title) AS title, coalesce(o.party_kind, 'person') AS party_kind,
        CASE WHEN r.surname IS NULL AND r.forename IS NULL THEN coalesce(o.given, []) ELSE list_concat(coalesce(f.tokens, []), coalesce(m.tokens, [])) END AS given,
        CASE WHEN r.surname IS NULL AND r.forename IS NULL THEN nullif(array_to_string(o.family, ' '), '') ELSE r.surname END AS family,
        r.former_surname
    FROM ${source} r
    LEFT JOIN std_one_string o ON o.name_text = r.name_text
    LEFT JOIN std_given_form f ON f.raw = r.forename
    LEFT JOIN std_given_form m ON m.raw = r.middle
    LEFT JOIN std_era e ON e.source = r.source
)
SELECT n.record_id, n.source, n.role, n.title, n.party_kind,
    nullif(n.given[1], '') AS forename,
    nullif(array_to_string(n.given[2:], ' '), '') AS middle,
    s.surname,
    former.surname AS former_surname,
    coalesce(k.root, n.given[1]) AS forename_root,
    s.phonetic AS surname_phonetic,
    left(n.given[1], 1) AS initial,
    list_concat(n.given, std_tokens(s.surname)) AS name_tokens,
    list_filter(list_distinct(list_concat(std_tokens(s.surname), std_tokens(former.surname))),
        lambda t: length(t) > 2 AND NOT list_contains(std_particles(), t)) AS surname_parts,
    replace(s.surname, ' ', '') AS surname_key,
    n.birth_date AS birth_date,
    year(n.birth_date) AS birth_year,
    std_weak_birth_date(n.birth_date) AS weak_birth_date,
    coalesce(n.birth_date > ${as_of} - INTERVAL 16 YEAR, false) AS is_child,
    coalesce(n.role IN ('liable', 'claimant', 'partner', 'tenant', 'elector'), false) AS acts_as_adult,
    CASE WHEN n.sex IN ('M', 'F') THEN n.sex WHEN left(upper(n.sex), 1) IN ('M', 'F') THEN left(upper(n.sex), 1)
         WHEN coalesce(n.title) IN ('MR', 'MASTER', 'SIR', 'LORD', 'FATHER') THEN 'M'
         WHEN coalesce(n.title) IN ('MRS', 'MISS', 'MS', 'DAME', 'LADY', 'SISTER', 'MADAM') THEN 'F' END AS sex,
    std_nino(n.nino) AS nino, std_nhs_number(n.nhs_number) AS nhs_number,
    std_phone(n.phone) AS phone, std_email(n.email) AS email,
    n.death_date, n.sensitivity,
    n.party_kind IN ('person', 'executors') AND coalesce(s.surname, n.given[1]) IS NOT NULL AS is_person
FROM named n
LEFT JOIN std_surname_form s ON s.raw = n.family
LEFT JOIN std_surname_form former ON former.raw = n.former_surname
LEFT JOIN std_nickname k ON k.name = n.given[1];

DROP TABLE std_era; DROP TABLE std_one_string; DROP TABLE std_surname_form; DROP TABLE std_given_form;
