-- one row per event; dashes are made alike, since suppliers write them in three ways
SELECT
    event_reference AS event_ref, record_id, lower(event_type) AS event_type,
    regexp_replace(service_type, '\s*[‐‑‒–—:-]\s*', ': ') AS service_type,
    regexp_replace(service_component, '\s+[‐‑‒–—-]\s+', ' - ', 'g') AS component,
    primary_support_reason AS support_reason, accommodation_status AS accommodation, client_funding_status AS funding,
    regexp_replace(event_outcome, '\s+[‐‑‒–—-]\s+', ' - ', 'g') AS outcome,
    event_start_date AS from_date, event_end_date AS to_date,
    (CASE
        WHEN lower(cost_frequency) IN ('per week', 'weekly') THEN unit_cost
        WHEN lower(cost_frequency) IN ('hourly', 'per hour', 'per day', 'daily', 'per night', 'per session', 'session')
            THEN unit_cost * planned_units_per_week
        WHEN lower(cost_frequency) IN ('per month', 'monthly') THEN unit_cost * 12 / 52
        WHEN lower(cost_frequency) IN ('4-weekly', 'per 4 weeks') THEN unit_cost / 4
        WHEN lower(cost_frequency) IN ('fortnightly', 'per fortnight') THEN unit_cost / 2
    END)::DECIMAL(10,2) AS weekly_cost,
    extract_date, valid_from, valid_to, loaded_run
FROM ${cld}
