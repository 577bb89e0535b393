-- select_price_digest_of_hour: the price file of the last rating of an hour.
--
-- Parameters
--   hour   timestamptz
SELECT h.price_digest FROM wxyc_assets.rated_hour h WHERE h.window_start = %(hour)s
