-- Candidate: two current social tenancies of one tenant (tenancy_ref of the older, tenancy_ref of the newer).
WITH held AS (
    SELECT t.tenancy_ref, t.source, t.record_id, t.tenure, t.from_date, t.to_date,
           coalesce(t.from_date, DATE '1900-01-01') AS began, member.person_id,
           member.forename, member.forename_root, member.surname, member.initial, member.name_tokens,
           place.uprn, place.parent_uprn, place.uncertain
    FROM tenancy AS t
    JOIN member USING (record_id)
    JOIN place USING (address_id)
    WHERE t.is_tenant AND live(t.from_date, t.to_date)
),

tenants AS (
    SELECT tenancy_ref, count(DISTINCT record_id) AS n FROM held GROUP BY tenancy_ref
)

SELECT 'two_tenancies' AS rule,
       a.source AS subject_source, a.tenancy_ref AS subject_ref, a.record_id AS subject_record_id,
       a.from_date AS subject_from,
       b.source AS other_source, b.tenancy_ref AS other_ref, b.record_id AS other_record_id, b.from_date AS other_from,
       a.uprn, b.uprn AS other_uprn,
       kin.link_weight, kin.link_probability, kin.link_basis,
       format('Tenancy {} has run since {} and tenancy {} at another address since {}; both name what appears to be the '
              'same tenant. Worth an officer''s look.',
              a.tenancy_ref, coalesce(day_in_words(a.from_date), 'an unknown day'),
              b.tenancy_ref, coalesce(day_in_words(b.from_date), 'an unknown day')) AS sentence,
       evidence_of([
           said(kin.same_nino, 'same_nino', NULL),
           said(kin.same_birth, 'same_birth_date', NULL),
           said(b.from_date <= today() - ${settled_days}, 'long_overlap', day_in_words(b.from_date)),
           said(kin.different_nino, 'different_nino', NULL),
           said(kin.different_birth AND NOT kin.same_nino, 'different_birth', NULL),
           said(a.parent_uprn = b.uprn OR b.parent_uprn = a.uprn, 'same_building', NULL),
           said(NOT kin.same_nino AND NOT kin.same_birth, 'name_only', NULL),
           said(NOT kin.same_nino AND NOT names_alike(a, b), 'names_differ', NULL),
           said(kin.kept_apart, 'kept_apart', NULL),
           said(b.from_date > today() - ${recent_days}, 'new_tenancy', day_in_words(b.from_date)),
           said(coalesce(a.to_date, b.to_date) IS NOT NULL, 'ending', day_in_words(coalesce(a.to_date, b.to_date))),
           said('temporary' IN (a.tenure, b.tenure), 'temporary_home', NULL),
           said((ta.n > 1) <> (tb.n > 1) AND b.from_date > today() - ${settled_days}, 'joint_transfer', NULL),
           said(a.uncertain OR b.uncertain, 'address_uncertain', NULL)
       ]) AS evidence,
       'tenancy' AS value_kind, NULL::DECIMAL(10, 2) AS yearly, greatest(a.from_date, b.from_date) AS since
FROM held AS a
JOIN kin ON kin.record_id = a.record_id AND NOT kin.rare_name
JOIN held AS b ON b.record_id = kin.kin_id AND b.tenancy_ref <> a.tenancy_ref AND b.uprn <> a.uprn
    AND (a.began, a.tenancy_ref) < (b.began, b.tenancy_ref)
JOIN tenants AS ta ON ta.tenancy_ref = a.tenancy_ref
JOIN tenants AS tb ON tb.tenancy_ref = b.tenancy_ref
QUALIFY row_number() OVER (
    PARTITION BY a.tenancy_ref, b.tenancy_ref
    ORDER BY kin.kept_apart, kin.same_nino DESC, kin.link_weight DESC, a.record_id, b.record_id
) = 1
