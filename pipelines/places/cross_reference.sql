-- grain: one reference under which another system knows a UPRN (record type 23): its own number, or the gazetteer's key of the reference
SELECT DISTINCT source AS xref_source, reference AS xref_key, uprn
FROM (SELECT source, uprn, unnest([cross_reference, xref_key]) AS reference
      FROM llpg_xref WHERE end_date IS NULL)
WHERE reference <> ''
ORDER BY ALL
