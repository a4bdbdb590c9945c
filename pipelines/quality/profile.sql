-- one cell of one measure of one column of one extract; cells of few rows are pooled, so that no value of a person stands here
CREATE TABLE IF NOT EXISTS identity.quality.profile (
    run_id       VARCHAR,
    source       VARCHAR,
    extract_date DATE,
    delivery     INTEGER,
    table_name   VARCHAR,
    column_name  VARCHAR,  -- empty: of the table as a whole
    measure      VARCHAR,  -- filled, length, code, month, era, age, band; repeated, gone, moved, changed (against the last extract)
    cell         VARCHAR,
    count        BIGINT
)
