-- claim_run: this run counts as ingested. The caller that gets a row ingests it; any other caller gets none.
--
-- Parameters
--   run_id     text
--   ended_at   timestamptz
--   event_id   bigint        storage id of the event with which it ended; 0: unknown
INSERT INTO wxyc_assets.heard_run (run_id, ended_at, event_id) VALUES (%(run_id)s, %(ended_at)s, %(event_id)s::bigint)
ON CONFLICT DO NOTHING
RETURNING run_id
