-- select_usage_changes: all changes of the rows of a customer's hour, oldest first, with amounts as text.
--
-- Parameters
--   auth_id        text
--   window_start   timestamptz   the hour
--   window_end     timestamptz   its end, not included
SELECT c.changed_at, c.kind, c.resource_id, c.model_id, (c.before).cost::text AS cost_before, (c.after).cost::text AS cost_after,
  (COALESCE((c.after).cost, 0) - COALESCE((c.before).cost, 0))::text AS moved,
  (c.before).event_count AS events_before, (c.after).event_count AS events_after,
  ((c.before).applied_prompt_rate, (c.before).applied_cached_rate, (c.before).applied_completion_rate) IS DISTINCT FROM
    ((c.after).applied_prompt_rate, (c.after).applied_cached_rate, (c.after).applied_completion_rate) AS rates_changed,
  (c.before).org_id AS org_before, (c.after).org_id AS org_after, c.run_id, c.origin, c.price_digest
FROM wxyc_assets.usage_change c
WHERE c.auth_id = %(auth_id)s AND c.window_start >= %(window_start)s::timestamptz
  AND c.window_start < %(window_end)s::timestamptz
ORDER BY c.change_id
