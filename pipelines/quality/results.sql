-- one rule of one extract in one run; counts and words only, never a value
CREATE TABLE IF NOT EXISTS identity.quality.result (
    judgement    BIGINT,   -- number of the judgement, ascending: one an extract and run
    run_id       VARCHAR,
    source       VARCHAR,
    extract_date DATE,
    principle    VARCHAR,
    dimension    VARCHAR,
    rule         VARCHAR,
    sentence     VARCHAR,
    table_name   VARCHAR,
    column_name  VARCHAR,
    rows         BIGINT,   -- rows judged
    failures     BIGINT,   -- of those, rows that fail
    share        DOUBLE,   -- failures / rows, 0 to 1
    allowed      DOUBLE,   -- share that the rule lets pass, 0 to 1
    severity     VARCHAR,  -- critical, warning
    passed       BOOLEAN,
    judged       BOOLEAN,  -- false where there was nothing to compare with
    reason       VARCHAR,
    owner        VARCHAR
)
