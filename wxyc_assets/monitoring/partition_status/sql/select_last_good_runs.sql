-- select_last_good_runs: of each asset, the last run that ended with the verdict done, and when it ended.
SELECT DISTINCT ON (r.asset) r.asset, r.run_id, r.ended_at
FROM wxyc_assets.run r
WHERE r.verdict = 'done'
ORDER BY r.asset, r.ended_at DESC
