-- Names that ${source} holds as one string, read into title, given names and family name. Grain: name_text.
CREATE OR REPLACE TEMP TABLE std_one_string AS
WITH folded AS (
    SELECT name_text, std_fold(std_signs_parted(name_text)) AS capitals FROM (SELECT DISTINCT name_text FROM ${source} WHERE name_text IS NOT NULL)
), own AS (   -- in whose care, under which business or former name: beside the person, who is named first
    SELECT name_text,
        regexp_extract(capitals, '\S\s+\(?(NEE|FORMERLY|PREVIOUSLY)[\s:]+(\S.*?)\)?$', 2) AS former,
        regexp_replace(regexp_replace(capitals, '^\s*C/O\s', ''), '(\S\s+\S.*?)[\s(]+(C/O|T/AS?|A/?K/?A|TRADING AS|ALSO KNOWN AS|NEE|FORMERLY|PREVIOUSLY)[\s:].*$', '\1') AS written
    FROM folded
), ranked AS (   -- a rank after the name says which of its bearers: THOMAS CLIFFORD, 1ST BARON CLIFFORD; PITT THE YOUNGER
    SELECT * REPLACE (regexp_replace(written, '(\S\s*?)[,\s]+(THE )?([0-9]{1,2}(ST|ND|RD|TH)\s+(BARON(ET|ESS)?|VISCOUNT(ESS)?|EARL|COUNTESS|DUKE|DUCHESS|MARQU(ESS|IS)|MARCHIONESS|LORD|LAIRD|BT)\b.*|THE (ELDER|YOUNGER)\s*)$', '\1') AS written) FROM own
), line AS (  -- a hyphen holds a name together until it is read: ǀ counts as a letter
    SELECT name_text, former, coalesce(std_letters(text), '') AS line
    FROM (SELECT name_text, former, std_text(regexp_replace(written, '(\pL) ?[-–] ?(\pL)', '\1ǀ\2', 'g')) AS text FROM ranked)
), worded AS (
    SELECT name_text, former, line,
        list_filter(string_split(regexp_replace(line, '[,&]', ' ', 'g'), ' '), lambda t: t <> '') AS words
    FROM line
), told AS (
    SELECT *, list_has_any(words, std_titles()) AS titled,
        regexp_matches(' ' || line || ' ', ' (EXORS?|EXECUTORS?|EXECUTRIX|EXECS?|EXS OF|DECD|DECEASE?D|DEC|EST(ATE)? OF|PERS(ONAL)? REPS?|PRS? OF|ADMINISTRATORS? OF|THE LATE) ') AS of_the_dead
    FROM worded
), sorted AS (
    SELECT *, CASE
        WHEN (list_has_any(words, std_unnamed()) OR regexp_matches(line, '\bTHE (OWNERS?|RESIDENTS?|TENANTS?|MANAGER|SECRETARY)\b|\b(NAME NOT|NOT KNOWN|NO NAME)\b'))
            AND NOT (titled AND len(words) > 2) THEN 'unnamed'
        WHEN list_has_any(words, std_organisations()) THEN 'company'
        WHEN NOT titled AND NOT of_the_dead AND (list_has_any(words, std_maybe_organisations()) OR regexp_matches(line, '[0-9]')) THEN 'company'
        WHEN of_the_dead THEN 'executors' ELSE 'person' END AS party_kind
    FROM told
), joined AS (   -- commas and & as words of their own; Irish, Scottish and Portuguese prefixes joined; MR & MRS is one title
    SELECT name_text, former, party_kind, string_split(regexp_replace(regexp_replace(regexp_replace(regexp_replace(line,
            '([,&])', ' \1 ', 'g'), ' AND ', ' & ', 'g'),
            '\b(MR|MRS|MISS|MS|DR|REV|PROF) +& +(MR|MRS|MISS|MS|DR|REV|PROF)\b', '\1', 'g'),
            '\b(MC|MAC) (\pL{3,})|\b(O) (BRIEN|BYRNE|CALLAGHAN|CONNELL|CONNOR|DEA|DOHERTY|DONNELL|DONOGHUE|DONOVAN|DOWD|DRISCOLL|DWYER|FARRELL|FLAHERTY|FLYNN|GORMAN|GRADY|HAGAN|HALLORAN|HANLON|HARA|HARE|KANE|KEEFE|KEEFFE|LEARY|LOUGHLIN|MAHONY|MALLEY|MARA|MEARA|NEAL|NEIL|NEILL|REGAN|REILLY|ROURKE|SHAUGHNESSY|SHEA|SULLIVAN|TOOLE)\b|\b(D) (SOUZA|SOUSA|SILVA|COSTA|CRUZ|CUNHA|MELLO|ALMEIDA|ARCY|ABREU)\b',
            '\1\2\3\4\5\6', 'g'), ' ') AS tokens
    FROM sorted WHERE party_kind IN ('person', 'executors')
), marked AS (
    SELECT name_text, former, party_kind, list_filter(tokens, lambda t: t <> '' AND NOT regexp_matches(t, '[0-9]') AND NOT list_contains(std_suffixes(), t)
            AND NOT (party_kind = 'executors' AND list_contains(std_death_marks(), t))) AS tokens
    FROM joined
), halves AS (   -- before and after the first &
    SELECT * EXCLUDE (tokens), coalesce(CASE WHEN amp > 0 THEN tokens[:amp - 1] ELSE tokens END, []) AS left_half,
        CASE WHEN amp > 0 THEN list_filter(tokens[amp + 1:], lambda t: t NOT IN ('&', ',') AND NOT list_contains(std_titles(), t)) ELSE [] END AS second
    FROM (SELECT *, coalesce(list_position(tokens, '&'), 0) AS amp FROM marked)
), named AS (
    SELECT *, CASE WHEN amp > 0 THEN list_filter(left_half, lambda t: t <> ',' AND NOT list_contains(std_titles(), t)) ELSE left_half END AS left_names FROM halves
), first AS (    -- J & MARY SMITH: the first shares the family name that the second is given
    SELECT name_text, former, party_kind,
        CASE WHEN amp = 0 THEN left_half WHEN len(left_names) = 0 THEN list_concat(left_half, second)
             WHEN len(second) > 1 AND length(second[-1]) > 1 AND len(list_filter(left_names[2:], lambda t: length(t) > 1)) = 0 THEN list_concat(left_half, second[-1:])
             ELSE left_half END AS said,
        CASE WHEN len(left_names) = 0 THEN [] WHEN len(second) > 1 AND length(second[-1]) > 1 THEN second[:-2] ELSE second END AS second_given
    FROM named
), told_parts AS (
    SELECT *, coalesce(list_position(said, ','), 0) AS comma, list_filter(said, lambda t: t <> ',') AS parts FROM first
), told_titles AS (   -- a title stands in front of the given names; words that are names as well only in front of a whole name
    SELECT *, coalesce(list_position(list_transform(parts, lambda t: list_contains(std_titles(), t)), true), 0) AS sure_title FROM told_parts
), titles AS (
    SELECT *, CASE WHEN sure_title > 0 THEN sure_title WHEN len(parts) > 2 AND list_contains(std_maybe_titles(), parts[1]) THEN 1 ELSE 0 END AS title_at FROM told_titles
), bare AS (
    SELECT *, list_filter(CASE WHEN title_at = 0 THEN parts ELSE list_concat(parts[:title_at - 1], parts[title_at + 1:]) END, lambda t: NOT list_contains(std_titles(), t)) AS bare FROM titles
), names AS (
    SELECT *, CASE WHEN len(bare) > 2 AND list_contains(std_maybe_suffixes(), bare[-1]) THEN bare[:-2] ELSE bare END AS names,
        -- names before the title, or before a comma that is followed by a name
        CASE WHEN comma > 1 AND comma <= len(parts) AND title_at NOT BETWEEN 1 AND comma - 1 AND comma - 1 < len(bare) THEN comma - 1
             WHEN title_at > 1 AND title_at - 1 < len(bare) THEN title_at - 1 ELSE 0 END AS told_first
    FROM bare
), leaning AS (  -- how far the first and last word lean to being a given name, in bits
    SELECT n.*, std_bits_of(names[1], a.bits) AS first_bits,
        std_bits_of(names[-1], z.bits) AS last_bits,
        len(names) = 4 AND a.bits > 2 AND b.is_family AND c.is_syllable AND d.is_syllable AS western_first,
        a.is_family AND z.is_syllable AND (len(names) = 2 AND contains(names[2], 'ǀ') OR len(names) = 3 AND b.is_syllable AND NOT z.is_family) AS eastern_order
    FROM names n
    LEFT JOIN std_name_use a ON a.name = std_lead(names[1])
    LEFT JOIN std_name_use z ON z.name = std_lead(names[-1])
    LEFT JOIN std_name_use b ON b.name = CASE WHEN len(names) IN (3, 4) THEN names[2] END
    LEFT JOIN std_name_use c ON c.name = CASE WHEN len(names) = 4 THEN names[3] END
    LEFT JOIN std_name_use d ON d.name = CASE WHEN len(names) = 4 THEN names[4] END
), ordered AS (
    SELECT *,
        CASE WHEN told_first > 0 THEN told_first                                                                    -- SMITH MR JOHN; SMITH, JOHN
             WHEN eastern_order THEN 1                                                                              -- CHAN WAI YEE; CHAN WAI-YEE
             WHEN title_at > 0 AND title_at <= len(names) OR len(names) < 2 THEN 0                                  -- MR JOHN SMITH
             WHEN len(names) > 2 AND regexp_matches(names[-1], '(OVICH|EVICH|OVNA|EVNA|OVYCH|IVNA)$') THEN 1        -- SIDOROV IVAN PETROVICH
             WHEN len(names) > 2 AND list_contains(std_particles(), names[1]) AND (list_contains(std_particles(), names[2]) OR first_bits < 0)                    -- VAN DER BERG JAN
                THEN list_position(list_transform(names, lambda t: list_contains(std_particles(), t)), false)
             WHEN last_bits - first_bits + CASE WHEN title_at > 0 THEN std_bits_title_last() ELSE 0 END
                - CASE WHEN len(names) > 2 AND length(names[2]) = 1 AND length(names[-1]) > 1 THEN std_bits_initial_between() ELSE 0 END > 0 THEN 1   -- SMITH JOHN
             ELSE 0 END AS family_first,
        coalesce(list_position(list_transform(names[2:], lambda t: list_contains(std_particles(), t)), true), 0) AS particle_at
    FROM leaning
)
SELECT k.name_text, k.party_kind, nullif(k.former, '') AS former, o.parts[o.title_at] AS title,
    string_split(replace(array_to_string(CASE
        WHEN western_first THEN [names[1], names[3], names[4]]                                                      -- PETER CHAN TAI MAN
        WHEN family_first > 0 THEN names[family_first + 1:]
        WHEN particle_at > 0 AND particle_at + 1 < len(names) THEN names[:particle_at]
        ELSE names[:-2] END, ' '), 'ǀ', ' '), ' ') AS given,
    replace(array_to_string(CASE
        WHEN western_first THEN [names[2]]
        WHEN family_first > 0 THEN names[:family_first]
        WHEN particle_at > 0 AND particle_at + 1 < len(names) THEN names[particle_at + 1:]
        ELSE names[-1:] END, ' '), 'ǀ', ' ') AS family,
    nullif(array_to_string(o.second_given, ' '), '') AS second_given
FROM sorted k LEFT JOIN ordered o USING (name_text);
