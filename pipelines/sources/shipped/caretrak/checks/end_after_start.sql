-- one row per spell with an end; fails if it ends before it begins
SELECT spell_id, end_date < start_date AS fails FROM ${spells} WHERE end_date IS NOT NULL
