-- Candidate: a current tenant recorded as living at another address (tenancy_ref, UPRN elsewhere).
WITH held AS (
    SELECT t.tenancy_ref, t.source, t.record_id, t.tenure, t.from_date, t.to_date, member.person_id,
           place.uprn, place.parent_uprn, place.uncertain
    FROM tenancy AS t
    JOIN member USING (record_id)
    JOIN place USING (address_id)
    WHERE t.is_tenant AND live(t.from_date, t.to_date)
),

household AS (
    SELECT t.tenancy_ref, member.person_id
    FROM tenancy AS t
    JOIN member USING (record_id)
    WHERE live(t.from_date, t.to_date)
),

-- adults at the rented home of whom the tenancy knows nothing
strangers AS (
    SELECT held.tenancy_ref, count(DISTINCT p.person_id) AS n
    FROM held
    JOIN presence AS p ON p.uprn = held.uprn
    ANTI JOIN household ON household.tenancy_ref = held.tenancy_ref AND household.person_id = p.person_id
    WHERE p.role NOT IN ('dependant', 'household', 'tenant')
        AND (p.birth_date IS NULL OR p.birth_date + INTERVAL 18 YEAR <= today())
    GROUP BY held.tenancy_ref
),

still_at_home AS (
    SELECT held.tenancy_ref, held.person_id, count(DISTINCT p.source) AS n
    FROM held
    JOIN presence AS p ON p.person_id = held.person_id AND p.uprn = held.uprn AND p.kind <> 'tenancy'
    GROUP BY ALL
),

elsewhere AS (
    SELECT held.tenancy_ref, held.record_id AS tenant_record_id, p.uprn,
           arg_min({'record_id': p.record_id, 'ref': p.ref, 'source': p.source, 'kind': p.kind, 'role': p.role},
                   (kin.rare_name, kin.kept_apart, p.kind = 'registration', p.kind = 'liability', p.record_id)) AS best,
           arg_min(kin, (kin.rare_name, kin.kept_apart, p.kind = 'registration', p.kind = 'liability', p.record_id)) AS kin,
           min(p.from_date) AS from_date, count(DISTINCT p.source) AS sources,
           bool_or(p.uncertain) AS uncertain, bool_or(p.is_communal) AS is_communal, min(p.parent_uprn) AS parent_uprn
    FROM held
    JOIN kin ON kin.record_id = held.record_id
    JOIN presence AS p ON p.record_id = kin.kin_id AND p.uprn <> held.uprn AND p.kind <> 'tenancy'
        AND p.role NOT IN ('dependant', 'non_dependant')
    GROUP BY ALL
),

-- whether any record of the tenant at an address bears the tenant's number or birth date
proof AS (
    SELECT held.tenancy_ref, held.record_id, m.uprn, bool_or(kin.same_nino) AS same_nino,
           bool_or(kin.same_birth) AS same_birth
    FROM held
    JOIN kin ON kin.record_id = held.record_id AND NOT kin.kept_apart AND NOT kin.rare_name
    JOIN member AS m ON m.record_id = kin.kin_id
    GROUP BY ALL
),

two_homes AS (
    SELECT a.tenancy_ref, b.uprn
    FROM held AS a
    JOIN held AS b ON b.person_id = a.person_id AND b.tenancy_ref <> a.tenancy_ref
    GROUP BY ALL
),

carer_at AS (
    SELECT DISTINCT place.uprn
    FROM discount AS d
    JOIN place USING (address_id)
    WHERE d.kind = 'disregard' AND d.code IN ('carer', 'smi') AND live(d.from_date, d.to_date)
),

dead AS (
    SELECT DISTINCT member.person_id FROM death JOIN member USING (record_id)
)

