-- Candidate: a live single person discount and another adult at the dwelling (account_ref, other person).
-- a discount entered twice is still one: the entry that has stood longest
WITH granted AS (
    SELECT *
    FROM discount
    WHERE kind = 'discount' AND code = 'single_person' AND live(from_date, to_date)
    QUALIFY row_number() OVER (PARTITION BY account_ref ORDER BY from_date, amount DESC, address_id) = 1
),

subject AS (
    SELECT d.account_ref, d.source, d.from_date, d.amount, place.uprn, place.uncertain,
           min(l.record_id) AS record_id, min(l.from_date) AS liable_from
    FROM granted AS d
    JOIN place USING (address_id)
    JOIN liability AS l ON l.account_ref = d.account_ref AND l.is_live AND l.record_id IS NOT NULL
        AND live(l.from_date, l.to_date)
    JOIN member ON member.record_id = l.record_id
    GROUP BY ALL
),

holder AS (
    SELECT subject.*, member.person_id, member.surname, member.initial
    FROM subject
    JOIN member USING (record_id)
),

-- every other person at the address, one row each, with the record that shows them best
other AS (
    SELECT h.account_ref, p.person_id,
           arg_min({'record_id': p.record_id, 'ref': p.ref, 'source': p.source, 'kind': p.kind},
                   (p.kind <> 'registration', p.kind = 'liability', p.record_id)) AS best,
           min(p.from_date) AS from_date, max(p.from_date) AS newest,
           count(DISTINCT p.source) AS sources, bool_or(p.role = 'partner') AS is_partner,
           bool_and(p.kind = 'registration') AS only_register, bool_and(p.kind = 'liability') AS only_liability,
           bool_or(p.kind = 'registration') AS on_register,
           bool_or(p.uncertain) AS uncertain, min(p.surname) AS surname, min(p.initial) AS initial,
           max(p.birth_date) AS birth_date
    FROM holder AS h
    JOIN presence AS p ON p.uprn = h.uprn AND p.person_id <> h.person_id
    WHERE p.role <> 'dependant' OR p.birth_date IS NOT NULL
    GROUP BY ALL
),

-- disregards now on the account: for whom, where that is said
disregard AS (
    SELECT d.account_ref, member.person_id, count(*) AS n,
           string_agg(DISTINCT disregard_in_words(d.code), ', ' ORDER BY disregard_in_words(d.code)) AS codes
    FROM discount AS d
    LEFT JOIN member USING (record_id)
    WHERE d.kind = 'disregard' AND live(d.from_date, d.to_date)
    GROUP BY ALL
),

-- a student or a person with severe mental impairment is disregarded wherever it was granted
disregarded_person AS (
    SELECT person_id, string_agg(codes, ', ' ORDER BY codes) AS codes
    FROM disregard
    WHERE person_id IS NOT NULL
    GROUP BY person_id
),

adults AS (
    SELECT account_ref, count(*) AS n
    FROM other
    WHERE (birth_date IS NULL OR birth_date + INTERVAL 18 YEAR <= today())
        AND person_id NOT IN (SELECT person_id FROM disregarded_person)
    GROUP BY account_ref
),

elsewhere AS (
    SELECT other.account_ref, other.person_id, max(p.from_date) AS from_date
    FROM other
    JOIN holder USING (account_ref)
    JOIN presence AS p ON p.person_id = other.person_id AND p.uprn <> holder.uprn
    GROUP BY ALL
),

alike AS (
    SELECT DISTINCT other.account_ref, other.person_id
    FROM other
    JOIN holder USING (account_ref)
    JOIN member AS o ON o.person_id = other.person_id
    JOIN member AS h ON h.person_id = holder.person_id
    LEFT JOIN view_edge AS e
        ON e.record_l = least(o.record_id, h.record_id) AND e.record_r = greatest(o.record_id, h.record_id)
    WHERE names_alike(o, h) OR e.match_probability >= ${alike_probability}
),

