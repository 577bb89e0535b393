-- select_changes: every row of rated_usage that runs inserted, changed or deleted in a time, oldest first, before and after, with
-- amounts and rates as text. A change that is older than the column cause has the cause that its rates and tokens show.
--
-- Parameters
--   since   timestamptz   when the row was changed, at the earliest
--   until   timestamptz   when the row was changed, not included
SELECT c.change_id, c.changed_at, c.window_start, c.auth_id, c.resource_id, c.model_id, c.kind,
  CASE
    WHEN c.cause IS NOT NULL THEN c.cause
    WHEN c.kind <> 'change' THEN 'unknown'
    WHEN ((c.before).applied_prompt_rate, (c.before).applied_cached_rate, (c.before).applied_completion_rate)
      = ((c.after).applied_prompt_rate, (c.after).applied_cached_rate, (c.after).applied_completion_rate) THEN 'events'
    WHEN ((c.before).prompt_tokens, (c.before).cached_tokens, (c.before).completion_tokens, (c.before).event_count)
      = ((c.after).prompt_tokens, (c.after).cached_tokens, (c.after).completion_tokens, (c.after).event_count) THEN 'prices'
    ELSE 'both'
  END AS cause,
  (c.before).cost::text AS cost_before, (c.after).cost::text AS cost_after,
  (COALESCE((c.after).cost, 0) - COALESCE((c.before).cost, 0))::text AS moved,
  (c.before).event_count AS events_before, (c.after).event_count AS events_after,
  (c.before).prompt_tokens AS prompt_tokens_before, (c.after).prompt_tokens AS prompt_tokens_after,
  (c.before).cached_tokens AS cached_tokens_before, (c.after).cached_tokens AS cached_tokens_after,
  (c.before).completion_tokens AS completion_tokens_before, (c.after).completion_tokens AS completion_tokens_after,
  (c.before).applied_prompt_rate::text AS prompt_rate_before, (c.after).applied_prompt_rate::text AS prompt_rate_after,
  (c.before).applied_cached_rate::text AS cached_rate_before, (c.after).applied_cached_rate::text AS cached_rate_after,
  (c.before).applied_completion_rate::text AS completion_rate_before,
  (c.after).applied_completion_rate::text AS completion_rate_after,
  (c.before).org_id AS org_before, (c.after).org_id AS org_after, c.run_id, c.origin, c.price_digest
FROM wxyc_assets.usage_change c
WHERE c.changed_at >= %(since)s::timestamptz AND c.changed_at < %(until)s::timestamptz
ORDER BY c.change_id