SELECT 'tenancy_elsewhere' AS rule,
       h.source AS subject_source, h.tenancy_ref AS subject_ref, h.record_id AS subject_record_id,
       h.from_date AS subject_from,
       e.best.source AS other_source, e.best.ref AS other_ref, e.best.record_id AS other_record_id,
       e.from_date AS other_from,
       h.uprn, e.uprn AS other_uprn,
       e.kin.link_weight, e.kin.link_probability, e.kin.link_basis,
       format('Tenancy {} has run since {}, and its tenant is also recorded at another address ({} {}){}. '
              'Worth an officer''s look.',
              h.tenancy_ref, coalesce(day_in_words(h.from_date), 'an unknown day'),
              CASE e.best.kind WHEN 'registration' THEN 'elector' WHEN 'liability' THEN 'council tax account'
                               ELSE 'benefit claim' END,
              e.best.ref, coalesce(' since ' || day_in_words(e.from_date), '')) AS sentence,
       evidence_of([
           said(e.kin.same_nino OR proof.same_nino, 'same_nino', NULL),
           said(e.kin.same_birth OR proof.same_birth, 'same_birth_date', NULL),
           said(e.sources >= 2, 'second_source', e.sources),
           said(strangers.n > 0, 'strangers_at_home', strangers.n),
           said(home.n IS NULL, 'not_seen_at_home', NULL),
           said(e.kin.rare_name, 'rare_name', NULL),
           said(e.from_date > h.from_date AND e.from_date <= today() - ${recent_days}, 'elsewhere_newer',
                day_in_words(e.from_date)),
           said(e.kin.different_nino, 'different_nino', NULL),
           said(e.kin.different_birth AND NOT e.kin.same_nino, 'different_birth', NULL),
           said(h.parent_uprn = e.uprn OR e.parent_uprn = h.uprn OR h.parent_uprn = e.parent_uprn AND h.uncertain,
                'same_building', NULL),
           said(two_homes.uprn IS NOT NULL, 'told_elsewhere', NULL),
           said(e.kin.kept_apart, 'kept_apart', NULL),
           said(NOT (e.kin.same_nino OR e.kin.same_birth OR coalesce(proof.same_nino OR proof.same_birth, false))
                AND coalesce(e.kin.link_weight, 0) < ${firm_weight}, 'name_only', NULL),
           said(e.from_date > today() - ${recent_days}, 'moved_in_recently', day_in_words(e.from_date)),
           said(h.from_date > today() - ${recent_days}, 'new_tenancy', day_in_words(h.from_date)),
           said(e.from_date <= h.from_date, 'elsewhere_older', day_in_words(e.from_date)),
           said(home.n > 0 AND coalesce(strangers.n, 0) = 0, 'still_at_home', home.n),
           said(carer_at.uprn IS NOT NULL, 'carer_there', NULL),
           said(e.is_communal, 'care_home', NULL),
           said(h.to_date IS NOT NULL, 'ending', day_in_words(h.to_date)),
           said(h.tenure = 'temporary', 'temporary_home', NULL),
           said(h.uncertain OR e.uncertain, 'address_uncertain', NULL),
           said(e.best.kind = 'liability' AND e.best.role IN ('owner', 'freeholder', 'leaseholder'), 'owner_elsewhere',
                e.best.role)
       ]) AS evidence,
       'tenancy' AS value_kind, NULL::DECIMAL(10, 2) AS yearly, greatest(e.from_date, h.from_date) AS since
FROM held AS h
JOIN elsewhere AS e ON e.tenancy_ref = h.tenancy_ref AND e.tenant_record_id = h.record_id
LEFT JOIN strangers ON strangers.tenancy_ref = h.tenancy_ref
LEFT JOIN still_at_home AS home ON home.tenancy_ref = h.tenancy_ref AND home.person_id = h.person_id
LEFT JOIN two_homes ON two_homes.tenancy_ref = h.tenancy_ref AND two_homes.uprn = e.uprn
LEFT JOIN proof ON proof.tenancy_ref = h.tenancy_ref AND proof.record_id = h.record_id AND proof.uprn = e.uprn
LEFT JOIN carer_at ON carer_at.uprn = e.uprn
ANTI JOIN dead ON dead.person_id = h.person_id
-- a name alone is followed up only where both sides point the same way
WHERE NOT e.kin.rare_name OR (strangers.n > 0 AND home.n IS NULL)
