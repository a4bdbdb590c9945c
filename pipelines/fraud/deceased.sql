-- Candidate: a person with a registered death and a live discount, claim, tenancy or permit (registration_ref, kind, ref).
WITH dead AS (
    SELECT d.registration_ref, d.source, d.record_id, d.death_date, d.registered_date, place.uprn
    FROM death AS d
    LEFT JOIN place USING (address_id)
    WHERE d.death_date <= today()
),

benefit AS (
    SELECT l.source, l.account_ref AS ref, l.record_id, l.address_id, 'discount' AS kind, d.from_date,
           d.amount AS yearly, 'single_person_discount' AS value_kind, false AS someone_lives_on
    FROM discount AS d
    JOIN liability AS l ON l.account_ref = d.account_ref AND l.is_live AND l.record_id IS NOT NULL
        AND live(l.from_date, l.to_date)
    WHERE d.kind = 'discount' AND live(d.from_date, d.to_date)
    UNION ALL
    SELECT c.source, c.claim_ref, c.record_id, c.address_id, 'claim', c.from_date, c.weekly_award * 52,
           if(c.kind = 'council_tax_reduction', 'council_tax_reduction', 'housing_benefit'),
           EXISTS (FROM claim AS p WHERE p.claim_ref = c.claim_ref AND p.role = 'partner' AND p.is_live)
    FROM claim AS c
    WHERE c.is_live AND c.role = 'claimant' AND live(c.from_date, c.to_date)
    UNION ALL
    SELECT t.source, t.tenancy_ref, t.record_id, t.address_id, 'tenancy', t.from_date, NULL, 'tenancy',
           EXISTS (FROM tenancy AS j WHERE j.tenancy_ref = t.tenancy_ref AND j.is_tenant
                   AND j.record_id <> t.record_id AND live(j.from_date, j.to_date))
    FROM tenancy AS t
    WHERE t.is_tenant AND live(t.from_date, t.to_date)
    UNION ALL
    SELECT p.source, p.permit_ref, p.record_id, p.address_id, 'permit', p.from_date, NULL,
           CASE p.kind WHEN 'blue_badge' THEN 'blue_badge' WHEN 'older_persons_pass' THEN 'travel_pass'
                       WHEN 'disabled_persons_pass' THEN 'travel_pass' ELSE 'parking_permit' END, false
    FROM permit AS p
    WHERE p.is_live AND live(p.from_date, p.to_date)
),

-- the account side of each: executors in charge, or the exemption that follows a death
settling AS (
    SELECT place.uprn, bool_or(l.party_kind = 'executors') AS executors, false AS probate
    FROM liability AS l
    JOIN place USING (address_id)
    WHERE l.is_live
    GROUP BY place.uprn
    UNION ALL
    SELECT place.uprn, false, true
    FROM discount AS d
    JOIN place USING (address_id)
    WHERE d.kind = 'exemption' AND upper(d.code) = 'F' AND live(d.from_date, d.to_date)
    GROUP BY place.uprn
),

settled AS (
    SELECT uprn, bool_or(executors) AS executors, bool_or(probate) AS probate FROM settling GROUP BY uprn
),

household AS (
    SELECT tenancy_ref, count(*) FILTER (NOT is_tenant) AS others
    FROM tenancy
    WHERE live(from_date, to_date)
    GROUP BY tenancy_ref
),

-- a date later than the death on which this person did something new
alive AS (
    SELECT dead.registration_ref, max(p.from_date) AS from_date
    FROM dead
    JOIN member ON member.record_id = dead.record_id
    JOIN presence AS p ON p.person_id = member.person_id AND p.from_date > dead.death_date
    GROUP BY dead.registration_ref
)

SELECT 'deceased' AS rule,
       b.source AS subject_source, b.ref AS subject_ref, b.record_id AS subject_record_id, b.from_date AS subject_from,
       dead.source AS other_source, dead.registration_ref AS other_ref, dead.record_id AS other_record_id,
       dead.death_date AS other_from,
       place.uprn, dead.uprn AS other_uprn,
       kin.link_weight, kin.link_probability, kin.link_basis,
       format('A {} ({}) is live in the name of a person whose death on {} appears to be registered ({}). '
              'Worth an officer''s look.',
              CASE b.kind WHEN 'discount' THEN 'discount on a council tax account' WHEN 'claim' THEN 'benefit claim'
                          WHEN 'tenancy' THEN 'tenancy' ELSE replace(b.value_kind, '_', ' ') END,
              b.ref, day_in_words(dead.death_date), dead.registration_ref) AS sentence,
       evidence_of([
           said(kin.same_birth, 'same_birth_date', NULL),
           said(dead.uprn = place.uprn, 'address_of_death', NULL),
           said(dead.death_date <= today() - ${settled_days}, 'long_since_death', day_in_words(dead.death_date)),
           said(kin.different_birth, 'different_birth', NULL),
           said(b.kind <> 'tenancy' AND settled.executors, 'executors', NULL),
           said(b.kind = 'discount' AND settled.probate, 'exempt_probate', NULL),
           said(kin.kept_apart, 'kept_apart', NULL),
           said(dead.death_date > today() - ${recent_days}, 'recent_death', day_in_words(dead.death_date)),
           said(b.someone_lives_on, 'partner_lives', NULL),
           said(alive.from_date IS NOT NULL, 'alive_since', day_in_words(alive.from_date)),
           said(NOT kin.same_birth AND dead.uprn IS DISTINCT FROM place.uprn, 'other_address', NULL),
           said(place.uncertain AND dead.uprn IS DISTINCT FROM place.uprn, 'address_uncertain', NULL),
           said(b.kind = 'tenancy' AND household.others > 0, 'succession', NULL)
       ]) AS evidence,
       b.value_kind, b.yearly, greatest(b.from_date, dead.death_date) AS since
FROM dead
JOIN kin ON kin.record_id = dead.record_id AND NOT kin.rare_name
JOIN benefit AS b ON b.record_id = kin.kin_id
LEFT JOIN place ON place.address_id = b.address_id
LEFT JOIN settled ON settled.uprn = place.uprn
LEFT JOIN household ON household.tenancy_ref = b.ref AND b.kind = 'tenancy'
LEFT JOIN alive ON alive.registration_ref = dead.registration_ref
QUALIFY row_number() OVER (
    PARTITION BY dead.registration_ref, b.kind, b.ref ORDER BY kin.kept_apart, kin.link_weight DESC, b.record_id, b.from_date, b.yearly DESC
) = 1
