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

-- which bearer of a name the word behind it says, of a father and a son: 1 SENIOR, 2 JUNIOR or II, 3 III, 4 IV; a hyphenated word is a name
CREATE OR REPLACE TEMP MACRO std_generation(raw) AS
    MAP {'SNR': 1, 'SR': 1, 'SENIOR': 1, 'JNR': 2, 'JR': 2, 'JUNIOR': 2, 'II': 2, 'III': 3, 'IV': 4}
        [regexp_extract(upper(raw), '[^\s,.][\s,.]+(SNR|SR|SENIOR|JNR|JR|JUNIOR|III|II|IV)[\s.]*(,|$)', 1)];

-- JM and TJ are initials, ABDULRAHMAN is ABDUL RAHMAN; of a name as std_name leaves it
CREATE OR REPLACE TEMP MACRO std_given_words(n) AS CASE WHEN n IN ('MD', 'NG', 'MR', 'MS', 'MX', 'DR', 'JR', 'SR', 'ST') THEN n
    WHEN regexp_matches(n, '^(BABY|INFANT) (OF|BOY|GIRL|MALE|FEMALE|M|F|ONE|TWO)\b') THEN ''
    ELSE regexp_replace(regexp_replace(n, '\b(ABDUL|ABDOUL|ABDEL|ABDAL)([A-KM-Z][A-Z]{3,}|L[B-Z][A-Z]{2,})', 'ABDUL \2', 'g'),
        '^([BCDFGHJKLMNPQRSTVWXZ])([BCDFGHJKLMNPRSTVWXZ])$', '\1 \2') END;

-- the word of a hyphened name that tells what kind of name it is: the first, after the Arabic article
CREATE OR REPLACE TEMP MACRO std_lead(t) AS split_part(regexp_replace(t, '^(AL|EL|UL)ǀ', ''), 'ǀ', 1);

-- endings that make a family name, where the word itself is on no list: sons, places and trades of English, then the
-- Slavic, Baltic, Romanian, Greek, Italian, Spanish, German, Nordic, Turkish ones
CREATE OR REPLACE TEMP MACRO std_family_ending(t) AS regexp_matches(t, '^(MC|MAC|FITZ)[A-Z]{4,}$|...(SON|TON|HAM|FORD|WORTH|BY|FIELD|WOOD|STONE|BURN|DALE|WELL|HURST|BROOK|LAND|BURY|RIDGE|COTT|SHAW|GATE|BOROUGH|WICK|THWAITE|SMITH|MAN|KINS|INGS)$|..(SKI|SKA|CKI|CKA|WICZ|CZYK|CZAK|IAK|OVA|OV|EV|EVA|ENKO|CHUK|OVIC|EVIC|SKY|ESCU|EANU|IENE|AITE|AUSKAS|AVICIUS|OPOULOS|OPOULOU|AKIS|IDIS|ELLI|ETTI|INI|UCCI|SEN|SSON|MANN|STEIN|BERG|OGLU)$|[AEIOU](NDEZ|NEZ|LEZ|REZ|GUEZ|RAZ)$');
CREATE OR REPLACE TEMP MACRO std_bits_of(t, listed) AS CASE WHEN length(t) = 1 THEN 8
    ELSE coalesce(listed, CASE WHEN std_family_ending(t) THEN std_bits_family_ending() ELSE std_bits_unlisted() END) END;

-- A name in Chinese, Japanese or Korean signs has its family name in front: before a space, else its first sign, or two
-- where they are such a name or four signs are two and two. 王小明 is 王, 小明; 欧阳娜娜 is 欧阳, 娜娜; 山田 太郎 is 山田, 太郎.
CREATE OR REPLACE TEMP MACRO std_signs_parted(s) AS CASE WHEN strlen(s) = length(s) THEN s ELSE regexp_replace(s,
    '^\s*(?:(\p{Han}{1,3}|\p{Hangul}{1,2})[\s　]+([\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]{1,5})|(' || array_to_string(std_double_surnames(), '|')
    || ')(\pL{1,2})|(\p{Han}{2})(\p{Han}{2})|(\p{Han}|\p{Hangul})(\p{Han}{1,2}|\p{Hangul}{1,3}))\s*$', '\1\3\5\7, \2\4\6\8') END;
