-- update_watch: the next search goes on from here, and from the start as long as there is no event. An event with a created_at in
-- the future does not move it there.
--
-- Parameters
--   trailing_start   timestamptz
UPDATE wxyc_assets.unbilled_watch SET
  looked_until = (SELECT max(e.created_at) FROM billing_event e WHERE e.created_at BETWEEN '1970-01-01' AND now()),
  trailing_start = %(trailing_start)s::timestamptz,
  looked_at = now()
