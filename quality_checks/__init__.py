"""What good data is: the council's six principles as rules, judged by Great Expectations on DuckDB.

It knows rules and tables, no source and no contract; results are counts, never a value of a row.
"""
