-- Dates, identifiers and contacts: what can't be true becomes null.

-- birth date as evidence: placeholders, dates after `as_of` and those before `oldest` are not birth dates
CREATE OR REPLACE TEMP MACRO std_placeholder_date(d) AS d IN (DATE '1900-01-01', DATE '1899-12-30', DATE '1899-12-31', DATE '1901-01-01', DATE '1111-11-11', DATE '9999-12-31');
CREATE OR REPLACE TEMP MACRO std_birth_date_since(d, as_of, oldest) AS CASE
    WHEN std_placeholder_date(d) OR d > as_of OR d < oldest THEN NULL ELSE d END;
-- the living: no age over 115
CREATE OR REPLACE TEMP MACRO std_oldest_alive(as_of) AS (as_of - INTERVAL 115 YEAR)::DATE;
CREATE OR REPLACE TEMP MACRO std_birth_date(d, as_of) AS std_birth_date_since(d, as_of, std_oldest_alive(as_of));

-- 1 January is often "year only"
CREATE OR REPLACE TEMP MACRO std_weak_birth_date(d) AS coalesce(month(d) = 1 AND day(d) = 1, false);

-- national insurance number without its suffix letter (the suffix carries no identity); temporary TN numbers and the known
-- stand-ins are dropped. Prefix ZZ is never issued; made-up data uses it, so it is kept.
CREATE OR REPLACE TEMP MACRO std_nino_clean(s) AS regexp_replace(upper(s), '[^A-Z0-9]', '', 'g');
CREATE OR REPLACE TEMP MACRO std_nino(s) AS CASE
    WHEN NOT regexp_full_match(std_nino_clean(s), '(?:ZZ|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z])[0-9]{6}[A-DT]?') THEN NULL
    WHEN left(std_nino_clean(s), 2) IN ('BG', 'GB', 'KN', 'NK', 'NT', 'TN') THEN NULL
    WHEN left(std_nino_clean(s), 8) IN ('AB123456', 'AA123456', 'AA000000', 'AB000000', 'ZZ999999', 'ZZ000000', 'JC123456') THEN NULL
    ELSE left(std_nino_clean(s), 8) END;

-- NHS number: ten digits whose weighted sum (10 to 2) leaves the check digit, modulo 11
CREATE OR REPLACE TEMP MACRO std_digits(s) AS regexp_replace(s, '[^0-9]', '', 'g');
CREATE OR REPLACE TEMP MACRO std_nhs_check(d) AS (11 - (
      10 * (ascii(d[1]) - 48) + 9 * (ascii(d[2]) - 48) + 8 * (ascii(d[3]) - 48) + 7 * (ascii(d[4]) - 48) + 6 * (ascii(d[5]) - 48)
    + 5 * (ascii(d[6]) - 48) + 4 * (ascii(d[7]) - 48) + 3 * (ascii(d[8]) - 48) + 2 * (ascii(d[9]) - 48)) % 11) % 11;
CREATE OR REPLACE TEMP MACRO std_nhs_number(s) AS CASE
    WHEN length(std_digits(s)) <> 10 THEN NULL
    WHEN std_digits(s) = repeat(left(std_digits(s), 1), 10) THEN NULL
    WHEN std_nhs_check(std_digits(s)) <> ascii(std_digits(s)[10]) - 48 THEN NULL
    ELSE std_digits(s) END;

-- telephone: national digits; too short or one digit throughout is no number
CREATE OR REPLACE TEMP MACRO std_phone_national(d) AS regexp_replace(d, '^(?:0044|44)0?', '0');
CREATE OR REPLACE TEMP MACRO std_phone(s) AS CASE
    WHEN length(std_phone_national(std_digits(s))) NOT BETWEEN 9 AND 15 THEN NULL
    WHEN regexp_full_match(substr(std_phone_national(std_digits(s)), 3), '0+|1+|2+|3+|4+|5+|6+|7+|8+|9+|123456789?0?') THEN NULL
    ELSE std_phone_national(std_digits(s)) END;

CREATE OR REPLACE TEMP MACRO std_email(s) AS CASE
    WHEN NOT regexp_full_match(lower(trim(s)), '[^@\s]+@[^@\s]+\.[^@\s]+') THEN NULL
    WHEN regexp_matches(lower(trim(s)), '^(none|noemail|no|na|n/a|unknown|test|noreply|refused)@') THEN NULL
    ELSE lower(trim(s)) END;

-- postcode: 'ss07ab' -> 'SS0 7AB'; anything not of the British form keeps its letters and digits
CREATE OR REPLACE TEMP MACRO std_postcode_clean(s) AS nullif(regexp_replace(upper(s), '[^A-Z0-9]', '', 'g'), '');
CREATE OR REPLACE TEMP MACRO std_postcode(s) AS CASE
    WHEN regexp_full_match(std_postcode_clean(s), '[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}')
    THEN left(std_postcode_clean(s), length(std_postcode_clean(s)) - 3) || ' ' || right(std_postcode_clean(s), 3)
    ELSE std_postcode_clean(s) END;
