-- select_is_customer: whether a bill, a change of a bill or an event names a customer.
--
-- Parameters
--   auth_id   text
SELECT EXISTS (SELECT FROM rated_usage r WHERE r.auth_id = %(auth_id)s)
  OR EXISTS (SELECT FROM wxyc_assets.usage_change c WHERE c.auth_id = %(auth_id)s)
  OR EXISTS (SELECT FROM billing_event e WHERE e.auth_id = %(auth_id)s)
