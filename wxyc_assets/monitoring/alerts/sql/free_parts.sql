-- free_parts: an open alert whose cause has ended stands on its own. If a sensor is about to ask again, it is sent only if
-- it is still open some time after that.
--
-- Parameters
--   patience   interval   how long after the announced try the alert may still close by itself
UPDATE wxyc_assets.alert p
SET part_of = NULL,
  retry_at = COALESCE(p.details ->> 'next_try_at', h.details ->> 'next_try_at')::timestamptz + %(patience)s::interval
FROM wxyc_assets.alert h
WHERE p.part_of = h.alert_id AND p.closed_at IS NULL AND h.closed_at IS NOT NULL
