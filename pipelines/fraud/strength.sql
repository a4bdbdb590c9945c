-- Every candidate pair with its strength, its evidence in words and its value (rule, subject, other); explained ones too.
WITH spelled AS (
    SELECT c.rule, c.subject_record_id, c.other_record_id, c.subject_ref, c.other_ref,
           list(replace(e.text, '{}', coalesce(piece.detail, 'an unknown day')) ORDER BY e.place)
               FILTER (e.effect = 'for') AS evidence_for,
           list(replace(e.text, '{}', coalesce(piece.detail, 'an unknown day')) ORDER BY e.place)
               FILTER (e.effect IN ('explains', 'weakens', 'note')) AS evidence_against,
           coalesce(sum(e.adds) FILTER (e.effect = 'for'), 0) AS support,
           arg_min(e.code, e.place) FILTER (e.effect = 'explains') AS explained_by,
           arg_min(e.code, e.place) FILTER (e.effect = 'weakens') AS weakened_by
    FROM candidate AS c, unnest(c.evidence) AS pieces(piece)
    JOIN evidence AS e ON e.code = piece.code
    GROUP BY ALL
),

weighed AS (
    SELECT c.* EXCLUDE (evidence),
           coalesce(s.evidence_for, []) AS evidence_for, coalesce(s.evidence_against, []) AS evidence_against,
           CASE WHEN s.explained_by IS NOT NULL THEN 'explained'
                WHEN s.weakened_by IS NOT NULL THEN 'low'
                WHEN s.support >= ${high_support} THEN 'high'
                ELSE 'medium' END AS strength,
           coalesce(s.explained_by, s.weakened_by) AS reason
    FROM candidate AS c
    LEFT JOIN spelled AS s USING (rule, subject_record_id, other_record_id, subject_ref, other_ref)
),

priced AS (
    SELECT w.*, coalesce(l.likelihood, 0) AS likelihood,
           round(v.fixed + coalesce(w.yearly, v.default_yearly)
               * (least(greatest(coalesce(date_diff('month', w.since, today()), 0), 0) / 12.0, v.back_years)
                  + v.forward_years), 2)::DECIMAL(12, 2) AS value_gross,
           v.retained_share
    FROM weighed AS w
    JOIN value AS v ON v.kind = w.value_kind
    LEFT JOIN likelihood AS l ON l.rule = w.rule AND l.strength = w.strength
)

SELECT p.* EXCLUDE (yearly, retained_share, value_kind),
       p.value_kind, round(p.value_gross * p.retained_share, 2)::DECIMAL(12, 2) AS value_retained,
       round(p.value_gross * p.retained_share * p.likelihood * coalesce(p.link_probability, 1), 2)::DECIMAL(12, 2)
           AS expected_retained,
       '${values_version}' AS values_version,
       concat_ws(' ', s.title, s.forename, s.surname) AS subject_name,
       concat_ws(' ', o.title, o.forename, o.surname) AS other_name,
       here.address, there.address AS other_address, here.ward,
       coalesce(s.person_id IN (FROM protected), false) OR coalesce(o.person_id IN (FROM protected), false) AS is_restricted,
       today() AS as_of
FROM priced AS p
LEFT JOIN member AS s ON s.record_id = p.subject_record_id
LEFT JOIN member AS o ON o.record_id = p.other_record_id
LEFT JOIN identity.places.property AS here ON here.uprn = p.uprn
LEFT JOIN identity.places.property AS there ON there.uprn = p.other_uprn
