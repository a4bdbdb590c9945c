-- A sound code for names: first sound kept, later vowels dropped, spellings that sound alike in English, Polish and
-- South Asian names brought together, doubles collapsed, six signs at most. Our own rules in the spirit of metaphone.
CREATE OR REPLACE TEMP MACRO std_sound_spelling(s) AS
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        replace(s, ' ', ''),
        '^(KN|GN|PN)', 'N'), '^WR', 'R'), '^PS', 'S'), '^X', 'S'), 'PH', 'F', 'g'), 'SCH|SZCZ|SZ|CZ|TCH', 'CH', 'g'),
        'GHT', 'T', 'g'), 'GH', 'G', 'g'), 'DG([EIY])', 'J\1', 'g'), 'CK', 'K', 'g'), 'C([EIY])', 'S\1', 'g'),
        'X', 'KS', 'g'), 'QU?', 'K', 'g'), 'CH|SH', 'J', 'g'), 'TH|DH', 'T', 'g');

CREATE OR REPLACE TEMP MACRO std_sound_letters(s) AS translate(s, 'CZVDBW', 'KSFTPV');

-- after the first letter vowels, H, V (from W) and Y fall away, then runs of one letter become one
CREATE OR REPLACE TEMP MACRO std_sound_tail(s) AS
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(s,
        '[AEIOUYHV]', '', 'g'), 'F+', 'F', 'g'), 'G+', 'G', 'g'), 'J+', 'J', 'g'), 'K+', 'K', 'g'), 'L+', 'L', 'g'),
        'M+', 'M', 'g'), 'N+', 'N', 'g'), 'P+', 'P', 'g'), 'R+', 'R', 'g'), 'S+', 'S', 'g'), 'T+', 'T', 'g');

CREATE OR REPLACE TEMP MACRO std_sound_first(s) AS regexp_replace(left(s, 1), '[AEIOUYH]', 'A');

CREATE OR REPLACE TEMP MACRO std_sound_join(s) AS
    nullif(left(std_sound_first(s) || CASE WHEN left(std_sound_tail(substr(s, 2)), 1) = left(s, 1)
        THEN substr(std_sound_tail(substr(s, 2)), 2) ELSE std_sound_tail(substr(s, 2)) END, 6), '');

CREATE OR REPLACE TEMP MACRO std_phonetic(s) AS std_sound_join(std_sound_letters(std_sound_spelling(s)));
