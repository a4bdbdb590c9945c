-- One row: the scorecard a year ago against what followed.
SELECT scorecard, persons, outcomes, auc, bar_auc, recall_top_5_percent, hit_rate_top_5_percent FROM attributes.risk.measure
