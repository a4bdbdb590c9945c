"""What good data is: the council's six principles as rules, judged by Great Expectations on DuckDB."""
