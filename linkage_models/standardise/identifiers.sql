-- Identifiers: checked by their own rules; temporary numbers and stand-ins become null.

CREATE OR REPLACE TEMP MACRO std_signs(s) AS regexp_replace(upper(s), '[^A-Z0-9]', '', 'g');
CREATE OR REPLACE TEMP MACRO std_digits(s) AS regexp_replace(s, '[^0-9]', '', 'g');
-- where only digits can stand, these letters are digits misread
CREATE OR REPLACE TEMP MACRO std_as_digits(s) AS translate(s, 'OQIL', '0011');

-- National Insurance number without its suffix letter, which carries no identity. Prefixes never issued, administrative and
-- temporary ones: HMRC, National Insurance Manual NIM39110. ZZ is never issued either; made-up data uses it, so it is kept.
CREATE OR REPLACE TEMP MACRO std_nino_checked(n) AS CASE
    WHEN NOT regexp_full_match(n, '(?:ZZ|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z])[0-9]{6}[A-Z]?') THEN NULL
    WHEN left(n, 2) IN ('BG', 'GB', 'KN', 'NK', 'NT', 'TN', 'CR', 'MW', 'NC', 'PP', 'PY', 'PZ') THEN NULL
    WHEN regexp_matches(n, '^..(0{6}|1{6}|2{6}|3{6}|4{6}|5{6}|6{6}|7{6}|8{6}|9{6}|123456)') THEN NULL
    ELSE left(n, 8) END;
CREATE OR REPLACE TEMP MACRO std_nino(s) AS
    std_nino_checked(left(std_signs(s), 2) || std_as_digits(substr(std_signs(s), 3, 6)) || substr(std_signs(s), 9));

-- NHS number: ten digits whose weighted sum (10 to 2) leaves the check digit, modulo 11 (NHS Data Dictionary)
CREATE OR REPLACE TEMP MACRO std_nhs_check(d) AS (11 - (
      10 * (ascii(d[1]) - 48) + 9 * (ascii(d[2]) - 48) + 8 * (ascii(d[3]) - 48) + 7 * (ascii(d[4]) - 48) + 6 * (ascii(d[5]) - 48)
    + 5 * (ascii(d[6]) - 48) + 4 * (ascii(d[7]) - 48) + 3 * (ascii(d[8]) - 48) + 2 * (ascii(d[9]) - 48)) % 11) % 11;
CREATE OR REPLACE TEMP MACRO std_nhs_number(s) AS CASE
    WHEN length(std_digits(s)) <> 10 THEN NULL
    WHEN std_digits(s) = repeat(left(std_digits(s), 1), 10) THEN NULL
    WHEN std_nhs_check(std_digits(s)) <> ascii(std_digits(s)[10]) - 48 THEN NULL
    ELSE std_digits(s) END;

-- a number of any other system: its letters and digits; one sign throughout, a run of digits or hardly any sign is no number
CREATE OR REPLACE TEMP MACRO std_person_number(s) AS CASE
    WHEN length(std_signs(s)) < 4 OR regexp_full_match(std_signs(s), '[A-Z]+|0*123456789?0*')
        OR std_signs(s) = repeat(left(std_signs(s), 1), length(std_signs(s))) THEN NULL
    ELSE std_signs(s) END;

-- unique pupil number: a check letter, then twelve digits weighted 2 to 13, modulo 23 (Government Data Standards Catalogue,
-- UPN 2.0). A letter in the last place marks a temporary number, which another school gives to another child.
CREATE OR REPLACE TEMP MACRO std_upn_check(u) AS 'ABCDEFGHJKLMNPQRTUVWXYZ'[1 + list_sum(
    list_transform(range(2, 14), lambda w: w * (ascii(u[w]) - 48)))::INTEGER % 23];
CREATE OR REPLACE TEMP MACRO std_upn(s) AS CASE
    WHEN NOT regexp_full_match(std_signs(s), '[A-HJ-NP-RT-Z][0-9]{12}') THEN NULL
    WHEN std_upn_check(std_signs(s)) <> std_signs(s)[1] THEN NULL
    ELSE std_signs(s) END;
