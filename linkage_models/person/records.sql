-- The table that Splink reads. Grain: record_id; unique_id numbers the records in the order of record_id.
CREATE OR REPLACE TEMP TABLE ${target} AS
SELECT
    unique_id, record_id, source AS source_dataset, ${one_person} AS one_person_key,
    forename, forename_root, initial, middle, string_split(middle, ' ') AS middle_names, left(middle, 1) AS middle_initial,
    surname, surname_key, surname_phonetic, generation,
    -- lists that say no more than the column beside them are left out: most of them, and comparing lists is dear
    CASE WHEN len(surname_parts) > 1 OR surname_parts[1] <> surname_key THEN surname_parts END AS surname_parts, left(surname_key, 1) AS surname_initial,
    CASE WHEN length(forename) > 1 AND length(surname_key) > 1
         THEN hash(left(least(forename, surname_key), 4), left(greatest(forename, surname_key), 4)) END AS name_key,
    -- names as numbers: quicker to count and to join by
    CASE WHEN surname_key IS NOT NULL THEN hash(forename_root, surname_key) END AS full_name,
    -- until a model says which names are too common to bring records together
    CASE WHEN forename_root IS NOT NULL THEN full_name END AS telling_name,
    birth_date, birth_year, strftime(birth_date, '%Y-%m-%d') AS birth_text, weak_birth_date, sex, is_child, acts_as_adult,
    role = 'pupil' AS is_pupil, role IN ('young_person', 'dependant') AS is_young, role = 'contact' AS is_contact,
    -- nobody is put on the register of electors before 16, or is liable for a home or marries before; hardly a parent is under 14
    CASE WHEN role IN ('elector', 'liable', 'spouse') THEN from_date - INTERVAL 16 YEAR WHEN role IN ('mother', 'father') THEN from_date - INTERVAL 14 YEAR END AS born_by,
    -- nobody comes to a school after 19, or counts as a claimant's child after 20
    coalesce(birth_date, CASE role WHEN 'pupil' THEN from_date - INTERVAL 19 YEAR WHEN 'dependant' THEN from_date - INTERVAL 20 YEAR END) AS born_since,
    CASE WHEN NOT weak_birth_date THEN strftime(birth_date, '%m-%d') END AS birthday,
    home_key, past_homes, nullif(list_filter(past_homes, lambda h: h IS DISTINCT FROM home_key), []) AS other_homes, postcode, nino, nhs_number, person_number, phone, phone_kind, email, birth_place, occupation,
    ${communal} AS home_is_communal,
    address_line, address_number,
    from_date AS moved_in, to_date AS moved_out, date_trunc('month', from_date) AS month_in, date_trunc('month', to_date) AS month_out,
    -- a move that ends a month begins the next one
    nullif(date_trunc('month', to_date + 14), date_trunc('month', to_date)) AS month_after,
    -- the days of a bill or a tenancy are those of the move; a register or a case begins later
    coalesce(role IN ('liable', 'tenant'), false) AS dated_move,
    CASE WHEN role IN ('liable', 'tenant') THEN source END AS biller,
    -- a value with one sign left out, for each sign: two values one sign apart share one; as numbers, quicker to hold and to join by
    list_distinct([hash(left(nino, i - 1) || substr(nino, i + 1)) FOR i IN range(1, length(nino) + 1)]) AS nino_deletes
FROM ${numbered};
