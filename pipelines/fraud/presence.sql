-- One current mention of a living place: a person at a UPRN by one record of one kind (record_id, ref).
WITH mention AS (
    SELECT record_id, address_id, 'registration' AS kind, elector_ref AS ref, 'elector' AS role,
           added_date AS from_date, attainer_date
    FROM registration
    UNION ALL
    SELECT record_id, address_id, 'liability', account_ref, position, from_date, NULL
    FROM liability
    WHERE is_live AND party_kind = 'person' AND record_id IS NOT NULL AND live(from_date, to_date)
    UNION ALL
    SELECT record_id, address_id, 'claim', claim_ref, role, from_date, NULL
    FROM claim
    WHERE is_live AND live(from_date, to_date)
    UNION ALL
    SELECT record_id, address_id, 'tenancy', tenancy_ref, if(is_tenant, 'tenant', 'household'), from_date, NULL
    FROM tenancy
    WHERE live(from_date, to_date)
),

-- a claim or tenancy is dated as a whole; the stay says when this person came
stay AS (
    SELECT record_id, address_id, max(from_date) AS came
    FROM residence
    WHERE live(from_date, to_date)
    GROUP BY ALL
)

SELECT mention.record_id, mention.kind, mention.ref, mention.role, mention.attainer_date,
       greatest(mention.from_date, stay.came) AS from_date,
       member.person_id, member.source, member.surname, member.initial,
       coalesce(member.birth_date, person.birth_date, mention.attainer_date - INTERVAL 18 YEAR)::DATE AS birth_date,
       place.uprn, place.uncertain, place.parent_uprn, place.is_communal
FROM mention
JOIN member USING (record_id)
JOIN person USING (person_id)
JOIN place USING (address_id)
LEFT JOIN stay USING (record_id, address_id)
