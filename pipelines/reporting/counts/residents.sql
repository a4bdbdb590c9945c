-- One row per class and purpose view: persons who live in the borough on the day of the run, or don't.
SELECT view, class, count(*) FROM identity.residents.resident GROUP BY view, class ORDER BY view, count(*) DESC, class
