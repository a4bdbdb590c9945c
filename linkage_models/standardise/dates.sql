-- Dates: what can't be a birth date becomes null; what is only half known is marked.

-- birth date as evidence: placeholders, dates after `as_of` and those before `oldest` are not birth dates
CREATE OR REPLACE TEMP MACRO std_placeholder_date(d) AS d IN (DATE '1900-01-01', DATE '1899-12-30', DATE '1899-12-31', DATE '1901-01-01',
    DATE '1753-01-01', DATE '1111-11-11', DATE '0001-01-01', DATE '9999-12-31');
CREATE OR REPLACE TEMP MACRO std_birth_date_since(d, as_of, oldest) AS CASE
    WHEN std_placeholder_date(d) OR d > as_of OR d < oldest THEN NULL ELSE d END;
-- the living: no age over 115
CREATE OR REPLACE TEMP MACRO std_oldest_alive(as_of) AS (as_of - INTERVAL 115 YEAR)::DATE;
CREATE OR REPLACE TEMP MACRO std_birth_date(d, as_of) AS std_birth_date_since(d, as_of, std_oldest_alive(as_of));

-- 1 January is often "year only" (1970-01-01 also "nothing known"); some are born on it, so it is weak, not void
CREATE OR REPLACE TEMP MACRO std_weak_birth_date(d) AS coalesce(month(d) = 1 AND day(d) = 1, false);

-- the same date with day and month changed about, where that is another date
CREATE OR REPLACE TEMP MACRO std_swapped_date(d) AS
    CASE WHEN day(d) <= 12 AND day(d) <> month(d) THEN make_date(year(d), day(d), month(d)) END;

-- a date typed as text: British order first; without its time of day, ordinals (1st) and whatever parts its numbers
CREATE OR REPLACE TEMP MACRO std_date_parts(s) AS trim(regexp_replace(regexp_replace(regexp_replace(
    upper(trim(s)), '[T ]+[0-9]{1,2}:[0-9]{2}.*$', ''), '([0-9])(ST|ND|RD|TH)\b', '\1'), '[^A-Z0-9]+', '/', 'g'), '/');
-- two figures of a year mean the latest such year that isn't in the future
CREATE OR REPLACE TEMP MACRO std_this_century(d, as_of) AS CASE WHEN d > as_of THEN d - INTERVAL 100 YEAR ELSE d END;
CREATE OR REPLACE TEMP MACRO std_read_date_parts(p, as_of) AS CASE
    WHEN regexp_full_match(p, '0?0/0?0/(18|19|20)[0-9]{2}') THEN try_strptime(right(p, 4), '%Y')                      -- 00/00/1980
    WHEN regexp_full_match(p, '(18|19|20)[0-9]{2}/0?0/0?0') THEN try_strptime(left(p, 4), '%Y')
    WHEN regexp_full_match(p, '(18|19|20)[0-9]{2}') THEN try_strptime(p, '%Y')                              -- year only
    WHEN regexp_full_match(p, '[0-9]{5}') THEN TIMESTAMP '1899-12-30' + to_days(p::INTEGER)                 -- Excel's day number
    WHEN regexp_full_match(p, '[0-9]{8}') THEN coalesce(
        CASE WHEN left(p, 2) IN ('18', '19', '20') THEN try_strptime(p, '%Y%m%d') END, try_strptime(p, '%d%m%Y'))
    WHEN regexp_full_match(p, '[0-9]{1,2}/([0-9]{1,2}|[A-Z]+)/[0-9]{2}')
        THEN std_this_century(try_strptime(p, ['%d/%m/%y', '%d/%b/%y', '%d/%B/%y', '%m/%d/%y']), as_of)
    WHEN regexp_matches(p, '(18|19|20)[0-9]{2}') THEN try_strptime(p, ['%d/%m/%Y', '%Y/%m/%d', '%d/%b/%Y', '%d/%B/%Y', '%B/%d/%Y', '%b/%d/%Y', '%A/%d/%B/%Y', '%m/%d/%Y']) END;
CREATE OR REPLACE TEMP MACRO std_read_date(s, as_of) AS CAST(std_read_date_parts(std_date_parts(s), as_of) AS DATE);
