-- 0008_upgrade: what rating has seen of each hour, the price books it used, and the usage that is not billed.

CREATE TABLE wxyc_assets.price_book (
  digest text PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
  content bytea NOT NULL,
  first_used_at timestamptz NOT NULL DEFAULT now(),
  first_used_by text NOT NULL
);
COMMENT ON TABLE wxyc_assets.price_book IS
  'Every price file that a run of rated_usage has rated with: its bytes under their SHA-256, so that an old hour can be rated with its own prices.';
COMMENT ON COLUMN wxyc_assets.price_book.first_used_by IS 'The run that stored it.';

CREATE TABLE wxyc_assets.rated_hour (
  window_start timestamptz PRIMARY KEY,
  rated_at timestamptz NOT NULL,
  run_id text NOT NULL,
  price_digest text NOT NULL,
  events bigint NOT NULL,
  newest_event_at timestamptz NOT NULL
);
COMMENT ON TABLE wxyc_assets.rated_hour IS
  'The last rating of each hour, written in the transaction that rates it: what it saw of the hour''s events. An event that it has not seen is not billed.';
COMMENT ON COLUMN wxyc_assets.rated_hour.events IS 'All events of the hour, those that could not be billed included.';
COMMENT ON COLUMN wxyc_assets.rated_hour.newest_event_at IS 'The latest created_at among them; -infinity: there was none.';

-- The ratings before this revision. They kept no created_at of the events: the time of the rating stands for it.
INSERT INTO wxyc_assets.rated_hour (window_start, rated_at, run_id, price_digest, events, newest_event_at)
SELECT DISTINCT ON (t.partition_key) (overlay(t.partition_key PLACING ' ' FROM 11) || '+00')::timestamptz, t.updated_at, t.run_id,
  t.counters ->> 'price_digest', (t.counters ->> 'events')::bigint, t.updated_at
FROM wxyc_assets.tally t
WHERE t.asset = 'rated_usage' AND t.complete AND t.counters ? 'price_digest' AND t.counters ? 'events'
ORDER BY t.partition_key, t.updated_at DESC;

CREATE TABLE wxyc_assets.unbilled_usage (
  bucket text PRIMARY KEY,
  events bigint NOT NULL CHECK (events > 0),
  events_now bigint NOT NULL,
  newest_event_at timestamptz NOT NULL,
  estimated_cost numeric,
  found_at timestamptz NOT NULL DEFAULT now(),
  confirmed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE wxyc_assets.unbilled_usage IS
  'Usage outside the trailing hours that no rating has seen and no operator has accepted. A row is deleted when its events are billed or accepted.';
COMMENT ON COLUMN wxyc_assets.unbilled_usage.bucket IS
  'The partition key of an hour; ''before'' for events stored since the first hour that claim an earlier time; ''future'' for events of hours that have not begun.';
COMMENT ON COLUMN wxyc_assets.unbilled_usage.events IS 'The events that no rating has seen; events_now: all events of the bucket.';
COMMENT ON COLUMN wxyc_assets.unbilled_usage.estimated_cost IS
  'By how many USD a rating with the prices in force would raise the bill of the hour; null: not known.';

CREATE TABLE wxyc_assets.accepted_usage (
  acceptance_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  bucket text NOT NULL,
  events bigint NOT NULL,
  events_now bigint NOT NULL,
  newest_event_at timestamptz NOT NULL,
  estimated_cost numeric,
  reason text NOT NULL CHECK (reason <> ''),
  accepted_by text NOT NULL,
  accepted_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE wxyc_assets.accepted_usage IS
  'Unbilled usage that an operator accepted as such, with the row of unbilled_usage as it was. An event that is stored later is reported again.';
CREATE INDEX accepted_usage_bucket_ix ON wxyc_assets.accepted_usage (bucket, acceptance_id);

CREATE TABLE wxyc_assets.unbilled_watch (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  looked_until timestamptz,
  trailing_start timestamptz,
  looked_at timestamptz
);
COMMENT ON TABLE wxyc_assets.unbilled_watch IS
  'One row: how far the last search for unbilled usage came. looked_until: the latest created_at then; trailing_start: the first of the trailing hours, which the routine run rates again.';
INSERT INTO wxyc_assets.unbilled_watch DEFAULT VALUES;

ALTER TABLE wxyc_assets.usage_change ADD COLUMN cause text CHECK (cause IN ('events', 'prices', 'both'));
COMMENT ON COLUMN wxyc_assets.usage_change.cause IS
  'What made the row change: the events of the hour, the price file, or both. Null: the change is older than this column.';
