-- accept_usage: keeps the unbilled usage of these buckets as accepted, and takes it off the list.
--
-- Parameters
--   buckets               text[]
--   reason, accepted_by   text
WITH accepted AS (
  DELETE FROM wxyc_assets.unbilled_usage u WHERE u.bucket = ANY (%(buckets)s::text[]) RETURNING u.*
)
INSERT INTO wxyc_assets.accepted_usage (bucket, events, events_now, newest_event_at, estimated_cost, reason, accepted_by)
SELECT a.bucket, a.events, a.events_now, a.newest_event_at, a.estimated_cost, %(reason)s, %(accepted_by)s
FROM accepted a
RETURNING bucket
