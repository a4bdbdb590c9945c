-- Telephone, e-mail and postcode: one form each; what stands for "none", or belongs to an office, becomes null.

-- the first number of the field, without its extension
CREATE OR REPLACE TEMP MACRO std_phone_first(s) AS regexp_extract(regexp_replace(upper(s), '(EXT(ENSION)?|[X#]).*$', ''),
    '[+(]?[0-9][0-9 ().-]{6,}');
-- 00 and + mean a country follows; 44 is home, and a number without its leading nought gets it back
CREATE OR REPLACE TEMP MACRO std_phone_national(p) AS CASE
    WHEN regexp_matches(p, '^(00|\+)') AND NOT regexp_matches(p, '^(00|\+) ?\(?44') THEN '+' || regexp_replace(std_digits(p), '^00', '')
    WHEN regexp_matches(std_digits(p), '^(00)?44[0-9]{9,11}$') THEN regexp_replace(std_digits(p), '^(00)?440?', '0')
    -- as North America writes them, where no 0 was left out
    WHEN regexp_full_match(trim(p), '(\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-.])[0-9]{3}[-.][0-9]{4}') THEN '+1' || std_digits(p)
    WHEN regexp_full_match(std_digits(p), '[1237][0-9]{9}') THEN '0' || std_digits(p)
    ELSE std_digits(p) END;
-- 03, 08 and 09 numbers are an organisation's; one digit throughout or a run of digits is nobody's
CREATE OR REPLACE TEMP MACRO std_phone_checked(p) AS CASE
    WHEN length(std_digits(p)) NOT BETWEEN 8 AND 15 OR regexp_matches(p, '^0[389]') THEN NULL
    WHEN regexp_matches(std_digits(p), '^..?.?(0{6,}|1{6,}|2{6,}|3{6,}|4{6,}|5{6,}|6{6,}|7{6,}|8{6,}|9{6,}|2?3456789?0?|123456789?0?)$') THEN NULL
    ELSE p END;
CREATE OR REPLACE TEMP MACRO std_phone(s) AS std_phone_checked(std_phone_national(nullif(std_phone_first(s), '')));

-- a mobile is a person's, a landline a home's, told by how it begins (Ofcom, National Telephone Numbering Plan: 071 to 075
-- and 077 to 079; 01 and 02)
CREATE OR REPLACE TEMP MACRO std_phone_kind(p) AS CASE
    WHEN regexp_full_match(p, '07[1-57-9][0-9]{8,}') THEN 'mobile'
    WHEN regexp_full_match(p, '0[12][0-9]{8,}') THEN 'landline'
    WHEN p IS NOT NULL THEN 'other' END;

CREATE OR REPLACE TEMP MACRO std_email_clean(s) AS
    regexp_replace(trim(regexp_replace(lower(trim(s)), '^mailto:', ''), ' .,;<>"''()'), '\.(con|cmo|ocm)$', '.com');
-- what follows + is the owner's own label; Google reads a name with and without full stops as one
CREATE OR REPLACE TEMP MACRO std_email_local(e) AS CASE WHEN regexp_matches(e, '@(gmail|googlemail)\.com$')
    THEN replace(regexp_replace(split_part(e, '@', 1), '\+.*$', ''), '.', '') ELSE regexp_replace(split_part(e, '@', 1), '(.)\+.*$', '\1') END;
CREATE OR REPLACE TEMP MACRO std_email_checked(e) AS CASE
    WHEN NOT regexp_full_match(e, '[^@\s,;]+@[^@\s,;]+\.[^@\s.,;]{2,}') THEN NULL
    -- nobody's
    WHEN regexp_matches(e, '^(none?|no-?e?-?mail|nomail|na|n/a|nil|null|unknown|notknown|not-?provided|notgiven|test|xx+|aa+|abc|asdf|refused|declined|decline|email|e-?mail|user|name)[0-9]*@') THEN NULL
    WHEN regexp_matches(e, '@(none?|no-?e?mail|nomail|na|unknown|test|email|xx+)\.[a-z.]+$') THEN NULL
    -- an office's
    WHEN regexp_matches(e, '^(no-?reply|do-?not-?reply|info|admin|office|enquir(y|ies)|reception|contact|customer-?services?|housing|benefits|council-?tax|lettings|accounts|hello|mail)@') THEN NULL
    ELSE nullif(std_email_local(e), '') || '@' || replace(split_part(e, '@', 2), 'googlemail.com', 'gmail.com') END;
CREATE OR REPLACE TEMP MACRO std_email(s) AS std_email_checked(std_email_clean(s));

-- postcode: 'ss07ab' -> 'SS0 7AB'; letters and digits misread for each other are mended where only one fits (Royal Mail: one
-- or two letters, a digit, a digit or letter; then a digit and two letters, never C I K M O V). ZZ99 stands for "no fixed
-- abode" and the like (NHS pseudo-postcodes); half a postcode is no place. What isn't British keeps its letters and digits.
CREATE OR REPLACE TEMP MACRO std_postcode_mended(p) AS CASE WHEN length(p) NOT BETWEEN 5 AND 7 THEN p
    WHEN regexp_full_match(p, '[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}') THEN p
    ELSE regexp_replace(regexp_replace(regexp_replace(left(p, length(p) - 3), '^([A-Z]{1,2})[OQ]$', '\10'),
            '^([A-Z]{1,2})[IL]([0-9]?)$', '\11\2'), '^0([XL])', 'O\1') || translate(p[-3], 'OQILSB', '001158') || right(p, 2) END;
CREATE OR REPLACE TEMP MACRO std_postcode_checked(p, given) AS CASE
    WHEN regexp_full_match(p, '[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][ABD-HJLNP-UW-Z]{2}') AND NOT starts_with(p, 'ZZ99')
        THEN left(p, length(p) - 3) || ' ' || right(p, 3)
    WHEN regexp_full_match(given, 'ZZ99...|[A-Z]{1,2}[0-9][A-Z0-9]?|[A-Z]+|0+') THEN NULL
    ELSE given END;
CREATE OR REPLACE TEMP MACRO std_postcode(s) AS std_postcode_checked(std_postcode_mended(nullif(std_signs(s), '')), nullif(std_signs(s), ''));
