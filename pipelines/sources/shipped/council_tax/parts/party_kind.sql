CASE
    WHEN liab_name IS NULL
      OR regexp_matches(upper(liab_name), '^(MR )?THE (OCCUPIER|OWNER|OWNER/OCCUPIER|TENANT|LANDLORD|EXECUTORS?)S?$') THEN 'unnamed'
    WHEN regexp_matches(upper(liab_name), '\b(LTD|LIMITED|PLC|LLP|CIC|COUNCIL|HOUSING ASSOCIATION|LETTINGS|PROPERTIES|INVESTMENTS)\b')
      THEN 'company'
    WHEN regexp_matches(upper(liab_name), '\b(EXORS?|EXECUTORS?|DECD|DECEASED|PERS(ONAL)? REPS?|EST(ATE)? OF)\b') THEN 'executors'
    ELSE 'person'
END
