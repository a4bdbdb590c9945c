"""How records match: standardisation, models, scoring, clustering, ids, evaluation. Knows neither Dagster nor the
pipelines."""
