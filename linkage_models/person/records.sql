-- The table that Splink reads. Grain: record_id; unique_id numbers the records in the order of record_id.
CREATE OR REPLACE TEMP TABLE ${target} AS
SELECT
    row_number() OVER (ORDER BY record_id) - 1 AS unique_id,
    record_id, source AS source_dataset,
    forename, forename_root, initial, middle, string_split(middle, ' ') AS middle_names,
    surname, surname_key, surname_parts, surname_phonetic,
    CASE WHEN length(forename) > 1 AND length(surname_key) > 1
         THEN least(left(forename, 4), left(surname_key, 4)) || '/' || greatest(left(forename, 4), left(surname_key, 4)) END AS name_key,
    birth_date, birth_year, strftime(birth_date, '%Y-%m-%d') AS birth_text, weak_birth_date, sex, is_child, acts_as_adult,
    home_key, past_homes, postcode, nino, nhs_number, phone, email,
    from_date AS moved_in, to_date AS moved_out, date_trunc('month', from_date) AS month_in, date_trunc('month', to_date) AS month_out,
    CASE WHEN middle IS NOT NULL THEN least(initial, left(middle, 1)) || greatest(initial, left(middle, 1)) END AS given_key
FROM ${source}
WHERE ${linkable};
