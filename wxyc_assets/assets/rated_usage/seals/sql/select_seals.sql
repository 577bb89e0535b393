-- select_seals: the chain of seals, in the order in which it was made.
SELECT s.window_start, s.kind, s.made_by, s.made_at, s.reason, s.previous, s.digest, s.row_count, s.cost::text AS cost,
  s.rows_digest, s.event_count, s.events_digest, s.price_digest, s.rated_by, s.accepted_rows,
  s.accepted_cost::text AS accepted_cost
FROM wxyc_assets.seal s
ORDER BY s.seal_id