-- the account holder's own entry in the register at the address: whoever else is listed there is somebody else
listed AS (
    SELECT DISTINCT holder.account_ref
    FROM holder
    JOIN presence AS p ON p.person_id = holder.person_id AND p.uprn = holder.uprn AND p.kind = 'registration'
),

dead AS (
    SELECT member.person_id, min(death.death_date) AS death_date
    FROM death
    JOIN member USING (record_id)
    GROUP BY ALL
)

SELECT 'spd_second_adult' AS rule,
       h.source AS subject_source, h.account_ref AS subject_ref, h.record_id AS subject_record_id,
       h.from_date AS subject_from,
       o.best.source AS other_source, o.best.ref AS other_ref, o.best.record_id AS other_record_id, o.from_date AS other_from,
       h.uprn, NULL::BIGINT AS other_uprn,
       NULL::DOUBLE AS link_weight, 1.0 AS link_probability, 'both records stand at one address' AS link_basis,
       format('A single person discount has stood on account {} since {}, and another adult ({} {}) is recorded at the '
              'same address{}. Worth an officer''s look.',
              h.account_ref, coalesce(day_in_words(h.from_date), 'an unknown day'),
              CASE o.best.kind WHEN 'registration' THEN 'elector' WHEN 'liability' THEN 'council tax account'
                          WHEN 'claim' THEN 'benefit claim' ELSE 'tenancy' END,
              o.best.ref, coalesce(' since ' || day_in_words(o.from_date), '')) AS sentence,
       evidence_of([
           said(o.from_date <= today() - ${settled_days}, 'settled', day_in_words(o.from_date)),
           said(o.sources >= 2, 'second_source', o.sources),
           said(o.is_partner, 'partner_on_claim', NULL),
           said(o.from_date > h.from_date, 'came_after', NULL),
           said(own.person_id IS NOT NULL, 'disregarded', own.codes),
           said(own.person_id IS NULL AND unnamed.n >= coalesce(adults.n, 0), 'disregards_cover', unnamed.codes),
           said(own.person_id IS NULL AND unnamed.n < adults.n, 'disregard_some', unnamed.codes),
           said(o.birth_date + INTERVAL 18 YEAR > today(), 'not_yet_adult',
                day_in_words(o.birth_date + INTERVAL 18 YEAR)),
           said(o.birth_date + INTERVAL 18 YEAR <= today()
                AND o.birth_date + INTERVAL (${school_leaver_age}) YEAR > today(), 'school_leaver', NULL),
           said(dead.death_date <= today(), 'other_has_died', day_in_words(dead.death_date)),
           said(o.from_date > today() - ${recent_days}, 'moved_in_recently', day_in_words(o.from_date)),
           said(o.on_register AND listed.account_ref IS NOT NULL, 'both_listed', NULL),
           said(alike.person_id IS NOT NULL AND NOT (o.on_register AND listed.account_ref IS NOT NULL),
                'may_be_same_person', NULL),
           said(elsewhere.from_date > o.newest, 'seen_elsewhere', day_in_words(elsewhere.from_date)),
           said(o.only_register AND o.surname <> h.surname AND o.from_date < h.liable_from, 'previous_occupier',
                day_in_words(o.from_date)),
           said(o.only_liability, 'only_joint', NULL),
           said(h.uncertain OR o.uncertain, 'address_uncertain', NULL)
       ]) AS evidence,
       'single_person_discount' AS value_kind, h.amount AS yearly, greatest(o.from_date, h.from_date) AS since
FROM other AS o
JOIN holder AS h USING (account_ref)
LEFT JOIN disregarded_person AS own ON own.person_id = o.person_id
LEFT JOIN disregard AS unnamed ON unnamed.account_ref = o.account_ref AND unnamed.person_id IS NULL
LEFT JOIN adults ON adults.account_ref = o.account_ref
LEFT JOIN elsewhere ON elsewhere.account_ref = o.account_ref AND elsewhere.person_id = o.person_id
LEFT JOIN alike ON alike.account_ref = o.account_ref AND alike.person_id = o.person_id
LEFT JOIN listed ON listed.account_ref = o.account_ref
LEFT JOIN dead ON dead.person_id = o.person_id
