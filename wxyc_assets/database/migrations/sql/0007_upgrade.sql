-- 0007_upgrade: the comments of our tables and functions are in plain English; nothing else changes.

COMMENT ON TABLE wxyc_assets.run IS
  'One row for each run that started work. ended_at is null while it works, and stays null if its process was killed.';
COMMENT ON COLUMN wxyc_assets.run.discogs_calls_left IS
  'Discogs calls that the run still expects to make, by its own estimate; null: it made no estimate.';
COMMENT ON TABLE wxyc_assets.tally IS
  'The counts of a run in a partition, written in the transaction that writes the counted rows. complete: the run processed the partition to its end.';
COMMENT ON TABLE wxyc_assets.quarantine IS
  'Inputs that could not be used, with the reason and the SHA-256 of the payload. failures counts failures in a row; it restarts after resolved_at. No run uses the input before wait_until.';
COMMENT ON TABLE wxyc_assets.budget IS
  'One row for each shared rate. tat: the instant at which all reserved calls are used up (generic cell rate algorithm). blocked_until: no caller starts a call before it, because the service asked for that.';
COMMENT ON COLUMN wxyc_assets.budget.recent_at IS
  'Instants of the reservations in the minute before the last one, ascending; recent_cost has the cost of each.';
COMMENT ON FUNCTION wxyc_assets.reserve_budget IS
  'Reserves cost calls so that no window of window_s seconds has more than per_minute; a call that alone costs more has its window alone. wait_s: how long to wait before the calls. Every result is null if there is no such budget.';
COMMENT ON TABLE wxyc_assets.alert IS
  'The outbox: an alert is stored here first and delivered to Sentry afterwards. source: the check or step. An alert is open until closed_at.';
COMMENT ON COLUMN wxyc_assets.alert.partitions IS
  'The partition keys that have not recovered, or one empty string for the asset as a whole. Empty array: all have recovered.';
COMMENT ON TABLE wxyc_assets.partition_state IS
  'When a run last credited a partition in Dagster, and when a run last failed to. The empty key is an asset without partitions. Copied from Dagster''s events, so that the station''s state can be read without Dagster.';
COMMENT ON TABLE wxyc_assets.heard_run IS
  'Finished runs whose events the outbox has processed, each exactly once.';
COMMENT ON TABLE wxyc_assets.alert_watch IS
  'One row: when the sensor alerts last ran, and what kept it from delivering to Sentry. No alert is delivered while the sensor does not run.';
COMMENT ON FUNCTION wxyc_assets.eligible_library IS
  'Libraries that a run asks LML about. An identity exactly stale_after old is still fresh; an attempt exactly retry_after ago is too recent; recheck selects every library with unresolved_attempted_at.';
COMMENT ON VIEW wxyc_assets.library_artist_id IS
  'All six artist-level ids of each library''s identity; the table library_identity has columns for three of them.';
COMMENT ON TABLE wxyc_assets.album_no_match IS
  'Albums for which LML had no match to use at the last call, with the names that were sent. An album whose names have changed since then is asked again at once.';
COMMENT ON FUNCTION wxyc_assets.album_question IS
  'Artist and title as they are sent to LML for each album, and the state: ask; unresolvable (no artist, or flagged unavailable); rests (no match to use within retry_after, exactly that long ago included, or in quarantine).';
COMMENT ON TABLE wxyc_assets.usage_change IS
  'One row for each row of rated_usage that a run inserted, changed or deleted, written in the same statement. price_digest: SHA-256 of the price file. With rated_usage it shows what was billed at any time.';
