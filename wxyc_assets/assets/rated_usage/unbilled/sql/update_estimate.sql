-- update_estimate: what rating the hour would move.
--
-- Parameters
--   bucket           text
--   estimated_cost   text   USD
UPDATE wxyc_assets.unbilled_usage SET estimated_cost = %(estimated_cost)s::numeric WHERE bucket = %(bucket)s
