-- Macros for the words of a name.

-- surname with O', D', MAC and MC joined: 'O BRIEN' -> 'OBRIEN', 'MC DONALD' and 'MACDONALD' -> 'MCDONALD'
CREATE OR REPLACE TEMP MACRO std_prefixes_joined(s) AS
    regexp_replace(regexp_replace(s, '(^| )(O|MC|MAC|D) ', '\1\2', 'g'),
        '(^| )MAC([BCDFGKLMNPQRSTVW][A-Z]{3}|ARTHUR|AULAY|ALLISTER|ALISTER|ANDREW|ALPINE|EWAN|EWEN|INTOSH|INTYRE|INNES|IVER|ILROY|ELROY)', '\1MC\2', 'g');
CREATE OR REPLACE TEMP MACRO std_surname(s) AS std_prefixes_joined(std_name(s));

-- the tokens that are none of `set_aside`; all of them if nothing else would be left
CREATE OR REPLACE TEMP MACRO std_without(tokens, set_aside) AS
    coalesce(nullif(list_filter(tokens, lambda t: NOT list_contains(set_aside, t)), []), tokens);

-- one spelling for the endings by which a family name shows a woman: KOWALSKA of the KOWALSKIs, NOVAKOVA of the NOVAKs and
-- IVANOVA of the IVANOVs, PETRAUSKIENE and PETRAUSKAITE of the PETRAUSKAS
CREATE OR REPLACE TEMP MACRO std_family_form(t) AS CASE
    WHEN regexp_matches(t, '[A-Z]{2}(SKA|CKA|ZKA)$') THEN left(t, -1) || 'I'
    WHEN regexp_matches(t, '[A-Z]{3}(OV|EV|IN)A$') THEN left(t, -1)
    WHEN regexp_matches(t, '[A-Z]{3}(IENE|AITE|YTE|UTE)$') THEN regexp_replace(t, '(IENE|AITE|YTE|UTE)$', 'AS')
    ELSE t END;

-- JM and TJ are initials, ABDULRAHMAN is ABDUL RAHMAN; of a name as std_name leaves it
CREATE OR REPLACE TEMP MACRO std_given_words(n) AS CASE WHEN n IN ('MD', 'NG', 'MR', 'MS', 'MX', 'DR', 'JR', 'SR', 'ST') THEN n
    WHEN regexp_matches(n, '^(BABY|INFANT) (OF|BOY|GIRL|MALE|FEMALE|M|F|ONE|TWO)\b') THEN ''
    ELSE regexp_replace(regexp_replace(n, '\b(ABDUL|ABDOUL|ABDEL|ABDAL)([A-KM-Z][A-Z]{3,}|L[B-Z][A-Z]{2,})', 'ABDUL \2', 'g'),
        '^([BCDFGHJKLMNPQRSTVWXZ])([BCDFGHJKLMNPRSTVWXZ])$', '\1 \2') END;

-- the word of a hyphened name that tells what kind of name it is: the first, after the Arabic article
CREATE OR REPLACE TEMP MACRO std_lead(t) AS split_part(regexp_replace(t, '^(AL|EL|UL)ǀ', ''), 'ǀ', 1);
