-- hear_run: this run's events are taken note of by whoever gets a row; nobody else ever does.
--
-- Parameters
--   run_id     text
--   ended_at   timestamptz
INSERT INTO wxyc_assets.heard_run (run_id, ended_at) VALUES (%(run_id)s, %(ended_at)s)
ON CONFLICT DO NOTHING
RETURNING run_id
