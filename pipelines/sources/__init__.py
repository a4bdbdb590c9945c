"""Sources: what each promises (its contract), how its files are read and taken in, its facts.

`shipped/` holds one folder a source, without Python: contract.yaml, a .sql file a fact, checks/.
"""
