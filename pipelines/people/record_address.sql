-- One row per stay of a record at an address. Grain: record_id, address_id, from_date.
SELECT record_id, address_id, uprn, std_postcode(postcode) AS postcode,
    -- where no UPRN was found, the address in normal form stands for the home
    coalesce(uprn::VARCHAR, '~' || door_key) AS home_key,
    std_address_number(address_text) AS address_number, replace(std_text(address_text), ',', '') AS address_line,
    from_date, to_date, is_current, basis
FROM (${stay})
ORDER BY record_id, from_date, address_id
