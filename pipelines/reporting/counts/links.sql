-- One row per tier and band of match weight: scored pairs of records.
SELECT tier, (least(greatest(floor(match_weight / ${width}) * ${width}, ${lowest}), ${highest}))::INTEGER AS band, count(*)
FROM identity.linkage.edge
GROUP BY tier, band
ORDER BY tier, band
