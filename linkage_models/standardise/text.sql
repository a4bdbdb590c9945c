-- Text macros: one value in, one value out; null stays null, nothing left becomes null. Letters of any script are kept.

-- Cyrillic and Greek in Latin letters, near the British passport spellings; SQL has no table for them, so letter by letter
CREATE OR REPLACE TEMP MACRO std_from_cyrillic(s) AS translate(
    replace(replace(replace(replace(replace(replace(replace(replace(replace(s,
        'Щ', 'SHCH'), 'Ж', 'ZH'), 'Х', 'KH'), 'Ц', 'TS'), 'Ч', 'CH'), 'Ш', 'SH'), 'Ю', 'YU'), 'Я', 'YA'), 'Є', 'YE'),
    'АБВГҐДЕЁЗИІЇЙКЛМНОПРСТУЎФЫЭЪЬ', 'ABVGGDEEZIIIYKLMNOPRSTUUFYE');
CREATE OR REPLACE TEMP MACRO std_from_greek(s) AS translate(
    replace(replace(replace(replace(s, 'Θ', 'TH'), 'Χ', 'CH'), 'Ψ', 'PS'), 'ΟΥ', 'OU'),
    'ΑΒΓΔΕΖΗΙΚΛΜΝΞΟΠΡΣΤΥΦΩ', 'AVGDEZIIKLMNXOPRSTYFO');

-- Latin letters that don't come apart into a letter and a mark
CREATE OR REPLACE TEMP MACRO std_plain_latin(s) AS translate(
    replace(replace(replace(replace(replace(s, 'Æ', 'AE'), 'Œ', 'OE'), 'ß', 'SS'), 'ẞ', 'SS'), 'Þ', 'TH'),
    'ŁØĐÐĦŦƏŊＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ', 'LODDHTENABCDEFGHIJKLMNOPQRSTUVWXYZ');

-- marks are accents, except in the scripts of India and its neighbours, where they are the vowels, and in Japanese
CREATE OR REPLACE TEMP MACRO std_without_accents(s) AS CASE WHEN regexp_matches(s, '[\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}\p{Thai}\p{Lao}\p{Tibetan}\p{Myanmar}\p{Khmer}\p{Hiragana}\p{Katakana}]') THEN s ELSE strip_accents(s) END;

-- capitals without accents; most text is plain ASCII (as many bytes as characters) and passes quickly
CREATE OR REPLACE TEMP MACRO std_fold(s) AS CASE WHEN strlen(s) = length(s) THEN upper(s)
    ELSE std_plain_latin(std_from_greek(std_without_accents(std_from_cyrillic(upper(regexp_replace(s, '\p{Cf}', '', 'g')))))) END;

-- capitals; apostrophes dropped, the rest of the punctuation single spaces; & and , keep their meaning
CREATE OR REPLACE TEMP MACRO std_text(s) AS
    nullif(trim(regexp_replace(translate(std_fold(s), '''’‘`´ʼʻ', ''), '[^\pL\pM0-9&,]+', ' ', 'g')), '');

-- letters and spaces only, as names are compared; a nought or a one inside a word is a letter misread
CREATE OR REPLACE TEMP MACRO std_letters(s) AS
    CASE WHEN regexp_matches(s, '\pL[01]|[01]\pL') THEN translate(s, '01', 'OI') ELSE s END;
-- of what std_text gives: where that is a column, it is worked out once (a macro repeats what it is given)
CREATE OR REPLACE TEMP MACRO std_name_of(t) AS nullif(trim(regexp_replace(std_letters(t), '[^\pL\pM]+', ' ', 'g')), '');
CREATE OR REPLACE TEMP MACRO std_name(s) AS std_name_of(std_text(s));

-- the pieces of a name, of what std_text gives
CREATE OR REPLACE TEMP MACRO std_tokens_of(t) AS list_filter(string_split(coalesce(std_name_of(t), ''), ' '), lambda t: t <> '');

-- number of a house in an address line: its first number
CREATE OR REPLACE TEMP MACRO std_address_number(s) AS
    nullif(regexp_extract(upper(s), '(?:^|[ ,/])([0-9]{1,4}[A-Z]?)(?:[ ,/-]|$)', 1), '');
