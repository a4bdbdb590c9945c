-- Text macros: one value in, one value out; null stays null, nothing left becomes null.

-- capitals, no accents, Latin letters that NFD does not split written out, apostrophes dropped, the rest single spaces
CREATE OR REPLACE TEMP MACRO std_text(s) AS nullif(trim(regexp_replace(regexp_replace(
    replace(replace(replace(replace(replace(replace(upper(strip_accents(s)), 'Ł', 'L'), 'Ø', 'O'), 'Æ', 'AE'), 'ß', 'SS'), 'Đ', 'D'), 'Œ', 'OE'),
    '[''’`´.]', '', 'g'), '[^\pL0-9&,]+', ' ', 'g')), '');

-- letters and spaces only, as names are compared
CREATE OR REPLACE TEMP MACRO std_name(s) AS nullif(trim(regexp_replace(std_text(s), '[^\pL]+', ' ', 'g')), '');

-- the pieces of a name
CREATE OR REPLACE TEMP MACRO std_tokens(s) AS list_filter(string_split(coalesce(std_name(s), ''), ' '), lambda t: t <> '');

-- surname with O'/MAC/MC and the like joined: 'O BRIEN' -> 'OBRIEN', 'MC DONALD' and 'MACDONALD' -> 'MCDONALD'
CREATE OR REPLACE TEMP MACRO std_surname(s) AS
    regexp_replace(regexp_replace(std_name(s), '(^| )(O|MC|MAC|D) ', '\1\2', 'g'), '(^| )MAC([BCDFGKLMNPQRSTVW][A-Z]{3})', '\1MC\2', 'g');

-- number of a house in an address line: its first number
CREATE OR REPLACE TEMP MACRO std_address_number(s) AS
    nullif(regexp_extract(upper(s), '(?:^|[ ,/])([0-9]{1,4}[A-Z]?)(?:[ ,/-]|$)', 1), '');
