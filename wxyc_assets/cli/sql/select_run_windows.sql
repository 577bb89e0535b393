-- select_run_windows: of each run of ours that wrote within the last day, its asset, and from when to when it wrote. A run that is
-- not ended, because it still works or was killed, wrote until its last tally.
SELECT r.asset, r.started_at, COALESCE(r.ended_at, t.updated_at) AS ended_at
FROM wxyc_assets.run r
CROSS JOIN LATERAL (SELECT max(x.updated_at) AS updated_at FROM wxyc_assets.tally x WHERE x.run_id = r.run_id) t
WHERE COALESCE(r.ended_at, t.updated_at) > now() - interval '1 day'
ORDER BY r.asset, r.started_at
